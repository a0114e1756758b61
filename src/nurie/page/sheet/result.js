// The sheet for the colours. Its data-asked, data-shown and data-pictures say which picture of the drawing it shows.

import { offer } from "../dom.js";
import { show } from "./canvas.js";
import { withLines } from "./lines.js";

/**
 * RGBA, and the drawing that it was made of.
 * @typedef {{id: number, pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number, backend: string,
 *   drawing: import("../png.js").Picture}} Picture
 */

export class Result {
  #canvas;
  /** As it was made, without lines. @type {Picture | null} */
  #picture = null;
  /** How much of the drawing's lines lies over it, 0 to 1. */
  #lines = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** @param {number} id of the picture that has been asked for last */
  ask(id) {
    this.#canvas.dataset.asked = String(id);
  }

  set lines(/** @type {number} */ lines) {
    if (lines === this.#lines) return;
    this.#lines = lines;
    if (this.#picture) show(this.#canvas, this.#seen(this.#picture));
  }

  /** @param {Picture} picture */
  #seen(picture) {
    return withLines(picture, picture.drawing, this.#lines);
  }

  /** @param {Picture} picture */
  show(picture) {
    this.#picture = picture;
    show(this.#canvas, this.#seen(picture));
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

  /** Offer the picture as it is seen, as a file. Throws where what makes files does not come. */
  async save() {
    if (!this.#picture) return;
    const picture = this.#seen(this.#picture);
    const { encode } = await import("../png.js");
    offer(await encode(picture), "nurie.png");
  }
}
