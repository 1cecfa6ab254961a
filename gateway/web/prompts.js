// Prompts for the cutout: points and strokes that add or take away, and a box around the product, by pointer or keyboard.

import { Stroke } from "./brush.js";
import { find } from "./dom.js";

/** @typedef {import("./api.js").Point} Point */
/** @typedef {import("./api.js").Box} Box */
/** @typedef {{points: Point[], box: Box | null, strokes?: import("./api.js").Stroke[]}} Mark in pixels of the photo */
/** @typedef {{x: number, y: number}} Position as fractions of the picture's width and height, 0 to 1 */

const DRAGGED = 0.02;
const STEP = 0.05;
const FINE_STEP = 0.01;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The prompts for one picture. */
export class Prompts {
  /** @type {(Position & {on_product: boolean})[]} */
  #points = [];
  /** @type {[Position, Position] | null} */
  #box = null;
  /** @type {Position | null} */
  #corner = null;
  /** @type {Position | null} */
  #cross = null;

  /** @param {HTMLElement} picture @param {HTMLImageElement} image @param {(mark: Mark) => void} made called with each mark */
  constructor(picture, image, made) {
    this.image = image;
    this.made = made;
    this.layer = find("#prompts", HTMLElement, picture);
    picture.addEventListener("pointerdown", (event) => this.#press(event, picture));
    picture.addEventListener("keydown", (event) => this.#type(event));
    picture.addEventListener("blur", () => {
      this.#cross = null;
      this.#draw();
    });
  }

  clear() {
    [this.#points, this.#box, this.#corner] = [[], null, null];
    this.#draw();
  }

  /** A box in pixels of the photo; right and bottom are exclusive. @param {[Position, Position]} corners @returns {Box} */
  #boxInPixels(corners) {
    const [one, other] = [this.#inPixels(corners[0]), this.#inPixels(corners[1])];
    return {
      left: Math.min(one.x, other.x),
      top: Math.min(one.y, other.y),
      right: Math.max(one.x, other.x) + 1,
      bottom: Math.max(one.y, other.y) + 1,
    };
  }

  get #tool() {
    return find("input[name=tool]:checked", HTMLInputElement).value;
  }

  /** @param {PointerEvent} event @param {HTMLElement} picture */
  #press(event, picture) {
    if (event.button !== 0) return;
    const start = this.#placeOf(event);
    const stroke = this.#stroke(start);
    const move = (/** @type {PointerEvent} */ later) => {
      if (stroke) stroke.to(this.#placeOf(later));
      else this.#draw([start, this.#placeOf(later)]);
    };
    const release = (/** @type {PointerEvent} */ last) => {
      stop();
      if (stroke) this.made({ points: [], box: null, strokes: [stroke.finished()] });
      else this.#mark(start, this.#placeOf(last));
    };
    const stop = () => {
      picture.removeEventListener("pointermove", move);
      picture.removeEventListener("pointerup", release);
      picture.removeEventListener("pointercancel", stop);
    };
    picture.setPointerCapture(event.pointerId);
    picture.addEventListener("pointermove", move);
    picture.addEventListener("pointerup", release);
    picture.addEventListener("pointercancel", stop);
  }

  /** Begin a stroke; null if the tool is no brush. @param {Position} start */
  #stroke(start) {
    const tool = this.#tool;
    if (!tool.startsWith("brush")) return null;
    const width = Number(find("input[name=brush_width]", HTMLInputElement).value) / 100;
    const stroke = new Stroke(this.image, this.layer, tool === "brush-product", width);
    stroke.to(start);
    return stroke;
  }

  /** @param {Position} start @param {Position} end */
  #mark(start, end) {
    const isBox = Math.abs(start.x - end.x) > DRAGGED && Math.abs(start.y - end.y) > DRAGGED;
    if (!isBox && this.#tool === "box") return this.#draw();
    const on_product = this.#tool === "product";
    if (isBox) this.#box = [start, end];
    else this.#points.push({ ...end, on_product });
    this.#draw();
    this.made(isBox ? { points: [], box: this.#boxInPixels([start, end]) } : { points: [{ ...this.#inPixels(end), on_product }], box: null });
  }

  /** @param {KeyboardEvent} event */
  #type(event) {
    const arrow = ARROWS[event.key];
    if (!arrow && event.key !== "Enter") return;
    event.preventDefault();
    const cross = (this.#cross ??= { x: 0.5, y: 0.5 });
    if (arrow) {
      const step = event.shiftKey ? FINE_STEP : STEP;
      [cross.x, cross.y] = [inside(cross.x + arrow[0] * step), inside(cross.y + arrow[1] * step)];
      this.#draw(this.#corner && [this.#corner, cross]);
    } else if (this.#tool.startsWith("brush")) {
      const stroke = this.#stroke(cross);
      if (stroke) this.made({ points: [], box: null, strokes: [stroke.finished()] });
    } else if (this.#tool !== "box") {
      this.#mark({ ...cross }, { ...cross });
    } else if (!this.#corner) {
      this.#corner = { ...cross };
    } else {
      const corner = this.#corner;
      this.#corner = null;
      this.#mark(corner, { ...cross });
    }
  }

  /** @param {PointerEvent} event @returns {Position} */
  #placeOf(event) {
    const frame = this.image.getBoundingClientRect();
    return { x: inside((event.clientX - frame.left) / frame.width), y: inside((event.clientY - frame.top) / frame.height) };
  }

  /** @param {Position} place */
  #inPixels({ x, y }) {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    return { x: Math.min(width - 1, Math.floor(x * width)), y: Math.min(height - 1, Math.floor(y * height)) };
  }

  /** @param {[Position, Position] | null} [drawn] the box being drawn */
  #draw(drawn = null) {
    const dots = this.#points.map((point) => shape(point.on_product ? "dot" : "dot other", point));
    const box = drawn ?? this.#box;
    const boxes = box ? [frameOf(box)] : [];
    const cross = this.#cross ? [shape("cross", this.#cross)] : [];
    this.layer.replaceChildren(...boxes, ...dots, ...cross);
  }
}

/** @param {number} part */
const inside = (part) => Math.min(1, Math.max(0, part));

/** @param {string} kind @param {Position} at */
function shape(kind, { x, y }) {
  const element = document.createElement("div");
  element.className = kind;
  element.style.left = `${x * 100}%`;
  element.style.top = `${y * 100}%`;
  return element;
}

/** @param {[Position, Position]} box */
function frameOf([one, other]) {
  const element = shape("box", { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y) });
  element.style.width = `${Math.abs(one.x - other.x) * 100}%`;
  element.style.height = `${Math.abs(one.y - other.y) * 100}%`;
  return element;
}
