// One ad at its true size, over the page.

import { pictureAt } from "./api.js";
import { find } from "./dom.js";
import { label } from "./text.js";

const dialog = find("#light", HTMLDialogElement);
const image = find("img", HTMLImageElement, dialog);
const caption = find(".caption", HTMLElement, dialog);

/** @param {string} path @param {{name: string, size: string}} about */
export function enlarge(path, about) {
  image.src = pictureAt(path);
  label(image, "alt", "results.ad", about);
  caption.textContent = about.size;
  dialog.showModal();
}

export function prepareLightbox() {
  find("button", HTMLButtonElement, dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside the picture
  });
}
