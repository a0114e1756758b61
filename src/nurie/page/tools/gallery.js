// The gallery of sample drawings that come with the model.

import { closeFromOutside, get } from "../dom.js";
import { openPreset } from "../model/download.js";
import { strokesOf } from "../model/strokes.js";
import { thumbnail } from "../sheet/canvas.js";
import { say, translate } from "../text.js";

/** @typedef {import("../formats.d.ts").Manifest} Manifest */
/** @typedef {import("../formats.d.ts").Preset} Preset */

const THUMBNAIL = 256;

export class Gallery {
  #dialog = get("gallery", HTMLDialogElement);
  #list = get("presets");
  #onchoice;
  /** @type {Preset[]} */
  #presets = [];
  #size = { width: 1, height: 1 };
  /** The manifest's address. */
  #base = new URL(document.baseURI);
  #pictured = false;
  /** The sample of this model that was asked for last. @type {Preset | null} */
  #asked = null;

  /** @param {(preset: Preset) => void} onchoice */
  constructor(onchoice) {
    this.#onchoice = onchoice;
    closeFromOutside(this.#dialog);
  }

  /** Has any sample of this model been asked for? */
  get asked() {
    return this.#asked !== null;
  }

  /** Another model comes, whose samples nobody knows yet. */
  forget() {
    this.#asked = null;
    this.#show([]);
  }

  /**
   * Show a model's samples; `translate` next.
   * @param {Manifest} manifest
   * @param {URL} base the manifest's address
   */
  offer({ presets = [], input }, base) {
    this.#size = input;
    this.#base = base;
    this.#show(presets);
  }

  /** Its pictures are made when they are first asked for: while the page starts, every millisecond counts. */
  open() {
    if (!this.#pictured) {
      const buttons = this.#list.querySelectorAll("button");
      this.#presets.forEach((preset, i) => buttons[i].prepend(picture(preset, this.#size, this.#base)));
      this.#pictured = true;
    }
    this.#dialog.showModal();
  }

  /**
   * What a sample puts on the sheet; null where another one has been asked for meanwhile. Throws Failure.
   * @param {Preset} preset
   */
  async fetch(preset) {
    const before = this.#asked;
    this.#asked = preset;
    try {
      const sample = await openPreset(preset, this.#base);
      return this.#asked === preset ? sample : null;
    } catch (error) {
      if (this.#asked !== preset) return null;
      this.#asked = before;
      throw error;
    }
  }

  /** @param {import("../text.js").Language} language */
  translate(language) {
    const captions = this.#list.querySelectorAll("span");
    this.#presets.forEach(({ title }, i) => {
      captions[i].textContent = translate(title, language) || say(language, "sample", { number: i + 1 });
    });
  }

  /** @param {Preset[]} presets */
  #show(presets) {
    this.#presets = presets;
    this.#pictured = false;
    this.#list.replaceChildren(...presets.map((preset) => this.#item(preset)));
  }

  /** @param {Preset} preset */
  #item(preset) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "card";
    button.append(document.createElement("span"));
    button.addEventListener("click", () => {
      this.#dialog.close();
      this.#onchoice(preset);
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
function picture(preset, size, base) {
  if (preset.image) {
    const element = new Image();
    Object.assign(element, { src: new URL(preset.image, base).href, alt: "", loading: "lazy" });
    return element;
  }
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: THUMBNAIL, height: Math.round((THUMBNAIL * size.height) / size.width) });
  thumbnail(canvas, size, { strokes: strokesOf(preset) });
  return canvas;
}
