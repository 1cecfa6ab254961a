// The form that describes the ads, and the run that makes them.

import { generate, getBrands, getUpload } from "./api.js";
import { chooseAudience, chosenAudience, prepareAudience } from "./audience.js";
import { showCost } from "./cost.js";
import { find, showError } from "./dom.js";
import { currentUpload, isCutting, preparePhoto, show } from "./photo.js";
import { addVariant, clearVariants } from "./results.js";
import { addScene, chooseScene, prepareScene } from "./scene.js";
import { chooseSizes, chosenSizes, prepareSizes } from "./sizes.js";
import { Stages } from "./stages.js";
import { keepDraft, keptDraft } from "./draft.js";
import { clear, currentLanguage, say, stageKey, t } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const brief = find("#brief", HTMLFormElement);
const name = find("input[name=product_name]", HTMLInputElement, brief);
const describe = find("textarea", HTMLTextAreaElement, brief);
const locale = find("select[name=locale]", HTMLSelectElement, brief);
const background = find("#background", HTMLInputElement);
const backgroundClear = find("#background-clear", HTMLButtonElement);
const backgroundName = find("#background-name", HTMLElement);
const brand = find("#brand", HTMLElement);
const WORDS = /** @type {const} */ (["layout", "headline", "call_to_action", "price", "brand"]);
const button = find("#generate", HTMLButtonElement);
const again = find("#again", HTMLButtonElement);
const cancel = find("#cancel", HTMLButtonElement);
const error = find("#run-error", HTMLElement);
const nameError = find("#name-error", HTMLElement);
const state = find("#run-state", HTMLElement);

/** @type {AbortController | null} */
let running = null;
/** Whether the language of the ads was chosen; until then it is that of the page. */
let hasLocale = false;
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
    const made = await generate(form, mine.signal, (progress) => {
      stages.take(progress);
      const key = progress.state === "started" && stageKey(progress.name);
      if (key) say(state, key);
    });
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
  const chosen = chosenSizes();
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
  for (const field of WORDS) form.append(field, wordField(field).value.trim());
  addScene(form);
  const own = background.files?.[0];
  if (own) form.append("background_image", own);
  return form;
}

/** Show which picture is the background. */
function nameBackground() {
  backgroundName.textContent = background.files?.[0]?.name ?? "";
  backgroundClear.hidden = !background.files?.length;
}

/** What the costs depend on. */
function order() {
  return {
    product_describe: describe.value.trim(),
    locale: locale.value,
    sizes: chosenSizes().join(","),
    own_background: Boolean(background.files?.length),
  };
}

/** @param {typeof WORDS[number]} field @returns {HTMLInputElement | HTMLSelectElement} */
function wordField(field) {
  const kind = field === "layout" || field === "brand" ? HTMLSelectElement : HTMLInputElement;
  return find(`[name=${field}]`, /** @type {any} */ (kind), brief);
}

/** Fill the form with the inputs of a record. @param {Made} record */
export async function reuse(record) {
  name.value = record.product_name;
  describe.value = record.product_describe;
  chooseAudience(record.target_audience);
  chooseSizes([...record.generated_images.map((path) => path.match(/_(\d+x\d+)\.\w+$/)?.[1] ?? ""), ...(record.platforms ?? [])]);
  for (const field of ["headline", "call_to_action", "price"]) {
    const name = /** @type {"headline" | "call_to_action" | "price"} */ (field);
    wordField(name).value = record.words?.[name] ?? "";
  }
  wordField("layout").value = record.layout || (record.words ? "auto" : "");
  if (record.locale) [locale.value, hasLocale] = [record.locale, true];
  wordField("brand").value = record.brand ?? "";
  chooseScene(record.wishes);
  clear(error);
  try {
    show(await getUpload(record.product_image_filename.split("/")[0] ?? ""));
  } catch (problem) {
    showError(error, problem);
  }
}

/** Let the language of the ads follow that of the page, until one is chosen. */
export function followLanguage() {
  if (!hasLocale) locale.value = currentLanguage();
}

/** Describe the sample, unless something was typed. */
function describeSample() {
  if (name.value || describe.value) return;
  name.value = t("sample.name");
  describe.value = t("sample.describe");
  chooseAudience("女性,25-34,戶外旅遊");
}

/** Keep what was typed for a reload. */
function keep() {
  const fields = Object.fromEntries([...new FormData(brief)].filter(([, value]) => typeof value === "string"));
  const draft = /** @type {Record<string, string>} */ (fields);
  keepDraft({ fields: draft, chosen: chosenSizes(), timestamp: currentUpload()?.timestamp ?? "" });
}

/** Restore what was typed before a reload. */
async function restore() {
  const draft = keptDraft();
  if (!draft) return;
  for (const [field, value] of Object.entries(draft.fields)) {
    const element = brief.elements.namedItem(field);
    if (element instanceof RadioNodeList || "value" in (element ?? {})) /** @type {RadioNodeList} */ (element).value = value;
  }
  chooseSizes(draft.chosen);
  hasLocale = draft.fields.locale !== currentLanguage();
  const kept = draft.timestamp ? await getUpload(draft.timestamp).catch(() => null) : null;
  if (kept && !isCutting() && !currentUpload()) show(kept); // a photo chosen meanwhile counts more
}

async function fillBrands() {
  try {
    const { names } = await getBrands();
    wordField("brand").append(...names.map((one) => new Option(one, one)));
    brand.hidden = !names.length;
  } catch (problem) {
    showError(error, problem);
  }
}

export async function prepareCreate() {
  locale.value = currentLanguage();
  preparePhoto(describeSample);
  brief.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  again.addEventListener("click", () => void run());
  cancel.addEventListener("click", () => running?.abort());
  background.addEventListener("change", nameBackground);
  backgroundClear.addEventListener("click", () => {
    background.value = "";
    nameBackground();
  });
  locale.addEventListener("change", () => (hasLocale = true));
  brief.addEventListener("change", () => showCost(order));
  window.addEventListener("pagehide", keep);
  await Promise.all([prepareAudience(), prepareSizes().catch((problem) => showError(error, problem)), fillBrands(), prepareScene().catch((problem) => showError(error, problem))]);
  await restore();
  showCost(order);
}
