// Before and after on one picture: a handle to drag, and a slider for the keyboard.

import { find } from "./dom.js";

const picture = find("#picture", HTMLElement);
const before = find("#before", HTMLImageElement);
const handle = find("#handle", HTMLElement);
const split = find("#split", HTMLInputElement);
const LIFT = 700;

/** Show the photo up to a part of the width, the cut-out beyond. @param {number} percent */
function showSplit(percent) {
  split.value = String(Math.round(percent));
  picture.style.setProperty("--split", `${split.value}%`);
}

/** Let the photo fade from its product, unless movement is not wanted. */
export function lift() {
  showSplit(0);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const whole = { clipPath: "inset(0 0 0 0)", opacity: 1 };
  before.animate([whole, { ...whole, opacity: 0 }], { duration: LIFT, easing: "ease-in-out" });
}

export function prepareCompare() {
  split.addEventListener("input", () => showSplit(Number(split.value)));
  const follow = (/** @type {PointerEvent} */ event) => {
    const frame = picture.getBoundingClientRect();
    showSplit(Math.min(100, Math.max(0, (100 * (event.clientX - frame.left)) / frame.width)));
  };
  handle.addEventListener("pointerdown", (event) => {
    event.stopPropagation(); // no mark
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", follow), { once: true });
  });
}
