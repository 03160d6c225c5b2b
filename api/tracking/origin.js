// The library takes its settings from where its script came from, if that address begins with https (or from
// analytics._cdn, when the snippet sets it). This part tells it so for any address, such as that of a test machine.
(function () {
  var script = document.currentScript;
  var name = (script && script.getAttribute('data-global-segment-analytics-key')) || 'analytics';
  var analytics = window[name];
  var found = script && /^(https?:\/\/.+)\/analytics\.js\/v1\//.exec(script.src);
  if (found && analytics && !analytics._cdn) analytics._cdn = found[1];
})();
