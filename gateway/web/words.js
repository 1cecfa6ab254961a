// The words on the ads, their language and their brand.

import { find } from "./dom.js";
import { follow, now, set } from "./store.js";

/** @typedef {import("./api.js").Made} Made */

const WORDS = /** @type {const} */ (["layout", "headline", "call_to_action", "price", "brand", "locale"]);

const brief = find("#brief", HTMLFormElement);

/** @param {typeof WORDS[number]} field @returns {HTMLInputElement | HTMLSelectElement} */
export function wordField(field) {
  const kind = ["layout", "brand", "locale"].includes(field) ? HTMLSelectElement : HTMLInputElement;
  return find(`[name=${field}]`, /** @type {any} */ (kind), brief);
}

/** Add them to a request. @param {FormData} form */
export function addWords(form) {
  for (const field of WORDS) form.append(field, wordField(field).value.trim());
}

/** Fill in those of a record. @param {Made} record */
export function chooseWords(record) {
  for (const field of /** @type {const} */ (["headline", "call_to_action", "price"])) wordField(field).value = record.words?.[field] ?? "";
  wordField("layout").value = record.layout || (record.words ? "auto" : "");
  wordField("brand").value = record.brand ?? "";
  if (record.locale) chooseLocale(record.locale);
}

/** Choose the language of the ads. @param {string} chosen */
export function chooseLocale(chosen) {
  wordField("locale").value = chosen;
  set({ isLocaleChosen: chosen !== now.language });
}

export function prepareWords() {
  const speak = () => {
    if (!now.isLocaleChosen) wordField("locale").value = now.language;
  };
  speak();
  follow(["language"], speak);
  wordField("locale").addEventListener("change", () => set({ isLocaleChosen: true }));
}
