// The pencil's colours, for models that understand strokes of colour as hints.

import { say } from "./text.js";

/** Name (a key of text.js) and value; the first is the ink. */
const COLOURS = {
  ink: "",
  red: "#dc5044",
  orange: "#d9883b",
  brown: "#7b4b2d",
  cream: "#ead7b3",
  grey: "#8d8d8d",
  yellow: "#dcb437",
  green: "#6f9f4f",
  blue: "#6ea3d8",
  pink: "#e59ca0",
};

export class Palette {
  #group;
  #onchoice;

  /**
   * @param {HTMLElement} group an empty radio group
   * @param {(colour: string | undefined) => void} onchoice
   */
  constructor(group, onchoice) {
    this.#group = group;
    this.#onchoice = onchoice;
    for (const [name, colour] of Object.entries(COLOURS)) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.dataset.colour = name;
      button.setAttribute("role", "radio");
      button.append(document.createElement("i"));
      button.style.setProperty("--swatch", colour || "#000000");
      button.addEventListener("click", () => this.choose(name));
      group.append(button);
    }
    group.addEventListener("keydown", (event) => this.#key(event));
    this.choose("ink");
  }

  /** @param {string} name */
  choose(name) {
    for (const button of this.#buttons) {
      const chosen = button.dataset.colour === name;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    this.#onchoice(COLOURS[/** @type {keyof typeof COLOURS} */ (name)] || undefined);
  }

  /** @param {import("./text.js").Language} language */
  translate(language) {
    for (const button of this.#buttons) {
      const name = say(language, `colour.${button.dataset.colour}`);
      button.setAttribute("aria-label", name);
      button.title = name;
    }
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
    const now = buttons.findIndex((button) => button.tabIndex === 0);
    const next = buttons[(now + step + buttons.length) % buttons.length];
    this.choose(String(next.dataset.colour));
    next.focus();
  }
}
