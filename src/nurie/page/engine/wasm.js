// The host of the WebAssembly engine: what docs/formats.md calls "The engine", seen from JavaScript.
// Runs in a worker, in a page and in Node alike; it knows nothing of the DOM.

import { checked, EngineError, THREAD_LOST } from "./errors.js";
import { words } from "./plan.js";
import { Weights } from "./weights.js";

/**
 * @typedef {import("./plan.js").Op} Op
 * @typedef {import("./plan.js").Plan} Plan
 *
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} [memory] absent in the builds with threads, which import it
 * @property {(tensors: number, ops: number) => number} plan
 * @property {(bytes: number) => number} weights
 * @property {() => number} coded
 * @property {(bytes: number) => number} decode
 * @property {(bytes: number) => number} load
 * @property {(count: number) => number} threads
 * @property {(height: number, width: number) => number} resize
 * @property {() => number} style
 * @property {() => number} input
 * @property {() => number} output
 * @property {(first: number, end: number) => number} run
 * @property {(index: number) => number} tensor
 * @property {() => number} peak
 * @property {() => number} stop
 * @property {(thread: number) => number} stack
 * @property {(thread: number) => void} help
 * @property {WebAssembly.Global} __stack_pointer
 *
 * What a helper thread needs.
 * @typedef {{module: WebAssembly.Module, memory: WebAssembly.Memory, thread: number}} Share
 *
 * A thread of the host: a Worker, or what looks like one.
 * @typedef {{postMessage: (share: Share) => void, terminate: () => void}} Helper
 */

// The smallest modules with one vector instruction: i8x16.splat, and f32x4.relaxed_madd of three of them.
const HEAD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const SIMD = [...HEAD, 8, 1, 6, 0, ...SPLAT, 0x0b];
const RELAXED = [...HEAD, 19, 1, 17, 0, ...SPLAT, ...SPLAT, ...SPLAT, 0xfd, 0x85, 0x02, 0x0b];

/** @typedef {"plain" | "relaxed" | "plain-threads" | "relaxed-threads"} Build */

/**
 * The fastest build this browser can run: relaxed (fused multiply-add) or plain (SIMD128), with threads where memory
 * may be shared. Null without SIMD.
 * @returns {Build | null}
 */
export function bestBuild() {
  if (!WebAssembly.validate(new Uint8Array(SIMD))) return null;
  const kind = WebAssembly.validate(new Uint8Array(RELAXED)) ? "relaxed" : "plain";
  // WebKitGTK can be isolated and yet have no memory to share.
  const shares = globalThis.crossOriginIsolated && typeof SharedArrayBuffer !== "undefined";
  return shares && navigator.hardwareConcurrency > 1 ? `${kind}-threads` : kind;
}

/** @type {{[build in Build]: URL}} */
const BUILDS = {
  plain: new URL("./nurie.wasm", import.meta.url),
  relaxed: new URL("./nurie-relaxed.wasm", import.meta.url),
  "plain-threads": new URL("./nurie-threads.wasm", import.meta.url),
  "relaxed-threads": new URL("./nurie-relaxed-threads.wasm", import.meta.url),
};

/** A build's file. @param {Build} build */
export const fileOf = (build) => BUILDS[build];

/**
 * Download a build, compile it while it arrives, and start it. Where memory can not be shared after all (iOS may refuse
 * to reserve it), that is the build without threads.
 * @param {Build} build
 * @returns {Promise<Engine>}
 */
export async function fetchEngine(build) {
  const threaded = build.endsWith("-threads");
  const memory = threaded ? sharedMemory() : undefined;
  if (threaded && !memory) return fetchEngine(build.startsWith("relaxed") ? "relaxed" : "plain");
  const response = await fetch(BUILDS[build]);
  if (!response.ok) throw new Error(`${BUILDS[build].pathname}: ${response.status}`);
  // Streaming needs the type application/wasm, which some hosts do not send.
  const streams = response.headers.get("Content-Type") === "application/wasm";
  return Engine.load(
    await (streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer())),
    memory,
  );
}

// Pages of 64 KiB that a build with threads begins with (hatch_build.py), and how many it may grow to: the second
// number is for machines that refuse to reserve 2 GiB of addresses.
const FIRST_PAGES = 64;
const MOST_PAGES = [32768, 8192];

/** Undefined where there is none: browsers refuse with errors of several kinds. */
function sharedMemory() {
  for (const maximum of MOST_PAGES) {
    try {
      return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
    } catch {
      // The next one is smaller.
    }
  }
}

/**
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} [memory]
 */
async function instantiate(module, memory) {
  const instance = await WebAssembly.instantiate(module, memory ? { env: { memory } } : {});
  return /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
}

/**
 * The whole life of a helper thread: returns when the engine stops.
 * @param {Share} share
 */
export async function help({ module, memory, thread }) {
  const exports = await instantiate(module, memory);
  exports.__stack_pointer.value = exports.stack(thread);
  try {
    exports.help(thread);
  } catch (error) {
    exports.stop(); // the others must not wait for what this thread will never finish
    throw error;
  }
}

export class Engine {
  #exports;
  #memory;
  #module;
  /** @type {Helper[]} */
  #helpers = [];
  /** @type {Plan | null} */
  #plan = null;
  /** The model that is being loaded. @type {{plan: Plan, weights: Weights} | null} */
  #coming = null;
  /** @type {Uint8Array | null} */
  #loaded = null;
  #size = { height: 0, width: 0 };
  #outputSize = { height: 0, width: 0 };

  /**
   * Use `Engine.load`.
   * @param {Exports} exports
   * @param {WebAssembly.Memory} memory
   * @param {WebAssembly.Module} module
   */
  constructor(exports, memory, module) {
    this.#exports = exports;
    this.#memory = memory;
    this.#module = module;
  }

  /**
   * An engine of one thread, without a model.
   * @param {WebAssembly.Module | BufferSource} source one of the four builds; for `startHelpers`, one with threads
   * @param {WebAssembly.Memory} [memory] for a build with threads
   * @returns {Promise<Engine>}
   */
  static async load(source, memory) {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const imported = WebAssembly.Module.imports(module).length ? (memory ?? sharedMemory()) : undefined;
    const exports = await instantiate(module, imported);
    return new Engine(exports, /** @type {WebAssembly.Memory} */ (imported ?? exports.memory), module);
  }

  /**
   * Share the work from now on: 1 in a build without threads. The calling thread must be one that may wait (a worker,
   * not a page). Nothing waits for helpers: until they come, fewer do the work. Where none can be started, this one goes
   * on alone.
   * @param {number} threads this one included
   * @param {() => Helper} startHelper gives a new thread that passes its one message to `help()`
   */
  startHelpers(threads, startHelper) {
    const count = this.#exports.threads(threads);
    try {
      for (let thread = 1; thread < count; thread++) {
        const helper = startHelper();
        this.#helpers.push(helper);
        helper.postMessage({ module: this.#module, memory: this.#memory, thread });
      }
    } catch {
      return this.#goAlone();
    }
    this.#layOutAnew();
  }

  /** Whether this build can have helpers. */
  get shared() {
    return !this.#exports.memory;
  }

  /** How many threads work together. */
  get threads() {
    return this.#helpers.length + 1;
  }

  /** Let the helper threads go; the engine goes on alone. */
  close() {
    if (this.#helpers.length) this.#goAlone();
  }

  #goAlone() {
    this.#exports.stop();
    for (const helper of this.#helpers) helper.terminate();
    this.#helpers = [];
    this.#exports.threads(1);
    this.#layOutAnew();
  }

  /** Every thread has scratch memory of its own. The drawing stays. */
  #layOutAnew() {
    const { height, width } = this.#size;
    this.#size = { height: 0, width: 0 };
    if (height) this.resize(height, width);
  }

  /**
   * Take a model. The one before is forgotten.
   * @param {Plan} plan the manifest will do
   * @param {Uint8Array} weights the weights file, unzipped
   */
  setModel(plan, weights) {
    this.beginModel(plan, weights.length);
    if (!this.feed(weights)) throw new EngineError(-3);
  }

  /**
   * Take a model whose weights come in parts.
   * @param {Plan} plan
   * @param {number} bytes of the weights file, unzipped or decoded
   * @param {string} [encoding] "rans": the parts are coded
   */
  beginModel(plan, bytes, encoding) {
    const { tensors, ops } = plan;
    this.#plan = null;
    this.#loaded = null;
    this.#size = { height: 0, width: 0 };
    const at = checked(this.#exports.plan(tensors.length, ops.length));
    new Int32Array(this.#memory.buffer, at).set(words(plan));
    this.#coming = { plan, weights: new Weights(this.#exports, this.#memory, bytes, encoding) };
  }

  /**
   * The next part of the weights; what it completes is made ready for the kernels at once.
   * @param {Uint8Array} part
   * @returns {boolean} whether that was all and the model can be used; an empty part only asks
   */
  feed(part) {
    const coming = this.#coming;
    if (!coming && this.#plan && !part.length) return true;
    if (!coming) throw new EngineError(-5);
    if (!coming.weights.feed(part)) return false;
    this.#plan = coming.plan;
    this.#loaded = coming.weights.bytes;
    this.#coming = null;
    return true;
  }

  /** The weights, unzipped or decoded, of a model that is loaded and has no size yet: a view of the memory. */
  get weights() {
    return this.#loaded;
  }

  /** How many operations one picture takes. */
  get operations() {
    return this.#plan?.ops.length ?? 0;
  }

  /** Bytes in use for this model and size. */
  get peak() {
    return checked(this.#exports.peak());
  }

  /** Bytes of the whole WebAssembly memory, which never shrinks. */
  get memoryBytes() {
    return this.#memory.buffer.byteLength;
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
    if (height !== 0 && height === this.#size.height && width === this.#size.width) return;
    this.#loaded = null;
    this.#size = { height: 0, width: 0 };
    checked(this.#exports.resize(height, width));
    this.#size = { height, width };
    const last = /** @type {Op} */ (this.#plan.ops.find((op) => op.op === "output"));
    const { height: h, width: w } = this.tensor(Number(last.input ?? 0));
    const step = Number(last.shuffle ?? 1);
    this.#outputSize = { height: step * h, width: step * w };
  }

  /**
   * What the drawing does not say, for models that have a style.
   * @param {import("./plan.js").Style} style
   */
  setStyle({ seed, colour }) {
    const view = new DataView(this.#memory.buffer, this.#exports.style(), 16);
    view.setUint32(0, seed, true);
    colour.forEach((value, i) => view.setFloat32(4 + 4 * i, value, true));
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
    new Uint8Array(this.#memory.buffer, checked(this.#exports.input()), bytes).set(rgba);
  }

  /**
   * Run the operations first <= i < end.
   * @param {number} first
   * @param {number} end
   */
  runOps(first, end) {
    const result = this.#exports.run(first, end);
    if (result !== THREAD_LOST) return void checked(result);
    // The drawing is still in its place, and one thread is enough.
    this.close();
    checked(this.#exports.run(0, end));
  }

  /** @returns {Uint8ClampedArray<ArrayBuffer>} a copy of the picture, RGBA */
  getOutput() {
    const at = checked(this.#exports.output());
    const bytes = this.#outputSize.height * this.#outputSize.width * 4;
    return new Uint8ClampedArray(new Uint8Array(this.#memory.buffer, at, bytes));
  }

  /**
   * Where a tensor lies, for tests and measurements.
   * @param {number} index
   */
  tensor(index) {
    const at = checked(this.#exports.tensor(index));
    const [data, height, width, channels, pixel, row] = new Int32Array(this.#memory.buffer, at, 6);
    return { data, height, width, channels, pixel, row };
  }
}
