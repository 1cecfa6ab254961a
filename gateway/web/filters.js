// Which records the history shows.

import { getOptions } from "./api.js";
import { find } from "./dom.js";
import { follow, now } from "./store.js";
import { sayTag } from "./text.js";

const form = find("#search", HTMLFormElement);
const audience = find("[name=for]", HTMLSelectElement, form);
const brand = find("[name=of]", HTMLSelectElement, form);
const favouritesOnly = find("[name=favourites]", HTMLInputElement, form);
const WAIT = 300;

/** @param {string} name */
const text = (name) => find(`[name=${name}]`, HTMLInputElement, form).value.trim();

/** What is looked for, as the API wants it. */
export const conditions = () => ({
  query: text("query"),
  audience: audience.value,
  brand: brand.value,
  since: text("since").replaceAll("-", ""),
  until: text("until").replaceAll("-", ""),
});

/** Whether only favourites are wanted. */
export const isOnlyFavourites = () => favouritesOnly.checked;

/** Return whether anything is looked for. */
export const isFiltered = () => isOnlyFavourites() || Object.values(conditions()).some(Boolean);

/** Return whether a record is what is looked for. @param {import("./api.js").Made} record */
export function fits(record) {
  const wanted = conditions();
  const day = record.write_date.slice(0, 8);
  const searched = [record.product_name, record.product_describe, record.target_audience, record.short_ad, record.long_ad];
  return (
    searched.join("\n").toLowerCase().includes(wanted.query.toLowerCase()) &&
    record.target_audience.includes(wanted.audience) &&
    (!wanted.brand || record.brand === wanted.brand) &&
    wanted.since <= day &&
    (!wanted.until || day <= wanted.until)
  );
}

/** Offer brands to look for. */
function offerBrands() {
  const chosen = brand.value;
  brand.replaceChildren(...[...brand.options].slice(0, 1), ...now.brands.map((one) => new Option(one, one)));
  brand.value = now.brands.includes(chosen) ? chosen : "";
}

/** @param {() => void} show Called a moment after a change. */
export function prepareFilters(show) {
  let waiting = 0;
  follow(["brands"], offerBrands);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show();
  });
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, WAIT);
  });
  getOptions().then((options) => {
    const tags = Object.values(options).flatMap((category) => Object.values(category));
    audience.append(...tags.map((tag) => {
      const option = new Option("", tag);
      sayTag(option, tag);
      return option;
    }));
  }, () => undefined); // the form for ads says that the server cannot be reached
}
