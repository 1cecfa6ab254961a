// Brand kits: chosen for the ads, made and changed in a dialog.

import { deleteBrand, getBrand, getBrands, putBrand } from "./api.js";
import { find, showError, takeChosen } from "./dom.js";
import { follow, now, set } from "./store.js";
import { clear, say, t } from "./text.js";
import { wordField } from "./words.js";

const dialog = find("#kit", HTMLDialogElement);
const form = find("form", HTMLFormElement, dialog);
const error = find("#kit-error", HTMLElement);
const shown = find("#kit-shown", HTMLImageElement);
const change = find("#brand-edit", HTMLButtonElement);
const keep = find("button.primary", HTMLButtonElement, form);
const remove = find("#kit-delete", HTMLButtonElement);
const FIELDS = { kit_primary: "primary_colour", kit_secondary: "secondary_colour", kit_font: "font", kit_tone: "tone", kit_legal: "legal" };

/** The kit that was opened last: an answer for another one comes too late. */
let turn = 0;

/** @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
const field = (name) => /** @type {any} */ (form.elements.namedItem(name));

/** Show the brands, and choose one. @param {string} [chosen] */
async function list(chosen = wordField("brand").value) {
  const { names } = await getBrands();
  const select = wordField("brand");
  const none = select.querySelector("option") ?? new Option("", "");
  select.replaceChildren(none, ...names.map((one) => new Option(one, one)));
  select.value = names.includes(chosen) ? chosen : "";
  change.hidden = !select.value;
  set({ brands: names });
}

function showLogo() {
  shown.hidden = !now.logo;
  if (now.logo) shown.src = URL.createObjectURL(now.logo);
}

/** Open the dialog. @param {string} name Brand to change; empty for a new one. */
async function open(name) {
  const mine = ++turn;
  form.reset();
  clear(error);
  set({ logo: null });
  remove.hidden = !name;
  field("kit_name").value = name;
  /** @type {HTMLInputElement} */ (field("kit_name")).readOnly = Boolean(name);
  keep.disabled = Boolean(name); // else what is not here yet would be saved as empty
  dialog.showModal();
  if (!name) return;
  try {
    const kit = await getBrand(name);
    if (mine !== turn) return; // another was opened meanwhile
    for (const [place, key] of Object.entries(FIELDS)) field(place).value = kit[/** @type {"font"} */ (key)];
    for (const picker of pickers()) picker.value = field(picker.dataset.for ?? "").value || "#000000";
    if (kit.logo) set({ logo: new Blob([Uint8Array.from(atob(kit.logo), (letter) => letter.charCodeAt(0))]) });
    keep.disabled = false;
  } catch (problem) {
    if (mine === turn) showError(error, problem);
  }
}

async function save() {
  const name = field("kit_name").value.trim();
  clear(error);
  if (!name) return say(error, "brands.name.missing");
  const kit = new FormData();
  for (const [place, key] of Object.entries(FIELDS)) kit.append(key, field(place).value.trim());
  if (now.logo) kit.append("logo", now.logo, "logo");
  try {
    await putBrand(name, kit);
    dialog.close();
    await list(name);
  } catch (problem) {
    showError(error, problem);
  }
}

async function deleteOpen() {
  const name = field("kit_name").value;
  if (!confirm(t("brands.sure", { name }))) return;
  try {
    await deleteBrand(name);
    dialog.close();
    await list("");
  } catch (problem) {
    showError(error, problem);
  }
}

const pickers = () => /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input[type=color]")]);

export async function prepareBrands() {
  follow(["logo"], showLogo);
  const select = wordField("brand");
  select.addEventListener("change", () => (change.hidden = !select.value));
  change.addEventListener("click", () => void open(select.value));
  find("#brand-new", HTMLButtonElement).addEventListener("click", () => void open(""));
  find("#kit-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  remove.addEventListener("click", () => void deleteOpen());
  takeChosen(find("#kit-logo", HTMLInputElement), ([file]) => set({ logo: file ?? null }));
  for (const picker of pickers()) picker.addEventListener("input", () => (field(picker.dataset.for ?? "").value = picker.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save();
  });
  await list();
}
