// From the drawing to its picture: the engine's start, what it is asked for and when, and what becomes of it. No DOM.

import { Painter } from "./engine/painter.js";
import { bestBuild } from "./engine/wasm.js";
import { Failure } from "./failure.js";
import { styleOf } from "./model/download.js";

/**
 * @typedef {import("./formats.d.ts").Manifest} Manifest
 * @typedef {import("./model/download.js").Download} Download
 *
 * @typedef {"loading" | "ready" | "failed"} State
 * @typedef {"start" | "loaded" | "fail"} Step
 *
 * @typedef {object} Listener
 * @property {(state: State, failure: Failure | null) => void} onstate
 * @property {(bytes: [number, number]) => void} onbytes of the weights, zipped: received, total
 * @property {(manifest: Manifest, address: URL) => void} onmodel its weights are still to come
 * @property {(id: number) => void} onask a picture has been asked for
 * @property {(picture: import("./engine/painter.js").Picture) => void} onpicture
 * @property {(backend: "webgpu" | "wasm") => void} onbackend which one has been chosen
 */

/** Where a state has no such step, it stays. @type {{[state in State]: {[step in Step]?: State}}} */
const NEXT = {
  loading: { start: "loading", loaded: "ready", fail: "failed" },
  ready: { start: "loading", fail: "failed" },
  failed: { start: "loading" },
};

/**
 * The state after a step; null: there is no such step.
 * @param {State} state
 * @param {Step} step
 */
export const next = (state, step) => NEXT[state][step] ?? null;

/**
 * The seed of another colouring: not the same colour twice in a row.
 * @param {number} seed
 * @param {number} count of the model's colours, 1 at least
 * @param {() => number} [random] in [0, 1)
 */
export function another(seed, count, random = Math.random) {
  const steps = count > 1 ? 1 + Math.floor(random() * (count - 1)) : 0;
  return ((seed + steps) % count) + count * Math.floor(random() * 1000);
}

/** The engine build for this browser; throws Failure where it lacks something. */
function usableBuild() {
  const build = globalThis.WebAssembly ? bestBuild() : null;
  if (!build) throw new Failure("browser", { feature: "WebAssembly SIMD" });
  if (!globalThis.DecompressionStream) throw new Failure("browser", { feature: "DecompressionStream" });
  return build;
}

/** @param {string} build */
const startWorker = (build) =>
  new Worker(new URL("./engine/worker.js", import.meta.url), { type: "module", name: build });

export class Colouring {
  /** While the drawing changes it is coloured all the time. */
  live = true;
  /** Chooses among a model's colourings; the same number gives the same picture. */
  seed;
  #pixels;
  #backend;
  #listener;
  /** @type {State} */
  #state = "loading";
  /** Null when there is none that works. @type {Painter | null} */
  #painter = null;
  /** Null until that of the painter's model is here. @type {Manifest | null} */
  #manifest = null;

  /**
   * @param {() => Uint8ClampedArray<ArrayBuffer>} pixels gives the drawing's RGBA
   * @param {{seed: number, backend?: string}} choice of the page's address
   * @param {Listener} listener
   */
  constructor(pixels, { seed, backend }, listener) {
    this.#pixels = pixels;
    this.seed = seed;
    this.#backend = backend;
    this.#listener = listener;
  }

  get state() {
    return this.#state;
  }

  /**
   * Start the engine on a model that comes; the one before is left.
   * @param {Download} download
   */
  async start(download) {
    this.#leave();
    this.#take("start");
    this.#listener.onbytes([0, 0]);
    try {
      this.#painter = this.#startPainter(usableBuild());
      await this.#load(this.#painter, download);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ask for a picture of the drawing as it is now. */
  paint() {
    if (!this.#manifest || !this.#painter) return;
    this.#listener.onask(this.#painter.paint(this.#pixels, styleOf(this.#manifest, this.seed)));
  }

  /** The drawing is another one now. */
  changed() {
    if (this.live) this.paint();
  }

  /**
   * Another colouring of the same drawing.
   * @returns {number | null} its seed; null: this model has no choice
   */
  roll() {
    const count = this.#manifest?.styles?.length;
    if (!count) return null;
    this.seed = another(this.seed, count);
    this.paint();
    return this.seed;
  }

  /**
   * @param {Step} step
   * @param {Failure | null} [failure]
   */
  #take(step, failure = null) {
    const state = next(this.#state, step);
    if (!state) return;
    this.#state = state;
    this.#listener.onstate(state, failure);
  }

  /** @param {string} build */
  #startPainter(build) {
    return new Painter(() => startWorker(build), {
      onready: () => this.#take("loaded"),
      onpicture: this.#listener.onpicture,
      onbackend: this.#listener.onbackend,
      onfailure: (failure) => this.#fail(failure),
    });
  }

  /**
   * A painter that failed meanwhile, or that a second start has replaced, is given nothing more.
   * @param {Painter} painter
   * @param {Download} download
   */
  async #load(painter, download) {
    const current = () => painter === this.#painter;
    try {
      const manifest = await download.manifest;
      if (!current()) return;
      this.#manifest = manifest;
      painter.load(manifest, manifest.weights.raw_bytes, manifest.input, this.#backend);
      download.onprogress = () => current() && this.#listener.onbytes(download.bytes);
      download.onprogress();
      download.forEachPart((part) => painter.feed(part));
      this.#listener.onmodel(manifest, download.address);
      await download.complete;
      if (current()) painter.feed(new Uint8Array());
    } catch (error) {
      if (current()) throw error;
    }
  }

  #leave() {
    this.#painter?.close();
    this.#painter = null;
    this.#manifest = null;
  }

  /** @param {unknown} error no more pictures */
  #fail(error) {
    if (!(error instanceof Failure)) console.error(error);
    this.#leave();
    this.#take("fail", error instanceof Failure ? error : new Failure("unknown", { reason: String(error) }));
  }
}
