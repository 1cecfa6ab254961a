// The photo: uploaded, compared with its cutout, and cut out again by the marks of the user.

import { cutAgain, pictureAt, upload } from "./api.js";
import { acceptFiles, find, showError } from "./dom.js";
import { Marks } from "./marks.js";
import { clear, say } from "./text.js";

/** @typedef {import("./api.js").Upload} Upload */

const SAMPLE = new URL("sample.jpg", import.meta.url).href;

/** @type {Upload | null} */
let current = null;
let version = 0;
/** @type {AbortController | null} */
let working = null;

const error = find("#photo-error", HTMLElement);
const busy = find("#photo-busy", HTMLElement);
const compare = find("#compare", HTMLElement);
const before = find("#before", HTMLImageElement);
const after = find("#after", HTMLImageElement);
const split = find("#split", HTMLInputElement);
const undo = find("#undo", HTMLButtonElement);
const recutState = find("#recut-state", HTMLElement);
const recutError = find("#recut-error", HTMLElement);
const marks = new Marks(find("#picture", HTMLElement), after, recut);

/** Return the upload that ads are made from. */
export const currentUpload = () => current;

/** Return whether the product is being cut out. */
export const isCutting = () => working !== null;

/** Show an upload. @param {Upload} shown */
export function show(shown) {
  current = shown;
  marks.clear();
  undo.disabled = true;
  for (const place of [error, recutState, recutError]) clear(place);
  before.src = pictureAt(shown.filename);
  showCutout();
  compare.hidden = false;
}

/** @returns {Promise<void>} */
function showCutout() {
  version += 1;
  after.src = `${pictureAt(current?.trans_path ?? "")}?version=${version}`;
  return after.decode().catch(() => undefined);
}

/** @param {File} photo */
async function take(photo) {
  const mine = begin();
  clear(error);
  say(busy, "photo.busy");
  compare.hidden = true;
  try {
    show(await upload(photo, mine.signal));
  } catch (problem) {
    if (!mine.signal.aborted) showError(error, problem);
  } finally {
    if (end(mine)) {
      clear(busy);
      compare.hidden = !current;
    }
  }
}

async function recut() {
  if (!current) return;
  const mine = begin();
  clear(recutError);
  undo.disabled = false;
  say(recutState, "recut.busy");
  const start = performance.now();
  try {
    current = await cutAgain(current, marks.points, marks.box, mine.signal);
    await showCutout();
    if (!mine.signal.aborted) say(recutState, "recut.done", { seconds: ((performance.now() - start) / 1000).toFixed(1) });
  } catch (problem) {
    if (mine.signal.aborted) return;
    clear(recutState);
    showError(recutError, problem);
  } finally {
    end(mine);
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

export function preparePhoto() {
  find("#sample", HTMLButtonElement).addEventListener("click", async () => {
    const answer = await fetch(SAMPLE).catch(() => null);
    if (answer?.ok) void take(new File([await answer.blob()], "sample.jpg", { type: "image/jpeg" }));
    else say(error, "error.offline");
  });
  acceptFiles(find("#photo", HTMLInputElement), find("#drop", HTMLElement), (file) => void take(file));
  split.addEventListener("input", () => find("#picture", HTMLElement).style.setProperty("--split", `${split.value}%`));
  undo.addEventListener("click", () => {
    marks.clear();
    void recut();
    undo.disabled = true;
  });
}
