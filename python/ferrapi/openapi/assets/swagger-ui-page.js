// Starts Swagger UI on an application's own page, where a Content-Security-Policy may allow neither inline scripts nor
// eval. What the script of FastAPI's page would say is text in the page's <template>: one setting per line, as
// ferrapi/openapi/docs.py writes it. Strings in single quotes have the escapes of JSON.
"use strict";
{
  // JSON as Python writes it: numbers may be infinite, which JSON can say only as one that is too large.
  const parse = (text) => JSON.parse(
    text.replace(/("(?:[^"\\]|\\.)*")|Infinity|NaN/g, (found, string) => string ?? (found === "NaN" ? "null" : "1e999")),
  );
  const options = {};
  let oauth;
  const kinds = [
    [/^url: '(.*)',$/, (text) => { options.url = parse(`"${text}"`); }],
    [/^oauth2RedirectUrl: window\.location\.origin \+ '(.*)',$/, (text) => {
      options.oauth2RedirectUrl = window.location.origin + parse(`"${text}"`);
    }],
    [/^(".*),$/, (text) => { Object.assign(options, parse(`{${text}}`)); }],
    [/^ui\.initOAuth\((.*)\)$/, (text) => { oauth = parse(text); }],
  ];
  for (const line of document.getElementById("swagger-ui-page").content.textContent.split("\n")) {
    for (const [pattern, take] of kinds) {
      const found = pattern.exec(line);
      if (found) {
        take(found[1]);
        break;
      }
    }
  }
  options.presets = [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset];
  window.ui = SwaggerUIBundle(options);
  if (oauth !== undefined) {
    window.ui.initOAuth(oauth);
  }
}
