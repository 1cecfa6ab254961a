// The page: its language, and navigation between its parts.

import { prepareCreate, reuse } from "./create.js";
import { find } from "./dom.js";
import { prepareEditor } from "./edit.js";
import { hasHistory, prepareHistory, show, showHistory } from "./history.js";
import { prepareLightbox } from "./lightbox.js";
import { prepareMany } from "./many.js";
import { closeRecord } from "./record.js";
import { prepareStatus, showStatus } from "./status.js";
import { now, set } from "./store.js";
import { setLanguage } from "./text.js";

const PARTS = ["create", "many", "history", "status"];

function showPart() {
  const [, sequence = ""] = location.hash.match(/^#record\/(\d+)$/) ?? [];
  const part = sequence ? "history" : PARTS.find((name) => location.hash === `#${name}`) ?? "create";
  for (const name of PARTS) find(`#${name}`, HTMLElement).hidden = name !== part;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!sequence && !now.address.startsWith("#record/")) window.scrollTo(0, 0);
  if (sequence) void show(Number(sequence));
  else closeRecord();
  const isBesideRecord = Boolean(sequence) || now.address.startsWith("#record/");
  set({ address: location.hash });
  if (part === "history" && !(isBesideRecord && hasHistory())) void showHistory();
  if (part === "status") void showStatus();
}

setLanguage();
const language = find("#language", HTMLSelectElement);
language.value = now.language;
language.addEventListener("change", () => setLanguage(language.value === "en" ? "en" : "zh-TW"));
prepareHistory((record, background) => {
  void reuse(record, background);
  location.hash = "#create";
});
prepareStatus();
prepareEditor();
prepareLightbox();
prepareMany();
window.addEventListener("hashchange", showPart);
showPart();
void prepareCreate();
