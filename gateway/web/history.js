// The history: a list to search, page by page, newest first, by product.

import { ApiError, getRecord, search } from "./api.js";
import { cardsOf } from "./cards.js";
import { find, showError } from "./dom.js";
import { favourites } from "./favourites.js";
import { conditions, fits, isFiltered, isOnlyFavourites, prepareFilters } from "./filters.js";
import { openRecord, prepareRecord } from "./record.js";
import { isLeaving, remove } from "./removal.js";
import { follow, now, set } from "./store.js";
import { clear, say } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const list = find("#records", HTMLElement);
const more = find("#more", HTMLButtonElement);
const error = find("#history-error", HTMLElement);
const state = find("#history-state", HTMLElement);

/** The list that was asked for last: an answer for an earlier one comes too late. */
let turn = 0;

/** Show the list from the newest record. */
export async function showHistory() {
  set({ records: [], nextPage: "" });
  await showMore();
}

async function showMore() {
  const mine = ++turn;
  clear(error);
  say(state, "history.loading");
  try {
    do {
      // A page may be empty although more pages follow.
      const page = isOnlyFavourites() ? await kept() : await search(conditions(), now.nextPage);
      if (mine !== turn) return;
      const found = page.records.filter(({ sequence }) => !isLeaving(sequence));
      set({ records: [...now.records, ...found], nextPage: page.next_page_token });
    } while (now.nextPage && !now.records.length);
    count();
  } catch (problem) {
    if (mine !== turn) return;
    clear(state);
    showError(error, problem);
  }
}

function draw() {
  list.replaceChildren(...cardsOf(now.records));
  more.hidden = !now.nextPage;
}

/** Say how many records are shown. */
function count() {
  const number = now.records.length;
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

/** Take a record out of the list and delete it, unless this is undone. @param {Made} record */
function take(record) {
  const restore = () => {
    if (fits(record)) set({ records: [...now.records, record].sort((one, other) => other.sequence - one.sequence) });
    count();
  };
  remove(record.sequence, restore, (problem) => showError(error, problem));
  leaveOut(record.sequence);
}

/** @param {number} sequence */
function leaveOut(sequence) {
  set({ records: now.records.filter((record) => record.sequence !== sequence) });
  count();
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
  if (now.records.some((record) => record.sequence === sequence)) leaveOut(sequence);
  say(error, "history.gone");
}

/** Return whether the list is shown already. */
export const hasHistory = () => list.childElementCount > 0;

/** @param {(record: Made, background: File | null) => void} reuse */
export function prepareHistory(reuse) {
  follow(["records", "nextPage"], draw);
  more.addEventListener("click", () => void showMore());
  prepareFilters(() => void showHistory());
  prepareRecord({ reuse, take });
}
