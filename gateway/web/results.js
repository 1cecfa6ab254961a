// Finished ads in a grid, with their copy; variants of one photo are shown side by side.

import { getArchive, pictureAt } from "./api.js";
import { dollars } from "./cost.js";
import { copyOf, find, showError } from "./dom.js";
import { edit, isEditable } from "./edit.js";
import { enlarge } from "./lightbox.js";
import { clear, label, say } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const results = find("#results", HTMLElement);
const variants = find("#variants", HTMLElement);

export function clearVariants() {
  variants.replaceChildren();
}

/** Add a result before the earlier ones. @param {Made} made */
export function addVariant(made) {
  const element = variantOf(made, addVariant);
  say(find("h3", HTMLElement, element), "results.variant", { number: variants.childElementCount + 1 });
  variants.prepend(element);
  results.hidden = false;
  element.scrollIntoView({ block: "nearest" });
}

/** Build the element of a result; the caller fills in the heading. @param {Made} made @param {(made: Made) => void} tell Called with a variant that was made of it. */
export function variantOf(made, tell) {
  const element = copyOf("t-variant");
  find(".ads", HTMLElement, element).replaceChildren(...made.generated_images.map((path) => adOf(path, made, tell)));
  find(".texts", HTMLElement, element).replaceChildren(textOf("results.short", made.short_ad), textOf("results.long", made.long_ad), ...fieldsOf(made));
  const notes = find(".notes", HTMLElement, element);
  notes.hidden = !made.notes?.length;
  notes.replaceChildren(...(made.notes ?? []).map(note));
  sayTrue(find(".true", HTMLElement, element), made);
  const engines = [...new Set(Object.values(made.engines ?? {}))].join(", ");
  say(find(".engines", HTMLElement, element), "results.engines", { engines, seed: made.seed });
  const error = find(".error", HTMLElement, element);
  find(".archive", HTMLButtonElement, element).addEventListener("click", () => void download(made, error));
  return element;
}

/** Say how true the product is to its photo, and what it cost. @param {HTMLElement} place @param {Made} made */
function sayTrue(place, made) {
  const means = (made.fidelity ?? []).map((one) => one.mean);
  place.hidden = !means.length;
  if (!means.length) return;
  const mean = Math.max(...means).toFixed(1);
  if (made.dollars) say(place, "results.true.cost", { mean, dollars: dollars(made.dollars) });
  else say(place, "results.true", { mean });
}

/** @param {string} path @param {Made} made @param {(made: Made) => void} tell */
function adOf(path, made, tell) {
  const name = made.product_name;
  const figure = copyOf("t-ad");
  const image = find("img", HTMLImageElement, figure);
  const [, width = "", height = ""] = path.match(/_(\d+)x(\d+)\.\w+$/) ?? [];
  const size = `${width} × ${height}`;
  if (width) [image.width, image.height] = [Number(width), Number(height)];
  image.src = pictureAt(path);
  label(image, "alt", "results.ad", { name, size });
  const larger = find(".larger", HTMLButtonElement, figure);
  label(larger, "aria-label", "results.larger", { size });
  larger.addEventListener("click", () => enlarge(path, { name, size }));
  const change = find(".edit", HTMLButtonElement, figure);
  change.hidden = !isEditable(made, `${width}x${height}`);
  label(change, "aria-label", "results.edit.one", { size });
  change.addEventListener("click", () => void edit(made, path, `${width}x${height}`, tell));
  find("span", HTMLElement, figure).textContent = size;
  const link = find("a", HTMLAnchorElement, figure);
  link.href = pictureAt(path);
  link.download = `${name} ${path.split("_").pop()}`;
  return figure;
}

/** Return the texts for platforms, closed at first. @param {Made} made */
function fieldsOf(made) {
  if (!made.texts?.length) return [];
  const element = document.createElement("details");
  const summary = document.createElement("summary");
  say(summary, "results.fields");
  const fields = made.texts.flatMap(({ platform, name, texts, half_widths, most }) =>
    texts.map((text, at) => textOf(null, text, `${platform} · ${name.replaceAll("_", " ")} · ${half_widths[at]} / ${most}`)),
  );
  element.append(summary, ...fields);
  return [element];
}

/** @param {"results.short" | "results.long" | null} title @param {string} text @param {string} [name] */
function textOf(title, text, name = "") {
  const element = copyOf("t-text");
  const heading = find("h4", HTMLElement, element);
  if (title) say(heading, title);
  else heading.textContent = name;
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

/** @param {string} text */
function note(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

/** @param {Made} made @param {HTMLElement} error */
async function download(made, error) {
  clear(error);
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await getArchive(made.sequence));
    link.download = `ads-${made.write_date}-${made.sequence}.zip`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (problem) {
    showError(error, problem);
  }
}
