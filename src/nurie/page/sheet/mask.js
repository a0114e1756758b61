// How much of each pixel a stroke covers: 0 to 255, by the distance of the pixel's middle from the line.

import { span } from "./curve.js";
import { clipped, isEmpty, NOWHERE, union } from "./rect.js";

/**
 * @typedef {import("./rect.js").Rect} Rect
 * @typedef {import("./drawing.js").Stroke} Stroke
 *
 * Which part of a drawing is seen: (left, top) comes to (0, 0), and all is `scale` times as large.
 * @typedef {{scale: number, left: number, top: number}} View
 */

export class Mask {
  width;
  height;
  bytes;
  /** Outside all is 0. @type {Rect} */
  rect = NOWHERE;
  view;

  /**
   * @param {number} width
   * @param {number} height
   * @param {View} view
   * @param {Uint8Array} [bytes] that are drawn on; none: empty ones
   */
  constructor(width, height, view, bytes = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.bytes = bytes;
    this.view = view;
  }

  clear() {
    const { left, top, right, bottom } = this.rect;
    for (let y = top; y < bottom; y++) this.bytes.fill(0, y * this.width + left, y * this.width + right);
    this.rect = NOWHERE;
  }

  /** @param {Stroke} stroke all of it */
  draw(stroke) {
    const { tool, points } = stroke;
    if (tool === "box") {
      for (let i = 0; i < points.length; i += 4) this.#box(points.slice(i, i + 4));
      return;
    }
    for (let i = 0; i < Math.max(1, stroke.points.length / 2 - 1); i++) this.drawSpan(stroke, i);
  }

  /**
   * @param {Stroke} stroke
   * @param {number} i between which two of its points: the one of this number and the next
   * @returns {Rect} where
   */
  drawSpan({ width, points, pressures }, i) {
    const { scale, left, top } = this.view;
    const radius = (width / 2) * scale;
    const first = pressures?.[i] ?? 1;
    const slope = (pressures?.[i + 1] ?? first) - first;
    const ends = span(points, i);
    let x = (points[2 * i] - left) * scale;
    let y = (points[2 * i + 1] - top) * scale;
    let r = radius * first;
    let rect = around(x, y, r);
    for (let at = 0; at < ends.length; at += 3) {
      const toX = (ends[at] - left) * scale;
      const toY = (ends[at + 1] - top) * scale;
      const toR = radius * (first + slope * ends[at + 2]);
      this.#piece(x, y, r, toX, toY, toR);
      rect = union(rect, around(toX, toY, toR));
      x = toX;
      y = toY;
      r = toR;
    }
    rect = clipped(this, rect);
    if (isEmpty(rect)) return NOWHERE;
    this.rect = union(this.rect, rect);
    return rect;
  }

  /**
   * A straight piece with round ends, and half its width at both. Where pieces meet, the larger coverage counts. Without
   * objects, and with little in the inner loop: the page's first drawing is made before the browser has compiled this.
   * @param {number} x0
   * @param {number} y0
   * @param {number} r0
   * @param {number} x1
   * @param {number} y1
   * @param {number} r1
   */
  #piece(x0, y0, r0, x1, y1, r1) {
    const { bytes, width } = this;
    const reach = Math.max(r0, r1, 0.5) + 0.5;
    const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
    const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
    const right = Math.min(width, Math.ceil(Math.max(x0, x1) + reach));
    const bottom = Math.min(this.height, Math.ceil(Math.max(y0, y1) + reach));
    const far = reach * reach;
    const dx = x1 - x0;
    const dy = y1 - y0;
    const dr = r1 - r0;
    const squared = dx * dx + dy * dy || 1;
    for (let row = top; row < bottom; row++) {
      const y = row + 0.5;
      const down = (y - y0) * dy;
      const end = row * width + right;
      for (let at = row * width + left, x = left + 0.5; at < end; at++, x++) {
        if (bytes[at] === 255) continue;
        let t = ((x - x0) * dx + down) / squared;
        if (t < 0) t = 0;
        else if (t > 1) t = 1;
        const ex = x - (x0 + t * dx);
        const ey = y - (y0 + t * dy);
        const away = ex * ex + ey * ey;
        if (away >= far) continue;
        const radius = r0 + t * dr;
        // A line that is thinner than a pixel is one of that width, but paler.
        const thin = radius < 0.5;
        let inside = (thin ? 0.5 : radius) + 0.5 - Math.sqrt(away);
        if (inside <= 0) continue;
        if (inside > 1) inside = 1;
        const value = inside * (thin ? 2 * radius : 1) * 255 + 0.5;
        if (value > bytes[at]) bytes[at] = value; // rounds down
      }
    }
  }

  /** @param {number[]} corners two opposite ones */
  #box([x0, y0, x1, y1]) {
    const { scale, left, top } = this.view;
    const rect = clipped(this, {
      left: Math.round((Math.min(x0, x1) - left) * scale),
      top: Math.round((Math.min(y0, y1) - top) * scale),
      right: Math.round((Math.max(x0, x1) - left) * scale),
      bottom: Math.round((Math.max(y0, y1) - top) * scale),
    });
    if (isEmpty(rect)) return;
    this.rect = union(this.rect, rect);
    for (let y = rect.top; y < rect.bottom; y++) {
      this.bytes.fill(255, y * this.width + rect.left, y * this.width + rect.right);
    }
  }
}

/**
 * What a round end touches.
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @returns {Rect}
 */
function around(x, y, r) {
  const reach = Math.max(r, 0.5) + 0.5;
  return { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach };
}
