// Bytes put on the page. Nothing is ever read back from a canvas: some browsers then give other bytes, or none.

import { sheetWith } from "./fresh.js";
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

/**
 * A small picture of a drawing.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size of its sheet
 * @param {{strokes?: import("../formats.d.ts").Line[], picture?: import("../png.js").Picture}} sample
 * @param {import("./layers.js").Paper} [paper]
 */
export function thumbnail(canvas, size, sample, paper) {
  refresh(canvas, render({ steps: [sheetWith(sample)], current: null }, canvas, size, paper));
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
