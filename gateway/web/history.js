// The history: a list to search, page by page, newest first.

import { ApiError, getRecord, pictureAt, search } from "./api.js";
import { copyOf, find, showError } from "./dom.js";
import { favourites, isFavourite } from "./favourites.js";
import { conditions, fits, isFiltered, isOnlyFavourites, prepareFilters } from "./filters.js";
import { dateOf, openRecord, prepareRecord } from "./record.js";
import { isLeaving, remove } from "./removal.js";
import { clear, label, say, sayTag } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const list = find("#records", HTMLElement);
const more = find("#more", HTMLButtonElement);
const error = find("#history-error", HTMLElement);
const state = find("#history-state", HTMLElement);

let token = "";
let turn = 0;

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
      const page = isOnlyFavourites() ? await kept() : await search(conditions(), token);
      if (mine !== turn) return;
      token = page.next_page_token;
      list.append(...page.records.filter(({ sequence }) => !isLeaving(sequence)).map(itemOf));
      more.hidden = !token;
    } while (token && !list.childElementCount);
    count();
  } catch (problem) {
    if (mine !== turn) return;
    clear(state);
    showError(error, problem);
  }
}

/** Say how many records are shown. */
function count() {
  const number = list.childElementCount;
  if (number) say(state, "history.found", { number });
  else say(state, isFiltered() ? "history.unfound" : "history.none");
}

/** Return the favourites that are still there, as a page. */
async function kept() {
  const gone = (/** @type {unknown} */ problem) => {
    if (problem instanceof ApiError && problem.status === 404) return null;
    throw problem;
  };
  const found = await Promise.all(favourites().map((sequence) => getRecord(sequence).catch(gone)));
  return { records: found.filter((record) => record !== null).filter(fits), next_page_token: "" };
}

/** @param {Made} record */
function itemOf(record) {
  const item = copyOf("t-record");
  item.dataset.sequence = String(record.sequence);
  const image = find("img", HTMLImageElement, item);
  const first = record.generated_images[0];
  if (first) image.src = pictureAt(first);
  find(".name", HTMLElement, item).textContent = (isFavourite(record.sequence) ? "★ " : "") + record.product_name;
  sayTag(find(".audience", HTMLElement, item), record.target_audience);
  find("time", HTMLElement, item).textContent = dateOf(record.write_date);
  const button = find(".open", HTMLButtonElement, item);
  label(button, "aria-label", "history.open", { name: record.product_name });
  button.addEventListener("click", () => (location.hash = `#record/${record.sequence}`));
  return item;
}

/** Take a record out of the list and delete it, unless this is undone. @param {Made} record */
function take({ sequence }) {
  const item = list.querySelector(`[data-sequence="${sequence}"]`);
  const next = item?.nextSibling ?? null;
  item?.remove();
  count();
  const restore = () => {
    if (item) list.insertBefore(item, next?.isConnected ? next : null);
    count();
  };
  remove(sequence, restore, (problem) => showError(error, problem));
}

/** Open a record by its number: it has an address of its own. @param {number} sequence */
export async function show(sequence) {
  clear(error);
  try {
    openRecord(await getRecord(sequence), ({ sequence: variant }) => {
      location.hash = `#record/${variant}`;
      void showHistory();
    });
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 404) forget(sequence);
    else showError(error, problem);
  }
}

/** Say that a record is not there, and take it out of the list if another tab has deleted it. @param {number} sequence */
function forget(sequence) {
  const item = list.querySelector(`[data-sequence="${sequence}"]`);
  if (item) {
    item.remove();
    count();
  }
  say(error, "history.gone");
}

/** Return whether the list is shown already. */
export const hasHistory = () => list.childElementCount > 0;

/** @param {(record: Made, background: File | null) => void} reuse */
export function prepareHistory(reuse) {
  more.addEventListener("click", () => void showMore());
  prepareFilters(() => void showHistory());
  prepareRecord({ reuse, take });
}
