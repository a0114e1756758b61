// The whole page: what the parts say to each other. first.js begins it. Tests may rely on the ids and on <html data-state>.

import { backendOf, keep, namedModel, seedOf } from "./address.js";
import { Colouring } from "./colouring.js";
import { get } from "./dom.js";
import { Download } from "./model/download.js";
import { siteModels } from "./model/models.js";
import { Pad } from "./sheet/pad.js";
import { Result } from "./sheet/result.js";
import { Status } from "./status.js";
import { fillTexts, preferredLanguage, rememberLanguage, translate } from "./text.js";
import { Chooser } from "./tools/chooser.js";
import { Gallery } from "./tools/gallery.js";
import { shortcut } from "./tools/shortcuts.js";
import { Tools } from "./tools/tools.js";

/** @typedef {import("./formats.d.ts").Manifest} Manifest */
/** @typedef {import("./formats.d.ts").Preset} Preset */
/** @typedef {import("./model/models.js").Model} Model */

/** Width of lines, in model pixels, before the manifest says otherwise. */
const USUAL_PENCIL = 2;

/**
 * @param {string} id
 * @param {boolean} enabled
 */
const enable = (id, enabled) => (get(id, HTMLButtonElement).disabled = !enabled);

export class Page {
  #models = siteModels();
  #model = namedModel(this.#models);
  /** Null until the model's is here. @type {Manifest | null} */
  #manifest = null;
  #language = preferredLanguage();
  /** The title that `nurie publish --title` may have written. */
  #published = get("title").textContent;
  #status = new Status(this.#language);
  #result = new Result(get("result", HTMLCanvasElement));
  #pad = new Pad(get("drawing", HTMLCanvasElement), get("input", HTMLCanvasElement), {
    onsteps: ({ canUndo, canRedo }) => {
      enable("undo", canUndo);
      enable("redo", canRedo);
    },
    onchange: () => this.#colouring.changed(),
  });
  #tools = new Tools(this.#pad.hand, get("drawing"));
  #gallery = new Gallery((preset) => this.#place(preset));
  #chooser = new Chooser(get("models"), this.#models, this.#model, (model) => this.#choose(model));
  #colouring = new Colouring(
    () => this.#pad.pixels(),
    { seed: seedOf() ?? 0, backend: backendOf() },
    {
      onstate: (state, failure) => this.#status.show(state, failure),
      onbytes: (bytes) => this.#status.showBytes(bytes),
      onmodel: (manifest, address) => this.#open(manifest, address),
      onask: (id) => this.#result.ask(id),
      onpicture: (picture) => this.#show(picture),
      onbackend: (backend) => this.#status.showBackend(backend),
    },
  );

  constructor() {
    // The chooser says the title as well.
    get("title").classList.toggle("unseen", this.#models.length > 1 && !this.#published);
    this.#listen();
    this.#translate();
    get("stuck").remove();
  }

  /**
   * Start the engine on a model that comes; again after a failure.
   * @param {Download} [download]
   */
  start(download = new Download(this.#model.address)) {
    return this.#colouring.start(download);
  }

  #listen() {
    /** @type {{[button: string]: () => void}} */
    const actions = {
      undo: () => this.#pad.undo(),
      redo: () => this.#pad.redo(),
      clear: () => this.#clear(),
      preset: () => this.#gallery.open(),
      // After a failure that is worth another try.
      convert: () => (this.#colouring.state === "failed" ? this.start() : this.#colouring.paint()),
      live: () => this.#setLive(!this.#colouring.live),
      download: () => this.#result.save(),
      dice: () => this.#roll(),
      again: () => this.start(),
      language: () => this.#speak(this.#language === "en" ? "ja" : "en"),
    };
    for (const [button, action] of Object.entries(actions)) get(button).addEventListener("click", action);
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Who has emptied the sheet wants to draw. */
  #clear() {
    this.#tools.take();
    this.#pad.clear();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (this.#gallery.isOpen) return;
    const onButton = event.target instanceof HTMLElement && event.target.closest("button, a") !== null;
    const button = shortcut(event, onButton);
    if (!button) return;
    get(button).click();
    event.preventDefault();
  }

  /**
   * The model is known: its size, samples and credits. The first sample is put on the sheet unless the visitor has drawn.
   * @param {Manifest} manifest
   * @param {URL} address the manifest's
   */
  #open(manifest, address) {
    this.#manifest = manifest;
    const [first] = manifest.presets ?? [];
    this.#gallery.offer(manifest, address);
    this.#pad.suit(manifest.input, manifest.pencil ?? USUAL_PENCIL, this.#tools.layOut(manifest));
    enable("preset", Boolean(first));
    get("dice").hidden = !manifest.styles?.length;
    this.#translate();
    if (first && !this.#gallery.asked && !this.#pad.touched) this.#begin(first);
    else this.#colouring.paint();
  }

  /**
   * The first sample, as long as the sheet is untouched.
   * @param {Preset} preset
   */
  async #begin(preset) {
    const sample = await this.#gallery.fetch(preset).catch(() => null);
    if (!sample || this.#pad.touched) return;
    this.#lay(preset, sample);
    this.#colouring.paint();
  }

  /**
   * A sample that was asked for. If it has a colouring of its own, it comes in that.
   * @param {Preset} preset
   */
  async #place(preset) {
    const sample = await this.#gallery.fetch(preset).catch((failure) => this.#status.tell(failure));
    if (!sample) return;
    if (preset.seed !== undefined) keep("seed", null);
    this.#lay(preset, sample);
    this.#colouring.changed();
  }

  /**
   * @param {Preset} preset
   * @param {import("./model/download.js").Sample} sample
   */
  #lay(preset, sample) {
    this.#colouring.seed = seedOf() ?? preset.seed ?? this.#colouring.seed;
    this.#pad.place(sample);
    this.#tools.take();
  }

  /**
   * Another of the site's models. Until its first picture comes, the sheet for the colours is empty.
   * @param {Model} model
   */
  #choose(model) {
    this.#model = model;
    this.#manifest = null;
    this.#gallery.forget();
    this.#result.clear();
    this.#status.clearTime();
    for (const button of ["preset", "download"]) enable(button, false);
    keep("model", model.name);
    this.#translate();
    this.start();
  }

  /** @param {import("./engine/painter.js").Picture} picture */
  #show(picture) {
    this.#result.show(picture);
    this.#status.showTime(picture.ms);
    enable("download", true);
  }

  /** Another colouring of the same drawing. The address keeps the number. */
  #roll() {
    const seed = this.#colouring.roll();
    if (seed !== null) keep("seed", seed);
  }

  /** @param {boolean} live */
  #setLive(live) {
    this.#colouring.live = live;
    get("live").setAttribute("aria-checked", String(live));
    this.#colouring.changed();
  }

  /** @param {import("./text.js").Language} language */
  #speak(language) {
    this.#language = language;
    rememberLanguage(language);
    this.#translate();
  }

  #translate() {
    fillTexts(this.#language);
    const title = this.#published || translate(this.#model.title, this.#language);
    get("title").textContent = title;
    document.title = title || "Nurie";
    const credits = this.#manifest?.credits ?? [];
    get("credits").replaceChildren(
      ...credits.map((credit) => Object.assign(document.createElement("li"), { textContent: credit })),
    );
    get("footer").hidden = credits.length === 0;
    for (const part of [this.#chooser, this.#gallery, this.#tools, this.#status]) part.translate(this.#language);
    get("language").lang = this.#language === "en" ? "ja" : "en";
  }
}
