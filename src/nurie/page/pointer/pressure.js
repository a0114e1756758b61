// How wide a pen's line is where it is pressed so hard.

/** @typedef {Pick<PointerEvent, "pointerType" | "pressure">} Pressed */

/** Lines are so many times as wide at the lightest touch, and at the hardest; an easy hand's 0.45 is about the usual width. */
const LIGHTEST = 0.5;
export const HARDEST = 1.6;

/** What a pen's first sample is where it says 0, as Apple's does. */
const FIRST = 0.2;
/** What is told of pens that know no pressure (Pointer Events, `pressure`). */
const UNKNOWN = 0.5;
/** How much of a change counts at once. */
const PROMPT = 0.6;

export class Pressure {
  #pressure;

  /** @param {Pressed} first sample of a line */
  constructor({ pressure }) {
    this.#pressure = pressure > 0 ? pressure : FIRST;
  }

  /**
   * Whether a line has a pressure at all, from its first sample: pens only.
   * @param {Pressed} first
   */
  static known({ pointerType, pressure }) {
    return pointerType === "pen" && pressure !== UNKNOWN;
  }

  /**
   * @param {Pressed} sample
   * @returns {number} part of the width of the hardest touch, 0 to 1
   */
  follow({ pressure }) {
    if (pressure > 0) this.#pressure += PROMPT * (pressure - this.#pressure);
    return (LIGHTEST + (HARDEST - LIGHTEST) * Math.min(1, this.#pressure)) / HARDEST;
  }
}
