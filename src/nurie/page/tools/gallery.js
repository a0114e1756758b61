// The gallery of sample drawings that come with the model.

import { thumbnail } from "../sheet/raster.js";
import { say, translate } from "../text.js";

/** @typedef {import("../formats.d.ts").Manifest} Manifest */
/** @typedef {import("../formats.d.ts").Preset} Preset */
/** @typedef {import("../text.js").Language} Language */

const THUMBNAIL = 256;

export class Gallery {
  #dialog = /** @type {HTMLDialogElement} */ (document.getElementById("gallery"));
  #list = /** @type {HTMLUListElement} */ (document.getElementById("presets"));
  #presets;
  #size;
  #base;
  #shown = false;

  /**
   * @param {Manifest} manifest
   * @param {URL} base the manifest's address
   * @param {(preset: Preset) => void} onchoice
   */
  constructor({ presets = [], input }, base, onchoice) {
    this.#presets = presets;
    this.#size = input;
    this.#base = base;
    this.#list.replaceChildren(...presets.map((preset) => this.#item(preset, onchoice)));
    // A click on the backdrop closes, too.
    this.#dialog.onclick = (event) => event.target === this.#dialog && this.#dialog.close();
  }

  /** Its pictures are made when they are first asked for: while the page starts, every millisecond counts. */
  open() {
    if (!this.#shown) {
      const buttons = this.#list.querySelectorAll("button");
      this.#presets.forEach((preset, i) => buttons[i].prepend(picture(preset, this.#size, this.#base)));
      this.#shown = true;
    }
    this.#dialog.showModal();
  }

  /** @param {Language} language */
  translate(language) {
    const captions = this.#list.querySelectorAll("span");
    this.#presets.forEach(({ title }, i) => {
      captions[i].textContent = translate(title, language) || say(language, "sample", { number: i + 1 });
    });
  }

  /**
   * @param {Preset} preset
   * @param {(preset: Preset) => void} onchoice
   */
  #item(preset, onchoice) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(document.createElement("span"));
    button.addEventListener("click", () => {
      this.#dialog.close();
      onchoice(preset);
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  }
}

/**
 * @param {Preset} preset
 * @param {{width: number, height: number}} size
 * @param {URL} base
 */
function picture({ strokes, image }, size, base) {
  if (image) {
    const element = new Image();
    Object.assign(element, { src: new URL(image, base).href, alt: "", loading: "lazy" });
    return element;
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: THUMBNAIL, height: Math.round((THUMBNAIL * size.height) / size.width) });
  thumbnail(canvas, size, strokes ?? []);
  return canvas;
}
