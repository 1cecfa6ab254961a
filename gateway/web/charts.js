// Bars of how many of a list have each tag.

import { copyOf, find } from "./dom.js";
import { label, say, sayTag } from "./text.js";

/** @param {"gender" | "age" | "interest"} category @param {import("./api.js").Chart} chart */
export function charted(category, { labels, values }) {
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
