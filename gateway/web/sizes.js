// The sizes of the ads: platforms with all of theirs, drawn, or single sizes.

import { getSizes } from "./api.js";
import { copyOf, find } from "./dom.js";
import { now, set } from "./store.js";
import { say } from "./text.js";

const sizes = find("#sizes", HTMLElement);
const platforms = find("#platforms", HTMLElement);
/** Longer side of a drawn frame, in pixels. */
const FRAME = 26;

/** Return a platform; undefined if there is none of this name. @param {string} wanted */
export const platformOf = (wanted) => now.platforms.find(({ name }) => name === wanted);

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

/** Choose what a record has: its platforms, and the sizes that none of them has. @param {import("./api.js").Made} record */
export function chooseSizesOf({ generated_images, platforms: chosen = [] }) {
  const theirs = new Set(chosen.flatMap((name) => platformOf(name)?.sizes ?? []));
  const all = generated_images.map((path) => path.match(/_(\d+x\d+)\.\w+$/)?.[1] ?? "");
  chooseSizes([...chosen, ...all.filter((size) => !theirs.has(size))]);
}

/** Say how many single sizes are chosen. */
function count() {
  say(find("#sizes-summary", HTMLElement), "more.single", { number: sizes.querySelectorAll("input:checked").length });
}

/** Fill in the sizes on offer, and choose the default ones. */
export async function prepareSizes() {
  const { offered, default: chosen, platforms: all, most_photo_bytes } = await getSizes();
  set({ platforms: all, mostPhotoBytes: most_photo_bytes });
  platforms.replaceChildren(...all.map(platformBox));
  sizes.replaceChildren(...offered.map(sizeBox));
  chooseSizes(chosen);
  sizes.addEventListener("change", count);
}

/** @param {import("./api.js").Platform} platform */
function platformBox({ name, title, sizes: theirs }) {
  const element = copyOf("t-platform");
  find("input", HTMLInputElement, element).value = name;
  find(".name", HTMLElement, element).textContent = title;
  find(".frames", HTMLElement, element).append(...theirs.map(frameOf));
  say(find(".hint", HTMLElement, element), "sizes.number", { number: theirs.length });
  return element;
}

/** @param {string} size */
function frameOf(size) {
  const [width = 1, height = 1] = size.split("x").map(Number);
  const frame = document.createElement("i");
  const scale = FRAME / Math.max(width, height);
  frame.style.width = `${Math.max(3, Math.round(width * scale))}px`;
  frame.style.height = `${Math.max(3, Math.round(height * scale))}px`;
  frame.title = size.replace("x", " × ");
  return frame;
}

/** @param {string} size */
function sizeBox(size) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = size;
  const element = document.createElement("label");
  element.append(box, frameOf(size), ` ${size.replace("x", " × ")}`);
  return element;
}
