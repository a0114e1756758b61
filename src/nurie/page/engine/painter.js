// The page's side of the worker: one picture is computed at a time, one may wait, and the newest wins.

import { Failure } from "../failure.js";

/**
 * @typedef {object} Picture
 * @property {number} id
 * @property {Uint8ClampedArray<ArrayBuffer>} pixels RGBA
 * @property {number} width
 * @property {number} height
 * @property {import("../png.js").Picture} drawing that it was made of
 * @property {number} ms spent in the engine
 * @property {"webgpu" | "wasm"} backend
 *
 * @typedef {object} Listener
 * @property {() => void} onstart the engine's files are here
 * @property {() => void} onready the model is loaded
 * @property {(picture: Picture) => void} onpicture
 * @property {(backend: "webgpu" | "wasm", threads: number) => void} onbackend which one has been chosen; threads: that
 *     the WebAssembly engine shares its work among
 * @property {(failure: Failure) => void} onfailure no picture will come any more
 */

export class Painter {
  #start;
  #listener;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {object[]} the messages that load the model, for a second start */
  #model = [];
  #loaded = false;
  #worked = false;
  #restarted = false;
  /** Pictures of this worker. */
  #made = 0;
  /** Of the newest picture. */
  lastId = 0;
  /** @type {{id: number, pixels: Uint8ClampedArray, style: import("./plan.js").Style} | null} */
  #waiting = null;
  /** @type {number | null} */
  #running = null;
  /** @type {[() => Uint8ClampedArray<ArrayBuffer>, import("./plan.js").Style] | null} for a worker that crashed over it */
  #last = null;

  /**
   * @param {() => Worker} start
   * @param {Listener} listener
   */
  constructor(start, listener) {
    this.#start = start;
    this.#listener = listener;
    this.#open();
  }

  /**
   * The model's plan; its weights follow by `feed`.
   * @param {import("../formats.d.ts").Manifest} manifest
   * @param {number} bytes of the weights, unzipped or decoded
   * @param {{width: number, height: number}} size
   * @param {string} [backend] "wasm" or "webgpu": only this one; else the faster one
   */
  load({ tensors, ops, weights }, bytes, size, backend) {
    this.#send({ model: { plan: { tensors, ops }, bytes, encoding: weights.encoding }, size, backend });
  }

  /** @param {Uint8Array} part of the weights, in order; an empty one says that all are there, and right */
  feed(part) {
    this.#send({ part });
  }

  /** @param {object} message */
  #send(message) {
    this.#model.push(message);
    this.#worker?.postMessage(message);
  }

  /**
   * Colour a drawing; one that still waits is dropped.
   * @param {() => Uint8ClampedArray<ArrayBuffer>} source gives the drawing's RGBA, which is handed over
   * @param {import("./plan.js").Style} style
   * @returns {number} the picture's id; a picture that is shown has this id or a later one
   */
  paint(source, style) {
    this.#last = [source, style];
    this.lastId += 1;
    this.#waiting = { id: this.lastId, pixels: source(), style };
    this.#next();
    return this.lastId;
  }

  /** Stop for good. */
  close() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#waiting = null;
    this.#model = [];
    this.#last = null;
  }

  #open() {
    this.#loaded = false;
    this.#running = null;
    this.#made = 0;
    const worker = this.#start();
    worker.addEventListener("message", ({ data }) => worker === this.#worker && this.#receive(data));
    worker.addEventListener("messageerror", () => worker === this.#worker && this.#crashed());
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#crashed();
    });
    this.#worker = worker;
    for (const message of this.#model) worker.postMessage(message);
  }

  #next() {
    if (!this.#worker || !this.#loaded || this.#running !== null || !this.#waiting) return;
    const message = this.#waiting;
    this.#waiting = null;
    this.#running = message.id;
    this.#worker.postMessage(message, [message.pixels.buffer]);
  }

  /** @param {any} data */
  #receive(data) {
    if (data.failed === "crash") return this.#crashed();
    if (data.failed) return this.#fail(new Failure(data.failed, { reason: data.reason }));
    // A newer one is on its way to the page, or is shown.
    if (data.corrected)
      return void (this.#running === null && data.id === this.lastId && this.#listener.onpicture(data));
    if (data.started) return this.#listener.onstart();
    if (data.backend && !data.id) return this.#listener.onbackend(data.backend, data.threads);
    if (data.loaded) {
      this.#loaded = true;
      this.#worked = true;
      this.#listener.onready();
    } else {
      this.#running = null;
      this.#made += 1;
      if (this.#made > 1) this.#restarted = false;
      this.#listener.onpicture(data);
    }
    this.#next();
  }

  /** Once a fresh worker is tried, with the newest drawing; when that gets no farther than one picture, it is a failure. */
  #crashed() {
    if (this.#restarted) return this.#fail(new Failure(this.#worked ? "crash" : "start"));
    this.#restarted = true;
    this.#worker?.terminate();
    this.#open();
    if (this.#last) this.paint(...this.#last);
  }

  /** @param {Failure} failure */
  #fail(failure) {
    this.close();
    this.#listener.onfailure(failure);
  }
}
