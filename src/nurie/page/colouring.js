// From the drawing to its picture: the engine's start, what it is asked for and when, and what becomes of it. No DOM.

import { Painter } from "./engine/painter.js";
import { startWorker } from "./engine/start.js";
import { bestBuild, fileOf } from "./engine/wasm.js";
import { Failure } from "./failure.js";
import { colourings, refetch, styleOf } from "./model/download.js";

/**
 * @typedef {import("./formats.d.ts").Manifest} Manifest
 * @typedef {import("./model/download.js").Download} Download
 *
 * @typedef {"loading" | "ready" | "failed"} State
 * @typedef {"start" | "loaded" | "stay" | "fail"} Step
 *
 * @typedef {object} Listener
 * @property {(state: State, failure: Failure | null) => void} onstate
 * @property {(waiting: boolean) => void} onwait whether a model that comes has stopped coming, for now
 * @property {(bytes: [number, number]) => void} onbytes of the weights, zipped: received, total
 * @property {(manifest: Manifest, address: URL) => void} onmodel it is in use now; the weights of
 *     the first are still to come
 * @property {(id: number) => void} onask a picture has been asked for
 * @property {(picture: import("./engine/painter.js").Picture) => void} onpicture
 * @property {(backend: "webgpu" | "wasm", threads: number) => void} onbackend which one has been chosen; threads: that
 *     the WebAssembly engine shares its work among
 * @property {() => Promise<boolean>} updated whether the site's files have other names by now
 *
 * A model, and the engine that has it or gets it.
 * @typedef {object} Use
 * @property {Painter} painter
 * @property {Download} download
 * @property {Manifest | null} manifest null until it is here
 * @property {boolean} shown the page shows what this model has: its samples, its size
 * @property {Set<"engine" | "model">} missing what is still on its way
 * @property {boolean} repaired its engine's files have been fetched anew
 */

/** Milliseconds without anything new of a model that comes, until the visitor is told. */
const PATIENCE = 8000;

/** What a worker needs beside its build, as published; a browser that keeps a damaged one would keep it for ever. */
const WORKER = new URL("./engine/worker.js", import.meta.url);
const FILES = ["./engine/start.js", "./engine/wasm.js"];

/** Where a state has no such step, it stays. @type {{[state in State]: {[step in Step]?: State}}} */
const NEXT = {
  loading: { start: "loading", loaded: "ready", stay: "ready", fail: "failed" },
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
  /** What colours; null when there is none that works. @type {Use | null} */
  #used = null;
  /** What will take its place. @type {Use | null} */
  #coming = null;
  #waits = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

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
   * Start an engine on a model that comes. The one in use goes on until then, and for longer where this one fails; what
   * else was coming is left.
   * @param {Download} download
   */
  async start(download) {
    this.#leave(this.#coming);
    this.#take("start");
    this.#listener.onbytes([0, 0]);
    try {
      const build = usableBuild();
      /** @type {Use} */
      const use = {
        painter: this.#startPainter(build, () => use),
        download,
        manifest: null,
        shown: false,
        missing: new Set(["engine", "model"]),
        repaired: false,
      };
      this.#coming = use;
      use.painter.lastId = this.#used?.painter.lastId ?? 0;
      this.#heard();
      await this.#load(use);
    } catch (error) {
      await this.#fail(error);
    }
  }

  /**
   * Go on with the model in use: nothing else is to come.
   * @returns {boolean} whether there is one
   */
  stay() {
    if (this.#used && this.#coming) {
      this.#leave(this.#coming);
      this.#take("stay");
    }
    return this.#used !== null;
  }

  /** Ask for a picture of the drawing as it is now. */
  paint() {
    const { painter, manifest } = this.#current ?? {};
    if (painter && manifest) this.#listener.onask(painter.paint(this.#pixels, styleOf(manifest, this.seed)));
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
    const { manifest } = this.#current ?? {};
    const count = manifest ? colourings(manifest) : 0;
    if (!count) return null;
    this.seed = another(this.seed, count);
    this.paint();
    return this.seed;
  }

  /** What is asked for pictures: the first model as soon as it comes. */
  get #current() {
    return this.#used ?? this.#coming;
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

  /**
   * @param {import("./engine/wasm.js").Build} build
   * @param {() => Use} use what it belongs to
   */
  #startPainter(build, use) {
    return new Painter(() => startWorker(WORKER, build), {
      onstart: () => this.#heard(use(), "engine"),
      onready: () => this.#arrive(use()),
      onpicture: this.#listener.onpicture,
      onbackend: this.#listener.onbackend,
      onfailure: (failure) => this.#lose(use(), build, failure),
    });
  }

  /**
   * One that failed meanwhile, or that another start has replaced, is given nothing more.
   * @param {Use} use
   */
  async #load(use) {
    const { painter, download } = use;
    const wanted = () => use === this.#coming && painter === use.painter;
    try {
      const manifest = await download.manifest;
      if (!wanted()) return;
      use.manifest = manifest;
      painter.load(manifest, manifest.weights.raw_bytes, manifest.input, this.#backend);
      download.onprogress = () => {
        if (use !== this.#coming) return;
        this.#heard();
        this.#listener.onbytes(download.bytes);
      };
      download.onprogress();
      download.forEachPart((part) => painter.feed(part));
      if (!this.#used) this.#show(use);
      await download.complete;
      if (!wanted()) return;
      this.#heard(use, "model");
      painter.feed(new Uint8Array());
    } catch (error) {
      if (wanted()) throw error;
    }
  }

  /**
   * A model that comes has its engine ready: it takes over.
   * @param {Use} use
   */
  #arrive(use) {
    if (use !== this.#coming) return;
    const before = this.#used;
    this.#coming = null;
    this.#used = use;
    if (before) use.painter.lastId = before.painter.lastId;
    this.#leave(before);
    this.#show(use);
    this.#take("loaded");
  }

  /** @param {Use} use */
  #show(use) {
    if (use.manifest && !use.shown) this.#listener.onmodel(use.manifest, use.download.address);
    use.shown = true;
  }

  /**
   * An engine has stopped. One that never started may have a damaged file: its files are fetched anew, once.
   * @param {Use} use
   * @param {import("./engine/wasm.js").Build} build
   * @param {Failure} failure
   */
  async #lose(use, build, failure) {
    if (use === this.#used) this.#leave(use);
    else if (use !== this.#coming) return;
    else if (failure.code === "start" && !use.repaired) return await this.#repair(use, build);
    if (this.#coming && use !== this.#coming) this.#show(this.#coming);
    else await this.#fail(failure);
  }

  /**
   * @param {Use} use
   * @param {import("./engine/wasm.js").Build} build
   */
  async #repair(use, build) {
    use.repaired = true;
    try {
      await refetch([WORKER, fileOf(build), ...FILES.map((name) => new URL(name, import.meta.url))]);
      if (use !== this.#coming) return;
      use.missing = new Set(["engine", "model"]);
      use.painter = this.#startPainter(build, () => use);
      await this.#load(use);
    } catch (error) {
      if (use === this.#coming) await this.#fail(error);
    }
  }

  /**
   * Something of the model that comes is here. Where nothing is for long, the visitor is told.
   * @param {Use} [use]
   * @param {"engine" | "model"} [part] that is complete
   */
  #heard(use, part) {
    if (part) use?.missing.delete(part);
    clearTimeout(this.#timer);
    this.#wait(false);
    if (this.#coming?.missing.size) this.#timer = setTimeout(() => this.#wait(true), PATIENCE);
  }

  /** @param {boolean} waits */
  #wait(waits) {
    if (waits === this.#waits) return;
    this.#waits = waits;
    this.#listener.onwait(waits);
  }

  /** @param {Use | null} use nobody wants it any more */
  #leave(use) {
    use?.download.abort();
    use?.painter.close();
    if (use === this.#coming) this.#coming = null;
    if (use === this.#used) this.#used = null;
    this.#heard();
  }

  /** @param {unknown} error what was to come does not, or no more pictures do */
  async #fail(error) {
    let failure = error instanceof Failure ? error : new Failure("unknown", { reason: String(error) });
    this.#leave(this.#coming);
    if (failure.code === "missing" && (await this.#listener.updated())) failure = new Failure("updated");
    console.error(failure === error ? `${failure.code}: ${failure.message}` : error);
    if (!this.#coming) this.#take(this.#used ? "stay" : "fail", failure);
  }
}
