// The area of a label map around a point: what filling it covers. Pure.

import { bytesOf } from "./layers.js";

/**
 * Boxes that cover the pixels around a point which are connected by their sides and have the same label: that of the
 * nearest colour, since samples may have others. None where that is the label already.
 * @param {{pixels: Uint8ClampedArray, width: number, height: number}} map RGBA
 * @param {number} x of the point, in pixels
 * @param {number} y
 * @param {string[]} labels their colours, such as #ff8800
 * @param {string | undefined} colour that it is filled with
 * @returns {number[]} x0, y0, x1, y1 of each: it ends before x1 and y1
 */
export function area({ pixels, width, height }, x, y, labels, colour) {
  const colours = labels.map(bytesOf);
  const label = (/** @type {number} */ at) => {
    const far = (/** @type {number[]} */ bytes) =>
      (bytes[0] - pixels[4 * at]) ** 2 + (bytes[1] - pixels[4 * at + 1]) ** 2 + (bytes[2] - pixels[4 * at + 2]) ** 2;
    return labels[colours.reduce((best, bytes, i) => (far(bytes) < far(colours[best]) ? i : best), 0)];
  };
  const inside = new Uint8Array(width * height);
  const near = (/** @type {number} */ at, /** @type {number} */ side) =>
    Math.floor(Math.max(0, Math.min(side - 1, at)));
  const left = [near(y, height) * width + near(x, width)];
  const wanted = label(left[0]);
  if (wanted === colour) return [];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (inside[at] !== 0 || label(at) !== wanted) continue; // undefined: beside the map
    inside[at] = 1;
    left.push(at - width, at + width);
    if (at % width) left.push(at - 1);
    if ((at + 1) % width) left.push(at + 1);
  }
  return boxes(inside, width);
}

/**
 * Runs of pixels, those below each other that are as long joined.
 * @param {Uint8Array} inside 1: in the area
 * @param {number} width
 */
function boxes(inside, width) {
  /** @type {number[]} */
  const points = [];
  /** Where in `points` the box with these sides is that was the last one. @type {{[sides: string]: number}} */
  const last = {};
  for (let at = 0; at < inside.length; at++) {
    if (!inside[at]) continue;
    const [left, y] = [at % width, Math.floor(at / width)];
    let right = left;
    for (; right < width && inside[at]; at++) right++;
    const sides = `${left} ${right}`;
    if (points[last[sides] + 3] === y) points[last[sides] + 3] += 1;
    else last[sides] = points.push(left, y, right, y + 1) - 4;
    at--;
  }
  return points.slice(0, 200_000); // as many numbers as a step may have
}
