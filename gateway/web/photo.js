// The photo: uploaded, compared with its cutout, and corrected by hand.

import { ApiError, changeCutout, pictureAt, upload } from "./api.js";
import { lift, prepareCompare } from "./compare.js";
import { acceptFiles, find, showError, takeChosen } from "./dom.js";
import { Prompts } from "./prompts.js";
import { follow, now, set } from "./store.js";
import { clear, say, sayEither } from "./text.js";
import { prepareZoom, resetZoom } from "./zoom.js";

/** @typedef {import("./api.js").Upload} Upload */
/** @typedef {import("./api.js").Change} Change */

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
export const currentUpload = () => (now.upload?.trans_path ? now.upload : null);

/** Megabytes of a photo. @param {number} bytes */
const megabytes = (bytes) => bytes / 2 ** 20;

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
  set({ upload: shown });
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
  if (photo.size > now.mostPhotoBytes) {
    say(error, "photo.large", { size: Math.ceil(megabytes(photo.size)), most: Math.floor(megabytes(now.mostPhotoBytes)) });
    return;
  }
  const mine = begin();
  clear(error);
  say(busy, "photo.busy");
  compare.hidden = true;
  set({ upload: null });
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
      compare.hidden = !now.upload;
    }
  }
}

/** Show a photo while its product is being cut out, where the browser can. @param {File} photo */
function preview(photo) {
  const address = URL.createObjectURL(photo);
  waiting.src = address;
  waiting.decode().then(() => (waiting.hidden = !now.cutting), () => undefined).finally(() => setTimeout(() => URL.revokeObjectURL(address), 60_000));
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
  if (!now.upload) return;
  const mine = begin();
  clear(recutError);
  say(recutState, "recut.busy");
  const start = performance.now();
  try {
    await showCutout(await changeCutout(now.upload, wanted, mine.signal));
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
  now.cutting?.abort();
  const mine = new AbortController();
  set({ cutting: mine });
  return mine;
}

/** End work on the photo; return whether no other has started since. @param {AbortController} mine */
function end(mine) {
  const isLast = now.cutting === mine;
  if (isLast) set({ cutting: null });
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
  follow(["mostPhotoBytes"], () => say(find("#photo-hint", HTMLElement), "photo.hint", { most: Math.floor(megabytes(now.mostPhotoBytes)) }));
  prepareCompare();
  prepareZoom();
  undo.addEventListener("click", () => change({ revert: "earlier" }));
  redo.addEventListener("click", () => change({ revert: "later" }));
  find("#start-over", HTMLButtonElement).addEventListener("click", () => change({ start_over: true }));
}
