// REST client of the gateway, and the types of its responses.

import { askForKey } from "./key.js";

/** @typedef {{reason: string, en: string, zh: string}} Note */
/** @typedef {{filename: string, timestamp: string, trans_path: string, earlier_cutouts: number, later_cutouts: number, notes: Note[]}} Upload */
/** @typedef {{x: number, y: number, on_product: boolean}} Point */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */
/** @typedef {{box: Box, mask: string, on_product: boolean}} Stroke */
/** @typedef {{points?: Point[], box?: Box | null, strokes?: Stroke[], start_over?: boolean, revert?: "earlier" | "later"}} Change */
/** @typedef {{labels: string[], values: number[]}} Chart */
/** @typedef {Record<"gender_data" | "age_data" | "interest_data", Chart>} Counts */
/** @typedef {{name: string, engine: string, model: string, seed?: number, prompt: string, seconds: number, inputs: string[], outputs: string[]}} Stage */
/**
 * @typedef {object} Made
 * @property {string} write_date
 * @property {string} product_name
 * @property {string} product_describe
 * @property {string} target_audience
 * @property {string} product_image_filename
 * @property {string[]} generated_images
 * @property {string} short_ad
 * @property {string} long_ad
 * @property {number} sequence
 * @property {Record<string, string>} engines
 * @property {number} seed
 * @property {string[]} prompts
 * @property {string[]} notes
 * @property {{software_version: string, stages: Stage[]}} [manifest]
 * @property {{platform: string, name: string, texts: string[], half_widths: number[], most: number}[]} [texts]
 * @property {{headline: string, call_to_action: string, price: string, legal: string}} [words]
 * @property {string} [brand]
 * @property {string[]} [platforms]
 * @property {Preferences} [preferences]
 * @property {Fidelity[]} [fidelity]
 * @property {number} [dollars]
 * @property {string} [locale]
 * @property {string} [layout]
 * @property {Shown[]} [products]
 * @property {{picture: string, elements: {element: string, box: Box}[]}[]} [placed]
 * @property {{path: string, placement: {light?: {shadow: number}}}[]} [backgrounds]
 * @property {number} [parent]
 * @property {boolean} [without_logo]
 */
/** @typedef {{picture: string, box: Box, arrangement?: {right: number, down: number, scale: number}}} Shown */
/** @typedef {{name: string, state: "started" | "done", engine: string, elapsed_seconds: number, fraction: number}} Progress */
/** @typedef {{capability: string, engine: string, reason: "requested" | "available" | "fallback" | "unspecified", subject: string, remedy: string, ends: string}} Engine */
/** @typedef {{version: string, services: Record<string, boolean>, engines: Engine[], free_bytes?: number}} Status */
/** @typedef {Record<string, Record<string, string>>} Options */
/** @typedef {{name: string, en: string, zh: string, thumbnail: string}} Style */
/** @typedef {{name: string, title: string, sizes: string[]}} Platform */
/** @typedef {{name: string, logo: string, primary_colour: string, secondary_colour: string, font: string, tone: string, legal: string}} Brand */
/** @typedef {{scene: string, avoid: string, style: string, shadow?: number}} Preferences */
/** @typedef {{picture: string, largest: number, mean: number, edge: number}} Fidelity */
/** @typedef {{product_describe: string, locale: string, sizes: string, own_background: boolean}} Order */

/** A request that the gateway rejected, or that failed. */
export class ApiError extends Error {
  /** @param {number | "offline" | "lost"} status @param {string} detail @param {{reason?: string, timestamp?: string, filename?: string, retry?: number}} [about] */
  constructor(status, detail, about = {}) {
    super(detail);
    this.status = status;
    this.detail = detail;
    this.reason = about.reason ?? "";
    this.about = about;
  }
}

const KEY = "api-key";

/**
 * Send a request; on 401, ask the user for a key and retry.
 * @param {string} path @param {RequestInit} [init] @returns {Promise<Response>}
 */
async function ask(path, init = {}) {
  const answer = await send(path, init);
  if (answer.status !== 401) return checked(answer);
  const key = await askForKey();
  if (key) sessionStorage.setItem(KEY, key);
  return checked(key ? await send(path, init) : answer);
}

/** @param {string} path @param {RequestInit} init */
async function send(path, init) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...init.headers, ...(key ? { "X-API-Key": key } : {}) };
  try {
    return await fetch(path, { ...init, headers });
  } catch (error) {
    throw init.signal?.aborted ? error : new ApiError("offline", "");
  }
}

/** @param {Response} answer */
async function checked(answer) {
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  const retry = Number(answer.headers.get("Retry-After")) || 0;
  throw new ApiError(answer.status, body.detail ?? answer.statusText, { ...body, retry });
}

/** @template T @param {string} path @param {RequestInit} [init] @returns {Promise<T>} */
async function json(path, init) {
  const answer = await ask(path, init);
  return answer.json();
}

/**
 * Run a pipeline and report its stages. Aborting the signal cancels it on the server as well.
 * @template T
 * @param {string} path @param {FormData | Blob} body @param {AbortSignal} signal @param {(progress: Progress) => void} [tell]
 * @param {string} [key] Requests with the same key are done once.
 * @returns {Promise<T>}
 */
async function follow(path, body, signal, tell = () => {}, key = "") {
  const headers = { Accept: "text/event-stream", ...(key ? { "Idempotency-Key": key } : {}) };
  const answer = await ask(path, { method: "POST", body, signal, headers });
  try {
    for await (const { event, data } of events(answer)) {
      if (event === "progress") tell(data);
      else if (event === "result") return data;
      else if (event === "error") throw new ApiError(data.status, data.detail, data);
    }
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
  }
  throw new ApiError("lost", "");
}

/** @param {Response} answer @returns {AsyncGenerator<{event: string, data: any}>} */
async function* events(answer) {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/s)));
      if (fields.event) yield { event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

/** @param {string} path */
export const pictureAt = (path) => `/static/${path}`;

/** @returns {Promise<Options>} */
export const getOptions = () => json("/api/target-audiences");

/** @returns {Promise<{offered: string[], default: string[], platforms: Platform[], most_photo_bytes: number}>} */
export const getSizes = () => json("/api/sizes");

/** What an audience in people's words means. @param {string} text @returns {Promise<Record<"gender" | "age" | "interest", string>>} */
export const understand = (text) => json(`/api/audience?${new URLSearchParams({ text })}`);

/** @returns {Promise<{names: string[]}>} */
export const getBrands = () => json("/api/brands");

/** @param {string} name @returns {Promise<Brand>} */
export const getBrand = (name) => json(`/api/brands/${encodeURIComponent(name)}`);

/** @param {string} name @param {FormData} kit @returns {Promise<Brand>} */
export const putBrand = (name, kit) => json(`/api/brands/${encodeURIComponent(name)}`, { method: "PUT", body: kit });

/** @param {string} name */
export const deleteBrand = (name) => ask(`/api/brands/${encodeURIComponent(name)}`, { method: "DELETE" });

/** @returns {Promise<{styles: Style[]}>} */
export const getStyles = () => json("/api/styles");

/** @param {Order} order @returns {Promise<{least: number, most: number}>} */
export const estimate = (order) =>
  json("/api/estimate", { method: "POST", body: JSON.stringify(order), headers: { "Content-Type": "application/json" } });

/** @returns {Promise<Status>} */
export const getStatus = () => json("/api/status");

/** @param {Record<string, string>} conditions @param {string} token @returns {Promise<{records: Made[], next_page_token: string}>} */
export const search = (conditions, token) => json(`/api/records?${new URLSearchParams({ ...conditions, page_token: token })}`);

/** @param {number} sequence @param {string} [platform] The ads and texts of one platform alone. */
export const getArchive = async (sequence, platform = "") =>
  (await ask(`/api/records/${sequence}/archive?${new URLSearchParams({ platform })}`)).blob();

/** Delete a record, even while the page is being left. @param {number} sequence */
export const deleteRecord = (sequence) => ask(`/api/records/${sequence}`, { method: "DELETE", keepalive: true });

/** @param {string} timestamp @returns {Promise<Upload>} */
export const getUpload = (timestamp) => json(`/api/uploads/${timestamp}`);

/** @param {File} file @returns {Promise<Counts>} */
export const countAudience = (file) => json("/api/upload-audience", { method: "POST", body: form({ file }) });

/** @param {File} photo @param {AbortSignal} signal @param {string} [key] @returns {Promise<Upload>} */
export const upload = (photo, signal, key) => follow("/api/upload-image", form({ product_image: photo }), signal, undefined, key);

/** @param {Upload} of @param {Change} change @param {AbortSignal} signal @returns {Promise<Upload>} */
export const changeCutout = ({ timestamp, filename }, change, signal) => {
  const wanted = JSON.stringify({ timestamp, product_image_filename: filename, ...change });
  return follow("/api/cut-out", new Blob([wanted], { type: "application/json" }), signal);
};

/** @param {FormData} brief @param {AbortSignal} signal @param {(progress: Progress) => void} [tell] @param {string} [key] @returns {Promise<Made>} */
export const generate = (brief, signal, tell, key) => follow("/api/generate-product", brief, signal, tell, key);

/** @param {Record<string, unknown>} change @param {AbortSignal} signal @returns {Promise<Made>} */
export const compose = (change, signal) =>
  follow("/api/compose", new Blob([JSON.stringify(change)], { type: "application/json" }), signal);

/** @param {number} sequence @returns {Promise<Made>} */
export const getRecord = (sequence) => json(`/api/records/${sequence}`);

/** @param {Record<string, Blob>} files */
function form(files) {
  const body = new FormData();
  for (const [name, file] of Object.entries(files)) body.append(name, file);
  return body;
}
