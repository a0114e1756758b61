/**
 * Pixels from (left, top) up to but not including (right, bottom).
 * @typedef {{left: number, top: number, right: number, bottom: number}} Rect
 */

/** @type {Readonly<Rect>} */
export const NOWHERE = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };

/** @param {Rect} rect */
export const isEmpty = ({ left, top, right, bottom }) => left >= right || top >= bottom;

/**
 * The smallest one with both.
 * @param {Rect} a
 * @param {Rect} b
 * @returns {Rect}
 */
export const union = (a, b) => ({
  left: Math.min(a.left, b.left),
  top: Math.min(a.top, b.top),
  right: Math.max(a.right, b.right),
  bottom: Math.max(a.bottom, b.bottom),
});

/**
 * The whole pixels of a sheet that an area touches.
 * @param {{width: number, height: number}} sheet
 * @param {Rect} area
 * @returns {Rect}
 */
export const clipped = ({ width, height }, { left, top, right, bottom }) => ({
  left: Math.max(0, Math.floor(left)),
  top: Math.max(0, Math.floor(top)),
  right: Math.min(width, Math.ceil(right)),
  bottom: Math.min(height, Math.ceil(bottom)),
});
