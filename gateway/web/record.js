// One record in a dialog: its ads, what was asked for, and how it was made.

import { pictureAt } from "./api.js";
import { find } from "./dom.js";
import { manifestOf } from "./manifest.js";
import { variantOf } from "./results.js";
import { now, set } from "./store.js";
import { clear, label, say, sayTag } from "./text.js";

/** @typedef {import("./api.js").Made} Made */

/** Name of the engine of backgrounds that users gave. */
const OWN = "own picture";

const dialog = find("#record", HTMLDialogElement);
const error = find("#record-error", HTMLElement);

/** @param {string} written YYYYMMDDHHMMSS */
export const dateOf = (written) => written.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d).*$/, "$1-$2-$3 $4:$5");

/** Close the record that is open, if one is. */
export const closeRecord = () => dialog.close();

/** @param {Made} record @param {(made: Made) => void} tell Called with a variant that was made of it. */
export function openRecord(record, tell) {
  set({ opened: record });
  const variant = variantOf(record, tell);
  const title = find("h3", HTMLElement, variant);
  title.id = "record-title";
  title.textContent = `${record.product_name} · ${dateOf(record.write_date)}`;
  for (const part of [".link", ".delete"]) find(part, HTMLElement, variant).remove();
  find(".how", HTMLElement, variant).append(...manifestOf(record));
  find(".record", HTMLElement, dialog).replaceChildren(variant, asked(record));
  clear(error);
  if (!dialog.open) dialog.showModal();
}

/** @param {Made} record */
function asked(record) {
  const element = document.createElement("div");
  const [words, audience, photo] = [document.createElement("p"), document.createElement("p"), document.createElement("img")];
  words.textContent = record.product_describe;
  sayTag(audience, record.target_audience);
  photo.src = pictureAt(record.product_image_filename);
  photo.width = 160;
  photo.loading = "lazy";
  label(photo, "alt", "record.photo");
  element.append(photo, words, audience);
  return element;
}

/** Return the user's own background that was kept with a record, if there is one. @param {Made} record */
async function backgroundOf({ engines, backgrounds }) {
  const [kept] = engines.background === OWN ? (backgrounds ?? []) : [];
  const answer = kept ? await fetch(pictureAt(kept.path)).catch(() => null) : null;
  if (!kept || !answer?.ok) return null;
  return new File([await answer.blob()], kept.path.split("/").pop() ?? "", { type: answer.headers.get("Content-Type") ?? "" });
}

/** @param {{reuse: (record: Made, background: File | null) => void, take: (record: Made) => void}} actions */
export function prepareRecord({ reuse, take }) {
  find("#close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    // Not by location.hash: it would take the focus from the button to which it has just come back.
    if (location.hash.startsWith("#record/")) window.history.pushState(null, "", "#history");
  });
  find("#delete", HTMLButtonElement).addEventListener("click", () => {
    dialog.close();
    if (now.opened) take(now.opened);
  });
  find("#reuse", HTMLButtonElement).addEventListener("click", async () => {
    const record = now.opened;
    if (!record) return;
    const background = await backgroundOf(record);
    dialog.close();
    reuse(record, background);
  });
  const link = find("#copy-link", HTMLButtonElement);
  link.addEventListener("click", async () => {
    await navigator.clipboard?.writeText(location.href).catch(() => undefined);
    say(link, "results.copied");
    setTimeout(() => say(link, "record.copy"), 2000);
  });
}
