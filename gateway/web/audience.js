// The audience: chips filled from the API, chosen by hand, in the user's own words, or by the majority of a list.

import { countAudience, getOptions, understand } from "./api.js";
import { charted } from "./charts.js";
import { acceptFiles, copyOf, find, showError } from "./dom.js";
import { follow } from "./store.js";
import { clear, label, nameOf, say, sayTag, t } from "./text.js";

/** @typedef {import("./api.js").Chart} Chart */

export const CATEGORIES = /** @type {const} */ (["gender", "age", "interest"]);
const EVERYBODY = "不限";

const place = find("#audience", HTMLElement);
const words = find("[name=audience_words]", HTMLInputElement, place);
const error = find("#audience-error", HTMLElement);
const charts = find("#charts", HTMLElement);
const ties = find("#audience-ties", HTMLElement);

/** @type {Promise<void> | null} */
let filled = null;

/** @param {string} category */
const chosenOf = (category) => place.querySelector(`[name=${category}]:checked`);

/** Return the chosen audience in the format of the API. */
export const chosenAudience = () => CATEGORIES.map((category) => chosenOf(category)?.getAttribute("value") || EVERYBODY).join(",");

/** Choose a tag of a category; everybody if it is not offered. @param {string} category @param {string} tag */
function choose(category, tag) {
  for (const wanted of [EVERYBODY, tag]) {
    const chip = place.querySelector(`[name=${category}][value="${CSS.escape(wanted)}"]`);
    if (chip instanceof HTMLInputElement) chip.checked = true;
  }
}

/** Choose an audience. @param {string} audience in people's words, or in the format of the API */
export async function chooseAudience(audience) {
  clear(error);
  try {
    const meant = await understand(audience);
    for (const category of CATEGORIES) choose(category, meant[category]);
    return true;
  } catch (problem) {
    showError(error, problem);
    return false;
  }
}

/** Fill in the chips, once. */
function fill() {
  filled ??= getOptions().then((options) => {
    find(".categories", HTMLElement, place).replaceChildren(...CATEGORIES.map((category) => chipsOf(category, Object.values(options[category] ?? {}))));
    suggest(CATEGORIES.flatMap((category) => Object.values(options[category] ?? {})));
  });
  return filled.catch((problem) => {
    filled = null;
    showError(error, problem);
  });
}

/** @param {string[]} tags */
function suggest(tags) {
  const list = find("#audience-list", HTMLDataListElement);
  const draw = () => list.replaceChildren(...tags.map((tag) => new Option(nameOf(tag))));
  follow(["language"], draw);
  draw();
}

/** @param {typeof CATEGORIES[number]} category @param {string[]} tags */
function chipsOf(category, tags) {
  const group = copyOf("t-chips");
  say(find(".name", HTMLElement, group), `audience.${category}`);
  label(group, "aria-label", `audience.${category}`);
  group.append(...[EVERYBODY, ...tags].map((tag) => chip(category, tag)));
  return group;
}

/** @param {string} category @param {string} tag */
function chip(category, tag) {
  const element = copyOf("t-chip");
  const input = find("input", HTMLInputElement, element);
  [input.name, input.value, input.checked] = [category, tag, tag === EVERYBODY];
  sayTag(find("span", HTMLElement, element), tag);
  return element;
}

/** @param {File} list */
async function count(list) {
  for (const one of [error, ties]) clear(one);
  try {
    const counts = await countAudience(list);
    await fill();
    charts.replaceChildren(...CATEGORIES.map((category) => charted(category, counts[`${category}_data`])));
    const tied = CATEGORIES.filter((category) => !chooseMajority(category, counts[`${category}_data`]));
    if (tied.length) say(ties, "audience.ties", { categories: tied.map((category) => t(`audience.${category}`)).join(", ") });
    if (CATEGORIES.every((category) => Math.max(0, ...counts[`${category}_data`].values) === 0)) {
      say(error, "audience.nobody");
    }
  } catch (problem) {
    showError(error, problem);
  }
}

/** Choose the largest group, or everybody if several are tied. Return whether there is no tie. @param {string} category @param {Chart} chart */
function chooseMajority(category, { labels, values }) {
  const most = Math.max(0, ...values);
  if (!most) return true;
  const isOne = values.indexOf(most) === values.lastIndexOf(most);
  choose(category, (isOne ? labels[values.indexOf(most)] : "") || EVERYBODY);
  return isOne;
}

export function prepareAudience() {
  acceptFiles(find("#list", HTMLInputElement), find("#list-drop", HTMLElement), (files) => files[0] && void count(files[0]));
  words.addEventListener("change", () => void chooseAudience(words.value));
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // understood, not sent
    void chooseAudience(words.value);
  });
  return fill();
}
