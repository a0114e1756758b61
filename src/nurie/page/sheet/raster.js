// Strokes -> pixels, the same way at any scale: crisp on the screen, and at the model's size for the engine.

/** @typedef {import("./drawing.js").Stroke} Stroke */
/** @typedef {import("./drawing.js").Drawing} Drawing */
/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context */

/**
 * What is drawn on. Colours leave the ink under them black, unless they cover what is there.
 * @typedef {{colour: string, covered: boolean}} Paper
 */

/** @type {Paper} */
export const WHITE = { colour: "#ffffff", covered: false };
const INK = "#000000";

/** Length of a dot's line, in pixels. */
const DOT = 0.01;

/** Sharper turns than this stay corners; gentler ones are rounded. */
const CORNER = Math.cos(Math.PI / 3);

/**
 * A line through x, y pairs: round where the hand turned gently, pointed where it turned sharply.
 * @param {Pick<CanvasPath, "moveTo" | "lineTo" | "quadraticCurveTo">} path
 * @param {number[]} points
 */
export function trace(path, points) {
  const last = points.length - 2;
  path.moveTo(points[0], points[1]);
  for (let i = 2; i < last; i += 2) {
    const [beforeX, beforeY, x, y, afterX, afterY] = points.slice(i - 2, i + 4);
    const [inX, inY, outX, outY] = [x - beforeX, y - beforeY, afterX - x, afterY - y];
    const [middleX, middleY] = [(x + afterX) / 2, (y + afterY) / 2];
    if (inX * outX + inY * outY < CORNER * Math.hypot(inX, inY) * Math.hypot(outX, outY)) {
      path.lineTo(x, y);
      path.lineTo(middleX, middleY);
    } else {
      path.quadraticCurveTo(x, y, middleX, middleY);
    }
  }
  // A single point becomes a dot, its round caps: lines without any length are not drawn.
  path.lineTo(points[last] + (last ? 0 : DOT), points[last + 1]);
}

/**
 * @param {Context} context
 * @param {Stroke} stroke
 * @param {Paper} paper
 */
function draw(context, { tool, width, points, colour }, paper) {
  if (points.length < 2) return;
  if (tool === "box") {
    const [x, y, acrossX, acrossY] = points;
    context.fillStyle = colour ?? INK;
    context.fillRect(x, y, acrossX - x, acrossY - y);
    return;
  }
  context.lineCap = "round";
  context.lineJoin = "round";
  context.lineWidth = width;
  context.strokeStyle = tool === "eraser" ? paper.colour : (colour ?? INK);
  context.globalCompositeOperation = colour && !paper.covered ? "darken" : "source-over";
  context.beginPath();
  trace(context, points);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

/** A canvas that shows a drawing. The finished lines are kept apart, so that a new one costs only itself. */
export class Raster {
  /** `redraw` after a change. */
  paper = WHITE;
  #canvas;
  #context;
  #base = new OffscreenCanvas(1, 1);
  #baseContext;
  #size;

  /**
   * @param {HTMLCanvasElement | OffscreenCanvas} canvas
   * @param {{width: number, height: number}} size of the drawing, in model pixels
   */
  constructor(canvas, size) {
    // Kept in plain memory: the pixels are read after every change, and are the same on every graphics card.
    const settings = { alpha: false, willReadFrequently: true };
    this.#canvas = canvas;
    this.#context = /** @type {Context} */ (canvas.getContext("2d", settings));
    this.#baseContext = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#base.getContext("2d", settings));
    this.#size = size;
  }

  /**
   * How many pixels the canvas has; `redraw` next.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    for (const canvas of [this.#canvas, this.#base]) Object.assign(canvas, { width, height });
  }

  /**
   * Everything anew.
   * @param {Drawing} drawing
   */
  redraw(drawing) {
    const { image, strokes } = drawing.shown;
    this.#scaled(this.#baseContext, () => {
      const { width, height } = this.#size;
      this.#baseContext.fillStyle = this.paper.colour;
      this.#baseContext.fillRect(0, 0, width, height);
      if (image) this.#baseContext.drawImage(image, 0, 0, width, height);
      for (const stroke of strokes) draw(this.#baseContext, stroke, this.paper);
    });
    this.update(drawing);
  }

  /**
   * The finished lines as they were, and the one that is being drawn.
   * @param {Drawing} drawing
   */
  update(drawing) {
    this.#context.drawImage(this.#base, 0, 0);
    const { current } = drawing;
    if (current) this.#scaled(this.#context, () => draw(this.#context, current, this.paper));
  }

  /** @returns {ImageData} RGBA, a copy */
  pixels() {
    return this.#context.getImageData(0, 0, this.#canvas.width, this.#canvas.height);
  }

  /**
   * @param {Context} context
   * @param {() => void} action
   */
  #scaled(context, action) {
    context.setTransform(this.#canvas.width / this.#size.width, 0, 0, this.#canvas.height / this.#size.height, 0, 0);
    action();
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
}

/**
 * Put a picture that the engine made on the page. `data-pictures` counts them.
 * @param {HTMLCanvasElement} canvas
 * @param {{pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number}} picture RGBA
 */
export function show(canvas, { pixels, width, height }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d", { willReadFrequently: true })?.putImageData(new ImageData(pixels, width, height), 0, 0);
  delete canvas.dataset.empty;
  canvas.dataset.pictures = String(Number(canvas.dataset.pictures) + 1);
}

/**
 * A small picture of a preset's strokes.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} size
 * @param {import("../formats.d.ts").Line[]} strokes
 */
export function thumbnail(canvas, size, strokes) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = WHITE.colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / size.width, canvas.height / size.height);
  for (const stroke of strokes) draw(context, { tool: "pencil", ...stroke }, WHITE);
}
