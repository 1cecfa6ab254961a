// The form that describes the ads, and the run that makes them.

import { generate, getUpload } from "./api.js";
import { chooseAudience, chosenAudience, prepareAudience } from "./audience.js";
import { prepareBackground } from "./background.js";
import { prepareBrands } from "./brands.js";
import { showCost } from "./cost.js";
import { find, showError } from "./dom.js";
import { keepDraft, keptDraft } from "./draft.js";
import { prepareExamples } from "./examples.js";
import { currentUpload, preparePhoto, show } from "./photo.js";
import { addVariant, prepareResults } from "./results.js";
import { addScene, chooseScene, prepareScene } from "./scene.js";
import { chooseSizes, chooseSizesOf, chosenSizes, prepareSizes } from "./sizes.js";
import { Stages } from "./stages.js";
import { follow, now, set } from "./store.js";
import { clear, say, stageKey, t } from "./text.js";
import { addWords, chooseLocale, chooseWords, prepareWords, wordField } from "./words.js";

/** @typedef {import("./api.js").Made} Made */

const brief = find("#brief", HTMLFormElement);
const name = find("input[name=product_name]", HTMLInputElement, brief);
const describe = find("textarea", HTMLTextAreaElement, brief);
const button = find("#generate", HTMLButtonElement);
const again = find("#again", HTMLButtonElement);
const cancel = find("#cancel", HTMLButtonElement);
const error = find("#run-error", HTMLElement);
const nameError = find("#name-error", HTMLElement);
const state = find("#run-state", HTMLElement);

async function run() {
  const form = briefForm();
  if (!form || now.generating) return;
  const mine = new AbortController();
  set({ generating: mine });
  const stages = new Stages();
  const start = performance.now();
  say(state, "run.working");
  try {
    const made = await generate(form, mine.signal, (progress) => {
      stages.take(progress);
      const key = progress.state === "started" && stageKey(progress.name);
      if (key) say(state, key);
    });
    stages.end();
    say(state, "run.done", { seconds: ((performance.now() - start) / 1000).toFixed(1) });
    addVariant(made);
  } catch (problem) {
    stages.stop();
    clear(state);
    if (mine.signal.aborted) say(state, "run.cancelled");
    else showError(error, problem);
  } finally {
    set({ generating: null });
  }
}

function showRunning() {
  const isRunning = Boolean(now.generating);
  button.disabled = again.disabled = isRunning;
  cancel.hidden = !isRunning;
  if (isRunning) window.addEventListener("beforeunload", warn);
  else window.removeEventListener("beforeunload", warn);
}

/** @param {BeforeUnloadEvent} event */
export function warn(event) {
  event.preventDefault();
  event.returnValue = t("leave");
}

/** Return the request body, or show everything that is missing and return null. */
function briefForm() {
  for (const place of [error, nameError]) clear(place);
  const upload = currentUpload();
  const chosen = chosenSizes();
  const isNamed = Boolean(name.value.trim());
  name.setAttribute("aria-invalid", String(!isNamed));
  if (!isNamed) {
    say(nameError, "brief.name.missing");
    name.focus();
  }
  if (now.cutting || !upload || !chosen.length) say(error, now.cutting ? "run.cutting" : upload ? "more.sizes.none" : "run.photo");
  if (!isNamed || now.cutting || !upload || !chosen.length) return null;
  const form = new FormData();
  form.append("product_name", name.value.trim());
  form.append("product_describe", describe.value.trim());
  form.append("target_audience", chosenAudience());
  form.append("product_image_filename", upload.filename);
  form.append("timestamp", upload.timestamp);
  form.append("sizes", chosen.join(","));
  addWords(form);
  addScene(form);
  if (now.background) form.append("background_image", now.background);
  return form;
}

/** What the costs depend on. */
function order() {
  return {
    product_describe: describe.value.trim(),
    locale: wordField("locale").value,
    sizes: chosenSizes().join(","),
    own_background: Boolean(now.background),
  };
}

/** Fill the form with the inputs of a record. @param {Made} record @param {File | null} background */
export async function reuse(record, background) {
  name.value = record.product_name;
  describe.value = record.product_describe;
  chooseSizesOf(record);
  chooseWords(record);
  chooseScene(record.preferences);
  set({ background });
  clear(error);
  await chooseAudience(record.target_audience);
  try {
    show(await getUpload(record.product_image_filename.split("/")[0] ?? ""));
  } catch (problem) {
    showError(error, problem);
  }
}

/** Fill the form for an example, unless something was typed. @param {import("./examples.js").Example} example */
function describeExample(example) {
  const typed = [name.value, describe.value];
  if (typed.some(Boolean) && typed.join("\n") !== now.example.join("\n")) return;
  set({ example: [t(`sample.${example.name}.name`), t(`sample.${example.name}`)] });
  [name.value, describe.value] = now.example;
  wordField("layout").value = "auto";
  chooseScene({ scene: "", avoid: "", style: example.style });
  void chooseAudience(example.audience);
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
  chooseLocale(draft.fields.locale ?? "");
  const kept = draft.timestamp ? await getUpload(draft.timestamp).catch(() => null) : null;
  if (kept && !now.cutting && !currentUpload()) show(kept); // a photo chosen meanwhile counts more
}

export async function prepareCreate() {
  const tell = (/** @type {unknown} */ problem) => showError(error, problem);
  follow(["generating"], showRunning);
  prepareWords();
  preparePhoto();
  prepareExamples(describeExample);
  prepareBackground();
  prepareResults();
  brief.addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  again.addEventListener("click", () => void run());
  cancel.addEventListener("click", () => now.generating?.abort());
  brief.addEventListener("change", () => showCost(order));
  window.addEventListener("pagehide", keep);
  await Promise.all([prepareAudience(), ...[prepareSizes(), prepareBrands(), prepareScene()].map((ready) => ready.catch(tell))]);
  await restore();
  showCost(order);
}
