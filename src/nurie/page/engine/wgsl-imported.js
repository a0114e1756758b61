// The WebGPU kernels of operations that only imported nets have: `nurie publish` empties this file where no model has them.

import { STATISTICS } from "./plan.js";
import { finish, GROUP, header, lastMask, pointwise } from "./wgsl.js";

/** @typedef {import("./plan.js").FullOp} FullOp */

/**
 * A workgroup for each quad of channels, or each row. Sums are of deviations from a number near the mean, so that nothing
 * cancels. `bias` holds the scales, then the shifts.
 * @param {FullOp} op
 * @param {boolean} f16
 */
function norm(op, f16) {
  const kind = STATISTICS[op.statistics];
  const rows = kind !== "channel";
  const shifts = Math.ceil(op.out_channels / 4);
  const given = (/** @type {string} */ at) => (rows ? `vec4f(bias[${at}unit / 4][unit % 4])` : `bias[${at}unit]`);
  return `${header(f16)}${finish(op)}
const QUADS = ${op.quads};
var<workgroup> parts: array<vec4f, ${GROUP}>;
struct Item { pixel: i32, quad: i32 }
fn item(unit: i32, i: i32) -> Item {
  ${rows ? "return Item(unit * s.in_width + i / QUADS, i % QUADS);" : "return Item(i, unit);"}
}
fn deviation(unit: i32, i: i32, near: vec4f) -> vec4f {
  let at = item(unit, i);
  let d = vec4f(arena[s.in_start + at.pixel * s.in_pixel + at.quad]) - near;
  return select(d, select(vec4f(), d, vec4<bool>(${lastMask(op.written)})), at.quad == QUADS - 1);
}
fn total(local: i32, part: vec4f) -> vec4f {
  parts[local] = part;
  for (var step = ${GROUP / 2}; step > 0; step /= 2) {
    workgroupBarrier();
    if (local < step) { parts[local] += parts[local + step]; }
  }
  workgroupBarrier();
  let sum = parts[0];
  workgroupBarrier();
  return ${rows ? "vec4f(dot(sum, vec4f(1.0)))" : "sum"};
}

@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let local = i32(invocation);
  let unit = i32(group.x);
  let items = s.in_width * ${rows ? "QUADS" : "s.in_height"};
  let count = f32(s.in_width) * f32(${rows ? op.in_channels : "s.in_height"});
  var near = vec4f();
  var rest = near;
  var factor = vec4f(1.0);
  if (${kind !== "fixed_row"}) {
    near = ${rows ? "vec4f(deviation(unit, 0, near).x)" : "deviation(unit, 0, near)"};
    for (var again = 0; again < 2; again++) {
      near += rest;
      var sum = vec4f();
      var square = vec4f();
      for (var i = local; i < items; i += ${GROUP}) {
        let d = deviation(unit, i, near);
        sum += d;
        square += d * d;
      }
      rest = total(local, sum) / count;
      let variance = max(total(local, square) / count - rest * rest, vec4f()) + f32(${op.epsilon});
      factor = select(vec4f(), inverseSqrt(max(variance, vec4f(1e-30))), variance > vec4f());
    }
  }
  factor *= ${given("")};
  for (var i = local; i < items; i += ${GROUP}) {
    let at = item(unit, i);
    let d = deviation(unit, i, near) - rest;
    finish(at.pixel / s.in_width, at.pixel % s.in_width, 0, at.quad, d * factor + ${given(`${shifts} + `)});
  }
}
`;
}

/**
 * The drawing as a label map: 1 in the channel of the palette's nearest colour, which `bias` holds.
 * @param {FullOp} op
 * @param {boolean} f16
 */
const labels = (op, f16) =>
  `${header(f16)}${pointwise(
    op.quads,
    `let colour = vec3f(vec3u(rgba[pixel], rgba[pixel] >> 8, rgba[pixel] >> 16) & vec3u(255));
  var best = 0;
  var least = 1e9;
  for (var i = 0; i < ${op.out_channels}; i++) {
    let d = colour - bias[i].xyz;
    if (dot(d, d) < least) {
      least = dot(d, d);
      best = i;
    }
  }
  let found = vec4i(best) == 4 * quad + vec4i(0, 1, 2, 3);
  arena[s.out_start + pixel * s.out_pixel + quad] = Quad(select(vec4f(), vec4f(1.0), found));`,
  )}`;

/** @type {{[op: string]: (op: FullOp, f16: boolean) => string}} */
export const IMPORTED = { norm, labels };
