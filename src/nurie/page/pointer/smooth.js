// A hand that shakes draws steady lines.

/** How far the line may stay behind the pointer, in CSS pixels. */
export const STEADINESS = { off: 0, gentle: 1.5, strong: 12 };

/**
 * A point that follows the pointer, and is never farther from it than `reach`. Of a step of length d it goes d / (d + reach):
 * what trembles is held back, a fast line is not, as in the one-euro filter (Casiez, Roussel and Vogel 2012); but without
 * clocks, which browsers coarsen.
 */
export class Smooth {
  #reach;
  #x;
  #y;

  /**
   * @param {number} reach 0: none
   * @param {number} x
   * @param {number} y
   */
  constructor(reach, x, y) {
    this.#reach = reach;
    this.#x = x;
    this.#y = y;
  }

  /**
   * @param {number} x
   * @param {number} y where the pointer is
   */
  follow(x, y) {
    const step = Math.hypot(x - this.#x, y - this.#y);
    const part = step > 0 ? step / (step + this.#reach) : 0;
    this.#x += part * (x - this.#x);
    this.#y += part * (y - this.#y);
    return { x: this.#x, y: this.#y };
  }
}
