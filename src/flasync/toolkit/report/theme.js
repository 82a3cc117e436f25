// A switch between light and dark: it turns the style's own rules for dark on and off.
"use strict";
(() => {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const rules = [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .filter((rule) => rule instanceof CSSMediaRule && rule.conditionText.includes("dark"));
  let dark = system.matches;

  const apply = () => {
    rules.forEach((rule) => { rule.media.mediaText = dark ? "screen" : "not all"; });
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", dark);
  };
  button.hidden = false;
  button.addEventListener("click", () => { dark = !dark; apply(); });
  system.addEventListener("change", () => { dark = system.matches; apply(); });
  apply();
})();
