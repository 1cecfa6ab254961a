// DOM helpers: find and copy elements, show errors, accept files.

import { ApiError } from "./api.js";
import { clear, isKey, say, translate } from "./text.js";

/**
 * Return the element that matches a selector.
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} kind
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function find(selector, kind, root = document) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} at ${selector}`);
  return found;
}

/** Copy the content of a template, in the page's language. @param {string} id @returns {HTMLElement} */
export function copyOf(id) {
  const copied = document.importNode(find(`#${id}`, HTMLTemplateElement).content, true);
  translate(copied);
  const element = copied.firstElementChild;
  if (!(element instanceof HTMLElement)) throw new Error(`nothing in ${id}`);
  return element;
}

/** Show an error: in the page's language if it has a text for it, else in the server's words. @param {Element} place @param {unknown} error */
export function showError(place, error) {
  if (!(error instanceof ApiError)) throw error;
  const key = [`error.${error.reason}`, `error.${error.status}`].find(isKey);
  if (key) say(place, key, { detail: error.detail });
  else {
    clear(place);
    place.textContent = error.detail;
  }
}

/** Accept files that are chosen, or dropped on an element. @param {HTMLInputElement} input @param {HTMLElement} place @param {(files: File[]) => void} take */
export function acceptFiles(input, place, take) {
  takeChosen(input, take);
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) take(files);
  });
}

/** Accept files that are chosen. @param {HTMLInputElement} input @param {(files: File[]) => void} take */
export function takeChosen(input, take) {
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) take(files);
  });
}
