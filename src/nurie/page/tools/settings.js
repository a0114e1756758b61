// The dialog of help and settings: keys and their switch, printing. status.js writes into it how things stand.

import { closeFromOutside, get } from "../dom.js";
import { memory } from "../memory.js";

const REMEMBERED = "nurie-letters";

export class Settings {
  /** May single letters press buttons? Who speaks to the computer, or misses keys, may not want that (WCAG 2.1.4). */
  letters = memory.get(REMEMBERED) !== "off";
  #dialog = get("settings", HTMLDialogElement);
  /** What each button says of its keys. */
  #buttons = [...document.querySelectorAll("[aria-keyshortcuts]")].map((button) => ({
    button,
    keys: button.getAttribute("aria-keyshortcuts") ?? "",
  }));

  /** @param {() => void} onletters the switch was used; the page's labels say the keys, too */
  constructor(onletters) {
    get("help").addEventListener("click", () => this.#open());
    get("letters").addEventListener("click", () => {
      this.letters = !this.letters;
      memory.set(REMEMBERED, this.letters ? "on" : "off");
      this.#tell();
      onletters();
    });
    for (const what of ["picture", "lines"]) get(`print-${what}`).addEventListener("click", () => this.#print(what));
    closeFromOutside(this.#dialog);
    this.#tell();
  }

  #open() {
    this.#list();
    this.#dialog.showModal();
  }

  /** Buttons say only keys that work. */
  #tell() {
    get("letters").setAttribute("aria-checked", String(this.letters));
    for (const { button, keys } of this.#buttons) {
      if (this.letters || !/^(Shift\+)?.$/.test(keys)) button.setAttribute("aria-keyshortcuts", keys);
      else button.removeAttribute("aria-keyshortcuts");
    }
  }

  #list() {
    const rows = this.#buttons.filter(({ button }) => !(/** @type {HTMLElement} */ (button).hidden));
    get("keys").replaceChildren(
      ...rows.flatMap(({ button, keys }) => [
        term("dt", keys.split(" ")[0].replace("Control", "Ctrl")),
        term("dd", button.getAttribute("aria-label") ?? ""),
      ]),
    );
  }

  /** The style sheet does the rest. @param {string} what "picture" or "lines" */
  #print(what) {
    this.#dialog.close();
    document.documentElement.dataset.print = what;
    addEventListener("afterprint", () => delete document.documentElement.dataset.print, { once: true });
    print();
  }
}

/**
 * @param {"dt" | "dd"} tag
 * @param {string} text
 */
const term = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
