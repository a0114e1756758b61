// How enclosed each place of a drawing is by its lines, for WebGPU, which can not flood: docs/formats.md, "Enclosed places".

const INK = 192; // a pixel is of a line where one of its channels is darker
export const BRUSHES = [1, 3, 6]; // places to each side of a brush's middle
const FAR = 254;

/** Two bits of alpha for each factor, 1, 2 or 4, from this one on. @param {number} factor */
export const alphaShift = (factor) => 2 * Math.log2(factor);

/**
 * A drawing as the kernels take it: where operations ask how enclosed its places are, that lies in the alpha of each
 * place's first pixel.
 * @param {{op: string, shuffle: number}[]} ops
 * @param {Uint8Array | Uint8ClampedArray} rgba
 * @param {number} width pixels
 */
export function withEnclosed(ops, rgba, width) {
  const factors = ops.filter(({ op }) => op === "enclosed").map(({ shuffle }) => shuffle);
  if (factors.length === 0) return rgba;
  const pixels = new Uint8Array(rgba);
  for (let i = 3; i < pixels.length; i += 4) pixels[i] = 0;
  for (const factor of new Set(factors)) {
    const across = width / factor;
    enclosed(rgba, width, factor).forEach((closed, i) => {
      const x = i % across;
      pixels[4 * factor * (((i - x) / across) * width + x) + 3] |= closed << alphaShift(factor);
    });
  }
  return pixels;
}

/**
 * How many of the brushes can not come to each place from the border.
 * @param {Uint8Array | Uint8ClampedArray} rgba
 * @param {number} width of the drawing, pixels; both sides are multiples of `factor`
 * @param {number} factor pixels to each side that become one place
 * @returns {Uint8Array} one byte for each place, row by row
 */
export function enclosed(rgba, width, factor) {
  const across = width / factor;
  const places = rgba.length / 4 / factor ** 2;
  const toLine = new Uint8Array(places).fill(FAR);
  for (let i = 0; i < rgba.length; i += 4) {
    if (Math.min(rgba[i], rgba[i + 1], rgba[i + 2]) >= INK) continue;
    const pixel = i >> 2;
    toLine[Math.floor(pixel / width / factor) * across + Math.floor((pixel % width) / factor)] = 0;
  }
  countSteps(toLine, across);
  const closed = new Uint8Array(places).fill(BRUSHES.length);
  for (const side of BRUSHES) {
    const toBrush = goIn(toLine, across, side);
    countSteps(toBrush, across);
    toBrush.forEach((steps, i) => steps <= side && closed[i]--);
  }
  return closed;
}

/**
 * From 0 at some places and FAR at all others to the steps to the nearest 0, diagonal ones too.
 * @param {Uint8Array} steps
 * @param {number} width
 */
function countSteps(steps, width) {
  for (const direction of [1, -1]) {
    for (let k = 0; k < steps.length; k++) {
      const i = direction > 0 ? k : steps.length - 1 - k;
      const x = i % width;
      const left = x > 0;
      const right = x < width - 1;
      const before = i - direction * width; // the row before, in this direction
      if (direction > 0 ? left : right) steps[i] = Math.min(steps[i], steps[i - direction] + 1);
      if (before < 0 || before >= steps.length) continue;
      steps[i] = Math.min(steps[i], steps[before] + 1);
      if (left) steps[i] = Math.min(steps[i], steps[before - 1] + 1);
      if (right) steps[i] = Math.min(steps[i], steps[before + 1] + 1);
    }
  }
}

/**
 * Where the middle of a brush can come to from the border without touching a line, sideways, up and down: 0, elsewhere FAR.
 * @param {Uint8Array} toLine
 * @param {number} width
 * @param {number} side
 */
function goIn(toLine, width, side) {
  const toBrush = new Uint8Array(toLine.length).fill(FAR);
  /** @type {number[]} */
  const todo = [];
  const visit = (/** @type {number} */ i) => {
    if (toBrush[i] === 0 || toLine[i] <= side) return;
    toBrush[i] = 0;
    todo.push(i);
  };
  for (let i = 0; i < toLine.length; i++) {
    if (i < width || i >= toLine.length - width || i % width === 0 || i % width === width - 1) visit(i);
  }
  for (let i = todo.pop(); i !== undefined; i = todo.pop()) {
    if (i % width > 0) visit(i - 1);
    if (i % width < width - 1) visit(i + 1);
    if (i >= width) visit(i - width);
    if (i + width < toLine.length) visit(i + width);
  }
  return toBrush;
}
