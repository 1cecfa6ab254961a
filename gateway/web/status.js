// Status, for operators: which services answer, what makes what, why, and what would be better.

import { getStatus } from "./api.js";
import { copyOf, find, showError } from "./dom.js";
import { clear, isKey, say, stageKey, t } from "./text.js";

const error = find("#status-error", HTMLElement);

export async function showStatus() {
  clear(error);
  try {
    const status = await getStatus();
    find("#services", HTMLElement).replaceChildren(...Object.entries(status.services).map(serviceOf));
    find("#engines", HTMLElement).replaceChildren(...status.engines.map(engineOf));
    const room = find("#room", HTMLElement);
    if (status.free_bytes === undefined) clear(room);
    else say(room, "status.room", { room: (status.free_bytes / 1e9).toFixed(1) });
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
  const item = copyOf("t-engine");
  const key = stageKey(capability);
  const what = find(".what", HTMLElement, item);
  if (key) say(what, key);
  else what.textContent = capability;
  say(find(".why", HTMLElement, item), subject ? `status.${reason}` : "status.unspecified", { engine, subject: subject.replace(" or ", t("status.or")) });
  if (ends) say(find(".ends", HTMLElement, item), "status.ends", { ends });
  if (!remedy) return item;
  const place = find(".remedy", HTMLElement, item);
  const code = document.createElement("code");
  code.textContent = remedy;
  const words = document.createElement("span");
  say(words, "status.remedy");
  place.append(words, " ", code);
  return item;
}

export function prepareStatus() {
  find("#refresh", HTMLButtonElement).addEventListener("click", () => void showStatus());
}
