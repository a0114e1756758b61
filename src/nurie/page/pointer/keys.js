// Drawing by keyboard: arrows move a pen over the sheet, Space puts it down and lifts it.

import { following, placeOf } from "./view.js";

/**
 * @typedef {import("./hand.js").Hand} Hand
 *
 * Lengths are model pixels.
 * @typedef {object} Listener
 * @property {(x: number, y: number) => void} onbegin
 * @property {(x: number, y: number) => void} onextend
 * @property {() => void} onend
 * @property {() => void} oncancel
 * @property {(at: {x: number, y: number} | null, down: boolean) => void} onmove the pen is seen here, or not at all
 * @property {(what: "penDown" | "penUp" | "penCancelled" | "penAt", where: {x: number, y: number}) => void} onsay in
 *     percent of the sheet
 */

/** A step is this part of what is seen, and with Shift so many times as long. */
const STEP = 1 / 64;
const LEAP = 4;
const ZOOM = 1.5;
/** The place is told when the pen has stood still so long, in milliseconds. */
const PAUSE = 700;

/** @type {{[key: string]: [number, number]}} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SPACE = " ";

export class Keys {
  #hand;
  #size;
  #listener;
  /** Null: it has not been used. @type {{x: number, y: number} | null} */
  #at = null;
  #seen = false;
  #down = false;
  #waiting = 0;
  /** Space is held, and nothing was moved by it. */
  #held = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Hand} hand
   * @param {{width: number, height: number}} size of the sheet, in model pixels
   * @param {Listener} listener
   */
  constructor(canvas, hand, size, listener) {
    this.#hand = hand;
    this.#size = size;
    this.#listener = listener;
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("keyup", (event) => this.#release(event));
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("pointerdown", () => this.#hide(), { capture: true }); // before a pointer draws
  }

  /** Is a line being drawn? */
  get draws() {
    return this.#down;
  }

  /** The pen is lifted, and is no longer seen. */
  leave() {
    this.#hand.moves = false;
    this.#hide();
  }

  #hide() {
    this.#lift();
    this.#held = this.#seen = false;
    clearTimeout(this.#waiting);
    this.#listener.onmove(null, false);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey) return;
    if (ARROWS[key]) this.#step(ARROWS[key], event.shiftKey);
    else if (key === SPACE) {
      if (!event.repeat) this.#hand.moves = this.#held = true;
    } else if (key === "Escape" && this.#down) this.#cancel();
    else if (key === "+" || key === "=") this.#zoom(ZOOM);
    else if (key === "-") this.#zoom(1 / ZOOM);
    else if (key === "0") this.#zoom(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Space, if the mouse has not moved the sheet meanwhile. @param {KeyboardEvent} event */
  #release({ key }) {
    if (key !== SPACE) return;
    const pressed = this.#held;
    this.#hand.moves = this.#held = false;
    if (!pressed || this.#hand.draws) return;
    if (!this.#seen) {
      this.#show();
      this.#say("penAt");
    } else if (this.#down) {
      this.#lift();
      this.#say("penUp");
    } else {
      const { x, y } = this.#place;
      this.#down = true;
      this.#listener.onbegin(x, y);
      this.#show();
      this.#say("penDown");
    }
  }

  /**
   * @param {[number, number]} direction
   * @param {boolean} far
   */
  #step([right, down], far) {
    if (this.#hand.draws) return;
    const { width, height } = this.#size;
    const step = Math.max(0.25, (STEP * width * (far ? LEAP : 1)) / this.#hand.view.zoom);
    const { x, y } = this.#place;
    const inside = (/** @type {number} */ at, /** @type {number} */ side) => Math.min(side, Math.max(0, at));
    this.#at = { x: inside(x + right * step, width), y: inside(y + down * step, height) };
    if (this.#down) this.#listener.onextend(this.#at.x, this.#at.y);
    this.#show();
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#say("penAt"), PAUSE);
  }

  #cancel() {
    this.#down = false;
    this.#listener.oncancel();
    this.#show();
    this.#say("penCancelled");
  }

  #lift() {
    if (!this.#down) return;
    this.#down = false;
    this.#listener.onend();
    this.#show();
  }

  /** @param {number} times 0: the whole sheet */
  #zoom(times) {
    this.#hand.zoom(times, this.#seen ? placeOf(this.#hand.view, this.#size, this.#place) : undefined);
    this.#show();
  }

  #show() {
    this.#seen = true;
    const { view } = this.#hand;
    const next = following(view, this.#size, this.#place);
    if (next.left !== view.left || next.top !== view.top) this.#hand.look(next);
    this.#listener.onmove(this.#place, this.#down);
  }

  /** @param {"penDown" | "penUp" | "penCancelled" | "penAt"} what */
  #say(what) {
    const { x, y } = this.#place;
    const percent = (/** @type {number} */ at, /** @type {number} */ side) => Math.round((100 * at) / side);
    this.#listener.onsay(what, { x: percent(x, this.#size.width), y: percent(y, this.#size.height) });
  }

  /** In the middle at first. The sheet may have another size now. */
  get #place() {
    const { width, height } = this.#size;
    const { x, y } = this.#at ?? { x: width / 2, y: height / 2 };
    return { x: Math.min(x, width), y: Math.min(y, height) };
  }
}
