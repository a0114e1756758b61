// A drawing as pixels, at any scale. Following its steps costs what they cost, however many there are. No DOM.

import { Layers, WHITE } from "./layers.js";
import { Mask } from "./mask.js";
import { clipped, isEmpty, NOWHERE, union } from "./rect.js";

/**
 * @typedef {import("./rect.js").Rect} Rect
 * @typedef {import("./drawing.js").Step} Step
 * @typedef {import("./drawing.js").Sheet} Sheet
 * @typedef {import("./drawing.js").Stroke} Stroke
 *
 * What lies on the sheet, and the line that is being drawn.
 * @typedef {{steps: Step[], current: Stroke | null}} Shown
 *
 * A step that has been drawn, and what was there before; null where that is too much to keep.
 * @typedef {{step: Step, before: import("./layers.js").Patch | null}} Done
 */

/** Bytes of what was there before that are kept. */
const KEPT = 1 << 25;
/** Of so many steps at most where all is drawn anew: going back further, all is drawn anew again. */
const LATEST = 256;

export class Surface {
  /** `redraw` after a change. */
  paper = WHITE;
  #coloured = true;
  width = 0;
  height = 0;
  #view = { scale: 1, left: 0, top: 0, sheet: { width: 1, height: 1 } };
  #layers = new Layers(0, 0);
  /** The layer of ink, to draw on. */
  #ink = new Mask(0, 0, this.#view);
  /** Of a stroke: what its next points leave as it is, and its end. */
  #mask = new Mask(0, 0, this.#view);
  #end = new Mask(0, 0, this.#view);
  /** @type {Done[]} */
  #done = [];
  /** Number of the first of them that has its `before`, and bytes of all those. */
  #first = 0;
  #kept = 0;
  /** That is shown, of which so many spans are in the mask. @type {Stroke | null} */
  #current = null;
  #spans = 0;
  /** @type {Rect} */
  #changed = NOWHERE;

  /**
   * How many pixels there are, and what they show; `redraw` next.
   * @param {number} width
   * @param {number} height
   * @param {{width: number, height: number}} sheet in model pixels
   * @param {import("./mask.js").View} [view] none: all of the sheet
   */
  resize(width, height, sheet, view = { scale: width / sheet.width, left: 0, top: 0 }) {
    this.#view = { ...view, sheet };
    if (width !== this.width || height !== this.height) {
      Object.assign(this, { width, height });
      this.#layers = new Layers(width, height);
      this.#ink = new Mask(width, height, this.#view, this.#layers.ink);
      this.#mask = new Mask(width, height, this.#view);
      this.#end = new Mask(width, height, this.#view);
    } else for (const mask of [this.#ink, this.#mask, this.#end]) mask.view = this.#view;
  }

  /** Whether colours are seen. After a change `update` shows the line that is being drawn. */
  get coloured() {
    return this.#coloured;
  }

  set coloured(coloured) {
    if (coloured === this.#coloured) return;
    this.#coloured = coloured;
    this.#compose(this.#layers.whole);
  }

  /** Which part of the sheet it shows. @returns {import("./mask.js").View} */
  get view() {
    return this.#view;
  }

  /** RGBA, the surface's own. */
  get pixels() {
    return this.#layers.pixels;
  }

  /** Where pixels have changed since this was last asked; null: nowhere. @returns {Rect | null} */
  changed() {
    const rect = this.#changed;
    this.#changed = NOWHERE;
    return isEmpty(rect) ? null : rect;
  }

  /**
   * Show what another surface does, which is as large as the sheet: its pixels as squares.
   * @param {Surface} other
   * @param {boolean} [all] not only what has changed there
   */
  mirror(other, all = false) {
    const changed = other.changed();
    const area = all ? other.#layers.whole : changed;
    if (!area) return;
    if (all) this.#layers.clear(this.paper);
    const { scale, left, top } = this.#view;
    const at = (/** @type {number} */ side, /** @type {number} */ start) => (side - start) * scale;
    const rect = clipped(this, {
      left: at(area.left, left),
      top: at(area.top, top),
      right: at(area.right, left),
      bottom: at(area.bottom, top),
    });
    this.#layers.place(other, this.#view, rect);
    this.#compose(rect);
  }

  /** Everything anew. @param {Shown} shown */
  redraw(shown) {
    Array.from(this.redrawing(shown));
  }

  /**
   * Everything anew, a stroke at a time: nothing else may be asked until all are there, and `changed` are the pixels then.
   * @param {Shown} shown
   */
  *redrawing({ steps, current }) {
    this.#lift();
    // What a sheet covers is not drawn, so that there is nothing to go back to from it.
    const start = 1 + steps.findLastIndex(({ tool }) => tool === "sheet");
    this.#done = steps.slice(0, start).map((step) => ({ step, before: null }));
    this.#first = Math.max(start, steps.length - LATEST);
    this.#kept = 0;
    yield* this.#begin(/** @type {Sheet | undefined} */ (steps[start - 1]));
    for (const step of steps.slice(start)) yield this.#add(step);
    this.#compose(this.#layers.whole);
    if (current) this.#draft(current);
  }

  /** What is new, and what is no longer there. @param {Shown} shown */
  update({ steps, current }) {
    if (current !== this.#current) this.#lift();
    while (this.#done.length > 0 && this.#done.at(-1)?.step !== steps[this.#done.length - 1]) {
      const before = this.#done.pop()?.before;
      if (!before) return this.redraw({ steps, current });
      this.#kept -= size(before);
      this.#layers.paste(before);
      this.#compose(before.rect);
    }
    for (const step of steps.slice(this.#done.length)) this.#compose(this.#add(step));
    if (current) this.#draft(current);
  }

  /**
   * Draw a step.
   * @param {Step} step
   * @returns {Rect} where
   */
  #add(step) {
    if (step.tool === "sheet" || step.tool === "wash") {
      this.#keep(step, this.#layers.whole);
      if (step.tool === "wash") this.#layers.wash();
      else Array.from(this.#begin(step));
      return this.#layers.whole;
    }
    if (this.#done.length < this.#first) {
      this.#done.push({ step, before: null });
      this.#quick(step);
      return this.#layers.whole;
    }
    return this.#stroke(step, (rect) => this.#keep(step, rect));
  }

  /** A stroke at a time. @param {Sheet} [sheet] none: an empty one */
  *#begin(sheet) {
    this.#layers.clear(this.paper);
    if (!sheet) return;
    if (sheet.picture) this.#layers.place(sheet.picture, this.#view);
    for (const stroke of sheet.strokes) yield this.#quick(stroke);
  }

  /** A stroke under which nothing is kept. @param {Stroke} stroke */
  #quick(stroke) {
    if (this.#layers.inks(stroke)) this.#ink.draw(stroke);
    else this.#stroke(stroke);
  }

  /**
   * @param {Stroke} stroke
   * @param {(rect: Rect) => void} [before] what is there changes
   * @returns {Rect} where
   */
  #stroke(stroke, before) {
    this.#mask.draw(stroke);
    const { rect } = this.#mask;
    before?.(rect);
    this.#layers.lay(stroke, rect, [this.#mask]);
    this.#mask.clear();
    return rect;
  }

  /**
   * @param {Step} step that will change what is there
   * @param {Rect} rect
   */
  #keep(step, rect) {
    if (this.#done.length < this.#first) {
      this.#done.push({ step, before: null });
      return;
    }
    const before = this.#layers.cut(rect);
    this.#done.push({ step, before });
    for (this.#kept += size(before); this.#kept > KEPT && this.#first < this.#done.length - 1; this.#first++) {
      const oldest = this.#done[this.#first];
      this.#kept -= size(oldest.before);
      oldest.before = null;
    }
  }

  /** Show a line that is being drawn. @param {Stroke} stroke */
  #draft(stroke) {
    this.#current = stroke;
    let rect = this.#end.rect;
    this.#end.clear();
    if (stroke.tool === "box") this.#end.draw(stroke);
    else {
      // A span depends on the point after it.
      const last = Math.max(0, stroke.points.length / 2 - 2);
      while (this.#spans < last) rect = union(rect, this.#mask.drawSpan(stroke, this.#spans++));
      this.#end.drawSpan(stroke, last);
    }
    rect = union(rect, this.#end.rect);
    const before = this.#layers.cut(rect);
    this.#layers.lay(stroke, rect, [this.#mask, this.#end]);
    this.#compose(rect);
    this.#layers.paste(before);
  }

  /** The line that was being drawn is no longer shown. */
  #lift() {
    const rect = union(this.#mask.rect, this.#end.rect);
    this.#mask.clear();
    this.#end.clear();
    this.#current = null;
    this.#spans = 0;
    this.#compose(rect);
  }

  /** @param {Rect} rect */
  #compose(rect) {
    if (isEmpty(rect)) return;
    this.#layers.compose(rect, this.#coloured);
    this.#changed = union(this.#changed, rect);
  }
}

/** @param {import("./layers.js").Patch | null} patch */
const size = (patch) => (patch ? patch.ink.length + patch.colours.length : 0);
