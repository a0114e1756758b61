// The weights of a model on their way into the engine.

import { checked } from "./errors.js";

/** Bytes of coded weights that the engine takes at a time. */
const MOST_PART = 65536;

export class Weights {
  #exports;
  #memory;
  #bytes;
  /** Where they lie, as the operations have them. */
  #start;
  /** Where coded ones are handed over; 0 for others. */
  #coded;
  /** Bytes that are there. */
  #received = 0;
  /** Whether operations wait for theirs. */
  #wanted = true;

  /**
   * @param {import("./wasm.js").Exports} exports of an engine that has its plan
   * @param {WebAssembly.Memory} memory
   * @param {number} bytes of them, unzipped or decoded
   * @param {string} [encoding] "rans": they come coded
   */
  constructor(exports, memory, bytes, encoding) {
    this.#exports = exports;
    this.#memory = memory;
    this.#bytes = bytes;
    this.#start = checked(exports.weights(bytes));
    this.#coded = encoding === "rans" ? checked(exports.coded()) : 0;
  }

  /**
   * The next part; what it completes is made ready for the kernels at once.
   * @param {Uint8Array} part
   * @returns {boolean} whether that was all
   */
  feed(part) {
    if (this.#coded) this.#decode(part);
    else this.#take(part);
    return !this.#wanted && this.#received === this.#bytes;
  }

  /** @param {Uint8Array} part as the operations have them */
  #take(part) {
    const from = this.#received;
    if (from + part.length > this.#bytes) throw new RangeError("More weights came than the manifest says.");
    this.#received += part.length;
    if (!this.#wanted) return;
    new Uint8Array(this.#memory.buffer, this.#start).set(part, from);
    this.#load();
  }

  /** @param {Uint8Array} part coded */
  #decode(part) {
    for (let from = 0; from < part.length; from += MOST_PART) {
      const piece = part.subarray(from, from + MOST_PART);
      new Uint8Array(this.#memory.buffer, this.#coded).set(piece);
      this.#received = checked(this.#exports.decode(piece.length));
      if (this.#wanted) this.#load();
    }
  }

  #load() {
    this.#wanted = checked(this.#exports.load(this.#received)) > 0;
  }

  /** All of them, unzipped or decoded: a view of the engine's memory, until it is given a size. */
  get bytes() {
    return new Uint8Array(this.#memory.buffer, this.#start, this.#bytes);
  }
}
