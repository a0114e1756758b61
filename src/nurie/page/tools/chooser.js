// The switch between a site's models.

import { translate } from "../text.js";

/** @typedef {import("../model/models.js").Model} Model */

export class Chooser {
  #group;
  #models;

  /**
   * @param {HTMLElement} group a radio group, hidden
   * @param {Model[]} models
   * @param {Model} chosen
   * @param {(model: Model) => void} onchoice
   */
  constructor(group, models, chosen, onchoice) {
    this.#group = group;
    this.#models = models;
    group.hidden = models.length < 2;
    group.replaceChildren(...models.map((model) => option(model, model === chosen, () => onchoice(model))));
  }

  /** @param {Model} model chosen, or back after another one did not come */
  check(model) {
    this.#group.querySelectorAll("input")[this.#models.indexOf(model)].checked = true;
  }

  /** @param {import("../text.js").Language} language */
  translate(language) {
    const titles = this.#group.querySelectorAll("span");
    this.#models.forEach(({ title, name }, i) => (titles[i].textContent = translate(title, language) || name));
  }
}

/**
 * @param {Model} model
 * @param {boolean} checked
 * @param {() => void} onchoice
 */
function option({ name: value }, checked, onchoice) {
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "model", value, checked });
  input.addEventListener("change", onchoice);
  const label = document.createElement("label");
  label.append(input, document.createElement("span"));
  return label;
}
