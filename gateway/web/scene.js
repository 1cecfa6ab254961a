// The picture around the product: a style to choose by its thumbnail, and the user's own words.

import { getStyles } from "./api.js";
import { copyOf, find } from "./dom.js";
import { sayEither } from "./text.js";

const styles = find("#styles", HTMLElement);
const scene = find("input[name=scene]", HTMLInputElement);
const avoid = find("input[name=avoid]", HTMLInputElement);

/** Fill in the styles; the first stands for what suits the audience. */
export async function prepareScene() {
  const { styles: offered } = await getStyles();
  styles.append(...offered.map(styleOf));
}

/** @param {import("./api.js").Style} style */
function styleOf({ name, en, zh, thumbnail }) {
  const element = copyOf("t-style");
  find("input", HTMLInputElement, element).value = name;
  find("img", HTMLImageElement, element).src = thumbnail;
  sayEither(find(".name", HTMLElement, element), { en, zh });
  return element;
}

/** Add what is asked of the scene to a request. @param {FormData} form */
export function addScene(form) {
  form.append("style", find("input:checked", HTMLInputElement, styles).value);
  form.append("scene", scene.value.trim());
  form.append("avoid", avoid.value.trim());
}

/** Show what was asked of a record. @param {import("./api.js").Preferences} [preferences] */
export function chooseScene(preferences) {
  scene.value = preferences?.scene ?? "";
  avoid.value = preferences?.avoid ?? "";
  for (const input of styles.querySelectorAll("input")) input.checked = input.value === (preferences?.style ?? "");
}
