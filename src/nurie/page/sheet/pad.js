// The visitor's sheet: what is drawn, as it is seen and as the engine gets it.

import { refresh } from "./canvas.js";
import { Drawing } from "./drawing.js";
import { Hand } from "./hand.js";
import { Surface } from "./surface.js";

/** Before a model says otherwise. */
const USUAL_SIZE = { width: 256, height: 256 };

/**
 * @typedef {object} Listener
 * @property {(steps: {canUndo: boolean, canRedo: boolean, coloured: boolean}) => void} onsteps these may be others now
 * @property {() => void} onchange the visitor has changed the drawing; once a frame at most while a line is drawn
 */

export class Pad {
  hand;
  #canvas;
  #size = { ...USUAL_SIZE };
  #drawing = new Drawing();
  #listener;
  /** At the size that it has on the page. */
  #shown = new Surface();
  /** At the model's size. */
  #input = new Surface();
  /** In which the line that is being drawn will be shown. */
  #frame = 0;

  /**
   * @param {HTMLCanvasElement} canvas that is seen and drawn on
   * @param {Listener} listener
   */
  constructor(canvas, listener) {
    this.#canvas = canvas;
    this.#listener = listener;
    this.hand = new Hand(canvas, this.#drawing, this.#size, (finished) => this.#changed(finished));
    this.#resize(USUAL_SIZE);
    this.#redraw();
    keepCrisp(canvas, (width, height) => {
      this.#magnify(width, height);
      this.#shown.redraw(this.#drawing);
      refresh(canvas, this.#shown);
    });
  }

  /** Has the visitor drawn on the newest sheet, or emptied it? */
  get touched() {
    return this.#drawing.touched;
  }

  /** Whether colours are seen, and heeded. They show when one is drawn. */
  get coloured() {
    return this.#input.coloured;
  }

  set coloured(coloured) {
    if (coloured === this.coloured) return;
    this.#shown.coloured = this.#input.coloured = coloured;
    this.#redraw();
    this.#listener.onchange();
  }

  /** The drawing's RGBA at the model's size, a copy. */
  pixels() {
    return this.#input.pixels.slice();
  }

  undo() {
    if (this.#drawing.undo()) this.#changed(true);
  }

  redo() {
    if (this.#drawing.redo()) this.#changed(true);
  }

  /** An empty sheet. Undo brings the old one back. */
  clear() {
    if (!this.#drawing.empty) this.#drawing.place();
    this.#changed(true);
  }

  /** Take off all colours. Undo brings them back. */
  wash() {
    if (this.#drawing.coloured) this.#drawing.wash();
    this.#changed(true);
  }

  /**
   * A fresh sheet with a sample on it, which is not the visitor's own: `onchange` is not called.
   * @param {{strokes?: import("../formats.d.ts").Line[], picture?: import("../png.js").Picture}} sample
   */
  place(sample) {
    this.#drawing.place(sample);
    this.#follow();
  }

  /**
   * Be a sheet as a model knows it; `onchange` is not called. What was drawn keeps its form, and what is in ink is
   * redrawn with the model's pencil: it can make little of the lines of another.
   * @param {{width: number, height: number}} size
   * @param {number} pencil width of its lines, in model pixels
   * @param {import("./layers.js").Paper} paper under the drawing
   */
  suit(size, pencil, paper) {
    this.hand.pencil *= this.#drawing.fit(this.#size, size);
    this.#drawing.widen(pencil / this.hand.pencil);
    this.hand.pencil = pencil;
    this.#shown.paper = this.#input.paper = paper;
    this.#resize(size);
    this.#redraw();
  }

  /** @param {{width: number, height: number}} size */
  #resize({ width, height }) {
    Object.assign(this.#size, { width, height });
    document.documentElement.style.setProperty("--shape", `${width} / ${height}`);
    this.#input.resize(width, height, this.#size);
    this.#magnify(this.#canvas.width, this.#canvas.height);
  }

  /**
   * @param {number} width
   * @param {number} height device pixels that the sheet has on the page
   */
  #magnify(width, height) {
    Object.assign(this.#canvas, { width, height });
    this.#shown.resize(width, height, this.#size);
  }

  /** @param {boolean} finished more than the line that is being drawn has changed */
  #changed(finished) {
    if (finished) {
      this.#follow();
      this.#listener.onchange();
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#update();
      this.#listener.onchange();
    });
  }

  /** What has changed. */
  #follow() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#update();
    this.#listener.onsteps(this.#drawing);
  }

  #update() {
    for (const surface of [this.#shown, this.#input]) surface.update(this.#drawing);
    refresh(this.#canvas, this.#shown);
  }

  /** Everything. */
  #redraw() {
    for (const surface of [this.#shown, this.#input]) surface.redraw(this.#drawing);
    this.#follow();
  }
}

/**
 * Keep a canvas as sharp as the screen, whatever its size on the page.
 * @param {HTMLCanvasElement} canvas
 * @param {(width: number, height: number) => void} onresize device pixels
 */
function keepCrisp(canvas, onresize) {
  const measure = () => {
    const box = canvas.getBoundingClientRect();
    const [width, height] = [box.width, box.height].map((side) => Math.round(side * devicePixelRatio));
    if (width > 0 && (width !== canvas.width || height !== canvas.height)) onresize(width, height);
  };
  new ResizeObserver(measure).observe(canvas);
  // Moved to another screen, or zoomed: the size in CSS pixels may stay while the ratio changes.
  addEventListener("resize", measure);
}
