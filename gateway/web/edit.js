// Editing an ad: the product moved and scaled, its shadow, other words. The browser draws a preview, the server the ad.

import { compose } from "./api.js";
import { find, showError } from "./dom.js";
import { drawProduct, placeProduct, shadeBy, showAd, showWords } from "./preview.js";
import { follow, now, set } from "./store.js";
import { clear, label, say } from "./text.js";

/** @typedef {import("./api.js").Box} Box */
/** @typedef {import("./api.js").Made} Made */
/** @typedef {{made: Made, shown: import("./api.js").Shown, ad: Box, right: number, down: number, tell: (made: Made) => void}} Editing An ad, and by how many of its pixels the product is moved. */

const STEP = 0.02;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WORDS = /** @type {const} */ (["headline", "call_to_action", "price"]);

const dialog = find("#edit", HTMLDialogElement);
const form = find("form", HTMLFormElement, dialog);
const picture = find("#edit-picture", HTMLElement);
const size = find("[name=edit_scale]", HTMLInputElement, form);
const shadow = find("[name=edit_shadow]", HTMLInputElement, form);
const layout = find("[name=edit_layout]", HTMLSelectElement, form);
const logo = find("[name=edit_logo]", HTMLInputElement, form);
const make = find("#edit-make", HTMLButtonElement);
const state = find("#edit-state", HTMLElement);
const error = find("#edit-error", HTMLElement);

/** @param {typeof WORDS[number]} word */
const wordField = (word) => find(`[name=edit_${word}]`, HTMLInputElement, form);

/** Return whether an ad can be edited: its record says where the product is. @param {Made} made @param {string} name */
export const isEditable = (made, name) => Boolean(made.products?.some(({ picture }) => picture === name));

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.max(least, Math.min(most, value));

/**
 * Open the editor on an ad.
 * @param {Made} made @param {string} path Path of the ad. @param {string} name Its size. @param {(made: Made) => void} tell Called with the variant.
 */
export async function edit(made, path, name, tell) {
  const shown = made.products?.find(({ picture }) => picture === name);
  const [width = 0, height = 0] = name.split("x").map(Number);
  if (!shown) return;
  for (const place of [state, error]) clear(place);
  showAd(path, width, height);
  label(picture, "aria-label", "edit.picture", { size: `${width} × ${height}` });
  size.value = "100";
  shadow.value = String(darkness(made));
  for (const word of WORDS) wordField(word).value = made.words?.[word] ?? "";
  layout.value = layoutOf(made);
  find(".logo", HTMLElement, form).hidden = !made.brand;
  logo.checked = !made.without_logo;
  dialog.showModal();
  set({ editing: { made, shown, ad: { left: 0, top: 0, right: width, bottom: height }, right: 0, down: 0, tell } });
  try {
    await drawProduct(made, () => now.editing?.made === made); // another ad may be opened meanwhile
  } catch (problem) {
    showError(error, problem);
  }
}

/** Where the product is to be: scaled about the middle of its foot, and moved. @param {Editing} editing @returns {Box} */
function placeOf({ shown: { box }, ad, right, down }) {
  const scale = Math.min(Number(size.value) / 100, ad.right / (box.right - box.left), ad.bottom / (box.bottom - box.top));
  const [half, middle] = [(scale * (box.right - box.left)) / 2, (box.left + box.right) / 2 + right];
  return { left: middle - half, right: middle + half, top: box.bottom + down - scale * (box.bottom - box.top), bottom: box.bottom + down };
}

/** Move the product by pixels of the ad, within it. @param {number} right @param {number} down */
function move(right, down) {
  if (!now.editing) return;
  const moved = { ...now.editing, right: now.editing.right + right, down: now.editing.down + down };
  const { ad } = moved;
  const place = placeOf(moved);
  moved.right += within(0, -place.left, ad.right - place.right);
  moved.down += within(0, -place.top, ad.bottom - place.bottom);
  set({ editing: moved });
}

function draw() {
  if (!now.editing) return;
  const { made, ad, right, down } = now.editing;
  placeProduct(placeOf(now.editing), ad, right !== 0 || down !== 0 || size.value !== "100");
  shadeBy((Number(shadow.value) - darkness(made)) / 100);
  showWords(changedWords(now.editing), ad);
}

/** Return the words to show in place of those of the ad. @param {Editing} editing @returns {import("./preview.js").Word[]} */
function changedWords({ made, shown }) {
  const placed = made.placed?.find(({ picture }) => picture === shown.picture)?.elements ?? [];
  const gone = layout.value === "none";
  return placed.flatMap(({ element, box }) => {
    const word = WORDS.find((name) => name === element);
    const text = gone || !word ? "" : wordField(word).value;
    const isShown = word ? !gone && text === made.words?.[word] : !gone && (element !== "logo" || logo.checked);
    return isShown ? [] : [{ element, box, text }];
  });
}

/** @param {PointerEvent} event */
function drag(event) {
  if (!now.editing || !(event.buttons & 1)) return;
  const scale = now.editing.ad.right / picture.clientWidth;
  move(event.movementX * scale, event.movementY * scale);
}

/** @param {KeyboardEvent} event */
function steer(event) {
  const [right, down] = ARROWS[event.key] ?? [0, 0];
  if (!now.editing || !(right || down)) return;
  event.preventDefault();
  const step = event.shiftKey ? STEP / 4 : STEP;
  move(right * step * now.editing.ad.right, down * step * now.editing.ad.bottom);
}

/** How dark the shadow is, in per cent: on a picture, or of what the light of a set makes. @param {Made} made */
function darkness({ backgrounds, preferences }) {
  const [background] = backgrounds ?? [];
  return Math.round(100 * (background ? (background.placement.light?.shadow ?? 0) : (preferences?.shadow ?? 1)));
}

/** @param {Made} made */
const layoutOf = (made) => made.layout || (made.words ? "auto" : "none");

/** What is asked for: only what was changed. @param {Editing} editing */
function change({ made, shown, ad, right, down }) {
  /** @type {Record<string, unknown>} */
  const wanted = { sequence: made.sequence };
  const before = shown.arrangement ?? { right: 0, down: 0, scale: 1 };
  if (right || down || size.value !== "100") {
    const scale = within(before.scale * (Number(size.value) / 100), 0.25, 4);
    const shift = { right: within(before.right + right / ad.right, -1, 1), down: within(before.down + down / ad.bottom, -1, 1) };
    wanted.moves = [{ size: shown.picture, ...shift, scale }];
  }
  for (const word of WORDS) if (wordField(word).value !== (made.words?.[word] ?? "")) wanted[word] = wordField(word).value;
  if (layout.value !== layoutOf(made)) wanted.layout = layout.value;
  if (made.brand && logo.checked === Boolean(made.without_logo)) wanted.logo = logo.checked;
  if (Number(shadow.value) !== darkness(made)) wanted.shadow = Number(shadow.value) / 100;
  return wanted;
}

async function send() {
  if (!now.editing || now.composing) return;
  const { tell } = now.editing;
  const mine = new AbortController();
  clear(error);
  say(state, "run.working");
  set({ composing: mine });
  try {
    const made = await compose(change(now.editing), mine.signal);
    dialog.close();
    tell(made);
  } catch (problem) {
    clear(state);
    if (!mine.signal.aborted) showError(error, problem);
  } finally {
    set({ composing: null });
  }
}

function reset() {
  size.value = "100";
  if (now.editing) set({ editing: { ...now.editing, right: 0, down: 0 } });
}

export function prepareEditor() {
  follow(["editing"], draw);
  follow(["composing"], () => (make.disabled = Boolean(now.composing)));
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  picture.addEventListener("pointermove", drag);
  picture.addEventListener("keydown", steer);
  form.addEventListener("input", () => move(0, 0)); // a larger product may have to move
  find("#edit-reset", HTMLButtonElement).addEventListener("click", reset);
  find("#edit-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => now.composing?.abort());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
}
