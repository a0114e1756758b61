// What lies beside the sheet: pencil, box, filling, eraser and colours, as the model needs them.

import { get } from "../dom.js";
import { WHITE } from "../sheet/layers.js";
import { COLOURS, Palette } from "./palette.js";
import { Panel } from "./panel.js";

/** @typedef {import("../sheet/brush.js").BrushTool} Tool */

/** @type {Tool[]} */
const TOOLS = ["pencil", "box", "fill", "eraser"];

export class Tools {
  #brush;
  #canvas;
  /** The one that was taken last, the eraser apart. @type {Tool} */
  #last = "pencil";
  #palette;
  panel;

  /**
   * @param {import("../sheet/pad.js").Pad} pad
   * @param {HTMLElement} canvas the sheet, whose cursor is the tool; `layOut` next
   */
  constructor(pad, canvas) {
    const { brush } = pad;
    this.#brush = brush;
    this.#canvas = canvas;
    this.panel = new Panel(pad);
    this.#palette = new Palette(get("colours"), get("own", HTMLInputElement), (colour) => {
      brush.colour = colour;
      this.take();
    });
    for (const tool of TOOLS) get(tool).addEventListener("click", (event) => this.#press(tool, event));
    document.addEventListener("click", (event) => release(event), { capture: true });
  }

  /**
   * A tool is taken; the one that is taken already shows how it draws, but not by the tool's own key.
   * @param {Tool} tool
   * @param {MouseEvent} event
   */
  #press(tool, { isTrusted, detail }) {
    if (isTrusted && tool === this.#brush.tool) return this.panel.toggle(get(tool), detail === 0);
    this.panel.close();
    this.take(tool);
  }

  /** @param {Tool} [tool] none: away with the eraser */
  take(tool = this.#last) {
    if (get(tool).hidden) return;
    if (tool !== "eraser") this.#last = tool;
    this.#brush.tool = tool;
    this.#canvas.dataset.tool = tool;
    for (const each of TOOLS) get(each).setAttribute("aria-pressed", String(each === tool));
    this.panel.show();
  }

  /**
   * Lay out what a model's drawings are made with; `translate` next.
   * @param {Pick<import("../formats.d.ts").Manifest, "labels" | "hints">} model
   * @returns {import("../sheet/layers.js").Paper} what they are drawn on
   */
  layOut({ labels = [], hints = false }) {
    const mapped = labels.length > 0;
    this.panel.offer(hints && !mapped);
    for (const tool of ["box", "fill"]) get(tool).hidden = !mapped;
    this.#brush.labels = labels.map(({ colour }) => colour);
    get("colours").hidden = !mapped && !hints;
    get("overlay").hidden = mapped;
    get("colours").dataset.label = mapped ? "labels" : "colours";
    get("lead").dataset.text = mapped ? "leadLabels" : "lead";
    if (mapped) {
      this.#palette.offer(labels, 1);
      this.take("box");
      return { colour: labels[0].colour, covered: true };
    }
    this.#palette.offer(COLOURS, 0);
    if (!hints && this.#brush.colour) this.#palette.choose(0);
    if (get(this.#last).hidden) this.take("pencil");
    return WHITE;
  }

  /** @param {import("../text.js").Language} language */
  translate(language) {
    this.#palette.translate(language);
  }
}

/**
 * A button that a pointer has pressed gives the focus back to the sheet, so that Enter colours, and does not press it
 * again. Who presses it by a key stays on it.
 * @param {MouseEvent} event
 */
function release({ target, detail }) {
  const button = target instanceof Element ? target.closest("button:not([role=radio])") : null;
  if (!(button instanceof HTMLElement) || detail === 0 || button.closest("dialog, [role=dialog]")) return;
  button.blur();
  get("drawing").focus({ preventScroll: true });
}
