// What draws: the tool, its colour, and how wide its lines are.

/** @typedef {import("./drawing.js").Tool | "fill"} BrushTool */

/** Line widths in model pixels of the eraser and of colours, at least, in their usual size. */
const ERASER = 14;
const COLOUR = 6;

/**
 * Sizes, as parts of the usual width. A model knows lines as wide as its pencil's, so that ink has a moderate range; what
 * colours say, and what the eraser takes off, can be of any size.
 */
export const SIZES = { ink: [0.7, 1, 1.5, 2.2], colour: [0.6, 1, 2, 4], eraser: [0.5, 1, 2, 4] };
/** The usual one among them. */
const USUAL = 1;

export class Brush {
  /** @type {BrushTool} */
  tool = "pencil";
  /** Width of the model's own lines, in model pixels. */
  pencil = 2;
  /** Of the pencil and of boxes; undefined: black ink. @type {string | undefined} */
  colour;
  /** Of label maps: their colours. @type {string[]} */
  labels = [];
  /** Numbers of the sizes. */
  #sizes = { ink: USUAL, colour: USUAL, eraser: USUAL };

  /** Which sizes the tool has. */
  get kind() {
    if (this.tool === "eraser") return "eraser";
    return this.colour && this.tool === "pencil" ? "colour" : "ink";
  }

  /** Number of the tool's size. */
  get size() {
    return this.#sizes[this.kind];
  }

  set size(number) {
    this.#sizes[this.kind] = number;
  }

  /** Of its lines now, in model pixels. */
  get width() {
    return this.#width(this.kind);
  }

  /** All that it could have. */
  get widths() {
    return SIZES[this.kind].map((_, number) => this.#width(this.kind, number));
  }

  /**
   * What a line is drawn with.
   * @param {boolean} [erases] whatever the tool
   * @returns {{tool: BrushTool, width: number, colour?: string}}
   */
  take(erases = this.tool === "eraser") {
    if (erases) return { tool: "eraser", width: this.#width("eraser") };
    return { tool: this.tool, width: this.width, colour: this.colour };
  }

  /**
   * @param {keyof typeof SIZES} kind
   * @param {number} [number] of the size
   */
  #width(kind, number = this.#sizes[kind]) {
    const least = { ink: 0, colour: COLOUR, eraser: ERASER }[kind];
    return SIZES[kind][number] * Math.max(least, this.pencil);
  }
}
