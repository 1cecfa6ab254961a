// Status of the services, the engines in use, and how to enable better ones.

import { getStatus } from "./api.js";
import { copyOf, find, showError } from "./dom.js";
import { clear, isKey, say, stageKey } from "./text.js";

const error = find("#status-error", HTMLElement);

export async function showStatus() {
  clear(error);
  try {
    const status = await getStatus();
    find("#services", HTMLElement).replaceChildren(...Object.entries(status.services).map(serviceOf));
    find("#engines", HTMLElement).replaceChildren(...status.engines.map(engineOf));
    find("#version", HTMLElement).textContent = status.version;
  } catch (problem) {
    showError(error, problem);
  }
}

/** @param {[string, boolean]} service */
function serviceOf([name, ready]) {
  const item = copyOf("t-service");
  const title = find(".name", HTMLElement, item);
  const key = `service.${name}`;
  if (isKey(key)) say(title, key);
  else title.textContent = name;
  item.className = ready ? "up" : "down";
  say(find(".state", HTMLElement, item), ready ? "status.up" : "status.down");
  return item;
}

/** @param {import("./api.js").Engine} engine */
function engineOf({ capability, engine, reason, subject, remedy, ends }) {
  const row = copyOf("t-engine");
  const title = find("th", HTMLElement, row);
  const key = stageKey(capability);
  if (key) say(title, key);
  else title.textContent = capability;
  find(".engine", HTMLElement, row).textContent = engine;
  say(find(".why", HTMLElement, row), `status.${reason}`, { subject });
  if (ends) say(find(".ends", HTMLElement, row), "status.ends", { ends });
  const cell = find(".remedy", HTMLElement, row);
  if (!remedy) say(cell, reason === "requested" ? "status.chosen" : "status.best");
  else {
    const code = document.createElement("code");
    code.textContent = remedy;
    cell.append(code);
  }
  return row;
}

export function prepareStatus() {
  find("#refresh", HTMLButtonElement).addEventListener("click", () => void showStatus());
}
