// The plan as docs/formats.md, "The plan", defines it: fields, defaults, and the sizes that follow from a drawing's.

/**
 * @typedef {import("../formats.d.ts").Op} Op absent fields have the defaults of `FIELDS`
 * @typedef {import("../formats.d.ts").Plan} Plan
 * @typedef {{height: number, width: number}} Size
 *
 * What a drawing does not say: a number for the noise, and the subject's colour, RGB in [-1, 1].
 * @typedef {{seed: number, colour: number[]}} Style
 *
 * All fields of an operation; floats are float32 in the engine.
 * @typedef {{op: string, input: number, input_channel: number, output: number, output_channel: number,
 *   in_channels: number, out_channels: number, kernel: number, stride: number, pad: number, activation: number,
 *   shuffle: number, residual: number, residual_channel: number, weight: number, scale: number, bias: number,
 *   pad_end: number, reflect: number, slope: number, epsilon: number, statistics: number, mode: number, compand: number}} Fields
 *
 * And what follows from them (`pad_end` is never -1): how many channels it writes; in how many phases (pixels that one computed pixel
 * becomes), of how many quads (four channels) each; all its quads; `step`: pixels from one computed pixel to the next.
 * @typedef {Fields & {written: number, phases: number, phaseQuads: number, quads: number, step: number}} FullOp
 */

const OPS = ["input", "conv", "conv_transpose", "copy", "output", "depthwise", "style", "enclosed", "norm", "labels"];
const READ_DRAWING = ["input", "enclosed", "labels"];
export const ACTIVATIONS = ["none", "relu", "leaky_relu", "tanh", "fill", "sigmoid"];
export const STATISTICS = ["channel", "row", "fixed_row"];
export const MODES = ["rgb", "lab", "rgba", "classes"];
const MAX_SIDE = 32768;

/** The fields after `op`, in the engine's order, with their defaults. @type {{[field: string]: number}} */
const FIELDS = {
  input: 0,
  input_channel: 0,
  output: 0,
  output_channel: 0,
  in_channels: 0,
  out_channels: 0,
  kernel: 0,
  stride: 1,
  pad: 0,
  activation: 0,
  shuffle: 1,
  residual: -1,
  residual_channel: 0,
  weight: 0,
  scale: -1,
  bias: -1,
  pad_end: -1,
  reflect: 0,
  slope: 0.2,
  epsilon: 0,
  statistics: 0,
  mode: 0,
  compand: 0,
};
/** Those that are float32. */
const FLOATS = ["slope", "epsilon", "compand"];

/** Whether the engine takes it as it is. @param {unknown} value */
const isWord = (value) => typeof value === "number" && value === (value | 0);

/**
 * @param {string} name
 * @param {unknown} value
 */
const fitsField = (name, value) =>
  Object.hasOwn(FIELDS, name) && (FLOATS.includes(name) ? Number.isFinite(value) : isWord(value));

/**
 * A field as an integer: of a float32 its bits.
 * @param {string} name
 * @param {number} value
 */
const word = (name, value) => (FLOATS.includes(name) ? new Int32Array(new Float32Array([value]).buffer)[0] : value);

/**
 * The integers of a plan in the engine's order. What is no integer of 32 bits or no number, as its field asks, or no field
 * of an operation, leaves a -1 that the engine refuses.
 * @param {Plan} plan
 * @returns {number[]}
 */
export function words({ tensors, ops }) {
  return [...tensors.map((channels) => (isWord(channels) ? channels : -1)), ...ops.flatMap(row)];
}

/**
 * The integers of an operation, one for each field.
 * @param {Op} op
 * @returns {number[]}
 */
function row({ op, ...given }) {
  const valid = Object.entries(given).every(([name, value]) => fitsField(name, value));
  const fields = Object.entries(FIELDS).map(([name, value]) => word(name, Number(given[name] ?? value)));
  return [valid ? OPS.indexOf(op) : -1, ...fields];
}

/**
 * @param {Op} op
 * @returns {FullOp}
 */
export function complete(op) {
  const fields = /** @type {Fields} */ ({ ...FIELDS, ...op });
  const phases = op.op === "conv" ? fields.shuffle ** 2 : 1;
  const seen = (inLab(op) ? 1 : 3) * fields.shuffle ** 2;
  const kept = fields.in_channels;
  const written = { input: seen, copy: kept, norm: kept, output: 0, style: 4, enclosed: 1 }[op.op];
  const channels = written ?? fields.out_channels / phases;
  const phaseQuads = Math.ceil(channels / 4);
  if (fields.pad_end === -1) fields.pad_end = fields.pad;
  const step = op.op === "conv_transpose" ? 2 : op.op === "conv" ? fields.shuffle : 1;
  return { ...fields, written: channels, phases, phaseQuads, quads: phases * phaseQuads, step };
}

/** @param {Op | FullOp} op */
export const readsDrawing = (op) => READ_DRAWING.includes(op.op);

/**
 * The size of every tensor for a drawing of this size; null when it does not fit the plan.
 * @param {Plan} plan
 * @param {Size} drawing
 * @returns {Size[] | null}
 */
export function sizes({ tensors, ops }, drawing) {
  const found = tensors.map(() => ({ height: 0, width: 0 }));
  for (const op of ops.map(complete)) {
    const from = readsDrawing(op) ? drawing : found[op.input];
    const size = { height: side(op, from.height), width: side(op, from.width) };
    if (![size, from].every(({ height, width }) => isSide(height) && isSide(width))) return null;
    if (op.op === "output" && (fills(op) || inLab(op)) && !same(size, drawing)) return null;
    if (byRows(op) && op.out_channels !== size.height) return null;
    if (op.reflect && Math.min(from.height, from.width) <= Math.max(op.pad, op.pad_end)) return null;
    if (op.op === "output") continue;
    if (found[op.output].height && !same(found[op.output], size)) return null;
    if (op.residual !== -1 && !same(found[op.residual], size)) return null;
    found[op.output] = size;
  }
  return found;
}

/** Whether it fills the areas of a drawing or sees it in Lab, which only the WebAssembly engine can. @param {Plan} plan */
export const needsWasm = ({ ops }) => ops.some((op) => fills(op) || inLab(op));

/** @param {Op} op */
const fills = ({ activation = 0 }) => ACTIVATIONS[Number(activation)] === "fill";

/** @param {Op} op */
const inLab = ({ mode = 0 }) => MODES[Number(mode)] === "lab";

/** Whether it normalises rows. @param {FullOp} op */
const byRows = (op) => op.op === "norm" && STATISTICS[op.statistics] !== "channel";

/** @param {number} pixels */
const isSide = (pixels) => Number.isInteger(pixels) && 1 <= pixels && pixels <= MAX_SIDE;

/**
 * @param {FullOp} op
 * @param {number} from height or width of what it reads
 */
function side(op, from) {
  switch (op.op) {
    case "input":
    case "enclosed":
    case "labels":
      return from / op.shuffle;
    case "conv":
    case "depthwise":
      return (Math.floor((from + op.pad + op.pad_end - op.kernel) / op.stride) + 1) * op.shuffle;
    case "conv_transpose":
      return 2 * from;
    case "copy":
    case "output":
      return op.shuffle * from;
    default:
      return from;
  }
}

/**
 * @param {Size} a
 * @param {Size} b
 */
const same = (a, b) => a.height === b.height && a.width === b.width;
