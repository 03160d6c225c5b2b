// Follows the forms that carry data-throughline-form="Name". When one is submitted, whoever filled it in is identified
// by what the form tells about them, and "Form Submitted" is tracked:
//
//   <form data-throughline-form="Newsletter">
//     <input type="email" name="email">                       the e-mail trait, by its type
//     <input name="fn" data-throughline-trait="first_name">    a trait, by its mark
//     <select name="topic" data-throughline-property="topic">  a property of the event, by its mark
//
// Fields without a mark are not read. Passwords, hidden fields, files and card numbers are not read even with one.
// The form itself is left alone: it is submitted as it would be without this script. Forms that are added later count.
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

  // Capturing: a page that sends its forms by code stops the event before it bubbles up.
  document.addEventListener('submit', function (event) {
    var form = event.target;
    var analytics = window[name];
    if (!analytics || !form || !form.getAttribute) return;
    var title = form.getAttribute('data-throughline-form');
    if (title === null) return;
    try {
      var found = read(form);
      var properties = found.properties;
      properties.form = title || form.getAttribute('name') || form.id || 'form';
      properties.page = location.pathname;
      if (Object.keys(found.traits).length) analytics.identify(found.traits);
      analytics.track('Form Submitted', properties);
    } catch (error) {
      if (window.console) console.error('[throughline]', error); // never in the way of the form
    }
  }, true);
})();
