// A drawing as SVG: lines are the same curves. Pure.

import { bend, span } from "../sheet/curve.js";

/** @typedef {import("../sheet/drawing.js").Stroke} Stroke */

/** As few digits as the eye needs. @param {number} value */
const short = (value) => String(Math.round(value * 100) / 100);

const pair = (/** @type {number} */ x, /** @type {number} */ y) => `${short(x)} ${short(y)}`;

/** The line through points. @param {number[]} points */
function path(points) {
  const [x, y] = points;
  if (points.length === 2) return `M${pair(x, y)}h0`; // its round ends make it a dot
  let text = `M${pair(x, y)}`;
  for (let i = 0; i < points.length / 2 - 1; i++) {
    const [outX, outY, inX, inY] = bend(points, i);
    text += `C${pair(outX, outY)} ${pair(inX, inY)} ${pair(points[2 * i + 2], points[2 * i + 3])}`;
  }
  return text;
}

/**
 * Paths of constant width, which SVG knows only.
 * @param {Stroke} stroke
 * @returns {{width: number, d: string}[]}
 */
function paths({ width, points, pressures }) {
  if (!pressures?.length) return [{ width, d: path(points) }];
  const found = [];
  let [x, y] = points;
  for (let i = 0; i < Math.max(1, points.length / 2 - 1); i++) {
    const first = pressures[i];
    const slope = (pressures[i + 1] ?? first) - first;
    const ends = span(points, i);
    for (let at = 0, t = 0; at < ends.length; at += 3) {
      const [toX, toY, toT] = ends.slice(at, at + 3);
      found.push({ width: width * (first + (slope * (t + toT)) / 2), d: `M${pair(x, y)}L${pair(toX, toY)}` });
      [x, y, t] = [toX, toY, toT];
    }
  }
  return found;
}

/**
 * @param {number[]} points two corners of each
 * @param {string} colour
 */
function boxes(points, colour) {
  let text = "";
  for (let i = 0; i < points.length; i += 4) {
    const [x0, y0, x1, y1] = points.slice(i, i + 4);
    const [x, y, width, height] = [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
    text += `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}"/>`;
  }
  return text;
}

/**
 * @param {Stroke} stroke
 * @param {string} colour
 */
function element(stroke, colour) {
  if (stroke.tool === "box") return boxes(stroke.points, colour);
  return paths(stroke)
    .map(({ width, d }) => `<path d="${d}" stroke="${colour}" stroke-width="${short(width)}"/>`)
    .join("\n");
}

/**
 * The file's text.
 * @param {{width: number, height: number}} size
 * @param {import("../sheet/layers.js").Paper} paper
 * @param {Stroke[]} strokes
 * @param {string} [picture] under them: a data URL
 */
export function svg({ width, height }, paper, strokes, picture) {
  const ground = `<rect width="${width}" height="${height}" fill="${paper.colour}"/>`;
  const under = picture
    ? `${ground}\n<image width="${width}" height="${height}" preserveAspectRatio="none" image-rendering="pixelated" href="${picture}"/>`
    : ground;
  const draw = (/** @type {Stroke[]} */ some) =>
    some.map((stroke) => element(stroke, stroke.tool === "eraser" ? paper.colour : (stroke.colour ?? "#000000")));
  const isInk = (/** @type {Stroke} */ { tool, colour }) => tool !== "eraser" && !colour;
  /** @type {string[]} */
  let parts;
  if (paper.covered) parts = [under, ...draw(strokes)];
  else {
    // Ink and colours are two layers, of which the darker is seen; the eraser takes off both.
    const colours = draw(strokes.filter((stroke) => !isInk(stroke)));
    const ink = draw(strokes.filter((stroke) => !stroke.colour));
    const erases = strokes.some(({ tool }) => tool === "eraser");
    const coloured = picture || strokes.some(({ colour }) => colour);
    if (!coloured) parts = [under, ...ink];
    else if (!erases) parts = [under, ...colours, ...ink];
    else parts = [under, ...colours, `<g style="mix-blend-mode:darken">`, ground, ...ink, "</g>"];
  }
  const attributes = [
    'xmlns="http://www.w3.org/2000/svg"',
    `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    'fill="none" stroke-linecap="round" stroke-linejoin="round"',
    ...(paper.covered ? ['shape-rendering="crispEdges"'] : []),
  ];
  return [`<svg ${attributes.join(" ")}>`, ...parts, "</svg>", ""].join("\n");
}
