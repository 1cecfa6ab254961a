// Texts of a record to copy: the short and the long one, and those for platforms with their lengths.

import { copyOf, find } from "./dom.js";
import { say } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

/** Return the texts of a record. @param {Made} made */
export function textsOf(made) {
  return [textOf("results.short", made.short_ad), textOf("results.long", made.long_ad), ...fieldsOf(made)];
}

/** Return the texts for platforms, closed at first. @param {Made} made */
function fieldsOf(made) {
  if (!made.texts?.length) return [];
  const element = document.createElement("details");
  const summary = document.createElement("summary");
  say(summary, "results.fields");
  const fields = made.texts.flatMap(({ platform, name, texts, half_widths, most }) =>
    texts.map((text, at) => textOf(null, text, `${platform} · ${name.replaceAll("_", " ")}`, `${half_widths[at]} / ${most}`)),
  );
  element.append(summary, ...fields);
  return [element];
}

/** @param {"results.short" | "results.long" | null} title @param {string} text @param {string} [name] @param {string} [length] */
function textOf(title, text, name = "", length = "") {
  const element = copyOf("t-text");
  const heading = find("h4", HTMLElement, element);
  if (title) say(heading, title);
  else heading.textContent = name;
  find(".length", HTMLElement, element).textContent = length || String([...text].length);
  const words = find("p", HTMLElement, element);
  words.textContent = text;
  const button = find("button", HTMLButtonElement, element);
  button.addEventListener("click", async () => {
    await copyText(words);
    say(button, "results.copied");
    setTimeout(() => say(button, "results.copy"), 2000);
  });
  return element;
}

/** Copy a text. Pages without TLS or permission have no Clipboard API; execCommand works there. @param {HTMLElement} words */
async function copyText(words) {
  try {
    await navigator.clipboard.writeText(words.textContent ?? "");
  } catch {
    getSelection()?.selectAllChildren(words);
    document.execCommand("copy");
    getSelection()?.removeAllRanges();
  }
}
