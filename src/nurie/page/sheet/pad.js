// The visitor's sheet: what is drawn, as it is seen and as the engine gets it.

import { Drawing } from "./drawing.js";
import { Hand } from "./hand.js";
import { Raster } from "./raster.js";

/** Before a model says otherwise. */
const USUAL_SIZE = { width: 256, height: 256 };

/**
 * @typedef {object} Listener
 * @property {(steps: {canUndo: boolean, canRedo: boolean}) => void} onsteps these may be others now
 * @property {() => void} onchange the visitor has changed the drawing; once a frame at most while a line is drawn
 */

export class Pad {
  hand;
  #size = { ...USUAL_SIZE };
  #drawing = new Drawing();
  #listener;
  /** At the size that it has on the page. */
  #shown;
  /** At the model's size. */
  #raster;
  /** In which the line that is being drawn will be shown. */
  #frame = 0;

  /**
   * @param {HTMLCanvasElement} canvas that is seen and drawn on
   * @param {HTMLCanvasElement} input for the engine, hidden
   * @param {Listener} listener
   */
  constructor(canvas, input, listener) {
    this.#listener = listener;
    this.#shown = new Raster(canvas, this.#size);
    this.#raster = new Raster(input, this.#size);
    this.hand = new Hand(canvas, this.#drawing, this.#size, (finished) => this.#changed(finished));
    this.#resize(USUAL_SIZE);
    this.#redraw();
    keepCrisp(canvas, (width, height) => {
      this.#shown.resize(width, height);
      this.#shown.redraw(this.#drawing);
    });
  }

  /** Has the visitor drawn on the newest sheet, or emptied it? */
  get touched() {
    return this.#drawing.touched;
  }

  /** The drawing's RGBA at the model's size, a copy. */
  pixels() {
    return this.#raster.pixels().data;
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

  /**
   * A fresh sheet with a sample on it, which is not the visitor's own: `onchange` is not called.
   * @param {{strokes?: import("../formats.d.ts").Line[], image?: CanvasImageSource}} sample
   */
  place(sample) {
    this.#drawing.place(sample);
    this.#redraw();
  }

  /**
   * Be a sheet as a model knows it; `onchange` is not called. What was drawn keeps its form, and what is in ink is
   * redrawn with the model's pencil: it can make little of the lines of another.
   * @param {{width: number, height: number}} size
   * @param {number} pencil width of its lines, in model pixels
   * @param {import("./raster.js").Paper} paper under the drawing
   */
  suit(size, pencil, paper) {
    this.hand.pencil *= this.#drawing.fit(this.#size, size);
    this.#drawing.widen(pencil / this.hand.pencil);
    this.hand.pencil = pencil;
    this.#shown.paper = this.#raster.paper = paper;
    this.#resize(size);
    this.#redraw();
  }

  /** @param {{width: number, height: number}} size */
  #resize({ width, height }) {
    Object.assign(this.#size, { width, height });
    document.documentElement.style.setProperty("--shape", `${width} / ${height}`);
    this.#raster.resize(width, height);
  }

  /** @param {boolean} finished more than the line that is being drawn has changed */
  #changed(finished) {
    if (finished) {
      this.#redraw();
      this.#listener.onchange();
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#shown.update(this.#drawing);
      this.#raster.update(this.#drawing);
      this.#listener.onchange();
    });
  }

  #redraw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#shown.redraw(this.#drawing);
    this.#raster.redraw(this.#drawing);
    this.#listener.onsteps(this.#drawing);
  }
}

/**
 * Keep a canvas as sharp as the screen, whatever its size on the page.
 * @param {HTMLCanvasElement} canvas
 * @param {(width: number, height: number) => void} onresize device pixels
 */
function keepCrisp(canvas, onresize) {
  const measure = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (width > 0) onresize(Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio));
  };
  new ResizeObserver(measure).observe(canvas);
  // Moved to another screen, or zoomed: the size in CSS pixels may stay while the ratio changes.
  addEventListener("resize", measure);
}
