// The drawing's lines over the picture (docs/formats.md): painting/lines.py computes the same bytes. Pure.

/** @typedef {import("../png.js").Picture} Picture */

/** A pixel is of a line where all its channels are below the first, and differ by less than the second. */
const [DARK, GREY] = [128, 32];
/** A white pixel as a number. */
const WHITE = -1;

/**
 * @template {{pixels: Uint8ClampedArray, width: number, height: number}} T
 * @param {T} picture RGBA
 * @param {Picture} drawing that it was made of
 * @param {number} lines 0: none, 1: all their ink
 * @returns {T} a copy where there are lines
 */
export function withLines(picture, drawing, lines) {
  if (!lines) return picture;
  const near = nearLines(drawing);
  const ink = drawing.pixels;
  const { width, height } = picture;
  const pixels = picture.pixels.slice();
  for (let y = 0, to = 0; y < height; y++) {
    const row = Math.floor((y * drawing.height) / height) * drawing.width;
    for (let x = 0; x < width; x++, to += 4) {
      const at = row + (((x * drawing.width) / width) | 0);
      if (near[at] === 0) continue;
      const light = 255 - lines * (255 - Math.max(ink[4 * at], ink[4 * at + 1], ink[4 * at + 2]));
      for (let i = to; i < to + 3; i++) pixels[i] = ((pixels[i] * light) / 255 + 0.5) | 0;
    }
  }
  return { ...picture, pixels };
}

/**
 * Not 0 where there is ink of a line, or of one in the 8 pixels around. Most pixels are white, and little is done for
 * those: the first picture waits for this, before the browser has compiled it.
 * @param {Picture} drawing
 */
function nearLines({ width, height, pixels }) {
  const words = new Int32Array(pixels.buffer, pixels.byteOffset, width * height);
  const near = new Uint8Array(words.length);
  for (let at = 0; at < words.length; at++) {
    if (words[at] === WHITE) continue;
    const red = pixels[4 * at];
    const green = pixels[4 * at + 1];
    const blue = pixels[4 * at + 2];
    const most = Math.max(red, green, blue);
    if (most >= DARK || most - Math.min(red, green, blue) >= GREY) continue;
    const x = at % width;
    const left = x > 0 ? 1 : 0;
    const right = x < width - 1 ? 1 : 0;
    // Beyond the first and the last row an array keeps nothing.
    for (let to = at - width; to <= at + width; to += width) near[to - left] = near[to] = near[to + right] = 1;
  }
  return near;
}
