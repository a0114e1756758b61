// What an operation takes on WebGPU: its packed weights, its tensors' places, its uniforms and workgroups. Pure functions.

import { complete, readsDrawing, STATISTICS } from "./plan.js";
import { GROUP, TILE } from "./wgsl.js";

/**
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Size} Size
 * @typedef {import("./plan.js").FullOp} FullOp
 *
 * Where a tensor lies: its first quad in the arena, and quads from one pixel to the next.
 * @typedef {{start: number, pixel: number}} Place
 */

/**
 * What an operation takes from the weights file as float32, in the order that its kernel reads: weights and biases.
 * @param {FullOp} op
 * @param {Uint8Array} file
 */
export function packed(op, file) {
  if (op.op === "norm") return { weights: new Float32Array(4), bias: scalesAndShifts(op, file) };
  if (op.op === "labels") return { weights: new Float32Array(4), bias: palette(op, file) };
  const weighted = op.op === "depthwise" || op.op === "conv" || op.op === "conv_transpose";
  return weighted ? pack(op, file) : { weights: new Float32Array(4), bias: new Float32Array(4) };
}

/**
 * @param {Uint8Array} file
 * @param {number} at
 * @param {number} count
 */
const floats = (file, at, count) => new Float32Array(file.slice(at, at + 4 * count).buffer);

/**
 * The scales of a normalisation, then its shifts, both up to a multiple of four.
 * @param {FullOp} op
 * @param {Uint8Array} file
 */
function scalesAndShifts(op, file) {
  const count = op.out_channels;
  const values = new Float32Array(8 * Math.ceil(count / 4));
  values.set(op.scale === -1 ? new Float32Array(count).fill(1) : floats(file, op.scale, count));
  if (op.bias !== -1) values.set(floats(file, op.bias, count), values.length / 2);
  return values;
}

/**
 * A quad for each colour, red, green and blue in levels of 255.
 * @param {FullOp} op
 * @param {Uint8Array} file
 */
const palette = ({ out_channels, weight }, file) =>
  Float32Array.from({ length: 4 * out_channels }, (_, i) => (i % 4 < 3 ? file[weight + 3 * (i >> 2) + (i % 4)] : 0));

/**
 * @param {FullOp} op
 * @param {Uint8Array} file
 */
function pack(op, file) {
  const { kernel, quads } = op;
  const depth = op.op === "depthwise" ? 1 : op.in_channels;
  const count = op.out_channels * kernel ** 2 * depth;
  const scales = op.scale === -1 ? null : floats(file, op.scale, op.out_channels);
  const codes = scales
    ? new Int8Array(file.buffer, file.byteOffset + op.weight, count)
    : floats(file, op.weight, count);
  const from = op.bias === -1 ? null : floats(file, op.bias, op.out_channels);
  const curve = scales ? op.compand / 127 ** 2 : 0;
  const value = (/** @type {number} */ code) => (curve ? code * (1 + curve * code ** 2) : code);
  const rows = op.op === "depthwise" ? 1 : 4 * Math.ceil(depth / 4);
  const weights = new Float32Array(kernel ** 2 * rows * 4 * quads);
  const bias = new Float32Array(4 * quads);
  const taps = tapOrder(op);
  for (let out = 0; out < op.out_channels; out++) {
    const place = (out % op.phases) * 4 * op.phaseQuads + Math.floor(out / op.phases);
    const scale = scales ? scales[out] : 1;
    bias[place] = from ? from[out] : 0;
    taps.forEach((tap, position) => {
      const source = (out * kernel ** 2 + tap) * depth;
      // depthwise: [quad][tap][lane]; else [tap][input channel][output channel]
      let to =
        op.op === "depthwise"
          ? ((place >> 2) * taps.length + position) * 4 + (place & 3)
          : position * rows * 4 * quads + place;
      for (let i = 0; i < depth; i++, to += 4 * quads) weights[to] = value(codes[source + i]) * scale;
    });
  }
  return { weights, bias };
}

/**
 * The taps in the order of the kernel. Phase (dy, dx) of a transposed convolution meets kernel rows 3 - dy and 1 - dy, in
 * this order, and columns likewise.
 * @param {FullOp} op
 * @returns {number[]}
 */
function tapOrder(op) {
  if (op.op !== "conv_transpose") return Array.from({ length: op.kernel ** 2 }, (_, i) => i);
  return [0, 1, 2, 3].flatMap((phase) => {
    const y = 3 - (phase >> 1);
    const x = 3 - (phase & 1);
    return [4 * y + x, 4 * y + x - 2, 4 * (y - 2) + x, 4 * (y - 2) + x - 2];
  });
}

/**
 * Places in the arena, used again after a tensor's last reader: the largest first, each at the lowest free place
 * (Pisarchyk & Lee 2020, "greedy by size").
 * @param {Plan} plan
 * @param {Size[]} found
 * @returns {{places: Place[], quads: number}}
 */
export function layOut({ tensors, ops }, found) {
  const life = tensors.map(() => ({ first: Infinity, last: -1 }));
  ops.map(complete).forEach((op, i) => {
    const used = [readsDrawing(op) ? -1 : op.input, op.op === "output" ? -1 : op.output, op.residual];
    for (const tensor of used.filter((index) => index >= 0)) {
      life[tensor].first = Math.min(life[tensor].first, i);
      life[tensor].last = i;
    }
  });
  const places = tensors.map((channels) => ({ start: 0, pixel: Math.ceil(channels / 4) }));
  const length = (/** @type {number} */ i) => found[i].height * found[i].width * places[i].pixel;
  const order = tensors.map((_, i) => i).sort((a, b) => length(b) - length(a));
  /** @type {number[]} */
  const placed = [];
  let quads = 1;
  for (const i of order) {
    const others = placed.filter((j) => life[j].first <= life[i].last && life[i].first <= life[j].last);
    let start = 0;
    for (const j of others.sort((a, b) => places[a].start - places[b].start)) {
      if (start + length(i) <= places[j].start) break;
      start = Math.max(start, places[j].start + length(j));
    }
    places[i].start = start;
    placed.push(i);
    quads = Math.max(quads, start + length(i));
  }
  return { places, quads };
}

/**
 * @param {FullOp} op
 * @param {Size} drawing
 * @param {Size[]} found
 * @param {Place[]} places
 * @returns {{[name: string]: number}} the fields of `UNIFORM`
 */
export function uniformOf(op, drawing, found, places) {
  const read = readsDrawing(op) ? drawing : found[op.input];
  const written = op.op === "output" ? read : found[op.output];
  const nowhere = { start: 0, pixel: 0 };
  const from = readsDrawing(op) ? nowhere : places[op.input];
  const to = op.op === "output" ? nowhere : places[op.output];
  const added = places[op.residual] ?? nowhere;
  return {
    in_height: read.height,
    in_width: read.width,
    out_height: written.height / op.step,
    out_width: written.width / op.step,
    in_start: from.start + op.input_channel / 4,
    in_pixel: from.pixel,
    out_start: to.start + op.output_channel / 4,
    out_pixel: to.pixel,
    residual_start: added.start + op.residual_channel / 4,
    residual_pixel: added.pixel,
  };
}

/**
 * Workgroups of an operation.
 * @param {FullOp} op
 * @param {{[name: string]: number}} values
 * @returns {[number, number, number]}
 */
export function gridOf(op, { out_height, out_width }) {
  const pixels = out_height * out_width;
  if (op.op === "norm") return [STATISTICS[op.statistics] === "channel" ? op.quads : out_height, 1, 1];
  if (op.op === "conv" || op.op === "conv_transpose") {
    const phases = op.op === "conv_transpose" ? 4 : 1;
    return [Math.ceil(pixels / TILE.pixels), Math.ceil(op.quads / TILE.quads), phases];
  }
  const groups = Math.ceil((pixels * Math.max(1, op.quads)) / GROUP);
  const across = Math.min(groups, 32768);
  return [across, Math.ceil(groups / across), 1];
}
