// The pencil's colours: hints for models that understand them, or the labels of which a drawing consists.

import { say, translate } from "../text.js";

/**
 * Its name is a key of text.js. Labels have numbers instead, and maybe titles.
 * @typedef {{name?: string, colour?: string, title?: import("../formats.d.ts").Words}} Swatch
 */

/** Hints; the first is the ink. @type {Swatch[]} */
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
];

export class Palette {
  #group;
  #onchoice;
  /** @type {Swatch[]} */
  #swatches = [];

  /**
   * @param {HTMLElement} group a radio group; `offer` next
   * @param {(colour: string | undefined) => void} onchoice
   */
  constructor(group, onchoice) {
    this.#group = group;
    this.#onchoice = onchoice;
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
    this.#onchoice(this.#swatches[index].colour);
  }

  /** A colour that is none of these. @param {string} colour such as #ff8800 */
  own(colour) {
    for (const button of this.#buttons) button.setAttribute("aria-checked", "false");
    this.#onchoice(colour);
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
    button.style.setProperty("--swatch", colour);
    button.addEventListener("click", () => this.choose(index));
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
