// Products to try, each with its photo, what is said of it, and an ad that was made of it.

import { copyOf, find } from "./dom.js";
import { take } from "./photo.js";
import { follow, now } from "./store.js";
import { label, say } from "./text.js";

/** @typedef {{name: "bottle" | "mug" | "lotion", audience: string, style: string}} Example */

/** @type {(Example & {photo: string, small: string, ads: Record<import("./text.js").Language, string>})[]} */
const EXAMPLES = [
  { name: "bottle", audience: "女性,25-34,戶外旅遊", style: "seaside", ...files("sample", "bottle") },
  { name: "mug", audience: "不限,35-44,不限", style: "cafe", ...files("mug", "mug") },
  { name: "lotion", audience: "女性,不限,不限", style: "bathroom", ...files("lotion", "lotion") },
];

/** @param {string} photo @param {string} name */
function files(photo, name) {
  const at = (/** @type {string} */ file) => new URL(file, import.meta.url).href;
  return { photo: at(`${photo}.jpg`), small: at(`${name}_small.webp`), ads: { en: at(`${name}_en.webp`), "zh-TW": at(`${name}_zh.webp`) } };
}

/** @param {(example: Example) => void} describe Called when an example is taken. */
export function prepareExamples(describe) {
  const list = find("#examples ul", HTMLUListElement);
  list.replaceChildren(...EXAMPLES.map((example) => itemOf(example, describe)));
}

/** @param {typeof EXAMPLES[number]} example @param {(example: Example) => void} describe */
function itemOf(example, describe) {
  const item = copyOf("t-example");
  const [small, ad] = item.querySelectorAll("img");
  const speak = () => {
    if (ad) ad.src = example.ads[now.language];
  };
  if (small) small.src = example.small;
  follow(["language"], speak);
  speak();
  const button = find("button", HTMLButtonElement, item);
  button.dataset.example = example.name;
  say(find(".name", HTMLElement, item), `examples.${example.name}`);
  label(button, "aria-label", `examples.${example.name}`);
  button.addEventListener("click", async () => {
    const answer = await fetch(example.photo).catch(() => null);
    describe(example);
    const photo = answer?.ok ? await answer.blob() : null;
    if (photo) void take(new File([photo], `${example.name}.jpg`, { type: "image/jpeg" }));
    else say(find("#photo-error", HTMLElement), "error.offline");
  });
  return item;
}
