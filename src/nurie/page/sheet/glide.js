// What is seen of a sheet while it moves.

/** Its last picture, larger or smaller. What that lacks is paper. */
export class Glide {
  #canvas;
  #picture;
  #view;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./mask.js").View} view that it shows
   */
  constructor(canvas, view) {
    this.#canvas = canvas;
    this.#view = view;
    this.#picture = document.createElement("canvas");
    Object.assign(this.#picture, { width: canvas.width, height: canvas.height });
    this.#picture.getContext("2d")?.drawImage(canvas, 0, 0);
  }

  /**
   * @param {import("./mask.js").View} view
   * @param {string} paper colour
   */
  show({ scale, left, top }, paper) {
    const context = this.#canvas.getContext("2d", { alpha: false });
    if (!context) return;
    const { width, height } = this.#canvas;
    const { scale: before, left: atLeft, top: atTop } = this.#view;
    const times = scale / before;
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    const [x, y] = [(atLeft - left) * scale, (atTop - top) * scale];
    context.drawImage(this.#picture, x, y, times * width, times * height);
  }
}
