// The WebGPU kernels: one source for each operation of a plan, its shape written in as constants.
//
// All tensors lie in one buffer, the arena: NHWC without borders, in vectors of four channels ("quads"), padding
// channels zero. Sums are 32-bit whatever the tensors are.

import { alphaShift, BRUSHES } from "./enclosed.js";
import { ACTIVATIONS, MODES } from "./plan.js";

/**
 * An operation with all fields, and what follows from them.
 * @typedef {import("./plan.js").FullOp} FullOp
 */

/** Output pixels and quads that one workgroup of 64 invocations computes, and input quads it reads at a time. */
export const TILE = { pixels: 32, quads: 8, depth: 4 };
/** Invocations in a workgroup of the kernels without tiles. */
export const GROUP = 64;

/** The uniform of every operation, in this order: sizes in pixels, the others in quads. */
export const UNIFORM = [
  "in_height",
  "in_width",
  "out_height", // computed pixels: before a shuffle
  "out_width",
  "in_start",
  "in_pixel", // from one pixel to the next
  "out_start",
  "out_pixel",
  "residual_start",
  "residual_pixel",
];

/** @param {boolean} f16 */
export const header = (f16) => `${f16 ? "enable f16;" : ""}
alias Quad = vec4<${f16 ? "f16" : "f32"}>;
struct Sizes { ${UNIFORM.map((name) => `${name}: i32`).join(", ")} }
@group(0) @binding(0) var<storage, read_write> arena: array<Quad>;
@group(0) @binding(1) var<storage, read> weights: array<Quad>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<uniform> s: Sizes;
@group(0) @binding(4) var<storage, read_write> rgba: array<u32>;
`;

/** @type {{[activation: string]: string}} of a convolution or a copy */
const ACTIVATED = {
  none: "v",
  relu: "max(v, vec4f())",
  leaky_relu: "max(v, SLOPE * v)",
  tanh: "tanh(clamp(v, vec4f(-9.1), vec4f(9.1)))",
  sigmoid: "0.5 * tanh(clamp(0.5 * v, vec4f(-9.1), vec4f(9.1))) + 0.5",
};

/** Which of the last quad's four channels exist. @param {number} channels */
export const lastMask = (channels) => [0, 1, 2, 3].map((i) => i < ((channels - 1) % 4) + 1).join(", ");

/**
 * Writes sums `v` of computed pixel (y, x): residual, activation, pixel shuffle. `phase` is the place within the
 * pixels that one computed pixel becomes.
 * @param {FullOp} op
 */
export const finish = (op) => `
const STEP = ${op.step};
const PHASE_QUADS = ${op.phaseQuads};
const SLOPE = f32(${op.slope});
fn finish(y: i32, x: i32, phase: i32, quad: i32, sums: vec4f) {
  let pixel = (STEP * y + phase / STEP) * STEP * s.out_width + STEP * x + phase % STEP;
  var v = sums;
  ${op.residual === -1 ? "" : "v += vec4f(arena[s.residual_start + pixel * s.residual_pixel + quad]);"}
  v = ${ACTIVATED[ACTIVATIONS[op.activation]]};
  if (quad == PHASE_QUADS - 1) { v = select(vec4f(), v, vec4<bool>(${lastMask(op.written)})); }
  arena[s.out_start + pixel * s.out_pixel + quad] = Quad(v);
}
`;

/**
 * Where a row or column is read: mirrored at both ends, if the operation pads so. What is still outside is zero.
 * @param {FullOp} op
 * @param {string} at
 * @param {string} side
 */
const inside = (op, at, side) => (op.reflect ? `${side} - 1 - abs(${side} - 1 - abs(${at}))` : at);

/**
 * Convolution as a matrix product in tiles; the rows are gathered from the input. A transposed convolution is four
 * convolutions of 2x2, one for each parity of the output pixel (the workgroup's z).
 * Weights: [phase of a transposed one][tap][input channel][output quad].
 * @param {FullOp} op
 * @param {boolean} f16
 */
function convolution(op, f16) {
  const transposed = op.op === "conv_transpose";
  const [kernel, stride] = transposed ? [2, 1] : [op.kernel, op.stride];
  const inQuads = Math.ceil(op.in_channels / 4);
  const { pixels, quads, depth } = TILE;
  return `${header(f16)}${finish(op)}
const KERNEL = ${kernel};
const IN_QUADS = ${inQuads};
const QUADS = ${op.quads};
var<workgroup> inputs: array<Quad, ${pixels * depth}>;  // [input quad][pixel]
var<workgroup> kernels: array<Quad, ${4 * depth * quads}>;  // [input channel][output quad]

fn input_at(row: i32, column: i32, quad: i32) -> Quad {
  let y = ${inside(op, "row", "s.in_height")};
  let x = ${inside(op, "column", "s.in_width")};
  if (y < 0 || y >= s.in_height || x < 0 || x >= s.in_width || quad >= IN_QUADS) { return Quad(); }
  return arena[s.in_start + (y * s.in_width + x) * s.in_pixel + quad];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let local = i32(invocation);
  let phase = i32(group.z);
  let pad = ${transposed ? "vec2i(1 - phase / 2, 1 - phase % 2)" : `vec2i(${op.pad})`};
  let first_pixel = i32(group.x) * ${pixels};
  let first_quad = i32(group.y) * ${quads};
  // What this invocation brings into the tile: quad local % ${depth} of two pixels, and two vectors of the kernels.
  let a = first_pixel + local / ${depth};
  let b = a + ${64 / depth};
  let ay = a / s.out_width * ${stride} - pad.x;
  let ax = a % s.out_width * ${stride} - pad.y;
  let by = b / s.out_width * ${stride} - pad.x;
  let bx = b % s.out_width * ${stride} - pad.y;
  let column = min(first_quad + local % ${quads}, QUADS - 1);
  // What it computes: one quad of four pixels.
  let quad = local % ${quads};
  let pixel = local / ${quads};
  var sums: array<vec4f, 4>;
  for (var tap = 0; tap < KERNEL * KERNEL; tap++) {
    let ky = tap / KERNEL;
    let kx = tap % KERNEL;
    for (var k = 0; k < IN_QUADS; k += ${depth}) {
      let inside = k + local % ${depth};
      inputs[local % ${depth} * ${pixels} + local / ${depth}] = input_at(ay + ky, ax + kx, inside);
      inputs[local % ${depth} * ${pixels} + local / ${depth} + ${64 / depth}] = input_at(by + ky, bx + kx, inside);
      let row = (phase * KERNEL * KERNEL + tap) * 4 * IN_QUADS + 4 * k + local / ${quads};
      let last = (phase * KERNEL * KERNEL + tap + 1) * 4 * IN_QUADS - 1;
      kernels[local] = weights[min(row, last) * QUADS + column];
      kernels[local + 64] = weights[min(row + ${64 / quads}, last) * QUADS + column];
      workgroupBarrier();
      for (var d = 0; d < ${depth}; d++) {
        let k0 = vec4f(kernels[(4 * d) * ${quads} + quad]);
        let k1 = vec4f(kernels[(4 * d + 1) * ${quads} + quad]);
        let k2 = vec4f(kernels[(4 * d + 2) * ${quads} + quad]);
        let k3 = vec4f(kernels[(4 * d + 3) * ${quads} + quad]);
        for (var i = 0; i < 4; i++) {
          let x = vec4f(inputs[d * ${pixels} + pixel + ${pixels / 4} * i]);
          sums[i] = fma(vec4f(x.w), k3, fma(vec4f(x.z), k2, fma(vec4f(x.y), k1, fma(vec4f(x.x), k0, sums[i]))));
        }
      }
      workgroupBarrier();
    }
  }
  let out_quad = first_quad + quad;
  if (out_quad >= QUADS) { return; }
  for (var i = 0; i < 4; i++) {
    let p = first_pixel + pixel + ${pixels / 4} * i;
    if (p >= s.out_height * s.out_width) { continue; }
    finish(p / s.out_width, p % s.out_width, ${transposed ? "phase" : "out_quad / PHASE_QUADS"}, out_quad % PHASE_QUADS,
           sums[i] + bias[out_quad]);
  }
}
`;
}

/**
 * One invocation for each quad of each output pixel; `body` sees y, x, pixel and quad.
 * @param {number} quads
 * @param {string} body
 */
export const pointwise = (quads, body) => `
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = i32(id.y * groups.x * ${GROUP} + id.x);
  let quad = index % ${quads};
  let pixel = index / ${quads};
  let y = pixel / s.out_width;
  let x = pixel % s.out_width;
  if (y >= s.out_height) { return; }
  ${body}
}
`;

/**
 * Weights: [quad][tap].
 * @param {FullOp} op
 * @param {boolean} f16
 */
const depthwise = (op, f16) =>
  `${header(f16)}${finish(op)}${pointwise(
    op.quads,
    `
  var sum = bias[quad];
  for (var tap = 0; tap < ${op.kernel ** 2}; tap++) {
    let row = ${op.stride} * y - ${op.pad} + tap / ${op.kernel};
    let column = ${op.stride} * x - ${op.pad} + tap % ${op.kernel};
    let iy = ${inside(op, "row", "s.in_height")};
    let ix = ${inside(op, "column", "s.in_width")};
    if (iy < 0 || iy >= s.in_height || ix < 0 || ix >= s.in_width) { continue; }
    let pixel_in = arena[s.in_start + (iy * s.in_width + ix) * s.in_pixel + quad];
    sum = fma(vec4f(pixel_in), vec4f(weights[quad * ${op.kernel ** 2} + tap]), sum);
  }
  finish(y, x, 0, quad, sum);`,
  )}`;

/**
 * Nearest upsampling: the output's pixels are the computed ones.
 * @param {FullOp} op
 * @param {boolean} f16
 */
const copy = (op, f16) =>
  `${header(f16)}${finish(op)}${pointwise(
    op.quads,
    `finish(y, x, 0, quad, vec4f(
    arena[s.in_start + (y / ${op.shuffle} * s.in_width + x / ${op.shuffle}) * s.in_pixel + quad]));`,
  )}`;

/**
 * RGBA bytes to numbers, pixel-unshuffled.
 * @param {FullOp} op
 * @param {boolean} f16
 */
function input(op, f16) {
  const channel = (/** @type {number} */ i) => {
    if (op.shuffle === 1) return i < 3 ? `number(y, x, ${i})` : "0.0";
    const c = `4 * quad + ${i}`;
    const within = `(${c}) % ${op.shuffle ** 2}`;
    return `number(${op.shuffle} * y + ${within} / ${op.shuffle}, ${op.shuffle} * x + ${within} % ${op.shuffle},
      (${c}) / ${op.shuffle ** 2})`;
  };
  const scaled = op.scale === 1 ? "byte / 255.0" : "byte / 127.5 - 1.0";
  return `${header(f16)}
fn number(y: i32, x: i32, channel: i32) -> f32 {
  let byte = f32((rgba[y * s.in_width + x] >> u32(8 * channel)) & 255u);
  return ${scaled};
}
${pointwise(
  Math.ceil((3 * op.shuffle ** 2) / 4),
  `arena[s.out_start + pixel * s.out_pixel + quad] = Quad(vec4f(${[0, 1, 2, 3].map(channel).join(", ")}));`,
)}`;
}

/**
 * Noise in [-1, 1) by PCG's output function (O'Neill 2014) of the pixel's number, then a colour: `bias` holds the seed's
 * bits and the colour.
 * @param {FullOp} _op
 * @param {boolean} f16
 */
const style = (_op, f16) =>
  `${header(f16)}${pointwise(
    1,
    `let state = (u32(pixel) + bitcast<u32>(bias[0].x) * 0x9E3779B9u) * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  let noise = f32(bitcast<i32>((word >> 22u) ^ word)) * 0x1p-31f;
  arena[s.out_start + pixel * s.out_pixel] = Quad(vec4f(noise, bias[0].yzw));`,
  )}`;

/**
 * How enclosed each place is by the drawing's lines, from the alpha of its first pixel.
 * @param {FullOp} op
 * @param {boolean} f16
 */
const enclosed = (op, f16) =>
  `${header(f16)}${pointwise(
    1,
    `let closed = (rgba[${op.shuffle} * (y * s.in_width + x)] >> ${24 + alphaShift(op.shuffle)}u) & 3u;
  arena[s.out_start + pixel * s.out_pixel] = Quad(vec4f(f32(closed) / ${BRUSHES.length}.0, 0.0, 0.0, 0.0));`,
  )}`;

/**
 * Numbers to RGBA bytes.
 * @param {FullOp} op
 * @param {boolean} f16
 */
const output = (op, f16) =>
  `${header(f16)}${pointwise(
    1,
    `let v = vec4f(arena[s.in_start + pixel * s.in_pixel]);
  var levels = clamp(${op.scale === 1 ? "v * 255.0" : "(v + 1.0) * 127.5"}, vec4f(), vec4f(255.0));
  ${MODES[op.mode] === "rgba" ? "levels = levels * (levels.w / 255.0) + 255.0 - levels.w;" : ""}
  let bytes = vec4u(round(levels));
  rgba[pixel] = bytes.x | (bytes.y << 8) | (bytes.z << 16) | (255u << 24);`,
  )}`;

/** The others: wgsl-imported.js. @type {{[op: string]: (op: FullOp, f16: boolean) => string}} */
export const KERNELS = {
  input,
  conv: convolution,
  conv_transpose: convolution,
  depthwise,
  copy,
  output,
  style,
  enclosed,
};

/** Draws the finished picture on a canvas: a triangle over all of it, one RGBA word for each pixel. */
export const SHOW = `
@group(0) @binding(0) var<storage, read> rgba: array<u32>;
@group(0) @binding(1) var<uniform> width: u32;
@vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
  return vec4f(f32(i / 2) * 4 - 1, f32(i % 2) * 4 - 1, 0, 1);
}
@fragment fn colour(@builtin(position) at: vec4f) -> @location(0) vec4f {
  return unpack4x8unorm(rgba[u32(at.y) * width + u32(at.x)]);
}
`;
