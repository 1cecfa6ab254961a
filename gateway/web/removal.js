// Deleting records: they are gone at once from the page, and from the history unless this is undone within seconds.

import { deleteRecord } from "./api.js";
import { copyOf, find } from "./dom.js";
import { setFavourite } from "./favourites.js";
import { say } from "./text.js";

const WAIT = 7000;

/** What is being deleted, and what deletes it now. @type {Map<number, () => void>} */
const leaving = new Map();

/** Return whether a record is being deleted. @param {number} sequence */
export const isLeaving = (sequence) => leaving.has(sequence);

/**
 * Delete a record in a few seconds.
 * @param {number} sequence @param {() => void} restore Called if this is undone. @param {(problem: unknown) => void} fail Called if it cannot be deleted.
 */
export function remove(sequence, restore, fail) {
  if (leaving.has(sequence)) return;
  const toast = copyOf("t-toast");
  const button = find("button", HTMLButtonElement, toast);
  say(find("span", HTMLElement, toast), "removal.done");
  say(button, "removal.undo");
  const end = () => {
    clearTimeout(waiting);
    leaving.delete(sequence);
    toast.remove();
  };
  const now = () => {
    end();
    deleteRecord(sequence).then(() => setFavourite(sequence, false), (problem) => {
      restore();
      fail(problem);
    });
  };
  const waiting = setTimeout(now, WAIT);
  leaving.set(sequence, now);
  button.addEventListener("click", () => {
    end();
    restore();
  });
  document.body.append(toast);
  button.focus();
}

window.addEventListener("pagehide", () => {
  for (const now of leaving.values()) now();
});
