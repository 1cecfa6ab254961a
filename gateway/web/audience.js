// The audience: selects filled from the API, preset to the majority of an uploaded list.

import { countAudience, getOptions } from "./api.js";
import { acceptFiles, copyOf, find, showError } from "./dom.js";
import { clear, label, say, sayTag, t } from "./text.js";

/** @typedef {import("./api.js").Chart} Chart */

const CATEGORIES = /** @type {const} */ (["gender", "age", "interest"]);
const EVERYBODY = "不限";

const error = find("#audience-error", HTMLElement);
const charts = find("#charts", HTMLElement);
const ties = find("#audience-ties", HTMLElement);

/** @param {string} category */
const selectOf = (category) => find(`select[name=${category}]`, HTMLSelectElement);

/** Return the chosen audience in the format of the API. */
export const chosenAudience = () => CATEGORIES.map((category) => selectOf(category).value || EVERYBODY).join(",");

/** Choose an audience. @param {string} audience in the format of the API */
export function chooseAudience(audience) {
  audience.split(",").forEach((tag, number) => {
    const category = CATEGORIES[number];
    if (!category) return;
    const select = selectOf(category);
    select.value = tag;
    if (!select.value) select.value = EVERYBODY;
  });
}

async function fill() {
  try {
    const options = await getOptions();
    for (const category of CATEGORIES) {
      const tags = [EVERYBODY, ...Object.values(options[category] ?? {})];
      selectOf(category).replaceChildren(...tags.map(option));
    }
  } catch (problem) {
    showError(error, problem);
  }
}

/** @param {string} tag */
function option(tag) {
  const element = document.createElement("option");
  element.value = tag;
  sayTag(element, tag);
  return element;
}

/** @param {File} list */
async function count(list) {
  for (const place of [error, ties]) clear(place);
  try {
    const counts = await countAudience(list);
    if (!selectOf("gender").options.length) await fill();
    charts.replaceChildren(...CATEGORIES.map((category) => drawn(category, counts[`${category}_data`])));
    const tied = CATEGORIES.filter((category) => !chooseMajority(category, counts[`${category}_data`]));
    if (tied.length) say(ties, "audience.ties", { categories: tied.map((category) => t(`audience.${category}`)).join(", ") });
    if (CATEGORIES.every((category) => Math.max(0, ...counts[`${category}_data`].values) === 0)) {
      say(error, "audience.nobody");
    }
  } catch (problem) {
    showError(error, problem);
  }
}

/** Choose what most are; everybody if several are equally many. Return whether there is no tie. @param {string} category @param {Chart} chart */
function chooseMajority(category, { labels, values }) {
  const most = Math.max(0, ...values);
  if (!most) return true;
  const isOne = values.indexOf(most) === values.lastIndexOf(most);
  selectOf(category).value = (isOne ? labels[values.indexOf(most)] : "") || EVERYBODY;
  return isOne;
}

/** @param {"gender" | "age" | "interest"} category @param {Chart} chart */
function drawn(category, { labels, values }) {
  const chart = copyOf("t-chart");
  say(find("h3", HTMLElement, chart), `audience.${category}`);
  const most = Math.max(1, ...values);
  const bars = labels.map((tag, number) => {
    const bar = copyOf("t-bar");
    const value = values[number] ?? 0;
    sayTag(find(".name", HTMLElement, bar), tag);
    find(".fill", HTMLElement, bar).style.setProperty("--share", `${(100 * value) / most}%`);
    find(".count", HTMLElement, bar).textContent = String(value);
    return bar;
  });
  const list = find("ul", HTMLElement, chart);
  label(list, "aria-label", `audience.${category}`);
  list.replaceChildren(...bars);
  return chart;
}

export function prepareAudience() {
  acceptFiles(find("#list", HTMLInputElement), find("#list-drop", HTMLElement), (file) => void count(file));
  return fill();
}
