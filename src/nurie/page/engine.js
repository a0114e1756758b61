// The host of the WebAssembly engine: what docs/formats.md calls "The engine", seen from JavaScript.
// Runs in a worker, in a page and in Node alike; it knows nothing of the DOM.

/**
 * One operation of the plan; absent fields have the defaults of `FIELDS`.
 * @typedef {{op: string} & {[field: string]: number | string}} Op
 * @typedef {{tensors: number[], ops: Op[]}} Plan
 *
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {(tensors: number, ops: number) => number} plan
 * @property {(bytes: number) => number} weights
 * @property {() => number} load
 * @property {(height: number, width: number) => number} resize
 * @property {() => number} input
 * @property {() => number} output
 * @property {(first: number, end: number) => number} run
 * @property {(index: number) => number} tensor
 * @property {() => number} peak
 */

const OPS = ["input", "conv", "conv_transpose", "copy", "output"];

/** The fields after `op`, in the engine's order, with their defaults. @type {[string, number][]} */
const FIELDS = [
  ["input", 0],
  ["input_channel", 0],
  ["output", 0],
  ["output_channel", 0],
  ["in_channels", 0],
  ["out_channels", 0],
  ["kernel", 0],
  ["stride", 1],
  ["pad", 0],
  ["activation", 0],
  ["shuffle", 1],
  ["residual", -1],
  ["residual_channel", 0],
  ["weight", 0],
  ["scale", -1],
  ["bias", -1],
];

/** @type {{[code: number]: string}} */
const MESSAGES = {
  [-1]: "the plan is invalid",
  [-2]: "out of memory",
  [-3]: "the weights are too short for the plan",
  [-4]: "this picture size does not fit the plan",
  [-5]: "the engine was called out of order",
};

/** An error of the engine; `code` is the number in docs/formats.md. */
export class EngineError extends Error {
  /** @param {number} code */
  constructor(code) {
    super(`The engine refused: ${MESSAGES[code] ?? `error ${code}`}.`);
    this.name = "EngineError";
    this.code = code;
  }
}

// The smallest modules with one vector instruction: i8x16.splat, and f32x4.relaxed_madd of three of them.
const HEAD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const SIMD = [...HEAD, 8, 1, 6, 0, ...SPLAT, 0x0b];
const RELAXED = [...HEAD, 19, 1, 17, 0, ...SPLAT, ...SPLAT, ...SPLAT, 0xfd, 0x85, 0x02, 0x0b];

/**
 * The fastest build this browser can run: "relaxed" (fused multiply-add), "plain" (SIMD128) or null (neither).
 * @returns {"relaxed" | "plain" | null}
 */
export function bestBuild() {
  if (WebAssembly.validate(new Uint8Array(RELAXED))) return "relaxed";
  return WebAssembly.validate(new Uint8Array(SIMD)) ? "plain" : null;
}

export class Engine {
  #exports;
  /** @type {Plan | null} */
  #plan = null;
  #size = { height: 0, width: 0 };
  #outputSize = { height: 0, width: 0 };

  /** @param {Exports} exports Use `Engine.load`. */
  constructor(exports) {
    this.#exports = exports;
  }

  /**
   * An engine without a model.
   * @param {WebAssembly.Module | BufferSource} source one of the two builds
   * @returns {Promise<Engine>}
   */
  static async load(source) {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const instance = await WebAssembly.instantiate(module, {});
    return new Engine(/** @type {Exports} */ (/** @type {unknown} */ (instance.exports)));
  }

  /**
   * Take a model. The one before is forgotten.
   * @param {Plan} plan the manifest will do
   * @param {Uint8Array} weights the weights file, unzipped
   */
  setModel(plan, weights) {
    const { tensors, ops } = plan;
    const at = this.#checked(this.#exports.plan(tensors.length, ops.length));
    new Int32Array(this.#exports.memory.buffer, at).set([...tensors, ...ops.flatMap(row)]);
    const data = this.#checked(this.#exports.weights(weights.length));
    new Uint8Array(this.#exports.memory.buffer, data).set(weights);
    this.#checked(this.#exports.load());
    this.#plan = plan;
    this.#size = { height: 0, width: 0 };
  }

  /** How many operations one picture takes. */
  get operations() {
    return this.#plan?.ops.length ?? 0;
  }

  /** Bytes in use for this model and size. */
  get peak() {
    return this.#checked(this.#exports.peak());
  }

  /** Bytes of the whole WebAssembly memory, which never shrinks. */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Width and height of the picture that comes out. */
  get outputSize() {
    return this.#outputSize;
  }

  /**
   * Prepare for drawings of this size; nothing happens when it is the present one.
   * @param {number} height
   * @param {number} width
   */
  resize(height, width) {
    if (!this.#plan) throw new EngineError(-5);
    if (height === this.#size.height && width === this.#size.width) return;
    this.#size = { height: 0, width: 0 };
    this.#checked(this.#exports.resize(height, width));
    this.#size = { height, width };
    const last = /** @type {Op} */ (this.#plan.ops.find((op) => op.op === "output"));
    const { height: h, width: w } = this.tensor(Number(last.input ?? 0));
    this.#outputSize = { height: h, width: w };
  }

  /**
   * Colour one drawing of the size given to `resize`.
   * @param {Uint8Array | Uint8ClampedArray} rgba
   * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA, opaque
   */
  run(rgba) {
    this.setInput(rgba);
    this.runOps(0, this.operations);
    return this.getOutput();
  }

  /**
   * The same in three steps, for a worker that wants to report progress or to abandon a picture between operations.
   * @param {Uint8Array | Uint8ClampedArray} rgba
   */
  setInput(rgba) {
    const bytes = this.#size.height * this.#size.width * 4;
    if (rgba.length !== bytes) throw new RangeError(`Expected ${bytes} bytes of RGBA, but got ${rgba.length}.`);
    new Uint8Array(this.#exports.memory.buffer, this.#checked(this.#exports.input()), bytes).set(rgba);
  }

  /**
   * Run the operations first <= i < end.
   * @param {number} first
   * @param {number} end
   */
  runOps(first, end) {
    this.#checked(this.#exports.run(first, end));
  }

  /** @returns {Uint8ClampedArray<ArrayBuffer>} a copy of the picture, RGBA */
  getOutput() {
    const at = this.#checked(this.#exports.output());
    const bytes = this.#outputSize.height * this.#outputSize.width * 4;
    return new Uint8ClampedArray(this.#exports.memory.buffer.slice(at, at + bytes));
  }

  /**
   * Where a tensor lies, for tests and measurements.
   * @param {number} index
   */
  tensor(index) {
    const at = this.#checked(this.#exports.tensor(index));
    const [data, height, width, channels, pixel, row] = new Int32Array(this.#exports.memory.buffer, at, 6);
    return { data, height, width, channels, pixel, row };
  }

  /** @param {number} result */
  #checked(result) {
    if (result < 0) throw new EngineError(result);
    return result;
  }
}

/**
 * The 17 integers of an operation.
 * @param {Op} op
 * @returns {number[]}
 */
function row(op) {
  return [OPS.indexOf(op.op), ...FIELDS.map(([name, value]) => Number(op[name] ?? value))];
}
