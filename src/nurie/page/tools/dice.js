// Which colouring a drawing has: others by the dice, and back; the next one for a new drawing.

import { keep, seedOf } from "../address.js";
import { get } from "../dom.js";
import { lastSeed, nextSeed } from "../last.js";

/** @typedef {import("../formats.d.ts").Manifest} Manifest */

export class Dice {
  #colouring;
  #onroll;
  /** Seeds of the colourings before, the last one last. @type {number[]} */
  #rolled = [];

  /**
   * @param {{seed: number, paint: () => void, roll: () => number | null}} colouring
   * @param {() => void} onroll the drawing has another one
   */
  constructor(colouring, onroll) {
    this.#colouring = colouring;
    this.#onroll = onroll;
    get("dice").addEventListener("click", () => this.#roll());
    get("undice").addEventListener("click", () => this.#unroll());
  }

  /** There is no way back from this colouring. */
  forget() {
    this.#rolled = [];
    get("undice").hidden = true;
  }

  /**
   * A new drawing begins, in the next colouring unless the address asks for one.
   * @param {Manifest | null} manifest
   * @param {boolean} own the drawing before was the visitor's
   */
  renew(manifest, own) {
    if (this.#rolled.length > 0) keep("seed", null);
    this.forget();
    this.#colouring.seed = seedOf() ?? nextSeed(manifest ?? {}, own ? this.#colouring.seed : lastSeed());
  }

  /** A sheet has come back, with its colouring. @param {number} seed */
  restore(seed) {
    this.#colouring.seed = seed;
    if (seedOf() !== null) keep("seed", seed);
    this.forget();
  }

  /** Another colouring of the same drawing. The address keeps the number. */
  #roll() {
    const before = this.#colouring.seed;
    const seed = this.#colouring.roll();
    if (seed === null) return;
    this.#rolled.push(before);
    this.#tell(seed);
  }

  /** The colouring before. */
  #unroll() {
    const seed = this.#rolled.pop();
    if (seed === undefined) return;
    this.#colouring.seed = seed;
    this.#colouring.paint();
    this.#tell(seed);
  }

  /** @param {number} seed of the colouring that has been asked for */
  #tell(seed) {
    keep("seed", seed);
    get("undice").hidden = this.#rolled.length === 0;
    this.#onroll();
  }
}
