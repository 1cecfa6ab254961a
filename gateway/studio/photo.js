// The photo: taken in, shown beside its cut-out, and cut again where the user marks the product.

import { cutAgain, pictureAt, upload } from "./api.js";
import { acceptFiles, clearError, find, showError } from "./dom.js";
import { Marks } from "./marks.js";
import { say } from "./text.js";

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

/** Give the upload that ads are made of. */
export const currentUpload = () => current;

/** Show an upload. @param {Upload} shown */
export function show(shown) {
  current = shown;
  marks.clear();
  undo.disabled = true;
  say(recutState, "recut.hint");
  recutState.textContent = "";
  for (const place of [error, recutError]) clearError(place);
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
  working?.abort();
  const mine = (working = new AbortController());
  clearError(error);
  say(busy, "photo.busy");
  busy.hidden = false;
  try {
    show(await upload(photo, mine.signal));
  } catch (problem) {
    if (!mine.signal.aborted) showError(error, problem);
  } finally {
    if (working === mine) busy.hidden = true;
  }
}

async function recut() {
  if (!current) return;
  working?.abort();
  const mine = (working = new AbortController());
  clearError(recutError);
  undo.disabled = false;
  say(recutState, "recut.busy");
  const start = performance.now();
  try {
    current = await cutAgain(current, marks.points, marks.box, mine.signal);
    await showCutout();
    if (!mine.signal.aborted) say(recutState, "recut.done", { seconds: ((performance.now() - start) / 1000).toFixed(1) });
  } catch (problem) {
    if (mine.signal.aborted) return;
    say(recutState, "recut.hint");
    showError(recutError, problem);
  }
}

export function preparePhoto() {
  find("#sample", HTMLButtonElement).addEventListener("click", async () => {
    const answer = await fetch(SAMPLE).catch(() => null);
    if (answer?.ok) void take(new File([await answer.blob()], "sample.jpg", { type: "image/jpeg" }));
    else say(error, "error.offline"), (error.hidden = false);
  });
  acceptFiles(find("#photo", HTMLInputElement), find("#drop", HTMLElement), (file) => void take(file));
  split.addEventListener("input", () => find("#picture", HTMLElement).style.setProperty("--split", `${split.value}%`));
  undo.addEventListener("click", () => {
    marks.clear();
    void recut();
    undo.disabled = true;
  });
}
