// The line through points: a centripetal Catmull-Rom spline (Yuksel, Schaefer and Keyser 2011) in short straight pieces.
// Only + - * / and roots, so that every browser and drawings/strokes.py get the same numbers. Lengths are model pixels.

/** Cosine of 75 degrees: sharper turns stay corners, so that squares are square and circles of a few points are round. */
const CORNER = 0.2588190451025207;

/** A piece is about so long; a span between two points has so many at most. */
const PIECE = 2;
const MOST = 32;

/** @param {number} x @param {number} y */
const length = (x, y) => Math.sqrt(x * x + y * y);

/**
 * Whether the line goes on smoothly through a point that is neither its first nor its last.
 * @param {number[]} points
 * @param {number} at of its x
 */
function smooth(points, at) {
  const inX = points[at] - points[at - 2];
  const inY = points[at + 1] - points[at - 1];
  const outX = points[at + 2] - points[at];
  const outY = points[at + 3] - points[at + 1];
  const lengths = length(inX, inY) * length(outX, outY);
  return lengths > 0 && inX * outX + inY * outY >= CORNER * lengths;
}

/**
 * The control point of a cubic Bezier curve beside `at`, of a line that comes from one point and goes to another.
 * @param {number} from
 * @param {number} at
 * @param {number} to coordinates of the three points on one axis
 * @param {number} before
 * @param {number} after roots of the distances between them
 */
function control(from, at, to, before, after) {
  const first = before * before;
  const second = after * after;
  const mixed = before * after;
  return (first * to - second * from + (2 * first + 3 * mixed + second) * at) / (3 * (first + mixed));
}

/**
 * The control points of the cubic Bezier curve between two neighbouring points: x, y of each.
 * @param {number[]} points x, y pairs
 * @param {number} i number of the first of the two
 * @returns {[number, number, number, number]}
 */
export function bend(points, i) {
  // Without arrays that are taken apart at once: the page's first drawing is made before the browser has compiled this.
  const at = 2 * i;
  const x1 = points[at];
  const y1 = points[at + 1];
  const x2 = points[at + 2];
  const y2 = points[at + 3];
  const root = Math.sqrt(length(x2 - x1, y2 - y1));
  let outX = x1 + (x2 - x1) / 3;
  let outY = y1 + (y2 - y1) / 3;
  let inX = x2 + (x1 - x2) / 3;
  let inY = y2 + (y1 - y2) / 3;
  if (i > 0 && smooth(points, at)) {
    const x0 = points[at - 2];
    const y0 = points[at - 1];
    const before = Math.sqrt(length(x1 - x0, y1 - y0));
    outX = control(x0, x1, x2, before, root);
    outY = control(y0, y1, y2, before, root);
  }
  if (at + 4 < points.length && smooth(points, at + 2)) {
    const x3 = points[at + 4];
    const y3 = points[at + 5];
    const after = Math.sqrt(length(x3 - x2, y3 - y2));
    inX = control(x3, x2, x1, after, root);
    inY = control(y3, y2, y1, after, root);
  }
  return [outX, outY, inX, inY];
}

/**
 * The pieces of the line between two neighbouring points, as x, y and t of their ends; t is 1 at the second point.
 * It depends on one point more at either side. Of a line of one point: that point.
 * @param {number[]} points x, y pairs
 * @param {number} i number of the first of the two
 * @returns {number[]}
 */
export function span(points, i) {
  const at = 2 * i;
  const x1 = points[at];
  const y1 = points[at + 1];
  if (at + 2 >= points.length) return [x1, y1, 1];
  const x2 = points[at + 2];
  const y2 = points[at + 3];
  const controls = bend(points, i);
  const count = Math.min(MOST, Math.max(1, Math.ceil(length(x2 - x1, y2 - y1) / PIECE)));
  const ends = [];
  for (let piece = 1; piece <= count; piece++) {
    const t = piece / count;
    const u = 1 - t;
    const a = u * u * u;
    const b = 3 * u * u * t;
    const c = 3 * u * t * t;
    const d = t * t * t;
    ends.push(
      a * x1 + b * controls[0] + c * controls[2] + d * x2,
      a * y1 + b * controls[1] + c * controls[3] + d * y2,
      t,
    );
  }
  return ends;
}
