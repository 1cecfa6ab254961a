// The history: a searchable, paginated list, newest first, and a dialog with the details of one record.

import { deleteRecord, getRecord, pictureAt, search } from "./api.js";
import { copyOf, find, showError } from "./dom.js";
import { variantOf } from "./results.js";
import { clear, label, say, sayTag, stageKey } from "./text.js";

/** @typedef {import("./api.js").Made} Made */
/** @typedef {import("./api.js").Stage} Stage */

const WAIT = 300;

const list = find("#records", HTMLElement);
const more = find("#more", HTMLButtonElement);
const error = find("#history-error", HTMLElement);
const state = find("#history-state", HTMLElement);
const query = find("input[name=query]", HTMLInputElement);
const dialog = find("#record", HTMLDialogElement);
const doubt = find("#doubt", HTMLElement);
const recordError = find("#record-error", HTMLElement);

let token = "";
let turn = 0;
/** @type {Made | null} */
let opened = null;

/** Show the list from the newest record. */
export async function showHistory() {
  list.replaceChildren();
  token = "";
  await showMore();
}

async function showMore() {
  const mine = ++turn;
  clear(error);
  say(state, "history.loading");
  try {
    do {
      // A page may be empty although more pages follow.
      const page = await search(query.value.trim(), token);
      if (mine !== turn) return;
      token = page.next_page_token;
      list.append(...page.records.map(itemOf));
      more.hidden = !token;
    } while (token && !list.childElementCount);
    const number = list.childElementCount;
    if (number) say(state, "history.found", { number });
    else if (query.value.trim()) say(state, "history.unfound", { query: query.value.trim() });
    else say(state, "history.none");
  } catch (problem) {
    if (mine !== turn) return;
    clear(state);
    showError(error, problem);
  }
}

/** @param {Made} record */
function itemOf(record) {
  const item = copyOf("t-record");
  const image = find("img", HTMLImageElement, item);
  const first = record.generated_images[0];
  if (first) image.src = pictureAt(first);
  find(".name", HTMLElement, item).textContent = record.product_name;
  sayTag(find(".audience", HTMLElement, item), record.target_audience);
  find("time", HTMLElement, item).textContent = dateOf(record.write_date);
  const button = find(".open", HTMLButtonElement, item);
  label(button, "aria-label", "history.open", { name: record.product_name });
  button.addEventListener("click", () => (location.hash = `#record/${record.sequence}`));
  return item;
}

/** @param {string} written YYYYMMDDHHMMSS */
const dateOf = (written) => written.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d).*$/, "$1-$2-$3 $4:$5");

/** Open a record by its number: it has an address of its own. @param {number} sequence */
export async function openRecord(sequence) {
  clear(error);
  try {
    open(await getRecord(sequence));
  } catch (problem) {
    showError(error, problem);
  }
}

/** Return whether the list is shown already. */
export const hasHistory = () => list.childElementCount > 0;

/** Close the record that is open, if one is. */
export const closeRecord = () => dialog.close();

/** @param {Made} record */
function open(record) {
  opened = record;
  const variant = variantOf(record, ({ sequence }) => {
    location.hash = `#record/${sequence}`;
    void showHistory();
  });
  const title = find("h3", HTMLElement, variant);
  title.id = "record-title";
  title.textContent = `${record.product_name} · ${dateOf(record.write_date)}`;
  find(".how", HTMLElement, variant).append(...manifestOf(record));
  find(".record", HTMLElement, dialog).replaceChildren(variant, describe(record));
  doubt.hidden = true;
  clear(recordError);
  if (!dialog.open) dialog.showModal();
}

async function deleteOpened() {
  if (!opened) return;
  try {
    await deleteRecord(opened.sequence);
    dialog.close();
    await showHistory();
  } catch (problem) {
    showError(recordError, problem);
  }
}

/** @param {Made} record */
function describe(record) {
  const element = document.createElement("div");
  const [words, audience, photo] = [document.createElement("p"), document.createElement("p"), document.createElement("img")];
  words.textContent = record.product_describe;
  sayTag(audience, record.target_audience);
  photo.src = pictureAt(record.product_image_filename);
  photo.width = 160;
  photo.loading = "lazy";
  label(photo, "alt", "record.photo");
  element.append(photo, words, audience);
  return element;
}

/** @param {Made} record */
function manifestOf({ manifest }) {
  if (!manifest) return [];
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  label(scroll, "aria-label", "record.manifest");
  const table = document.createElement("table");
  table.append(head(), ...manifest.stages.map(row));
  scroll.append(table);
  const version = document.createElement("p");
  say(version, "record.version", { version: manifest.software_version });
  return [scroll, version];
}

function head() {
  const line = document.createElement("tr");
  for (const key of /** @type {const} */ (["record.stage", "status.engine", "record.seconds", "record.prompt", "record.files"])) {
    const cell = document.createElement("th");
    cell.scope = "col";
    say(cell, key);
    line.append(cell);
  }
  return line;
}

/** @param {Stage} stage */
function row(stage) {
  const line = document.createElement("tr");
  const short = (/** @type {string[]} */ digests) => digests.map((digest) => digest.slice(0, 8)).join(" ");
  const engine = stage.model ? `${stage.engine}/${stage.model}` : stage.engine;
  const files = `${short(stage.inputs)} → ${short(stage.outputs)}`;
  const cells = ["", engine, stage.seconds.toFixed(2), stage.prompt, files].map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  });
  const key = stageKey(stage.name);
  if (cells[0] && key) say(cells[0], key);
  cells[1]?.classList.add("engine");
  line.append(...cells);
  return line;
}

/** @param {(record: Made) => void} reuse */
export function prepareHistory(reuse) {
  let waiting = 0;
  more.addEventListener("click", () => void showMore());
  find("#search", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void showHistory();
  });
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => void showHistory(), WAIT);
  });
  find("#close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    // Not by location.hash: it would take the focus from the button to which it has just come back.
    if (location.hash.startsWith("#record/")) window.history.pushState(null, "", "#history");
  });
  const sure = find("#sure", HTMLButtonElement);
  find("#delete", HTMLButtonElement).addEventListener("click", () => {
    doubt.hidden = false;
    sure.focus();
  });
  sure.addEventListener("click", () => void deleteOpened());
  find("#reuse", HTMLButtonElement).addEventListener("click", () => {
    dialog.close();
    if (opened) reuse(opened);
  });
}
