// How the taken tool draws: its size, whether colours are seen, steadiness, pens. A second press of the tool opens it.

import { get } from "../dom.js";
import { memory } from "../memory.js";

/**
 * @typedef {import("../sheet/pad.js").Pad} Pad
 * @typedef {keyof typeof import("../pointer/smooth.js").STEADINESS} Steadiness
 */

/** Names under which choices are remembered. */
const PRESSURE = "nurie-pressure";
const STEADINESS = "nurie-steadiness";

/** Pixels between the panel and its button, and between it and the window's edges. */
const GAP = 8;
/** Largest dot that shows a size, in pixels. */
const DOT = 26;
/** How long it is offered to draw with fingers, in milliseconds. */
const OFFER = 8000;

export class Panel {
  #panel = get("brush");
  #pad;
  /** @type {HTMLElement | null} */
  #button = null;
  #offered = 0;

  /** @param {Pad} pad */
  constructor(pad) {
    this.#pad = pad;
    const steadiness = /** @type {Steadiness | null} */ (memory.get(STEADINESS)) ?? "gentle";
    for (const input of this.#inputs("steadiness")) {
      if (input.value === steadiness) this.#steady(input);
      input.addEventListener("change", () => this.#steady(input));
    }
    this.#inputs("size").forEach((input, i) =>
      input.addEventListener("change", () => {
        pad.brush.size = i;
        this.show();
      }),
    );
    get("shown").addEventListener("click", () => {
      pad.coloured = !pad.coloured;
      this.show();
    });
    get("wash").addEventListener("click", () => {
      pad.wash();
      this.show();
    });
    pad.hand.presses = memory.get(PRESSURE) !== "off";
    get("pressure").addEventListener("click", () => {
      pad.hand.presses = !pad.hand.presses;
      memory.set(PRESSURE, pad.hand.presses ? "on" : "off");
      this.show();
    });
    for (const id of ["fingers", "let"]) get(id).addEventListener("click", () => this.#letFingers());
    get("whole").addEventListener("click", () => pad.hand.zoom(0));
    addEventListener("beforeprint", () => pad.hand.zoom(0));
    addEventListener("pointerdown", ({ target }) => target && this.#leave(target), { capture: true });
    addEventListener("resize", () => this.close());
    addEventListener("keydown", ({ key }) => key === "Escape" && this.#escape());
    this.#panel.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && this.#leave(relatedTarget));
    this.show();
  }

  /**
   * Open at a tool's button, or close.
   * @param {HTMLElement} button
   * @param {boolean} byKey the focus follows
   */
  toggle(button, byKey) {
    if (!this.#panel.hidden) return this.close();
    this.#button = button;
    this.#panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    this.show();
    this.#place(button.getBoundingClientRect());
    if (byKey)
      this.#inputs(get("sizes").hidden ? "steadiness" : "size")
        .find(({ checked }) => checked)
        ?.focus();
  }

  close() {
    this.#panel.hidden = true;
    this.#button?.setAttribute("aria-expanded", "false");
    this.#button = null;
  }

  /** Whether the model heeds colours. @param {boolean} hints */
  offer(hints) {
    get("layers").hidden = !hints;
  }

  /** A pen was seen. */
  offerPen() {
    get("pens").hidden = false;
  }

  /** A finger would have drawn, but there is a pen. */
  offerFingers() {
    get("let").hidden = false;
    clearTimeout(this.#offered);
    this.#offered = setTimeout(() => (get("let").hidden = true), OFFER);
  }

  /** @param {number} zoom of the sheet */
  showZoom(zoom) {
    get("whole").hidden = zoom === 1;
  }

  /** How things stand. */
  show() {
    const { brush, hand } = this.#pad;
    get("sizes").hidden = ["box", "fill"].includes(brush.tool);
    const { widths } = brush;
    this.#inputs("size").forEach((input, i) => {
      input.checked = i === brush.size;
      const dot = Math.max(3, (DOT * widths[i]) / Math.max(...widths));
      input.parentElement?.style.setProperty("--dot", `${dot}px`);
    });
    this.#check("shown", this.#pad.coloured);
    get("wash", HTMLButtonElement).disabled = !this.#pad.hasColours;
    this.#check("pressure", hand.presses);
    this.#check("fingers", hand.fingers);
  }

  #letFingers() {
    const { hand } = this.#pad;
    hand.fingers = !hand.fingers;
    get("let").hidden = true;
    this.show();
  }

  /** @param {HTMLInputElement} input */
  #steady(input) {
    input.checked = true;
    this.#pad.hand.steadiness = /** @type {Steadiness} */ (input.value);
    memory.set(STEADINESS, input.value);
  }

  /** @param {string} name */
  #inputs(name) {
    return [...this.#panel.querySelectorAll("input")].filter((input) => input.name === name);
  }

  /**
   * @param {string} id of a switch
   * @param {boolean} on
   */
  #check(id, on) {
    get(id).setAttribute("aria-checked", String(on));
  }

  /** Above the button; where there is no room, beside it. @param {DOMRect} button */
  #place({ left, top, right }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.#panel;
    const inside = (/** @type {number} */ at, /** @type {number} */ room) => Math.max(GAP, Math.min(at, room - GAP));
    const above = top - GAP - height;
    style.left = `${inside(above >= GAP ? left : right + GAP, innerWidth - width)}px`;
    style.top = `${above >= GAP ? above : inside(top, innerHeight - height)}px`;
  }

  /** Who goes elsewhere closes it. @param {EventTarget} target */
  #leave(target) {
    const inside = target instanceof Node && (this.#panel.contains(target) || this.#button?.contains(target));
    if (!this.#panel.hidden && !inside) this.close();
  }

  /** The focus goes back to where it came from. */
  #escape() {
    if (this.#panel.contains(document.activeElement)) this.#button?.focus();
    this.close();
  }
}
