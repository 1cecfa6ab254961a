// The preview of an edited ad, drawn in the browser: the product, its shadow, and the words where they stand now.

import { getUpload, pictureAt } from "./api.js";
import { find } from "./dom.js";

/** @typedef {import("./api.js").Box} Box */
/** @typedef {import("./api.js").Made} Made */
/** @typedef {{element: string, box: Box, text: string}} Word A word that was changed; its text may be empty. */

const VISIBLE = 8;
/** The shadow's width over the product's, and its height over its width. */
const [SPREAD, FLAT] = [1.25, 0.16];
const LEGIBLE = 5;
/** Pixels around a word that show what is behind it. */
const RIM = 5;
const BUTTON = "call_to_action";
/** Brightness from which words are dark. */
const MIDDLE = 140;

const picture = find("#edit-picture", HTMLElement);
const ground = find("img", HTMLImageElement, picture);
const product = find("canvas", HTMLCanvasElement, picture);
const shade = find(".shade", HTMLElement, picture);
const words = find(".words", HTMLElement, picture);

/** Show an ad as it is. @param {string} path @param {number} width @param {number} height */
export function showAd(path, width, height) {
  picture.style.setProperty("--ratio", `${width} / ${height}`);
  picture.style.setProperty("--shape", String(width / height));
  ground.src = pictureAt(path);
  product.width = product.height = 0;
}

/** Draw the visible part of a cut-out, for the product. @param {Made} made @param {() => boolean} isWanted Whether it still is, once it is here. */
export async function drawProduct(made, isWanted) {
  const upload = await getUpload(made.product_image_filename.split("/")[0] ?? "");
  const image = new Image();
  image.src = pictureAt(upload.trans_path);
  await image.decode();
  if (!isWanted()) return;
  const whole = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  const brush = whole.getContext("2d", { willReadFrequently: true });
  if (!brush) return;
  brush.drawImage(image, 0, 0);
  const { left, top, right, bottom } = visiblePart(brush.getImageData(0, 0, whole.width, whole.height));
  product.width = right - left;
  product.height = bottom - top;
  product.getContext("2d")?.drawImage(whole, left, top, product.width, product.height, 0, 0, product.width, product.height);
}

/** @param {ImageData} pixels @returns {Box} */
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

/** Put an element into a box of the ad. @param {HTMLElement} element @param {Box} box @param {Box} ad */
function put(element, box, ad) {
  element.style.left = `${(100 * box.left) / ad.right}%`;
  element.style.top = `${(100 * box.top) / ad.bottom}%`;
  element.style.width = `${(100 * (box.right - box.left)) / ad.right}%`;
  element.style.height = `${(100 * (box.bottom - box.top)) / ad.bottom}%`;
}

/** Show the product in its place. @param {Box} box @param {Box} ad @param {boolean} isMoved */
export function placeProduct(box, ad, isMoved) {
  put(product, box, ad);
  const [middle, half] = [(box.left + box.right) / 2, ((box.right - box.left) * SPREAD) / 2];
  put(shade, { left: middle - half, right: middle + half, top: box.bottom - half * FLAT, bottom: box.bottom + half * FLAT }, ad);
  picture.classList.toggle("moved", isMoved);
}

/** Darken or lighten the shadow. @param {number} by -1 to 1, from what the ad shows */
export function shadeBy(by) {
  shade.style.opacity = String(Math.abs(by));
  shade.classList.toggle("light", by < 0);
  picture.classList.toggle("shaded", by !== 0);
}

/** Show words in place of those of the ad. @param {Word[]} changed @param {Box} ad */
export function showWords(changed, ad) {
  words.replaceChildren(...changed.map((word) => wordOf(word, ad)));
  for (const element of words.querySelectorAll("b")) fit(element);
}

/** Cover a word with what is around it, and show the new one. @param {Word} word @param {Box} ad */
function wordOf({ element, box, text }, ad) {
  const cover = document.createElement("span");
  const shown = document.createElement("b");
  const above = meanOf({ ...box, top: box.top - RIM, bottom: box.top }, ad);
  const below = meanOf({ ...box, top: box.bottom, bottom: box.bottom + RIM }, ad);
  const [across, down] = [(box.right - box.left) / 3, (box.bottom - box.top) / 8];
  const inside = meanOf({ left: box.left + across, top: box.top + down, right: box.right - across, bottom: box.top + 2 * down }, ad);
  const behind = element === BUTTON ? inside : above;
  cover.className = element;
  for (const [name, colour] of Object.entries({ above, below, inside: behind })) cover.style.setProperty(`--${name}`, `rgb(${colour.join(" ")})`);
  cover.classList.toggle("on-light", brightness(behind) > MIDDLE);
  shown.textContent = text;
  cover.append(...(text ? [shown] : []));
  put(cover, box, ad);
  return cover;
}

/** Luma of BT.601, 0 to 255. @param {number[]} colour */
const brightness = ([red = 0, green = 0, blue = 0]) => 0.3 * red + 0.59 * green + 0.11 * blue;

/** Return the mean colour of a part of the ad. @param {Box} part @param {Box} ad */
function meanOf(part, ad) {
  const [left, top] = [Math.max(0, part.left), Math.max(0, part.top)];
  const [width, height] = [Math.min(ad.right, part.right) - left, Math.min(ad.bottom, part.bottom) - top];
  const brush = new OffscreenCanvas(1, 1).getContext("2d");
  if (!brush || !ground.naturalWidth || width < 1 || height < 1) return [128, 128, 128];
  brush.imageSmoothingQuality = "high";
  brush.drawImage(ground, left, top, width, height, 0, 0, 1, 1);
  return [...brush.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

/** Set a word as large as its place lets it be. @param {HTMLElement} word */
function fit(word) {
  for (let size = word.clientHeight; size > LEGIBLE; size *= 0.94) {
    word.style.fontSize = `${size}px`;
    if (word.scrollHeight <= word.clientHeight && word.scrollWidth <= word.clientWidth) return;
  }
}
