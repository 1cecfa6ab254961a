// Enlarges the cut-out for exact marks.

import { find } from "./dom.js";
import { now, set } from "./store.js";

const viewport = find("#viewport", HTMLElement);
const picture = find("#picture", HTMLElement);
const image = find("#after", HTMLImageElement);
const larger = find("#larger", HTMLButtonElement);
const smaller = find("#smaller", HTMLButtonElement);
const STEPS = [1, 1.5, 2, 3, 4];

/** @param {number} wanted */
function zoom(wanted) {
  const { scrollLeft, scrollTop, clientWidth, clientHeight } = viewport;
  const before = STEPS[now.zoom] ?? 1;
  const step = Math.min(STEPS.length - 1, Math.max(0, wanted));
  const scale = STEPS[step] ?? 1;
  const width = picture.clientWidth / before;
  image.style.width = scale > 1 ? `${width * scale}px` : "";
  image.style.maxWidth = image.style.maxHeight = scale > 1 ? "none" : "";
  picture.style.maxWidth = scale > 1 ? "none" : "";
  const middle = (/** @type {number} */ at, /** @type {number} */ shown) => ((at + shown / 2) / before) * scale - shown / 2;
  viewport.scrollTo(middle(scrollLeft, clientWidth), middle(scrollTop, clientHeight));
  set({ zoom: step });
  smaller.disabled = step === 0;
  larger.disabled = step === STEPS.length - 1;
}

/** Show the whole picture again. */
export const resetZoom = () => zoom(0);

export function prepareZoom() {
  larger.addEventListener("click", () => zoom(now.zoom + 1));
  smaller.addEventListener("click", () => zoom(now.zoom - 1));
}
