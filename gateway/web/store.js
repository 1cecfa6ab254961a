// The state of the page, in one place: parts read it here, change it here, and draw themselves when it changes.

/** @typedef {import("./api.js").Made} Made */

/**
 * @typedef {object} State
 * @property {string} address The part of the page that is shown, as in its address.
 * @property {import("./text.js").Language} language Of the page.
 * @property {boolean} isLocaleChosen Whether the language of the ads was chosen; until then it is that of the page.
 * @property {import("./api.js").Platform[]} platforms What is offered.
 * @property {string[]} brands Names of all brand kits.
 * @property {Blob | null} logo The logo in the open brand kit.
 * @property {number} mostPhotoBytes Of the largest photo that is taken.
 * @property {import("./api.js").Upload | null} upload The photo and its cut-out.
 * @property {number} zoom Step by which the cut-out is enlarged.
 * @property {AbortController | null} cutting Work on the photo.
 * @property {File | null} background The user's own; null: one is made.
 * @property {[string, string]} example Name and description that the last example filled in.
 * @property {AbortController | null} generating The ads that are being made.
 * @property {Made[]} variants Ads of the photo, newest first.
 * @property {number} variantsMade How many there have been.
 * @property {import("./edit.js").Editing | null} editing The ad in the editor.
 * @property {AbortController | null} composing The variant that the editor asked for.
 * @property {import("./many.js").Product[]} products Of the table.
 * @property {AbortController | null} making The products that are being made.
 * @property {boolean} isPaused Whether no other product is begun.
 * @property {Made[]} records The part of the history that is shown, newest first.
 * @property {string} nextPage Token of the rest of it; empty: there is none.
 * @property {Set<string>} unfolded Products all of whose ads are shown.
 * @property {Made | null} opened The record in the dialog.
 */

/** @type {State} */
const state = {
  address: "", language: "en", isLocaleChosen: false, platforms: [], brands: [], logo: null,
  mostPhotoBytes: Infinity, upload: null, zoom: 0, cutting: null,
  background: null, example: ["", ""], generating: null, variants: [], variantsMade: 0, editing: null, composing: null,
  products: [], making: null, isPaused: false,
  records: [], nextPage: "", unfolded: new Set(), opened: null,
};

/** The state as it is; `set` alone changes it. @type {Readonly<State>} */
export const now = state;

/** @type {{names: (keyof State)[], draw: () => void}[]} */
const followers = [];

/** Change a part of the state, and draw what shows it. @param {Partial<State>} part */
export function set(part) {
  Object.assign(state, part);
  for (const { names, draw } of followers) if (names.some((name) => name in part)) draw();
}

/** Draw something each time one of these changes. @param {(keyof State)[]} names @param {() => void} draw */
export function follow(names, draw) {
  followers.push({ names, draw });
}
