// The drawing's lines over the picture (docs/formats.md): painting/lines.py computes the same bytes. Pure.

/** @typedef {import("../png.js").Picture} Picture */

/** A pixel is of a line where all its channels are below the first, and differ by less than the second. */
const [DARK, GREY] = [128, 32];

/**
 * @template {{pixels: Uint8ClampedArray, width: number, height: number}} T
 * @param {T} picture RGBA
 * @param {Picture} drawing that it was made of
 * @param {number} lines 0: none, 1: all their ink
 * @returns {T} a copy where there are lines
 */
export function withLines(picture, drawing, lines) {
  if (!lines) return picture;
  const ink = inkOf(drawing);
  const { width, height } = picture;
  const pixels = picture.pixels.slice();
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.floor((y * drawing.height) / height) * drawing.width;
    for (let x = 0; x < width; x++, at += 4) {
      const light = 255 - lines * ink[row + Math.floor((x * drawing.width) / width)];
      for (let i = at; i < at + 3; i++) pixels[i] = Math.floor((pixels[i] * light) / 255 + 0.5);
    }
  }
  return { ...picture, pixels };
}

/**
 * How dark a drawing is where there is a line, or one in the 8 pixels around; elsewhere 0.
 * @param {Picture} drawing
 */
function inkOf({ width, height, pixels }) {
  const ink = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 4 * (y * width + x);
      const [red, green, blue] = [pixels[from], pixels[from + 1], pixels[from + 2]];
      const most = Math.max(red, green, blue);
      if (most >= DARK || most - Math.min(red, green, blue) >= GREY) continue;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let at = row * width + Math.max(0, x - 1); at <= row * width + Math.min(width - 1, x + 1); at++) {
          ink[at] = 255 - Math.max(pixels[4 * at], pixels[4 * at + 1], pixels[4 * at + 2]);
        }
      }
    }
  }
  return ink;
}
