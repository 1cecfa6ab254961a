// The form that describes the ads, and the run that makes them.

import { generate, getSizes, getUpload } from "./api.js";
import { chooseAudience, chosenAudience, prepareAudience } from "./audience.js";
import { find, showError } from "./dom.js";
import { currentUpload, isCutting, preparePhoto, show } from "./photo.js";
import { addVariant, clearVariants } from "./results.js";
import { Stages } from "./stages.js";
import { clear, currentLanguage, say, t } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const brief = find("#brief", HTMLFormElement);
const name = find("input[name=product_name]", HTMLInputElement, brief);
const describe = find("textarea", HTMLTextAreaElement, brief);
const locale = find("select[name=locale]", HTMLSelectElement, brief);
const background = find("#background", HTMLInputElement);
const backgroundClear = find("#background-clear", HTMLElement);
const sizes = find("#sizes", HTMLElement);
const button = find("#generate", HTMLButtonElement);
const again = find("#again", HTMLButtonElement);
const cancel = find("#cancel", HTMLButtonElement);
const error = find("#run-error", HTMLElement);
const nameError = find("#name-error", HTMLElement);
const state = find("#run-state", HTMLElement);

/** @type {AbortController | null} */
let running = null;
/** Path of the photo whose variants are shown. @type {string | null} */
let shownFor = null;

async function run() {
  const form = briefForm();
  if (!form || running) return;
  const mine = (running = new AbortController());
  const stages = new Stages();
  const start = performance.now();
  showRunning(true);
  say(state, "run.working");
  try {
    const made = await generate(form, mine.signal, (progress) => stages.take(progress));
    stages.end();
    say(state, "run.done", { seconds: ((performance.now() - start) / 1000).toFixed(1) });
    showMade(made);
  } catch (problem) {
    stages.stop();
    clear(state);
    if (mine.signal.aborted) say(state, "run.cancelled");
    else showError(error, problem);
  } finally {
    running = null;
    showRunning(false);
  }
}

/** @param {boolean} isRunning */
function showRunning(isRunning) {
  button.disabled = again.disabled = isRunning;
  cancel.hidden = !isRunning;
  if (isRunning) window.addEventListener("beforeunload", warn);
  else window.removeEventListener("beforeunload", warn);
}

/** @param {BeforeUnloadEvent} event */
function warn(event) {
  event.preventDefault();
  event.returnValue = t("leave");
}

/** @param {Made} made */
function showMade(made) {
  if (shownFor !== made.product_image_filename) clearVariants();
  shownFor = made.product_image_filename;
  addVariant(made);
}

/** Return the request body, or show what is missing and return null. */
function briefForm() {
  for (const place of [error, nameError]) clear(place);
  const upload = currentUpload();
  const chosen = [...sizes.querySelectorAll("input:checked")].map((box) => /** @type {HTMLInputElement} */ (box).value);
  name.setAttribute("aria-invalid", String(!name.value.trim()));
  if (!name.value.trim()) {
    say(nameError, "brief.name.missing");
    name.focus();
    return null;
  }
  if (isCutting() || !upload || !chosen.length) {
    say(error, isCutting() ? "run.cutting" : upload ? "more.sizes.none" : "run.photo");
    return null;
  }
  const form = new FormData();
  form.append("product_name", name.value.trim());
  form.append("product_describe", describe.value.trim());
  form.append("target_audience", chosenAudience());
  form.append("product_image_filename", upload.filename);
  form.append("timestamp", upload.timestamp);
  form.append("locale", locale.value);
  form.append("sizes", chosen.join(","));
  const own = background.files?.[0];
  if (own) form.append("background_image", own);
  return form;
}

/** Fill the form with the inputs of a record. @param {Made} record */
export async function reuse(record) {
  name.value = record.product_name;
  describe.value = record.product_describe;
  chooseAudience(record.target_audience);
  choose(record.generated_images.map((path) => path.match(/_(\d+x\d+)\.\w+$/)?.[1] ?? ""));
  clear(error);
  try {
    show(await getUpload(record.product_image_filename.split("/")[0] ?? ""));
  } catch (problem) {
    showError(error, problem);
  }
}

/** @param {string[]} chosen */
function choose(chosen) {
  for (const box of sizes.querySelectorAll("input")) box.checked = chosen.includes(box.value);
}

async function fillSizes() {
  try {
    const { offered, default: chosen } = await getSizes();
    sizes.replaceChildren(...offered.map(sizeBox));
    choose(chosen);
  } catch (problem) {
    showError(error, problem);
  }
}

/** @param {string} size */
function sizeBox(size) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = size;
  const element = document.createElement("label");
  element.append(box, ` ${size.replace("x", " × ")}`);
  return element;
}

export async function prepareCreate() {
  locale.value = currentLanguage();
  preparePhoto();
  brief.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  again.addEventListener("click", () => void run());
  cancel.addEventListener("click", () => running?.abort());
  background.addEventListener("change", () => (backgroundClear.hidden = !background.files?.length));
  find("button", HTMLButtonElement, backgroundClear).addEventListener("click", () => {
    background.value = "";
    backgroundClear.hidden = true;
  });
  await Promise.all([prepareAudience(), fillSizes()]);
}
