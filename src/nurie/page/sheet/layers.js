// Ink, and colours over it, as bytes. drawings/strokes.py computes the same ones.

import { isEmpty } from "./rect.js";

/**
 * @typedef {import("./rect.js").Rect} Rect
 * @typedef {import("./mask.js").Mask} Mask
 * @typedef {import("./drawing.js").Stroke} Stroke
 * @typedef {import("../png.js").Picture} Picture
 *
 * What is drawn on. Colours leave the ink under them black, unless everything covers what is there, with hard edges.
 * @typedef {{colour: string, covered: boolean}} Paper
 *
 * A part of the layers. plain: there were no colours anywhere.
 * @typedef {{rect: Rect, ink: Uint8Array, colours: Uint8Array, plain: boolean}} Patch
 */

/** @type {Paper} */
export const WHITE = { colour: "#ffffff", covered: false };
const INK = "#000000";
/** A white pixel. */
const WHITE_WORD = -1;

/** @param {string} colour such as #ff8800 */
export const bytesOf = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

export class Layers {
  /** RGBA of what is seen. */
  pixels;
  /** The same, a pixel a number: all that runs browsers is little-endian. */
  #words;
  #width;
  #height;
  #paper = WHITE;
  /** All colours are white. */
  #plain = true;
  /** 0: paper, 255: black. Strokes of ink may be drawn on it as on a mask: the larger byte stays. */
  ink;
  /** RGB. */
  #colours;

  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.#width = width;
    this.#height = height;
    this.ink = new Uint8Array(width * height);
    this.#colours = new Uint8Array(3 * width * height);
    this.pixels = new Uint8ClampedArray(4 * width * height).fill(255);
    this.#words = new Uint32Array(this.pixels.buffer);
  }

  /** @returns {Rect} */
  get whole() {
    return { left: 0, top: 0, right: this.#width, bottom: this.#height };
  }

  /** An empty sheet. @param {Paper} paper */
  clear(paper) {
    this.#paper = paper;
    this.ink.fill(0);
    this.wash();
  }

  /** Take off all colours. */
  wash() {
    const [red, green, blue] = bytesOf(this.#paper.colour);
    this.#plain = isWhite(red, green, blue);
    const colours = this.#colours;
    if (red === green && green === blue) return void colours.fill(red);
    for (let at = 0; at < colours.length; at += 3) {
      colours[at] = red;
      colours[at + 1] = green;
      colours[at + 2] = blue;
    }
  }

  /**
   * Is that ink, on paper that ink does not cover?
   * @param {Stroke} stroke
   */
  inks({ tool, colour }) {
    return tool !== "eraser" && !colour && !this.#paper.covered;
  }

  /**
   * Put a picture on the sheet, which it fills: of each pixel the nearest.
   * @param {Picture} picture
   * @param {import("./mask.js").View & {sheet: {width: number, height: number}}} view
   * @param {Rect} [rect] where
   */
  place({ width, height, pixels }, { scale, left, top, sheet }, rect = this.whole) {
    this.#plain = false;
    for (let y = rect.top; y < rect.bottom; y++) {
      const row = Math.floor(((y + 0.5) / scale + top) * (height / sheet.height));
      if (row < 0 || row >= height) continue;
      for (let x = rect.left; x < rect.right; x++) {
        const column = Math.floor(((x + 0.5) / scale + left) * (width / sheet.width));
        if (column < 0 || column >= width) continue;
        const from = 4 * (row * width + column);
        const to = 3 * (y * this.#width + x);
        for (let i = 0; i < 3; i++) this.#colours[to + i] = pixels[from + i];
      }
    }
  }

  /**
   * A copy of a part.
   * @param {Rect} rect
   * @returns {Patch}
   */
  cut(rect) {
    const plain = this.#plain;
    if (isEmpty(rect)) return { rect, ink: new Uint8Array(), colours: new Uint8Array(), plain };
    const { left, top, right, bottom } = rect;
    const width = right - left;
    const ink = new Uint8Array(width * (bottom - top));
    const colours = new Uint8Array(3 * ink.length);
    for (let y = top, to = 0; y < bottom; y++, to += width) {
      const from = y * this.#width + left;
      ink.set(this.ink.subarray(from, from + width), to);
      colours.set(this.#colours.subarray(3 * from, 3 * (from + width)), 3 * to);
    }
    return { rect, ink, colours, plain };
  }

  /** Put it back: all is as it was then. @param {Patch} patch */
  paste({ rect, ink, colours, plain }) {
    this.#plain = plain;
    const width = rect.right - rect.left;
    for (let y = rect.top, from = 0; y < rect.bottom; y++, from += width) {
      const to = y * this.#width + rect.left;
      this.ink.set(ink.subarray(from, from + width), to);
      this.#colours.set(colours.subarray(3 * from, 3 * (from + width)), 3 * to);
    }
  }

  /**
   * Draw a stroke.
   * @param {Stroke} stroke
   * @param {Rect} rect where
   * @param {Mask[]} masks what it covers: the larger one counts
   */
  lay(stroke, { left, top, right, bottom }, [{ bytes }, more]) {
    const { ink } = this;
    const { covered } = this.#paper;
    const erases = stroke.tool === "eraser";
    const inks = this.inks(stroke);
    const [red, green, blue] = bytesOf(erases ? this.#paper.colour : (stroke.colour ?? INK));
    const colours = this.#colours;
    if (!inks && !isWhite(red, green, blue)) this.#plain = false;
    for (let y = top; y < bottom; y++) {
      for (let at = y * this.#width + left; at < y * this.#width + right; at++) {
        let part = more ? Math.max(bytes[at], more.bytes[at]) : bytes[at];
        if (covered) part = part < 128 ? 0 : 255;
        if (part === 0) continue;
        if (inks) {
          ink[at] = Math.max(ink[at], part);
          continue;
        }
        if (erases) ink[at] = Math.min(ink[at], 255 - part);
        colours[3 * at] = blend(colours[3 * at], red, part);
        colours[3 * at + 1] = blend(colours[3 * at + 1], green, part);
        colours[3 * at + 2] = blend(colours[3 * at + 2], blue, part);
      }
    }
  }

  /**
   * Bring the pixels up to date.
   * @param {Rect} rect where
   * @param {boolean} coloured whether colours are seen
   */
  compose({ left, top, right, bottom }, coloured) {
    const { ink } = this;
    const words = this.#words;
    const colours = this.#colours;
    const grey = this.#plain || !coloured;
    for (let y = top; y < bottom; y++) {
      const end = y * this.#width + right;
      let at = y * this.#width + left;
      if (grey) words.fill(WHITE_WORD, at, end);
      for (; at < end; at++) {
        const dark = ink[at];
        if (grey) {
          if (dark !== 0) words[at] = WHITE_WORD - dark * 0x010101;
          continue;
        }
        const light = 255 - dark;
        const red = Math.min(light, colours[3 * at]);
        const green = Math.min(light, colours[3 * at + 1]);
        const blue = Math.min(light, colours[3 * at + 2]);
        words[at] = 0xff000000 | (blue << 16) | (green << 8) | red;
      }
    }
  }
}

/**
 * @param {number} red
 * @param {number} green
 * @param {number} blue
 */
const isWhite = (red, green, blue) => Math.min(red, green, blue) === 255;

/**
 * A byte of a colour over another one.
 * @param {number} under
 * @param {number} over
 * @param {number} part of the upper one, 0 to 255
 */
const blend = (under, over, part) => Math.floor((under * (255 - part) + over * part + 127) / 255);
