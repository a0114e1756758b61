// Bytes put on the page. Nothing is ever read back from a canvas: some browsers then give other bytes, or none.

import { Drawing } from "./drawing.js";
import { WHITE } from "./layers.js";
import { Surface } from "./surface.js";

/**
 * Put a picture that the engine made on the page. `data-pictures` counts them.
 * @param {HTMLCanvasElement} canvas
 * @param {{pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} picture RGBA
 */
export function show(canvas, { pixels, width, height }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  delete canvas.dataset.empty;
  canvas.dataset.pictures = String(Number(canvas.dataset.pictures) + 1);
}

/**
 * Show what has changed of a surface.
 * @param {HTMLCanvasElement} canvas of its size
 * @param {Surface} surface
 */
export function refresh(canvas, surface) {
  const changed = surface.changed();
  if (!changed) return;
  const { left, top, right, bottom } = changed;
  const data = new ImageData(surface.pixels, surface.width, surface.height);
  canvas.getContext("2d", { alpha: false })?.putImageData(data, 0, 0, left, top, right - left, bottom - top);
}

/** What is seen of a sheet while it moves: its last picture, larger or smaller. What that lacks is paper. */
export class Glide {
  #canvas;
  #picture;
  #view;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./mask.js").View} view that it shows
   */
  constructor(canvas, view) {
    this.#canvas = canvas;
    this.#view = view;
    this.#picture = document.createElement("canvas");
    Object.assign(this.#picture, { width: canvas.width, height: canvas.height });
    this.#picture.getContext("2d")?.drawImage(canvas, 0, 0);
  }

  /**
   * @param {import("./mask.js").View} view
   * @param {string} paper colour
   */
  show({ scale, left, top }, paper) {
    const context = this.#canvas.getContext("2d", { alpha: false });
    if (!context) return;
    const { width, height } = this.#canvas;
    const { scale: before, left: atLeft, top: atTop } = this.#view;
    const times = scale / before;
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    const [x, y] = [(atLeft - left) * scale, (atTop - top) * scale];
    context.drawImage(this.#picture, x, y, times * width, times * height);
  }
}

/**
 * A small picture of a drawing.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size of its sheet
 * @param {{strokes?: import("../formats.d.ts").Line[], picture?: import("../png.js").Picture}} sample
 * @param {import("./layers.js").Paper} [paper]
 */
export function thumbnail(canvas, size, sample, paper) {
  const drawing = new Drawing();
  drawing.place(sample);
  refresh(canvas, render(drawing, canvas, size, paper));
}

/**
 * @param {import("./surface.js").Shown} drawing
 * @param {{width: number, height: number}} pixels
 * @param {{width: number, height: number}} size of its sheet
 * @param {import("./layers.js").Paper} [paper]
 */
export function render(drawing, { width, height }, size, paper = WHITE) {
  const surface = new Surface();
  surface.paper = paper;
  surface.resize(width, height, size);
  surface.redraw(drawing);
  return surface;
}
