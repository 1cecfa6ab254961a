// The page: its language, and navigation between its three parts.

import { prepareCreate, reuse } from "./create.js";
import { find } from "./dom.js";
import { prepareHistory, showHistory } from "./history.js";
import { prepareStatus, showStatus } from "./status.js";
import { currentLanguage, setLanguage } from "./text.js";

const PARTS = ["create", "history", "status"];

function showPart() {
  const part = PARTS.find((name) => location.hash === `#${name}`) ?? "create";
  for (const name of PARTS) find(`#${name}`, HTMLElement).hidden = name !== part;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  window.scrollTo(0, 0);
  if (part === "history") void showHistory();
  if (part === "status") void showStatus();
}

setLanguage();
const language = find("#language", HTMLSelectElement);
language.value = currentLanguage();
language.addEventListener("change", () => setLanguage(language.value === "en" ? "en" : "zh-TW"));
prepareHistory((record) => {
  void reuse(record);
  location.hash = "#create";
});
prepareStatus();
window.addEventListener("hashchange", showPart);
showPart();
void prepareCreate();
