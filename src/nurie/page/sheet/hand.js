// Mouse, pen and finger -> strokes. Pressure is ignored for now.

/** @typedef {import("./drawing.js").Drawing} Drawing */

/** Line widths in model pixels, at least. */
const ERASER = 14;
const COLOUR = 6;

/** The bit of `buttons` that a pen turned upside down sets. */
const PEN_ERASER = 32;

export class Hand {
  /** @type {import("./drawing.js").Tool} */
  tool = "pencil";
  /** Width of the pencil's lines, in model pixels. */
  pencil = 2;
  /** Of the pencil and of boxes; undefined: black ink. @type {string | undefined} */
  colour;
  #canvas;
  #drawing;
  #size;
  #onchange;
  /** @type {number | null} */
  #pointer = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Drawing} drawing
   * @param {{width: number, height: number}} size of the drawing, in model pixels
   * @param {(finished: boolean) => void} onchange
   */
  constructor(canvas, drawing, size, onchange) {
    this.#canvas = canvas;
    this.#drawing = drawing;
    this.#size = size;
    this.#onchange = onchange;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#cancel(event));
    canvas.addEventListener("contextmenu", (event) => this.#pointer !== null && event.preventDefault());
    // iOS: without this a long press selects, and two quick dots zoom.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const erases = (event.buttons & PEN_ERASER) !== 0;
    // One pointer draws; a second finger and the palm wait.
    if (this.#pointer !== null || (event.button !== 0 && !erases)) return;
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    const tool = erases ? "eraser" : this.tool;
    const colour = tool === "eraser" ? undefined : this.colour;
    const least = tool === "eraser" ? ERASER : colour ? COLOUR : 0;
    this.#drawing.begin(tool, Math.max(least, this.pencil), ...this.#position(event), colour);
    this.#onchange(false);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#drawing.extend(...this.#position(each));
    this.#onchange(false);
  }

  /** @param {PointerEvent} event */
  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#drawing.extend(...this.#position(event));
    this.#drawing.end();
    this.#onchange(true);
  }

  /** @param {PointerEvent} event */
  #cancel(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#drawing.cancel();
    this.#onchange(true);
  }

  /**
   * @param {PointerEvent} event
   * @returns {[number, number]} model pixels
   */
  #position({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const x = ((clientX - left) / width) * this.#size.width;
    const y = ((clientY - top) / height) * this.#size.height;
    return [x, y];
  }
}
