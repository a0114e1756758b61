// The strokes of a manifest's presets, which come as short texts: docs/formats.md, "model/".

const UNIT = 4; // of a pixel
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BITS = 5; // of a digit; one more says that the number goes on

/**
 * A preset's strokes, whose points become numbers when they are first asked for: all presets' would keep the first
 * picture waiting. Texts that are none of that make no points.
 * @param {Pick<import("../formats.d.ts").Preset, "strokes">} preset
 */
export function strokesOf({ strokes }) {
  for (const stroke of strokes ?? []) if (typeof stroke.points === "string") stroke.points = toPoints(stroke.points);
  return strokes;
}

/**
 * Steps in quarters of a pixel, of x and y in turn, in digits of 5 bits, the lowest first, the sign as the lowest bit.
 * @param {string} text
 */
function toPoints(text) {
  /** @type {number[]} */
  const points = [];
  const at = [0, 0];
  let number = 0;
  let shift = 0;
  for (const digit of text) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return [];
    number += (value % (1 << BITS)) * 2 ** shift;
    shift += BITS;
    if (value >> BITS) continue;
    const axis = points.length % 2;
    at[axis] += number % 2 ? -(number + 1) / 2 : number / 2;
    points.push(at[axis] / UNIT);
    number = 0;
    shift = 0;
  }
  return points;
}
