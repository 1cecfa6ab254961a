// Finished ads in a grid, by platform, with their copy; variants of one photo are shown side by side.

import { getArchive, pictureAt } from "./api.js";
import { dollars } from "./cost.js";
import { copyOf, find, showError } from "./dom.js";
import { edit, isEditable } from "./edit.js";
import { prepareFavourite } from "./favourites.js";
import { enlarge } from "./lightbox.js";
import { remove } from "./removal.js";
import { platformOf } from "./sizes.js";
import { follow, now, set } from "./store.js";
import { clear, label, say } from "./text.js";
import { textsOf } from "./texts.js";

/** @typedef {import("./api.js").Made} Made */

const results = find("#results", HTMLElement);
const variants = find("#variants", HTMLElement);
const columns = find("#columns", HTMLElement);

/** Elements of variants, as they are opened and scrolled. @type {WeakMap<Made, HTMLElement>} */
const elements = new WeakMap();

/** Show a result before the earlier ones of its photo. @param {Made} made */
export function addVariant(made) {
  const earlier = now.variants.filter((one) => one.product_image_filename === made.product_image_filename);
  const number = earlier.length ? now.variantsMade + 1 : 1;
  elements.set(made, listed(made, number));
  set({ variants: [made, ...earlier], variantsMade: number });
  results.scrollIntoView({ block: "start" });
}

/** @param {Made} made @param {number} number */
function listed(made, number) {
  const element = variantOf(made, addVariant);
  say(find("h3", HTMLElement, element), "results.variant", { number });
  find(".delete", HTMLButtonElement, element).addEventListener("click", () => {
    const before = now.variants;
    const fail = (/** @type {unknown} */ problem) => showError(find(".error", HTMLElement, element), problem);
    set({ variants: before.filter((one) => one !== made) });
    remove(made.sequence, () => restore(made, before), fail);
  });
  return element;
}

/** Show a variant where it was. @param {Made} made @param {Made[]} before */
function restore(made, before) {
  if (now.variants.some((one) => one.product_image_filename !== made.product_image_filename)) return; // of another photo
  const later = before.slice(before.indexOf(made) + 1);
  const place = now.variants.findIndex((one) => later.includes(one));
  set({ variants: now.variants.toSpliced(place < 0 ? now.variants.length : place, 0, made) });
}

function drawVariants() {
  variants.replaceChildren(...now.variants.flatMap((made) => elements.get(made) ?? []));
  showColumns();
}

/** Show the choice of columns where there are several variants. */
function showColumns() {
  columns.hidden = variants.childElementCount < 2;
  results.hidden = !variants.childElementCount;
  const chosen = find("input:checked", HTMLInputElement, columns).value;
  variants.dataset.columns = columns.hidden ? "1" : chosen;
}

/** Build the element of a result; the caller fills in the heading and what deletes it. @param {Made} made @param {(made: Made) => void} tell Called with a variant that was made of it. */
export function variantOf(made, tell) {
  const element = copyOf("t-variant");
  find(".groups", HTMLElement, element).replaceChildren(...groupsOf(made, tell, element));
  find(".texts", HTMLElement, element).replaceChildren(...textsOf(made));
  const notes = find(".notes", HTMLElement, element);
  notes.hidden = !made.notes?.length;
  notes.replaceChildren(...(made.notes ?? []).map(note));
  sayTrue(find(".true", HTMLElement, element), made);
  const engines = [...new Set(Object.values(made.engines ?? {}))].join(", ");
  say(find(".engines", HTMLElement, element), "results.engines", { engines, seed: made.seed });
  prepareFavourite(find(".favourite", HTMLButtonElement, element), made.sequence);
  find(".link", HTMLAnchorElement, element).href = `#record/${made.sequence}`;
  find(".archive", HTMLButtonElement, element).addEventListener("click", () => void download(made, element));
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

/** @param {string} path */
const sizeOf = (path) => path.match(/_(\d+x\d+)\.\w+$/)?.[1] ?? "";

/** Return the ads by platform, each ad once, and those of no platform. @param {Made} made @param {(made: Made) => void} tell @param {HTMLElement} element */
function groupsOf(made, tell, element) {
  let rest = made.generated_images;
  const groups = (made.platforms ?? []).flatMap((name) => {
    const platform = platformOf(name);
    const theirs = rest.filter((path) => platform?.sizes.includes(sizeOf(path)));
    rest = rest.filter((path) => !theirs.includes(path));
    return platform && theirs.length ? [groupOf(platform, theirs, made, tell, element)] : [];
  });
  return rest.length ? [...groups, groupOf(null, rest, made, tell, element)] : groups;
}

/** @param {import("./api.js").Platform | null} platform @param {string[]} paths @param {Made} made @param {(made: Made) => void} tell @param {HTMLElement} element */
function groupOf(platform, paths, made, tell, element) {
  const group = copyOf("t-group");
  find(".ads", HTMLElement, group).replaceChildren(...paths.map((path) => adOf(path, made, tell)));
  const [heading, set] = [find("h4", HTMLElement, group), find(".set", HTMLButtonElement, group)];
  find(".bar", HTMLElement, group).hidden = !made.platforms?.length;
  set.hidden = !platform;
  if (!platform) {
    say(heading, "results.other");
    return group;
  }
  heading.textContent = platform.title;
  label(set, "aria-label", "results.set.one", { platform: platform.title });
  set.addEventListener("click", () => void download(made, element, platform.name));
  return group;
}

/** @param {string} path @param {Made} made @param {(made: Made) => void} tell */
function adOf(path, made, tell) {
  const name = made.product_name;
  const figure = copyOf("t-ad");
  const image = find("img", HTMLImageElement, figure);
  const [width = "", height = ""] = sizeOf(path).split("x");
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

/** @param {string} text */
function note(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

/** @param {Made} made @param {HTMLElement} element @param {string} [platform] */
async function download(made, element, platform = "") {
  const error = find(".error", HTMLElement, element);
  clear(error);
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await getArchive(made.sequence, platform));
    link.download = ["ads", platform, made.write_date, made.sequence].filter(String).join("-") + ".zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (problem) {
    showError(error, problem);
  }
}

export function prepareResults() {
  follow(["variants"], drawVariants);
  columns.addEventListener("change", showColumns);
}
