// The sheet for the colours. Its data-asked, data-shown and data-pictures say which picture of the drawing it shows.

import { offer } from "../dom.js";
import { encode } from "../png.js";
import { show } from "./canvas.js";

/**
 * RGBA.
 * @typedef {{id: number, pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number, backend: string}} Picture
 */

export class Result {
  #canvas;
  /** That is shown. @type {Picture | null} */
  #picture = null;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** @param {number} id of the picture that has been asked for last */
  ask(id) {
    this.#canvas.dataset.asked = String(id);
  }

  /** @param {Picture} picture */
  show(picture) {
    this.#picture = picture;
    show(this.#canvas, picture);
    this.#canvas.dataset.shown = String(picture.id);
    this.#canvas.dataset.backend = picture.backend;
  }

  /** Until the next picture comes, nothing is to be seen. */
  clear() {
    const { width } = this.#canvas;
    this.#canvas.width = width; // empties it
    this.#picture = null;
    this.#canvas.dataset.empty = "";
    this.#canvas.dataset.shown = "0";
  }

  /** Offer the picture as a file. */
  async save() {
    if (this.#picture) offer(await encode(this.#picture), "nurie.png");
  }
}
