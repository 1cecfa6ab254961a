// Editing an ad: the product moved and scaled, other words. The preview is drawn here, the ads by the server.

import { compose, getUpload, pictureAt } from "./api.js";
import { find, showError } from "./dom.js";
import { clear, label, say } from "./text.js";

/** @typedef {import("./api.js").Made} Made */
/** @typedef {import("./api.js").Shown} Shown */

const STEP = 0.02;
const VISIBLE = 8;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const WORDS = /** @type {const} */ (["headline", "call_to_action", "price"]);

const dialog = find("#edit", HTMLDialogElement);
const form = find("form", HTMLFormElement, dialog);
const picture = find("#edit-picture", HTMLElement);
const ground = find("img", HTMLImageElement, picture);
const product = find("canvas", HTMLCanvasElement, picture);
const size = find("[name=edit_scale]", HTMLInputElement, form);
const shadow = find("[name=edit_shadow]", HTMLInputElement, form);
const layout = find("[name=edit_layout]", HTMLSelectElement, form);
const logo = find("[name=edit_logo]", HTMLInputElement, form);
const make = find("#edit-make", HTMLButtonElement);
const state = find("#edit-state", HTMLElement);
const error = find("#edit-error", HTMLElement);

/** What is edited. @type {{made: Made, shown: Shown, width: number, height: number, right: number, down: number, tell: (made: Made) => void} | null} */
let open = null;
/** @type {AbortController | null} */
let working = null;

/** Return whether an ad can be edited: its record says where the product is. @param {Made} made @param {string} name */
export const isEditable = (made, name) => Boolean(made.products?.some(({ picture }) => picture === name));

/**
 * Open the editor on an ad.
 * @param {Made} made @param {string} path Path of the ad. @param {string} name Its size. @param {(made: Made) => void} tell Called with the variant.
 */
export async function edit(made, path, name, tell) {
  const shown = made.products?.find(({ picture }) => picture === name);
  const [width = 0, height = 0] = name.split("x").map(Number);
  if (!shown) return;
  open = { made, shown, width, height, right: 0, down: 0, tell };
  for (const place of [state, error]) clear(place);
  picture.style.setProperty("--ratio", `${width} / ${height}`);
  picture.style.setProperty("--shape", String(width / height));
  ground.src = pictureAt(path);
  label(picture, "aria-label", "edit.picture", { size: `${width} × ${height}` });
  size.value = "100";
  shadow.value = String(darkness(made));
  for (const word of WORDS) wordField(word).value = made.words?.[word] ?? "";
  layout.value = made.layout || (made.words ? "auto" : "none");
  find(".logo", HTMLElement, form).hidden = !made.brand;
  logo.checked = !made.without_logo;
  product.width = product.height = 0;
  dialog.showModal();
  place();
  try {
    await drawProduct(made);
  } catch (problem) {
    showError(error, problem);
  }
}

/** @param {typeof WORDS[number]} word */
const wordField = (word) => find(`[name=edit_${word}]`, HTMLInputElement, form);

/** Draw the visible part of the cut-out. @param {Made} made */
async function drawProduct(made) {
  const upload = await getUpload(made.product_image_filename.split("/")[0] ?? "");
  const image = new Image();
  image.src = pictureAt(upload.trans_path);
  await image.decode();
  if (open?.made !== made) return; // another ad was opened meanwhile
  const whole = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const brush = whole.getContext("2d", { willReadFrequently: true });
  if (!brush) return;
  brush.drawImage(image, 0, 0);
  const { left, top, right, bottom } = visiblePart(brush.getImageData(0, 0, whole.width, whole.height));
  product.width = right - left;
  product.height = bottom - top;
  product.getContext("2d")?.drawImage(whole, left, top, product.width, product.height, 0, 0, product.width, product.height);
}

/** @param {ImageData} pixels */
function visiblePart({ data, width, height }) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, at = 3; y < height; y++)
    for (let x = 0; x < width; x++, at += 4)
      if ((data[at] ?? 0) >= VISIBLE) {
        left = Math.min(left, x);
        right = Math.max(right, x + 1);
        top = Math.min(top, y);
        bottom = y + 1;
      }
  return right ? { left, top, right, bottom } : { left: 0, top: 0, right: width, bottom: height };
}

/** Show the product where it is to be, within the ad. */
function place() {
  if (!open) return;
  const { box } = open.shown;
  const scale = Math.min(Number(size.value) / 100, open.width / (box.right - box.left), open.height / (box.bottom - box.top));
  const [wide, high] = [scale * (box.right - box.left), scale * (box.bottom - box.top)];
  const middle = (box.left + box.right) / 2;
  open.right = within(open.right, wide / 2 - middle, open.width - wide / 2 - middle);
  open.down = within(open.down, high - box.bottom, open.height - box.bottom);
  const left = middle + open.right - wide / 2;
  const top = box.bottom + open.down - high;
  product.style.left = `${(100 * left) / open.width}%`;
  product.style.top = `${(100 * top) / open.height}%`;
  product.style.width = `${(100 * wide) / open.width}%`;
  product.style.height = `${(100 * high) / open.height}%`;
  picture.classList.toggle("moved", open.right !== 0 || open.down !== 0 || size.value !== "100");
}

/** @param {number} value @param {number} least @param {number} most */
const within = (value, least, most) => Math.max(least, Math.min(most, value));

/** Move the product by pixels of the ad. @param {number} right @param {number} down */
function move(right, down) {
  if (!open) return;
  open.right += right;
  open.down += down;
  place();
}

/** @param {PointerEvent} event */
function drag(event) {
  if (!open || !(event.buttons & 1)) return;
  const scale = open.width / picture.clientWidth;
  move(event.movementX * scale, event.movementY * scale);
}

/** @param {KeyboardEvent} event */
function steer(event) {
  const [right, down] = ARROWS[event.key] ?? [0, 0];
  if (!open || !(right || down)) return;
  event.preventDefault();
  const step = event.shiftKey ? STEP / 4 : STEP;
  move(right * step * open.width, down * step * open.height);
}

/** How dark the shadow is, in per cent: on a picture, or of what the light of a set makes. @param {Made} made */
function darkness({ backgrounds, preferences }) {
  const [background] = backgrounds ?? [];
  return Math.round(100 * (background ? (background.placement.light?.shadow ?? 0) : (preferences?.shadow ?? 1)));
}

/** What is asked for: only what was changed. */
function change() {
  if (!open) return null;
  const { made, shown, width, height, right, down } = open;
  /** @type {Record<string, unknown>} */
  const wanted = { sequence: made.sequence };
  const before = shown.arrangement ?? { right: 0, down: 0, scale: 1 };
  if (right || down || size.value !== "100") {
    const scale = within(before.scale * (Number(size.value) / 100), 0.25, 4);
    const shift = { right: within(before.right + right / width, -1, 1), down: within(before.down + down / height, -1, 1) };
    wanted.moves = [{ size: shown.picture, ...shift, scale }];
  }
  for (const word of WORDS) if (wordField(word).value !== (made.words?.[word] ?? "")) wanted[word] = wordField(word).value;
  if (layout.value !== (made.layout || (made.words ? "auto" : "none"))) wanted.layout = layout.value;
  if (made.brand && logo.checked === Boolean(made.without_logo)) wanted.logo = logo.checked;
  if (Number(shadow.value) !== darkness(made)) wanted.shadow = Number(shadow.value) / 100;
  return wanted;
}

async function send() {
  const wanted = change();
  if (!wanted || !open || working) return;
  const { tell } = open;
  const mine = (working = new AbortController());
  clear(error);
  say(state, "run.working");
  make.disabled = true;
  try {
    const made = await compose(wanted, mine.signal);
    dialog.close();
    tell(made);
  } catch (problem) {
    clear(state);
    if (!mine.signal.aborted) showError(error, problem);
  } finally {
    working = null;
    make.disabled = false;
  }
}

function reset() {
  if (!open) return;
  open.right = open.down = 0;
  size.value = "100";
  place();
}

export function prepareEditor() {
  picture.addEventListener("pointerdown", (event) => picture.setPointerCapture(event.pointerId));
  picture.addEventListener("pointermove", drag);
  picture.addEventListener("keydown", steer);
  size.addEventListener("input", place);
  find("#edit-reset", HTMLButtonElement).addEventListener("click", reset);
  find("#edit-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => working?.abort());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
}
