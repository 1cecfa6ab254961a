// How the ads of a record were made, stage by stage.

import { label, say, stageKey } from "./text.js";

/** @param {import("./api.js").Made} record */
export function manifestOf({ manifest }) {
  if (!manifest) return [];
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  label(scroll, "aria-label", "record.manifest");
  const table = document.createElement("table");
  table.append(head(), ...manifest.stages.map(row));
  scroll.append(table);
  const version = document.createElement("p");
  say(version, "record.version", { version: manifest.software_version });
  return [scroll, version];
}

function head() {
  const line = document.createElement("tr");
  for (const key of /** @type {const} */ (["record.stage", "record.engine", "record.seconds", "record.prompt", "record.files"])) {
    const cell = document.createElement("th");
    cell.scope = "col";
    say(cell, key);
    line.append(cell);
  }
  return line;
}

/** @param {import("./api.js").Stage} stage */
function row(stage) {
  const line = document.createElement("tr");
  const short = (/** @type {string[]} */ digests) => digests.map((digest) => digest.slice(0, 8)).join(" ");
  const engine = stage.model ? `${stage.engine}/${stage.model}` : stage.engine;
  const files = `${short(stage.inputs)} → ${short(stage.outputs)}`;
  const cells = ["", engine, stage.seconds.toFixed(2), stage.prompt, files].map((text) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    return cell;
  });
  const key = stageKey(stage.name);
  if (cells[0] && key) say(cells[0], key);
  cells[1]?.classList.add("engine");
  line.append(...cells);
  return line;
}
