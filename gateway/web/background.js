// A picture of the user's own as the background.

import { find, takeChosen } from "./dom.js";
import { follow, now, set } from "./store.js";

const input = find("#background", HTMLInputElement);
const name = find("#background-name", HTMLElement);
const clear = find("#background-clear", HTMLButtonElement);

export function prepareBackground() {
  follow(["background"], () => {
    name.textContent = now.background?.name ?? "";
    clear.hidden = !now.background;
  });
  takeChosen(input, ([file]) => set({ background: file ?? null }));
  clear.addEventListener("click", () => {
    set({ background: null });
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });
}
