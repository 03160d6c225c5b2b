// Follows the forms that carry data-throughline-form="Name". When one is submitted, whoever filled it in is identified
// by what the form tells about them, and "Form Submitted" is tracked:
//
//   <form data-throughline-form="Newsletter">
//     <input type="email" name="email">                       the e-mail trait, by its type
//     <input name="fn" data-throughline-trait="first_name">    a trait, by its mark
//     <select name="topic" data-throughline-property="topic">  a property of the event, by its mark
//
// Fields without a mark are not read. Passwords, hidden fields, files and card numbers are not read even with one.
// Forms that are added later count. A form that leaves the page is held until what was sent has arrived, for a second
// at most, and then submitted as it was; one that the page sends by code, or into another window, is left alone.
(function () {
  var script = document.currentScript;
  var name = (script && script.getAttribute('data-global-segment-analytics-key')) || 'analytics';
  if (window.__throughlineForms) return; // the script was loaded twice
  window.__throughlineForms = true;

  function secret(field) {
    var type = (field.type || '').toLowerCase();
    return type === 'password' || type === 'hidden' || type === 'file' ||
      /(^|\s)(cc-|current-password|new-password|one-time-code)/.test((field.getAttribute('autocomplete') || '').toLowerCase());
  }

  // A card number by its digits (Luhn), wherever it was typed.
  function cardNumber(value) {
    var digits = value.replace(/[\s-]/g, '');
    if (!/^\d{13,19}$/.test(digits)) return false;
    for (var sum = 0, i = 0; i < digits.length; i++) {
      var d = +digits[digits.length - 1 - i];
      if (i % 2 && (d *= 2) > 9) d -= 9;
      sum += d;
    }
    return sum % 10 === 0;
  }

  // What a field says: undefined when it says nothing.
  function valueOf(field) {
    var type = (field.type || '').toLowerCase();
    if (field.disabled || secret(field)) return undefined;
    if (type === 'radio') return field.checked ? field.value : undefined;
    if (type === 'checkbox') return field.checked;
    var value = String(field.value == null ? '' : field.value).trim();
    return value === '' || cardNumber(value) ? undefined : value;
  }

  function read(form) {
    var out = { traits: {}, properties: {} };
    for (var i = 0; i < form.elements.length; i++) {
      var field = form.elements[i];
      var trait = field.getAttribute('data-throughline-trait');
      var property = field.getAttribute('data-throughline-property');
      if (!trait && !property && (field.type || '').toLowerCase() === 'email') trait = 'email';
      if (!trait && !property) continue;
      var value = valueOf(field);
      if (value === undefined) continue;
      if (trait) out.traits[trait] = value;
      if (property) out.properties[property] = value;
    }
    return out;
  }

  // Says what the form told. The promise is kept when it has arrived.
  function send(form, analytics) {
    var found = read(form);
    found.properties.form = form.getAttribute('data-throughline-form') || form.getAttribute('name') || form.id || 'form';
    found.properties.page = location.pathname;
    var sent = [];
    if (Object.keys(found.traits).length) sent.push(analytics.identify(found.traits));
    sent.push(analytics.track('Form Submitted', found.properties));
    // Before the library has loaded, calls are kept and answer nothing that could be waited for.
    return analytics.initialized ? Promise.all(sent) : new Promise(function () {});
  }

  function follow(form) {
    var analytics = window[name];
    if (!analytics) return Promise.resolve();
    try {
      return send(form, analytics);
    } catch (error) {
      if (window.console) console.error('[throughline]', error); // never in the way of the form
      return Promise.resolve();
    }
  }

  // Does submitting it leave the page?
  function leaves(form, button) {
    var target = (button && button.getAttribute('formtarget')) || form.getAttribute('target') || '_self';
    var method = (button && button.getAttribute('formmethod')) || form.getAttribute('method') || 'get';
    return /^_(self|top|parent)$/i.test(target) && method.toLowerCase() !== 'dialog';
  }

  // Submits the form as its button would have, without asking the page's handlers a second time.
  function submit(form, button) {
    var added = [], changed = [];
    if (button && button.name) {
      var input = document.createElement('input');
      input.type = 'hidden';
      input.name = button.name;
      input.value = button.value;
      form.appendChild(input);
      added.push(input);
    }
    ['action', 'method', 'enctype', 'target'].forEach(function (attribute) {
      if (!button || !button.hasAttribute('form' + attribute)) return;
      changed.push([attribute, form.getAttribute(attribute)]);
      form.setAttribute(attribute, button.getAttribute('form' + attribute));
    });
    HTMLFormElement.prototype.submit.call(form);
    added.forEach(function (input) { form.removeChild(input); });
    changed.forEach(function (c) { c[1] === null ? form.removeAttribute(c[0]) : form.setAttribute(c[0], c[1]); });
  }

  function ours(event) {
    var form = event.target;
    return form && form.hasAttribute && form.hasAttribute('data-throughline-form') ? form : null;
  }

  var open; // the submission that the page's own handlers are looking at

  window.addEventListener('submit', function (event) {
    var form = ours(event);
    if (!form) return;
    open = event;
    setTimeout(function () { // the page has stopped the event on its way to us: it does the rest itself
      if (open === event) follow(form);
    }, 0);
  }, true);

  window.addEventListener('submit', function (event) { // after all handlers of the page
    var form = ours(event);
    if (!form) return;
    open = null;
    var button = event.submitter;
    if (event.defaultPrevented || !leaves(form, button)) {
      follow(form);
      return;
    }
    event.preventDefault();
    var gone = false;
    var go = function () {
      if (!gone) submit(form, button);
      gone = true;
    };
    setTimeout(go, 1000);
    follow(form).then(go, go);
  });
})();
