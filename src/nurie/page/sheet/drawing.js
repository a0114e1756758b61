// The drawing: what was done to the sheet, step by step. Pure, without canvas or DOM; lengths are model pixels.

import { sheetWith } from "./fresh.js";

/**
 * @typedef {import("../formats.d.ts").Line} Line
 * @typedef {import("../png.js").Picture} Picture
 *
 * @typedef {"pencil" | "box" | "eraser"} Tool
 *
 * A line of the pencil or of the eraser, or boxes: each has two points, its corners.
 * @typedef {Line & {tool: Tool}} Stroke
 *
 * A fresh sheet: empty, or with a preset's strokes or picture on it. seeds: the colourings before it and of it.
 * @typedef {{tool: "sheet", strokes: Stroke[], picture?: Picture, seeds?: number[]}} Sheet
 *
 * All colours are taken off.
 * @typedef {{tool: "wash"}} Wash
 *
 * @typedef {Stroke | Sheet | Wash} Step
 */

/** Points lie on a grid this many times finer than the model's pixels, so that what is seen is what is kept. */
const GRID = 4;
/** A closer point than this says nothing new. */
const NEAREST = 0.4;
/** Pressures are kept so finely. */
const LEVELS = 64;

const onGrid = (/** @type {number} */ at) => Math.round(at * GRID) / GRID;
const level = (/** @type {number} */ pressure) => Math.round(pressure * LEVELS) / LEVELS;

/** @param {Step} step */
const isPreset = (step) => step.tool === "sheet" && (step.picture !== undefined || step.strokes.length > 0);

export class Drawing {
  /** @type {Step[]} */
  #steps = [];
  #done = 0;
  /** @type {Stroke | null} */
  #current = null;
  /** It fills an area. */
  #fills = false;

  /** The line that is being drawn. */
  get current() {
    return this.#current;
  }

  /** What was done and not undone. */
  get steps() {
    return this.#steps.slice(0, this.#done);
  }

  get canUndo() {
    return this.#done > 0;
  }

  get canRedo() {
    return this.#done < this.#steps.length;
  }

  /** Has the visitor drawn on the newest sheet, or emptied it, undone or not? A preset alone is not his own. */
  get touched() {
    const last = this.#steps.at(-1);
    return this.#current !== null || (last !== undefined && !isPreset(last));
  }

  /** Is there anything that the visitor did, on this sheet or on one before? */
  get own() {
    return !this.#steps.every(isPreset);
  }

  /** Nothing is to be seen. */
  get empty() {
    const { picture, strokes } = this.shown;
    const all = this.#current ? [...strokes, this.#current] : strokes;
    return !picture && all.every((stroke) => stroke.tool === "eraser");
  }

  /** Is there any colour to be seen? */
  get coloured() {
    return this.shown.strokes.some((stroke) => stroke.colour);
  }

  /**
   * What lies on the sheet, the line that is being drawn apart.
   * @returns {{picture?: Picture, strokes: Stroke[]}}
   */
  get shown() {
    const start = this.#steps.findLastIndex((step, i) => i < this.#done && step.tool === "sheet");
    const sheet = /** @type {Sheet | undefined} */ (this.#steps[start]);
    let strokes = [...(sheet?.strokes ?? [])];
    for (const step of this.#steps.slice(start + 1, this.#done)) {
      if (step.tool === "wash") strokes = strokes.filter(({ colour }) => !colour);
      else strokes.push(/** @type {Stroke} */ (step));
    }
    return { picture: sheet?.picture, strokes };
  }

  /** All that it takes to go on with it later. */
  get state() {
    return { steps: [...this.#steps], done: this.#done };
  }

  /** @param {{steps: Step[], done: number}} state that another drawing had */
  restore({ steps, done }) {
    this.#current = null;
    this.#steps = [...steps];
    this.#done = done;
  }

  /**
   * The sheet has another size: what was drawn keeps its form, as large as fits, in the middle.
   * @param {{width: number, height: number}} from
   * @param {{width: number, height: number}} to
   * @returns {number} how many times as large
   */
  fit(from, to) {
    const scale = Math.min(to.width / from.width, to.height / from.height);
    const left = (to.width - scale * from.width) / 2;
    const top = (to.height - scale * from.height) / 2;
    for (const stroke of this.#all) {
      stroke.width *= scale;
      stroke.points = stroke.points.map((at, i) => scale * at + (i % 2 ? top : left));
    }
    return scale;
  }

  /**
   * Another pencil is taken, whose lines are so many times as wide: all that is drawn in ink becomes the new one's.
   * @param {number} times
   */
  widen(times) {
    for (const stroke of this.#all) if (stroke.tool === "pencil" && !stroke.colour) stroke.width *= times;
  }

  /** Every line, undone ones and that of the moment too. @returns {Stroke[]} */
  get #all() {
    const strokes = this.#steps.flatMap((step) => {
      if (step.tool === "wash") return [];
      return step.tool === "sheet" ? step.strokes : [step];
    });
    return this.#current ? [...strokes, this.#current] : strokes;
  }

  /**
   * Put a tool down.
   * @param {Tool} tool
   * @param {number} width
   * @param {number} x
   * @param {number} y
   * @param {string} [colour]
   * @param {number} [pressure] 0 to 1; none: the tool does not know it
   */
  begin(tool, width, x, y, colour, pressure) {
    this.#fills = false;
    const points = tool === "box" ? [x, y, x, y].map(Math.round) : [onGrid(x), onGrid(y)];
    const pressures = pressure === undefined || tool === "box" ? undefined : [level(pressure)];
    this.#current = { tool, width, points, ...(colour && { colour }), ...(pressures && { pressures }) };
  }

  /**
   * Fill an area, which `extend` leaves as it is.
   * @param {number[]} points corners of the boxes that cover it; none: nothing is filled
   * @param {number} width
   * @param {string} [colour]
   */
  fill(points, width, colour) {
    this.#fills = true;
    this.#current = { tool: "box", width, points, colour };
  }

  /**
   * Go on to a point, which a box has as its second corner. Boxes have whole pixels, as label maps do.
   * @param {number} x
   * @param {number} y
   * @param {number} [pressure]
   */
  extend(x, y, pressure = 1) {
    if (!this.#current || this.#fills) return;
    const { tool, points, pressures } = this.#current;
    if (tool === "box") {
      points.splice(2, 2, Math.round(x), Math.round(y));
      return;
    }
    const [lastX, lastY] = points.slice(-2);
    const [toX, toY] = [onGrid(x), onGrid(y)];
    if (Math.hypot(toX - lastX, toY - lastY) < NEAREST) return;
    points.push(toX, toY);
    pressures?.push(level(pressure));
  }

  /** Lift it: the line is a step now, and so are boxes if they cover anything. */
  end() {
    const { tool, points } = this.#current ?? {};
    const nothing = tool === "box" && points && (points[0] === points[2] || points[1] === points[3]);
    if (this.#current && !nothing) this.#add(this.#current);
    this.#current = null;
  }

  /** Forget the line that is being drawn. */
  cancel() {
    this.#current = null;
  }

  /**
   * A fresh sheet, with a preset on it or empty. Undo brings the old one back.
   * @param {{strokes?: Line[], picture?: Picture}} [preset]
   * @param {number[]} [seeds] the colourings before it and of it
   */
  place(preset = {}, seeds = undefined) {
    this.#current = null;
    this.#add(sheetWith(preset, seeds));
  }

  /** Take off all colours. Undo brings them back. */
  wash() {
    this.#current = null;
    this.#add({ tool: "wash" });
  }

  /** @returns {Step | null} what was undone */
  undo() {
    return this.#current || !this.canUndo ? null : this.#steps[--this.#done];
  }

  /** @returns {Step | null} what was done again */
  redo() {
    return this.#current || !this.canRedo ? null : this.#steps[this.#done++];
  }

  /** @param {Step} step */
  #add(step) {
    this.#steps.length = this.#done;
    this.#steps.push(step);
    this.#done += 1;
  }
}
