// The visitor's sheet: what is drawn, as it is seen and as the engine gets it.

import { Cursor } from "../pointer/cursor.js";
import { Hand } from "../pointer/hand.js";
import { Keys } from "../pointer/keys.js";
import { placeOf, WHOLE } from "../pointer/view.js";
import { area } from "./area.js";
import { Brush } from "./brush.js";
import { refresh } from "./canvas.js";
import { Drawing } from "./drawing.js";
import { Glide } from "./glide.js";
import { Surface } from "./surface.js";

/**
 * @typedef {import("../pointer/view.js").View} View
 *
 * @typedef {object} Listener
 * @property {(steps: {canUndo: boolean, canRedo: boolean}) => void} onsteps these may be others now
 * @property {() => void} onchange the visitor has changed the drawing; once a frame at most while a line is drawn
 * @property {(seed: number) => void} onseed undone or done again was a fresh sheet: it has another colouring
 * @property {() => void} onpen a pen was seen for the first time
 * @property {() => void} onrefuse a finger would draw, but there is a pen
 * @property {(zoom: number) => void} onzoom the sheet is seen so many times as large as the whole of it
 * @property {(what: string, where: {x: number, y: number}) => void} onsay what the pen that keys move has done, and where,
 *     in percent of the sheet
 */

/** Milliseconds of drawing anew, after which pointers and keys have their turn. */
const SLICE = 16;

export class Pad {
  brush = new Brush();
  hand;
  #keys;
  #cursor;
  #canvas;
  #size;
  #drawing = new Drawing();
  #listener;
  /** At the size that it has on the page. */
  #shown = new Surface();
  /** At the model's size. */
  #input = new Surface();
  /** In which the line that is being drawn will be shown. */
  #frame = 0;
  /** While what is seen moves, and until it is drawn anew. @type {Glide | null} */
  #glide = null;
  /** For the next strokes of that. */
  #slice = 0;
  /** Where the pointer is. @type {{x: number, y: number} | null} */
  #hover = null;

  /**
   * @param {HTMLCanvasElement} canvas that is seen and drawn on
   * @param {Listener} listener
   * @param {{width: number, height: number}} size in model pixels, until `suit` says another
   */
  constructor(canvas, listener, size) {
    this.#size = { ...size };
    this.#canvas = canvas;
    this.#listener = listener;
    this.#cursor = new Cursor(canvas);
    const lines = this.#lines();
    this.hand = new Hand(canvas, this.#size, {
      ...lines,
      onretract: () => this.undo(),
      onundo: () => this.undo(),
      onredo: () => this.redo(),
      onpen: listener.onpen,
      onrefuse: listener.onrefuse,
      onview: (view, finished) => this.#look(view, finished),
      onhover: (where) => this.#point(where),
    });
    this.#keys = new Keys(canvas, this.hand, this.#size, {
      ...lines,
      onmove: (at, down) => {
        this.#cursor.showPen(at && placeOf(this.hand.view, this.#size, at), down);
        if (down) lines.onchange();
      },
      onsay: listener.onsay,
    });
    this.#resize(size);
    this.#redraw();
    keepCrisp(canvas, (pixels) => this.#sharpen(pixels));
  }

  /** Has the visitor drawn on the newest sheet, or emptied it? */
  get touched() {
    return this.#drawing.touched;
  }

  /** Is nothing to be seen? */
  get empty() {
    return this.#drawing.empty;
  }

  /** Has the drawing any colours, seen or not? */
  get hasColours() {
    return this.#drawing.coloured;
  }

  /** All that it takes to go on with the drawing later, and whether the visitor has done anything to it. */
  get state() {
    const { state, own } = this.#drawing;
    return {
      ...state,
      own,
      size: { ...this.#size },
      pencil: this.brush.pencil,
      paper: this.#input.paper,
      coloured: this.coloured,
    };
  }

  /** Whether colours are seen, and heeded. They show when one is drawn. */
  get coloured() {
    return this.#input.coloured;
  }

  set coloured(coloured) {
    if (coloured === this.coloured) return;
    this.#shown.coloured = this.#input.coloured = coloured;
    this.#follow();
    this.#listener.onchange();
  }

  /** What pointers and keys draw. */
  #lines() {
    return {
      /**
       * @param {number} x
       * @param {number} y
       * @param {import("../pointer/hand.js").How} [how]
       */
      onbegin: (x, y, how = {}) => {
        if (!this.#drawing.current) this.#begin(x, y, how);
      },
      /**
       * @param {number} x
       * @param {number} y
       * @param {number} [pressure]
       */
      onextend: (x, y, pressure) => this.#drawing.extend(x, y, pressure),
      onchange: () => this.#changed(false),
      onend: () => {
        this.#drawing.end();
        this.#changed(true);
      },
      oncancel: () => {
        this.#drawing.cancel();
        this.#changed(true);
      },
    };
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {import("../pointer/hand.js").How} how
   */
  #begin(x, y, { erases, pressure, wider = 1 }) {
    if (this.#glide) this.#sharpen();
    const { tool, width, colour } = this.brush.take(erases || undefined);
    if (colour) this.coloured = true;
    if (tool === "fill") this.#drawing.fill(area(this.#input, x, y, this.brush.labels, colour), width, colour);
    else this.#drawing.begin(tool, wider * width, x, y, colour, pressure);
    this.#changed(false);
  }

  /** The drawing's RGBA at the model's size, a copy. */
  pixels() {
    return this.#input.pixels.slice();
  }

  undo() {
    this.#went(this.#drawing.undo(), 0);
  }

  redo() {
    this.#went(this.#drawing.redo(), 1);
  }

  /**
   * @param {import("./drawing.js").Step | null} step back or forth over it
   * @param {0 | 1} which of its colourings counts now
   */
  #went(step, which) {
    if (!step) return;
    if (step.tool === "sheet" && step.seeds) this.#listener.onseed(step.seeds[which]);
    this.#changed(true);
  }

  /** An empty sheet. Undo brings the old one back. @param {number[]} seeds the colourings before it and of it */
  clear(seeds) {
    if (!this.empty) this.#drawing.place({}, seeds);
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
   * @param {number[]} seeds the colourings before it and of it
   */
  place(sample, seeds) {
    this.#drawing.place(sample, seeds);
    this.#follow();
  }

  /**
   * Go on with another drawing, made to fit this sheet; `onchange` is not called.
   * @param {{steps: import("./drawing.js").Step[], done: number, size: {width: number, height: number}, pencil: number,
   *     coloured?: boolean}} state
   */
  restore({ steps, done, size, pencil, coloured = true }) {
    this.#keys.leave();
    this.#shown.coloured = this.#input.coloured = coloured;
    this.#drawing.restore({ steps, done });
    this.#drawing.widen(this.brush.pencil / (pencil * this.#drawing.fit(size, this.#size)));
    this.#redraw();
  }

  /**
   * Be a sheet as a model knows it; `onchange` is not called. What was drawn keeps its form, and what is in ink is
   * redrawn with the model's pencil: it can make little of the lines of another.
   * @param {{width: number, height: number}} size
   * @param {number} pencil width of its lines, in model pixels
   * @param {import("./layers.js").Paper} paper under the drawing
   */
  suit(size, pencil, paper) {
    this.#keys.leave();
    this.hand.view = WHOLE;
    this.#listener.onzoom(1);
    this.brush.pencil *= this.#drawing.fit(this.#size, size);
    this.#drawing.widen(pencil / this.brush.pencil);
    this.brush.pencil = pencil;
    this.#shown.paper = this.#input.paper = paper;
    this.#resize(size);
    this.#redraw();
  }

  /**
   * Another part of the sheet is seen.
   * @param {View} view
   * @param {boolean} finished it stays for now
   */
  #look(view, finished) {
    this.#listener.onzoom(view.zoom);
    clearTimeout(this.#slice);
    this.#glide ??= new Glide(this.#canvas, this.#shown.view);
    this.#glide.show(this.#viewed(view), this.#shown.paper.colour);
    if (finished) this.#settle();
    this.#point(this.#hover);
  }

  /** What is seen stays: it is drawn anew, in slices, but at once where a line begins meanwhile. */
  #settle() {
    if (this.#shown.paper.covered) return this.#sharpen();
    this.#magnify();
    const strokes = this.#shown.redrawing(this.#drawing);
    const draw = () => {
      const end = performance.now() + SLICE;
      while (!strokes.next().done) {
        if (performance.now() < end) continue;
        this.#slice = window.setTimeout(draw);
        return;
      }
      this.#glide = null;
      this.#update();
    };
    draw();
  }

  /** @param {View} view @param {number} [width] device pixels that the sheet has on the page */
  #viewed({ zoom, left, top }, width = this.#canvas.width) {
    return { scale: (zoom * width) / this.#size.width, left, top };
  }

  /**
   * The pointer is here: where its tool covers more than a point, that is seen.
   * @param {{x: number, y: number} | null} where CSS pixels from the sheet's corner
   */
  #point(where) {
    this.#hover = where;
    const { kind, width } = this.brush;
    const seen = where && kind !== "ink";
    this.#cursor.showRing(
      seen ? where : null,
      (width * this.hand.view.zoom * this.#canvas.clientWidth) / this.#size.width,
    );
  }

  /** @param {{width: number, height: number}} size */
  #resize({ width, height }) {
    Object.assign(this.#size, { width, height });
    document.documentElement.style.setProperty("--shape", `${width} / ${height}`);
    this.#input.resize(width, height, this.#size);
    this.#magnify();
  }

  /** @param {{width: number, height: number}} [pixels] that the sheet has on the page, device pixels */
  #magnify({ width, height } = this.#canvas) {
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#shown.resize(width, height, this.#size, this.#viewed(this.hand.view, width));
  }

  /** What is seen, anew. @param {{width: number, height: number}} [pixels] */
  #sharpen(pixels) {
    this.#magnify(pixels);
    this.#see(true);
    refresh(this.#canvas, this.#shown);
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
    this.#input.update(this.#drawing);
    if (this.#glide) return;
    this.#see();
    refresh(this.#canvas, this.#shown);
  }

  /** Everything. */
  #redraw() {
    this.#input.redraw(this.#drawing);
    this.#see(true);
    this.#follow();
  }

  /** Of a label map the pixels are seen as they are kept. @param {boolean} [all] not only what has changed */
  #see(all) {
    const shown = this.#shown;
    if (all) {
      clearTimeout(this.#slice);
      this.#glide = null;
    }
    if (this.#input.paper.covered) shown.mirror(this.#input, all);
    else if (all) shown.redraw(this.#drawing);
    else shown.update(this.#drawing);
  }
}

/**
 * Keep a canvas as sharp as the screen, whatever its size on the page.
 * @param {HTMLCanvasElement} canvas
 * @param {(pixels: {width: number, height: number}) => void} onresize device pixels
 */
function keepCrisp(canvas, onresize) {
  const measure = () => {
    const box = canvas.getBoundingClientRect();
    const [width, height] = [box.width, box.height].map((side) => Math.round(side * devicePixelRatio));
    if (width > 0 && (width !== canvas.width || height !== canvas.height)) onresize({ width, height });
  };
  new ResizeObserver(measure).observe(canvas);
  // Moved to another screen, or zoomed: the size in CSS pixels may stay while the ratio changes.
  addEventListener("resize", measure);
}
