// The cards of the history: one for each product, its newest ads in front, its earlier ones small below.

import { pictureAt } from "./api.js";
import { copyOf, find } from "./dom.js";
import { isFavourite } from "./favourites.js";
import { dateOf } from "./record.js";
import { now, set } from "./store.js";
import { label, say, sayTag } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

const MOST = 7;

/** @param {Made[]} records Newest first. */
export function cardsOf(records) {
  /** @type {Map<string, Made[]>} */
  const products = new Map();
  for (const record of records) {
    const made = products.get(nameOf(record)) ?? [];
    products.set(nameOf(record), [...made, record]);
  }
  return [...products.values()].map(cardOf);
}

/** The same product may be written in another case. @param {Made} record */
const nameOf = ({ product_name }) => product_name.trim().toLowerCase();

/** @param {Made[]} made Of one product, newest first. */
function cardOf(made) {
  const card = copyOf("t-card");
  const [newest, ...earlier] = made;
  if (!newest) throw new Error("no record");
  prepareOpener(find(".open", HTMLButtonElement, card), newest);
  find(".name", HTMLElement, card).textContent = (isFavourite(newest.sequence) ? "★ " : "") + newest.product_name;
  sayTag(find(".audience", HTMLElement, card), newest.target_audience);
  find("time", HTMLElement, card).textContent = dateOf(newest.write_date);
  const list = find(".earlier", HTMLElement, card);
  list.hidden = !earlier.length;
  list.append(...earlier.map(earlierOf));
  fold(list, nameOf(newest));
  return card;
}

/** @param {Made} record */
function earlierOf(record) {
  const item = copyOf("t-earlier");
  item.classList.toggle("kept", isFavourite(record.sequence));
  prepareOpener(find("button", HTMLButtonElement, item), record);
  return item;
}

/** @param {HTMLButtonElement} button @param {Made} record */
function prepareOpener(button, record) {
  const first = record.generated_images[0];
  if (first) find("img", HTMLImageElement, button).src = pictureAt(first);
  label(button, "aria-label", "history.open", { name: `${record.product_name}, ${dateOf(record.write_date)}` });
  button.addEventListener("click", () => (location.hash = `#record/${record.sequence}`));
}

/** Show the first of many until all are asked for. @param {HTMLElement} list @param {string} name Of the product. */
function fold(list, name) {
  const rest = [...list.children].slice(MOST);
  if (rest.length < 2 || now.unfolded.has(name)) return;
  const last = copyOf("t-rest");
  for (const item of rest) item.toggleAttribute("hidden", true);
  list.append(last);
  const button = find("button", HTMLButtonElement, last);
  say(button, "history.rest", { number: rest.length });
  label(button, "aria-label", "history.all", { number: rest.length });
  button.addEventListener("click", () => {
    set({ unfolded: new Set([...now.unfolded, name]) });
    for (const item of rest) item.toggleAttribute("hidden", false);
    last.remove();
    rest[0]?.querySelector("button")?.focus();
  });
}
