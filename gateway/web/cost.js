// What the ads will cost, where a model in a cloud makes something; nothing is shown where nothing costs.

import { estimate } from "./api.js";
import { find } from "./dom.js";
import { clear, say } from "./text.js";

const place = find("#cost", HTMLElement);
const WAIT = 300;
let asked = 0;

/** Ask again a moment after the last change. @param {() => import("./api.js").Order} order */
export function showCost(order) {
  const mine = ++asked;
  setTimeout(async () => {
    if (mine !== asked) return;
    const costs = await estimate(order()).catch(() => null);
    if (mine !== asked) return;
    if (costs?.most) say(place, "run.cost", { least: dollars(costs.least), most: dollars(costs.most) });
    else clear(place);
  }, WAIT);
}

/** @param {number} amount */
export const dollars = (amount) => amount.toFixed(amount < 0.1 ? 3 : 2);
