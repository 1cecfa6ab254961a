// The sizes of the ads: platforms, or single sizes.

import { getSizes } from "./api.js";
import { find } from "./dom.js";
import { limitPhotos } from "./photo.js";
import { say } from "./text.js";

const sizes = find("#sizes", HTMLElement);
const platforms = find("#platforms", HTMLElement);

/** Return the platforms and sizes that are chosen. */
export function chosenSizes() {
  const boxes = [platforms, sizes].flatMap((place) => [...place.querySelectorAll("input:checked")]);
  return boxes.map((box) => /** @type {HTMLInputElement} */ (box).value);
}

/** Choose platforms and sizes. @param {string[]} chosen */
export function chooseSizes(chosen) {
  for (const place of [platforms, sizes])
    for (const box of place.querySelectorAll("input")) box.checked = chosen.includes(box.value);
  count();
}

/** Say how many single sizes are chosen. */
function count() {
  say(find("#sizes-summary", HTMLElement), "more.single", { number: sizes.querySelectorAll("input:checked").length });
}

/** Fill in the sizes on offer, and choose the default ones. */
export async function prepareSizes() {
  const { offered, default: chosen, platforms: named, most_photo_bytes } = await getSizes();
  limitPhotos(most_photo_bytes);
  platforms.replaceChildren(...named.map(({ name: value, title }) => checkbox(value, title)));
  sizes.replaceChildren(...offered.map((size) => checkbox(size, size.replace("x", " × "))));
  chooseSizes(chosen);
  sizes.addEventListener("change", count);
}

/** @param {string} value @param {string} title */
function checkbox(value, title) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = value;
  const element = document.createElement("label");
  element.append(box, ` ${title}`);
  return element;
}
