// Many products: a folder, zip or choice of photos with a table becomes ads, one product after the other.

import { ApiError, generate, pictureAt, upload } from "./api.js";
import { warn } from "./create.js";
import { acceptFiles, copyOf, find, showError, takeChosen } from "./dom.js";
import { readTable } from "./table.js";
import { follow, now, set } from "./store.js";
import { clear, say, sayTag } from "./text.js";
import { unzip } from "./zip.js";

/** @typedef {Record<string, string>} Row */
/** @typedef {{row: Row, photo: File, background: File | null, key: string, element: HTMLElement, sequence?: number}} Product */

/** Columns that are fields of the API under the same name. */
const SAME = ["sizes", "layout", "headline", "call_to_action", "price", "brand", "scene", "avoid", "style"];
const DONE = "many-done";
/** What is worth waiting for, and how often. 409: another tab, or this one before a reload, asked for the same and is served. */
const PASSING = [409, 429, 502, 503, 504, "offline", "lost"];
const ATTEMPTS = 8;
/** Seconds that are waited at a time; a budget for a day asks for more. */
const PATIENCE = 300;

const error = find("#many-error", HTMLElement);
const state = find("#many-state", HTMLElement);
const bar = find("#many-bar", HTMLProgressElement);
const start = find("#many-start", HTMLButtonElement);
const pause = find("#many-pause", HTMLButtonElement);
const cancel = find("#many-cancel", HTMLButtonElement);

/** Show what is to be made. @param {File[]} chosen */
async function take(chosen) {
  clear(error);
  const files = (await Promise.all(chosen.map(async (file) => (/\.zip$/i.test(file.name) ? unzip(file) : [file])))).flat();
  if (files.includes(null)) return say(error, "many.zip");
  const real = files.filter((file) => file !== null);
  const table = real.find(({ name }) => /\.(csv|tsv|txt)$/i.test(name));
  if (!table) return say(error, "many.list");
  const rows = readTable(await table.arrayBuffer());
  if (!rows.length || !("photo" in (rows[0] ?? {})) || !("name" in (rows[0] ?? {}))) return say(error, "many.columns");
  const byName = new Map(real.map((file) => [baseOf(file.name), file]));
  const missing = rows.flatMap((row) => [row.photo, row.background]).filter((name) => name && !byName.has(baseOf(name)));
  if (missing.length) return say(error, "many.missing", { names: missing.slice(0, 5).join(", ") });
  const made = done();
  set({ products: await Promise.all(rows.filter((row) => row.photo).map((row) => productOf(row, byName, made))) });
}

/** The name of a file without its folders, as it is compared. @param {string} name */
const baseOf = (name) => (name.split(/[\\/]/).pop() ?? "").toLowerCase();

/** @param {Row} row @param {Map<string, File>} files @param {Record<string, number>} made @returns {Promise<Product>} */
async function productOf(row, files, made) {
  const photo = /** @type {File} */ (files.get(baseOf(row.photo ?? "")));
  const background = row.background ? (files.get(baseOf(row.background)) ?? null) : null;
  const told = [JSON.stringify(row), photo.name, photo.size, background?.size ?? 0].join("\n");
  const digest = await digestOf(told);
  const element = copyOf("t-product");
  const image = find("img", HTMLImageElement, element);
  image.src = URL.createObjectURL(photo);
  find(".name", HTMLElement, element).textContent = row.name ?? "";
  sayTag(find(".audience", HTMLElement, element), row.audience || "不限");
  const product = { row, photo, background, key: digest, element, sequence: made[digest] };
  if (product.sequence !== undefined) finish(product, product.sequence);
  else show(product, "many.waiting");
  return product;
}

/** A digest: of SHA-256 where the page is secure, else a sum. @param {string} text */
async function digestOf(text) {
  const bytes = new TextEncoder().encode(text);
  if (!crypto.subtle) return `many-${bytes.reduce((sum, byte) => (sum * 31 + byte) % 0xffffffff, 7).toString(16)}-${bytes.length}`;
  return `many-${[...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 32)}`;
}

/** Numbers of the records made in this tab, by digest; a product that was made is not made again. @returns {Record<string, number>} */
function done() {
  try {
    return JSON.parse(sessionStorage.getItem(DONE) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {Product} product @param {import("./text.js").Key} key */
const show = ({ element }, key) => say(find(".state", HTMLElement, element), key);

/** @param {Product} product @param {number} sequence */
function finish(product, sequence) {
  product.sequence = sequence;
  show(product, "many.done");
  const link = find(".link", HTMLAnchorElement, product.element);
  link.href = `#record/${sequence}`;
  link.hidden = false;
  sessionStorage.setItem(DONE, JSON.stringify({ ...done(), [product.key]: sequence }));
}

/** Make the ads of a product. @param {Product} product @param {AbortSignal} signal */
async function make(product, signal) {
  const { row, photo, background, key, element } = product;
  show(product, "many.cutting");
  const cut = await patiently(() => upload(photo, signal, `${key}-photo`), signal);
  find("img", HTMLImageElement, element).src = pictureAt(cut.trans_path);
  show(product, "many.making");
  const form = new FormData();
  const told = { product_name: row.name, product_describe: row.describe, target_audience: row.audience || "不限", locale: row.locale || now.language };
  for (const [name, text] of Object.entries({ ...told, timestamp: cut.timestamp, product_image_filename: cut.filename })) form.append(name, text ?? "");
  for (const name of SAME) if (row[name]) form.append(name, row[name]);
  if (background) form.append("background_image", background);
  finish(product, (await patiently(() => generate(form, signal, undefined, `${key}-ads`), signal)).sequence);
}

/** Try again what is worth it, after as long as the server asks for. @template T @param {() => Promise<T>} work @param {AbortSignal} signal */
async function patiently(work, signal) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (problem) {
      const passes = problem instanceof ApiError && PASSING.includes(problem.status);
      if (!passes || attempt === ATTEMPTS || signal.aborted) throw problem;
      const seconds = problem.about.retry || 2 ** attempt;
      if (seconds > PATIENCE) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    }
  }
}

async function run() {
  const mine = new AbortController();
  set({ making: mine, isPaused: false });
  for (const product of now.products.filter(({ sequence }) => sequence === undefined)) {
    if (now.isPaused || mine.signal.aborted) break;
    try {
      await make(product, mine.signal);
    } catch (problem) {
      if (mine.signal.aborted) show(product, "many.waiting");
      else showError(find(".state", HTMLElement, product.element), problem);
    }
    count();
  }
  set({ making: null });
}

function showRunning() {
  start.disabled = Boolean(now.making);
  pause.hidden = cancel.hidden = !now.making;
  pause.disabled = now.isPaused;
  if (now.making) window.addEventListener("beforeunload", warn);
  else window.removeEventListener("beforeunload", warn);
}

function showProducts() {
  find("#many-rows", HTMLElement).replaceChildren(...now.products.map(({ element }) => element));
  find("#many-run", HTMLElement).hidden = false;
  count();
}

/** Say how many are made. */
function count() {
  const { products } = now;
  const made = products.filter(({ sequence }) => sequence !== undefined).length;
  bar.value = products.length ? made / products.length : 0;
  start.hidden = made === products.length;
  say(state, "many.count", { made, all: products.length });
}

export function prepareMany() {
  acceptFiles(find("#many-files", HTMLInputElement), find("#many-drop", HTMLElement), (files) => void take(files));
  takeChosen(find("#many-folder", HTMLInputElement), (files) => void take(files));
  follow(["products"], showProducts);
  follow(["making", "isPaused"], showRunning);
  start.addEventListener("click", () => void run());
  pause.addEventListener("click", () => set({ isPaused: true }));
  cancel.addEventListener("click", () => now.making?.abort());
}
