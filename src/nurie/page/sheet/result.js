// The sheet for the colours. Its data-asked, data-shown and data-pictures say which picture of the drawing it shows.

import { show } from "./raster.js";

export class Result {
  #canvas;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** @param {number} id of the picture that has been asked for last */
  ask(id) {
    this.#canvas.dataset.asked = String(id);
  }

  /** @param {{id: number, pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number, backend: string}} picture RGBA */
  show(picture) {
    show(this.#canvas, picture);
    this.#canvas.dataset.shown = String(picture.id);
    this.#canvas.dataset.backend = picture.backend;
  }

  /** Until the next picture comes, nothing is to be seen. */
  clear() {
    const { width } = this.#canvas;
    this.#canvas.width = width; // empties it
    this.#canvas.dataset.empty = "";
    this.#canvas.dataset.shown = "0";
  }

  /** Offer the picture as a file. */
  save() {
    this.#canvas.toBlob((blob) => {
      if (!blob) return;
      const link = document.createElement("a");
      Object.assign(link, { href: URL.createObjectURL(blob), download: "nurie.png" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }
}
