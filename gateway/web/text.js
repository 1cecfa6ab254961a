// Shows the texts of the page in its language.

import { EN } from "./en.js";
import { follow, now, set } from "./store.js";
import { ZH } from "./zh.js";

/** @typedef {"en" | "zh-TW"} Language */

/** English names of the audience labels used by the API. @type {Record<string, string>} */
const LABELS = {
  男性: "Male", 女性: "Female", 運動體育: "Sports", 寵物生活: "Pets", 嬰幼保健: "Baby care", 動漫電競: "Anime & gaming",
  戶外旅遊: "Outdoor travel", 不限: "Everybody",
};

/** @typedef {keyof typeof EN} Key */
/** @typedef {Record<string, string | number>} Values */

const ATTRIBUTES = ["alt", "aria-label", "placeholder"];
const STORED = "language";

/** @returns {Language} */
function preferred() {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "zh-TW") return stored;
  return navigator.languages.find((name) => /^(zh|en)\b/.test(name))?.startsWith("zh") ? "zh-TW" : "en";
}

/** Return a text with its {placeholders} filled in. @param {Key} key @param {Values} [values] */
export function t(key, values = {}) {
  const text = (now.language === "en" ? EN : ZH)[key];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Return whether a text with this key exists. @param {string} key @returns {key is Key} */
export function isKey(key) {
  return key in EN;
}

/** Return the name of an audience tag in the page's language. @param {string} label */
export function nameOf(label) {
  return now.language === "en" ? (LABELS[label] ?? label) : label;
}

/** Return the key of the text that names a capability or stage. @param {string} name @returns {Key | null} */
export function stageKey(name) {
  const key = `stage.${name}`;
  return isKey(key) ? key : null;
}

/** Show a text in an element; from then on it follows the page's language. @param {Element} element @param {Key} key @param {Values} [values] */
export function say(element, key, values = {}) {
  element.setAttribute("data-t", key);
  element.setAttribute("data-values", JSON.stringify(values));
  element.textContent = t(key, values);
}

/** Remove the text of an element. @param {Element} element */
export function clear(element) {
  element.removeAttribute("data-t");
  element.textContent = "";
}

/** Like `say`, for an attribute. @param {Element} element @param {string} attribute @param {Key} key @param {Values} [values] */
export function label(element, attribute, key, values = {}) {
  element.setAttribute(`data-t-${attribute}`, key);
  element.setAttribute("data-values", JSON.stringify(values));
  element.setAttribute(attribute, t(key, values));
}

/** Show one or more comma-separated audience tags in an element. @param {Element} element @param {string} tag */
export function sayTag(element, tag) {
  element.setAttribute("data-tag", tag);
  element.textContent = tag.split(",").map(nameOf).join(", ");
}

/** Show a sentence that the gateway tells in both languages. @param {Element} element @param {{en: string, zh: string}} told */
export function sayEither(element, { en, zh }) {
  element.setAttribute("data-either", JSON.stringify({ en, zh }));
  element.textContent = now.language === "en" ? en : zh;
}

/** Translate all elements below a root. @param {ParentNode} root */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) {
    const key = element.getAttribute("data-t") ?? "";
    if (isKey(key)) say(element, key, valuesOf(element));
  }
  for (const attribute of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[data-t-${attribute}]`)) {
      const key = element.getAttribute(`data-t-${attribute}`) ?? "";
      if (isKey(key)) label(element, attribute, key, valuesOf(element));
    }
  }
  for (const element of root.querySelectorAll("[data-either]")) {
    sayEither(element, JSON.parse(element.getAttribute("data-either") ?? "{}"));
  }
  for (const element of root.querySelectorAll("[data-tag]")) sayTag(element, element.getAttribute("data-tag") ?? "");
}

/** @param {Element} element @returns {Values} */
function valuesOf(element) {
  return JSON.parse(element.getAttribute("data-values") ?? "{}");
}

/** Show the page in a language; by default the one chosen before, else the one the browser prefers. @param {Language} [chosen] */
export function setLanguage(chosen) {
  if (chosen) localStorage.setItem(STORED, chosen);
  set({ language: chosen ?? preferred() });
}

follow(["language"], () => {
  document.documentElement.lang = now.language;
  document.title = t("title");
  translate(document);
});
