// The choice how much of the drawing's lines lies over the picture.

import { get } from "../dom.js";
import { keepLines, linesFor } from "../lines.js";

export class Overlay {
  #list = get("lines", HTMLSelectElement);
  #onstrength;
  /** @type {import("../formats.d.ts").Manifest | null} */
  #manifest = null;
  #model = "";

  /** @param {(strength: number) => void} onstrength 0 to 1 */
  constructor(onstrength) {
    this.#onstrength = onstrength;
    this.#list.addEventListener("change", () => {
      keepLines(this.#model, this.#list.selectedIndex);
      this.#tell();
      if (!this.#list.matches(":focus-visible")) get("drawing").focus({ preventScroll: true });
    });
  }

  /**
   * Another model is in use.
   * @param {import("../formats.d.ts").Manifest} manifest
   * @param {string} model its name
   */
  offer(manifest, model) {
    this.#manifest = manifest;
    this.#model = model;
    this.#tell();
  }

  #tell() {
    const { choice, strength } = linesFor(this.#manifest ?? {}, this.#model);
    this.#list.selectedIndex = choice;
    this.#onstrength(strength);
  }
}
