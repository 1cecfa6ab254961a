// The photo: uploaded, compared with its cutout, and corrected by hand.

import { ApiError, changeCutout, pictureAt, upload } from "./api.js";
import { lift, prepareCompare } from "./compare.js";
import { acceptFiles, find, showError, takeChosen } from "./dom.js";
import { Prompts } from "./prompts.js";
import { clear, say, sayEither } from "./text.js";
import { prepareZoom, resetZoom } from "./zoom.js";

/** @typedef {import("./api.js").Upload} Upload */
/** @typedef {import("./api.js").Change} Change */

/** @type {Upload | null} */
let current = null;
/** @type {AbortController | null} */
let working = null;
/** Bytes of the largest photo that is taken. */
let mostBytes = Infinity;
/** Changes that wait for each other. */
let changes = Promise.resolve();

const error = find("#photo-error", HTMLElement);
const busy = find("#photo-busy", HTMLElement);
const compare = find("#compare", HTMLElement);
const waiting = find("#waiting", HTMLImageElement);
const before = find("#before", HTMLImageElement);
const after = find("#after", HTMLImageElement);
const undo = find("#undo", HTMLButtonElement);
const redo = find("#redo", HTMLButtonElement);
const notes = find("#cutout-notes", HTMLElement);
const recutState = find("#recut-state", HTMLElement);
const recutError = find("#recut-error", HTMLElement);
const prompts = new Prompts(find("#picture", HTMLElement), after, (mark) => change({ ...mark, start_over: Boolean(mark.box) }));

/** Return the upload that ads are made from; null while it has no cutout. */
export const currentUpload = () => (current?.trans_path ? current : null);

/** Say how large photos may be, and refuse larger ones before they are sent. @param {number} bytes */
export function limitPhotos(bytes) {
  mostBytes = bytes;
  say(find("#photo-hint", HTMLElement), "photo.hint", { most: Math.floor(bytes / 2 ** 20) });
}

/** Return whether the product is being cut out. */
export const isCutting = () => working !== null;

/** Show an upload. @param {Upload} shown */
export function show(shown) {
  resetZoom();
  prompts.clear();
  for (const place of [error, recutState, recutError]) clear(place);
  before.src = pictureAt(shown.filename);
  void showCutout(shown);
  compare.hidden = false;
}

/** @param {Upload} shown @returns {Promise<void>} */
function showCutout(shown) {
  current = shown;
  after.src = pictureAt(shown.trans_path || shown.filename);
  undo.disabled = !shown.earlier_cutouts;
  redo.disabled = !shown.later_cutouts;
  notes.hidden = !shown.notes.length;
  notes.replaceChildren(...shown.notes.map(noteOf));
  return after.decode().catch(() => undefined);
}

/** @param {import("./api.js").Note} note */
function noteOf(note) {
  const item = document.createElement("li");
  sayEither(item, note);
  return item;
}

/** Take a photo and cut its product out. @param {File} photo */
export async function take(photo) {
  if (photo.size > mostBytes) {
    say(error, "photo.large", { size: Math.ceil(photo.size / 2 ** 20), most: Math.floor(mostBytes / 2 ** 20) });
    return;
  }
  const mine = begin();
  clear(error);
  say(busy, "photo.busy");
  compare.hidden = true;
  current = null;
  preview(photo);
  try {
    show(await upload(photo, mine.signal));
    lift();
  } catch (problem) {
    if (mine.signal.aborted) return;
    const about = problem instanceof ApiError ? problem.about : {};
    if (about.timestamp && about.filename) markByHand(about.timestamp, about.filename);
    else showError(error, problem);
  } finally {
    if (end(mine)) {
      clear(busy);
      waiting.hidden = true;
      compare.hidden = !current;
    }
  }
}

/** Show a photo while its product is being cut out, where the browser can. @param {File} photo */
function preview(photo) {
  const address = URL.createObjectURL(photo);
  waiting.src = address;
  waiting.decode().then(() => (waiting.hidden = !working), () => undefined).finally(() => setTimeout(() => URL.revokeObjectURL(address), 60_000));
}

/** Show a photo in which nothing was found. @param {string} timestamp @param {string} filename */
function markByHand(timestamp, filename) {
  show({ timestamp, filename, trans_path: "", earlier_cutouts: 0, later_cutouts: 0, notes: [] });
  say(error, "recut.mark");
}

/** Change the cutout, after the changes before. @param {Change} wanted */
function change(wanted) {
  changes = changes.then(() => apply(wanted));
}

/** @param {Change} wanted */
async function apply(wanted) {
  if (!current) return;
  const mine = begin();
  clear(recutError);
  say(recutState, "recut.busy");
  const start = performance.now();
  try {
    await showCutout(await changeCutout(current, wanted, mine.signal));
    if (mine.signal.aborted) return;
    clear(error);
    say(recutState, "recut.done", { seconds: ((performance.now() - start) / 1000).toFixed(1) });
  } catch (problem) {
    if (mine.signal.aborted) return;
    clear(recutState);
    showError(recutError, problem);
  } finally {
    if (end(mine)) prompts.clear();
  }
}

/** Start work on the photo, cancelling any other work on it. */
function begin() {
  working?.abort();
  working = new AbortController();
  return working;
}

/** End work on the photo; return whether no other has started since. @param {AbortController} mine */
function end(mine) {
  const isLast = working === mine;
  if (isLast) working = null;
  return isLast;
}

/** Take a picture that is pasted outside of a text field. @param {ClipboardEvent} event */
function paste(event) {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  const picture = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (!isTyping && picture && !find("#create", HTMLElement).hidden && !document.querySelector("dialog[open]")) void take(picture);
}

export function preparePhoto() {
  const first = (/** @type {File[]} */ [photo]) => photo && void take(photo);
  acceptFiles(find("#photo", HTMLInputElement), find(".photo", HTMLElement), first);
  takeChosen(find("#camera", HTMLInputElement), first);
  document.addEventListener("paste", paste);
  prepareCompare();
  prepareZoom();
  undo.addEventListener("click", () => change({ revert: "earlier" }));
  redo.addEventListener("click", () => change({ revert: "later" }));
  find("#start-over", HTMLButtonElement).addEventListener("click", () => change({ start_over: true }));
}
