// What is seen over the sheet where a tool is: how much it covers, and the pen that keys move.

export class Cursor {
  #layer = document.createElement("div");
  #ring = document.createElement("i");
  #pen = document.createElement("b");

  /** @param {HTMLCanvasElement} canvas that it lies over */
  constructor(canvas) {
    this.#layer.className = "cursor";
    this.#layer.setAttribute("aria-hidden", "true");
    this.#layer.append(this.#ring, this.#pen);
    this.showRing(null, 0);
    this.showPen(null, false);
    canvas.after(this.#layer);
  }

  /**
   * @param {{x: number, y: number} | null} at CSS pixels from the sheet's corner; null: nowhere
   * @param {number} diameter CSS pixels
   */
  showRing(at, diameter) {
    this.#ring.hidden = !at;
    if (!at) return;
    this.#ring.style.width = this.#ring.style.height = `${diameter}px`;
    this.#ring.style.transform = `translate(${at.x - diameter / 2}px, ${at.y - diameter / 2}px)`;
  }

  /**
   * @param {{u: number, v: number} | null} at parts of the sheet as it is seen; null: nowhere
   * @param {boolean} down does it draw?
   */
  showPen(at, down) {
    this.#pen.hidden = !at;
    if (!at) return;
    this.#pen.classList.toggle("down", down);
    Object.assign(this.#pen.style, { left: `${100 * at.u}%`, top: `${100 * at.v}%` });
  }
}
