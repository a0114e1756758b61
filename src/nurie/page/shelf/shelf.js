// The dialog of all drawings: open, begin, delete, export, import. Loaded when it is first opened.

import { closeFromOutside, offer, tell } from "../dom.js";
import { encode } from "../png.js";
import { render, thumbnail } from "../sheet/canvas.js";
import { say, translate } from "../text.js";
import { base64, fromFile, Misfit, shown, toFiles, toJson } from "./exchange.js";
import { newId } from "./keeper.js";
import { svg } from "./svg.js";

/**
 * @typedef {import("./check.js").Kept} Kept
 * @typedef {import("../text.js").Language} Language
 *
 * @typedef {object} Page
 * @property {Language} language
 * @property {import("./exchange.js").Sheet} sheet as the model has it
 * @property {(id: string | null) => void} onopen a drawing is to come on the sheet; null: a new one
 */

const THUMBNAIL = 256;
const CROSS = "M6 6l12 12M18 6L6 18";

export class Shelf {
  #keeper;
  #page;
  #dialog = document.createElement("dialog");
  #styled = style(new URL("./shelf.css", import.meta.url));
  #file = Object.assign(document.createElement("input"), {
    type: "file",
    accept: ".json,application/json",
    multiple: true,
  });
  /** Thumbnails are drawn when they are seen. */
  #seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) this.#draw(target);
  });
  /** @type {WeakMap<Element, Kept>} */
  #drawings = new WeakMap();

  /**
   * @param {import("./keeper.js").Keeper} keeper
   * @param {() => Page} page
   */
  constructor(keeper, page) {
    this.#keeper = keeper;
    this.#page = page;
    this.#dialog.className = "shelf";
    this.#dialog.setAttribute("aria-labelledby", "shelf-title");
    closeFromOutside(this.#dialog);
    this.#file.addEventListener("change", async () => {
      const files = [...(this.#file.files ?? [])];
      this.#file.value = "";
      await this.take(files);
    });
    document.body.append(this.#dialog);
  }

  async open() {
    const [{ drawings, damaged }] = await Promise.all([this.#keeper.list(), this.#styled]);
    this.#fill(drawings, damaged);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /**
   * Drawings of files come on the shelf, and a single one on the sheet.
   * @param {File[]} files
   */
  async take(files) {
    /** @type {string[]} */
    const ids = [];
    const now = Date.now();
    let fault = "";
    for (const file of files) {
      try {
        for (const drawing of await fromFile(file, this.#page().sheet)) {
          const [id, made] = [newId(), now - ids.length]; // in the file's order
          await this.#keeper.add({ ...drawing, id, made, changed: made });
          ids.push(id);
        }
      } catch (error) {
        const { code, field } = error instanceof Misfit ? error : new Misfit("foreign");
        fault ||= this.#say(`import.${code}`, { file: file.name, field });
      }
    }
    const imported = ids.length > 0 ? this.#say("shelf.imported", { number: ids.length }) : "";
    if (ids.length === 1) {
      this.#dialog.close();
      this.#page().onopen(ids[0]);
    } else if (ids.length > 1 || this.#dialog.open) await this.open();
    tell([fault, imported].filter(Boolean).join(" "));
  }

  /**
   * @param {string} key
   * @param {{[name: string]: string | number}} [values]
   */
  #say(key, values) {
    return say(this.#page().language, key, values);
  }

  /** @param {Kept} drawing */
  #title({ title, changed }) {
    const { language } = this.#page();
    const date = new Date(changed).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    return translate(title, language) || date;
  }

  /**
   * @param {Kept[]} drawings
   * @param {number} damaged
   */
  #fill(drawings, damaged) {
    const head = document.createElement("form");
    head.method = "dialog";
    const heading = Object.assign(document.createElement("h2"), { id: "shelf-title", textContent: this.#say("shelf") });
    const close = Object.assign(document.createElement("button"), { className: "close" });
    name(close, this.#say("close"));
    close.append(icon(CROSS));
    head.append(heading, close);
    const lead = [this.#say(drawings.length > 0 ? "shelfLead" : "shelfNone")];
    if (damaged > 0) lead.push(this.#say("shelfUnread", { number: damaged }));
    if (this.#keeper.lost) lead.unshift(this.#say("shelf.unkept"));
    const choice = Object.assign(document.createElement("p"), { className: "choice" });
    choice.append(
      button(this.#say("shelfNew"), () => this.#choose(null)),
      button(this.#say("shelfImport"), () => this.#file.click()),
    );
    if (drawings.length > 0) choice.append(button(this.#say("shelfExport"), () => this.#export(drawings)));
    const list = document.createElement("ul");
    list.append(...drawings.map((drawing) => this.#item(drawing)));
    this.#dialog.lang = this.#page().language;
    this.#dialog.replaceChildren(head, ...lead.map((text) => paragraph(text)), choice, list);
  }

  /** @param {Kept} drawing */
  #item(drawing) {
    const item = document.createElement("li");
    const title = this.#title(drawing);
    const current = drawing.id === this.#keeper.id;
    const open = button("", () => this.#choose(drawing.id));
    open.className = "card drawing";
    name(open, this.#say("shelfOpen", { title }));
    if (current) open.setAttribute("aria-current", "true");
    const { width, height } = drawing.size;
    const canvas = Object.assign(document.createElement("canvas"), {
      width: THUMBNAIL,
      height: Math.max(1, Math.round((THUMBNAIL * height) / width)),
    });
    this.#drawings.set(canvas, drawing);
    this.#seen.observe(canvas);
    open.append(canvas, Object.assign(document.createElement("span"), { textContent: title }));
    if (current) open.append(Object.assign(document.createElement("b"), { textContent: this.#say("shelfCurrent") }));
    const files = Object.assign(document.createElement("p"), { className: "files" });
    for (const [kind, save] of Object.entries(SAVE)) {
      const file = button(kind, async () =>
        offer(await save(drawing, title), `${fileName(drawing)}.${kind.toLowerCase()}`),
      );
      name(file, this.#say("shelfSave", { kind, title }));
      files.append(file);
    }
    const remove = button(this.#say("shelfDelete"), () => this.#remove(drawing, item));
    name(remove, this.#say("shelfDeleteLabel", { title }));
    files.append(remove);
    item.append(open, files);
    return item;
  }

  /** @param {Element} canvas */
  #draw(canvas) {
    const drawing = this.#drawings.get(canvas);
    if (!drawing) return;
    this.#seen.unobserve(canvas);
    thumbnail(/** @type {HTMLCanvasElement} */ (canvas), drawing.size, shown(drawing), drawing.paper);
  }

  /** @param {string | null} id */
  #choose(id) {
    this.#dialog.close();
    if (id === null || id !== this.#keeper.id) this.#page().onopen(id);
  }

  /**
   * It can be put back as long as the dialog is open.
   * @param {Kept} drawing
   * @param {HTMLElement} item
   */
  async #remove(drawing, item) {
    const current = drawing.id === this.#keeper.id;
    await this.#keeper.remove(drawing.id);
    if (current) this.#page().onopen(null);
    const back = button(this.#say("shelfBack"), async () => {
      await this.#keeper.add(drawing);
      const again = this.#item(drawing);
      item.replaceWith(again);
      again.querySelector("button")?.focus();
    });
    const files = Object.assign(document.createElement("p"), { className: "files" });
    files.append(back);
    item.replaceChildren(paragraph(this.#say("shelfDeleted")), files);
    back.focus();
  }

  /** @param {Kept[]} drawings */
  async #export(drawings) {
    const files = await toFiles(drawings, (drawing) => this.#title(drawing));
    files.forEach((text, i) => {
      const number = files.length > 1 ? `-${i + 1}` : "";
      offer(new Blob([text], { type: "application/json" }), `nurie-drawings${number}.json`);
    });
  }
}

/** @type {{[kind: string]: (drawing: Kept, title: string) => Promise<Blob>}} */
const SAVE = {
  JSON: async (drawing, title) => new Blob([await toJson(drawing, title)], { type: "application/json" }),
  SVG: async (drawing) => {
    const { picture, strokes } = shown(drawing);
    const under = picture && `data:image/png;base64,${await base64(picture)}`;
    return new Blob([svg(drawing.size, drawing.paper, strokes, under)], { type: "image/svg+xml" });
  },
  PNG: ({ steps, done, size, paper }) =>
    encode(render({ steps: steps.slice(0, done), current: null }, size, size, paper)),
};

/** @param {Kept} drawing */
function fileName({ changed }) {
  const date = new Date(changed);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes()];
  return `nurie-${parts.map((part) => String(part).padStart(2, "0")).join("-")}`;
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function button(text, onclick) {
  const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  element.addEventListener("click", onclick);
  return element;
}

/** @param {string} textContent */
const paragraph = (textContent) => Object.assign(document.createElement("p"), { textContent });

/**
 * @param {HTMLElement} element
 * @param {string} label
 */
function name(element, label) {
  element.setAttribute("aria-label", label);
  element.title = label;
}

/** @param {string} d */
function icon(d) {
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d);
  picture.append(path);
  return picture;
}

/** Resolves when the style is there, or can not be had. @param {URL} url */
function style(url) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url.href });
  document.head.append(link);
  return new Promise((resolve) => {
    link.onload = link.onerror = resolve;
  });
}
