// Live stages of a run: names, engines, times and overall progress.

import { copyOf, find } from "./dom.js";
import { say, stageKey } from "./text.js";

const TICK = 100;

/** The stages of one run. */
export class Stages {
  constructor() {
    this.bar = find("#bar", HTMLProgressElement);
    this.list = find("#stages", HTMLElement);
    /** @type {{name: string, element: HTMLElement, since: number}[]} */
    this.open = [];
    this.bar.value = 0;
    this.list.replaceChildren();
    find("#run", HTMLElement).hidden = false;
    this.ticking = setInterval(() => this.#tick(), TICK);
  }

  /** @param {import("./api.js").Progress} progress */
  take({ name, state, engine, elapsed_seconds, fraction }) {
    this.bar.value = Math.max(this.bar.value, fraction);
    if (state === "started") this.#start(name);
    else this.#finish(name, engine, elapsed_seconds);
  }

  end() {
    clearInterval(this.ticking);
    this.bar.value = 1;
  }

  stop() {
    clearInterval(this.ticking);
    for (const { element } of this.open) element.className = "stopped";
  }

  /** @param {string} name */
  #start(name) {
    const element = copyOf("t-stage");
    element.className = "started";
    const title = find(".name", HTMLElement, element);
    const key = stageKey(name);
    if (key) say(title, key);
    else title.textContent = name;
    this.list.append(element);
    this.open.push({ name, element, since: performance.now() });
  }

  /** @param {string} name @param {string} engine @param {number} seconds */
  #finish(name, engine, seconds) {
    const index = this.open.findIndex((stage) => stage.name === name);
    const [stage] = this.open.splice(index, 1);
    if (index < 0 || !stage) return;
    stage.element.className = "done";
    find(".engine", HTMLElement, stage.element).textContent = engine;
    find(".time", HTMLElement, stage.element).textContent = `${seconds.toFixed(2)} s`;
  }

  #tick() {
    for (const { element, since } of this.open) {
      find(".time", HTMLElement, element).textContent = `${((performance.now() - since) / 1000).toFixed(1)} s`;
    }
  }
}
