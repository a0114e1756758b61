// Which part of the sheet is seen, and how large. Pure.

/**
 * `zoom` times as large as the whole sheet would be; (left, top) in model pixels is at the corner.
 * @typedef {{zoom: number, left: number, top: number}} View
 *
 * @typedef {{width: number, height: number}} Size of the sheet, in model pixels
 *
 * On the page, in parts of what the sheet takes there: (0, 0) is its corner, (1, 1) the opposite one.
 * @typedef {{u: number, v: number}} Place
 */

const MOST = 8;

/** @type {Readonly<View>} */
export const WHOLE = { zoom: 1, left: 0, top: 0 };

/**
 * @param {View} view
 * @param {Size} size
 * @param {Place} place
 * @returns {{x: number, y: number}} model pixels
 */
export const modelPoint = ({ zoom, left, top }, { width, height }, { u, v }) => ({
  x: left + (u * width) / zoom,
  y: top + (v * height) / zoom,
});

/**
 * Where a point is seen: the other way round.
 * @param {View} view
 * @param {Size} size
 * @param {{x: number, y: number}} point model pixels
 * @returns {Place}
 */
export const placeOf = ({ zoom, left, top }, { width, height }, { x, y }) => ({
  u: ((x - left) * zoom) / width,
  v: ((y - top) * zoom) / height,
});

/**
 * What is at one place comes to another, so many times as large; the sheet's edges stay outside.
 * @param {View} view
 * @param {Size} size
 * @param {Place} from
 * @param {Place} to
 * @param {number} [times]
 * @returns {View}
 */
export function moved(view, size, from, to, times = 1) {
  const zoom = Math.min(MOST, Math.max(1, view.zoom * times));
  const { x, y } = modelPoint(view, size, from);
  const limit = (/** @type {number} */ at, /** @type {number} */ side) => Math.min(Math.max(0, at), side - side / zoom);
  return {
    zoom,
    left: limit(x - (to.u * size.width) / zoom, size.width),
    top: limit(y - (to.v * size.height) / zoom, size.height),
  };
}

/**
 * As `moved`, by two fingers.
 * @param {View} view
 * @param {Size} size
 * @param {Place[]} before
 * @param {Place[]} after
 */
export function pinched(view, size, before, after) {
  const apart = (/** @type {Place[]} */ [a, b]) =>
    Math.hypot((b.u - a.u) * size.width, (b.v - a.v) * size.height) || 1e-9;
  const middle = (/** @type {Place[]} */ [a, b]) => ({ u: (a.u + b.u) / 2, v: (a.v + b.v) / 2 });
  return moved(view, size, middle(before), middle(after), apart(after) / apart(before));
}

/**
 * The least move after which a point is seen, and something around it.
 * @param {View} view
 * @param {Size} size
 * @param {{x: number, y: number}} point
 */
export function following(view, size, point) {
  const { u, v } = placeOf(view, size, point);
  const inside = (/** @type {number} */ part) => Math.min(0.9, Math.max(0.1, part));
  return moved(view, size, { u, v }, { u: inside(u), v: inside(v) });
}
