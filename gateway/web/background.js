// A picture of the user's own as the background.

import { find, takeChosen } from "./dom.js";

const input = find("#background", HTMLInputElement);
const name = find("#background-name", HTMLElement);
const clear = find("#background-clear", HTMLButtonElement);

/** @type {File | null} */
let chosen = null;

/** Return the user's own background; null if there is none. */
export const ownBackground = () => chosen;

/** Choose a background; null for a generated one. @param {File | null} file */
export function chooseBackground(file) {
  chosen = file;
  name.textContent = file?.name ?? "";
  clear.hidden = !file;
}

export function prepareBackground() {
  takeChosen(input, ([file]) => chooseBackground(file ?? null));
  clear.addEventListener("click", () => {
    chooseBackground(null);
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
}
