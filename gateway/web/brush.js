// A stroke of the brush over the cut-out: what it covers is added, or taken away.

/** @typedef {import("./api.js").Stroke} Drawn */
/** @typedef {{x: number, y: number}} Position as fractions of the picture's width and height, 0 to 1 */

/** Longer side of what is sent, in pixels: the server enlarges it to the photo. */
const SIDE = 640;
const COLOURS = { add: "rgb(18 112 58 / .6)", away: "rgb(168 20 31 / .6)" };

/** One stroke, while it is drawn and as it is sent. */
export class Stroke {
  /** @type {Position[]} */
  #places = [];

  /** @param {HTMLImageElement} image @param {HTMLElement} layer Where it is shown. @param {boolean} adds @param {number} width As a fraction of the shorter side. */
  constructor(image, layer, adds, width) {
    const [wide, high] = [image.naturalWidth, image.naturalHeight];
    this.photo = { wide, high };
    this.scale = Math.min(1, SIDE / Math.max(wide, high));
    this.adds = adds;
    this.shown = canvasOf(Math.ceil(wide * this.scale), Math.ceil(high * this.scale));
    this.width = Math.max(2, width * Math.min(this.shown.width, this.shown.height));
    layer.replaceChildren(this.shown);
  }

  /** Go on to a place. @param {Position} place */
  to(place) {
    this.#places.push(place);
    this.shown.getContext("2d")?.clearRect(0, 0, this.shown.width, this.shown.height);
    this.#paint(this.shown, this.adds ? COLOURS.add : COLOURS.away);
  }

  /** Return the stroke in the form of the API. @returns {Drawn} */
  finished() {
    const { width, height } = this.shown;
    const columns = this.#places.map(({ x }) => x * width);
    const rows = this.#places.map(({ y }) => y * height);
    const reach = this.width / 2 + 1;
    const left = Math.max(0, Math.floor(Math.min(...columns) - reach));
    const top = Math.max(0, Math.floor(Math.min(...rows) - reach));
    const right = Math.min(width, Math.ceil(Math.max(...columns) + reach));
    const bottom = Math.min(height, Math.ceil(Math.max(...rows) + reach));
    const mask = canvasOf(right - left, bottom - top);
    mask.getContext("2d")?.translate(-left, -top);
    this.#paint(mask, "#fff");
    const box = {
      left: Math.floor(left / this.scale),
      top: Math.floor(top / this.scale),
      right: Math.min(this.photo.wide, Math.ceil(right / this.scale)),
      bottom: Math.min(this.photo.high, Math.ceil(bottom / this.scale)),
    };
    return { box, mask: mask.toDataURL("image/png").replace(/^.*,/, ""), on_product: this.adds };
  }

  /** @param {HTMLCanvasElement} canvas @param {string} colour */
  #paint(canvas, colour) {
    const brush = canvas.getContext("2d");
    const [first, ...others] = this.#places.map(({ x, y }) => ({ x: x * this.shown.width, y: y * this.shown.height }));
    if (!brush || !first) return;
    brush.lineCap = brush.lineJoin = "round";
    brush.lineWidth = this.width;
    brush.strokeStyle = colour;
    brush.beginPath();
    brush.moveTo(first.x, first.y);
    for (const { x, y } of others.length ? others : [first]) brush.lineTo(x, y);
    brush.stroke();
  }
}

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.className = "stroke";
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}
