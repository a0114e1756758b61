// The pencil's colours: hints for models that understand them, or the labels of which a drawing consists.

import { memory } from "../memory.js";
import { say, translate } from "../text.js";

/**
 * Its name is a key of text.js. Labels have numbers instead, and maybe titles.
 * @typedef {{name?: string, colour?: string, title?: import("../formats.d.ts").Words}} Swatch
 */

/** The visitor's own colours are remembered under this name, the last one first, so many of them. */
const REMEMBERED = "nurie-colours";
const MOST = 8;
/** Before the visitor has any. */
const VIOLET = "#9a6bb0";

/** Hints; the first is the ink, the last one the visitor's. @type {Swatch[]} */
export const COLOURS = [
  { name: "ink" },
  { name: "red", colour: "#dc5044" },
  { name: "orange", colour: "#d9883b" },
  { name: "brown", colour: "#7b4b2d" },
  { name: "cream", colour: "#ead7b3" },
  { name: "grey", colour: "#8d8d8d" },
  { name: "yellow", colour: "#dcb437" },
  { name: "green", colour: "#6f9f4f" },
  { name: "blue", colour: "#6ea3d8" },
  { name: "pink", colour: "#e59ca0" },
  { name: "own" },
];

export class Palette {
  #group;
  #picker;
  #onchoice;
  /** The visitor's, the last one first. */
  #own = (memory.get(REMEMBERED) ?? "").split(" ").filter((colour) => /^#[0-9a-f]{6}$/.test(colour));
  #mixed = this.#own[0] ?? VIOLET;
  /** @type {Swatch[]} */
  #swatches = [];

  /**
   * @param {HTMLElement} group a radio group; `offer` next
   * @param {HTMLInputElement} picker of the visitor's own colour, which nobody sees until it opens
   * @param {(colour: string | undefined) => void} onchoice
   */
  constructor(group, picker, onchoice) {
    this.#group = group;
    this.#picker = picker;
    this.#onchoice = onchoice;
    picker.addEventListener("input", () => this.#mix());
    picker.addEventListener("change", () => this.#remember());
    group.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * Have these colours, of which one is chosen; `translate` next. The same ones stay as they are.
   * @param {Swatch[]} swatches
   * @param {number} chosen
   */
  offer(swatches, chosen) {
    if (swatches === this.#swatches) return;
    this.#swatches = swatches;
    this.#group.replaceChildren(...swatches.map((swatch, index) => this.#button(swatch, index)));
    this.choose(chosen);
  }

  /** @param {number} index */
  choose(index) {
    this.#buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", String(i === index));
      button.tabIndex = i === index ? 0 : -1;
    });
    const { name, colour } = this.#swatches[index];
    this.#onchoice(name === "own" ? this.#mixed : colour);
  }

  /** Open the picker at its button, over which it lies. @param {DOMRect} button */
  #open(button) {
    const { style, list } = this.#picker;
    for (const side of /** @type {const} */ (["left", "top", "width", "height"])) style[side] = `${button[side]}px`;
    this.#picker.value = this.#mixed;
    list?.replaceChildren(...this.#own.map((value) => Object.assign(document.createElement("option"), { value })));
    this.#picker.getBoundingClientRect(); // the browser opens it where it lay when it was last laid out
    this.#picker.click();
  }

  /** The picker, still open, has another colour. */
  #mix() {
    this.#mixed = this.#picker.value;
    const index = this.#swatches.findIndex(({ name }) => name === "own");
    if (index < 0) return; // another model has come meanwhile
    this.#buttons[index].style.setProperty("--swatch", this.#mixed);
    this.choose(index);
  }

  #remember() {
    this.#own = [this.#mixed, ...this.#own.filter((colour) => colour !== this.#mixed)].slice(0, MOST);
    memory.set(REMEMBERED, this.#own.join(" "));
  }

  /** @param {import("../text.js").Language} language */
  translate(language) {
    this.#swatches.forEach(({ name, title }, i) => {
      const button = this.#buttons[i];
      const words = translate(title, language);
      const label = words || (name ? say(language, `colour.${name}`) : say(language, "label", { number: i + 1 }));
      button.setAttribute("aria-label", label);
      button.title = label;
      if (words) /** @type {Element} */ (button.lastChild).textContent = words;
    });
  }

  /**
   * @param {Swatch} swatch
   * @param {number} index
   */
  #button({ name, colour = "#000000", title }, index) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.dataset.colour = name ?? colour;
    button.setAttribute("role", "radio");
    button.append(document.createElement("i"));
    if (title) button.append(document.createElement("span"));
    button.style.setProperty("--swatch", name === "own" ? this.#mixed : colour);
    button.addEventListener("click", () => {
      const opens = name === "own" && (this.#own.length === 0 || button.getAttribute("aria-checked") === "true");
      this.choose(index);
      if (opens) this.#open(button.getBoundingClientRect());
    });
    return button;
  }

  get #buttons() {
    return /** @type {HTMLButtonElement[]} */ ([...this.#group.children]);
  }

  /** Arrows go from colour to colour, as in every group of radio buttons. @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = this.#buttons;
    const next = (buttons.findIndex((button) => button.tabIndex === 0) + step + buttons.length) % buttons.length;
    this.choose(next);
    buttons[next].focus();
  }
}
