// Bytes put on the page. Nothing is ever read back from a canvas: some browsers then give other bytes, or none.

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
 * A small picture of strokes.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size of their sheet
 * @param {import("../formats.d.ts").Line[]} strokes
 */
export function thumbnail(canvas, size, strokes) {
  const surface = new Surface();
  surface.resize(canvas.width, canvas.height, size);
  surface.redraw({ steps: strokes.map((stroke) => ({ tool: "pencil", ...stroke })), current: null });
  refresh(canvas, surface);
}
