// Lets ReDoc show its styles where a Content-Security-Policy allows no inline ones. ReDoc makes <style> elements and adds
// rules to them. Here it gets elements that mean nothing to the browser instead, and their rules go into style sheets
// that the document adopts, which is the way that a policy leaves to scripts of the page's own host.
"use strict";
{
  const adopt = (rules) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    return sheet;
  };
  adopt("body { margin: 0; padding: 0 }"); // an old browser stops here, and ReDoc does what it always did
  const createElement = document.createElement;
  document.createElement = function (name, options) {
    if (String(name).toLowerCase() !== "style") {
      return createElement.call(this, name, options);
    }
    const element = createElement.call(this, "adopted-style");
    const sheet = adopt("");
    element.sheet = sheet;
    element.appendChild = (child) => {
      Node.prototype.appendChild.call(element, child);
      if (element.textContent) {
        sheet.replaceSync(element.textContent);
      }
      return child;
    };
    return element;
  };
}
