// The whole page: what the parts say to each other. first.js begins it. Tests may rely on the ids and on <html data-state>.

import { backendOf, keep, namedModel, seedOf } from "./address.js";
import { Colouring } from "./colouring.js";
import { get, tell } from "./dom.js";
import { Failure } from "./failure.js";
import { lastModel } from "./last.js";
import { colourings, Download } from "./model/download.js";
import { siteModels, updated } from "./model/models.js";
import { Pad } from "./sheet/pad.js";
import { Result } from "./sheet/result.js";
import { Keeper } from "./shelf/keeper.js";
import { Status } from "./status.js";
import { fillTexts, preferredLanguage, rememberLanguage, say, translate } from "./text.js";
import { Chooser } from "./tools/chooser.js";
import { Dice } from "./tools/dice.js";
import { Gallery } from "./tools/gallery.js";
import { Overlay } from "./tools/overlay.js";
import { Settings } from "./tools/settings.js";
import { shortcut } from "./tools/shortcuts.js";
import { Tools } from "./tools/tools.js";

/** @typedef {import("./formats.d.ts").Manifest} Manifest */
/** @typedef {import("./formats.d.ts").Preset} Preset */
/** @typedef {import("./model/models.js").Model} Model */
/** @typedef {import("./shelf/keeper.js").Opened} Opened */

/** Width of lines, in model pixels, before the manifest says otherwise. */
const USUAL_PENCIL = 2;

/**
 * @param {string} id
 * @param {boolean} enabled
 */
const enable = (id, enabled) => (get(id, HTMLButtonElement).disabled = !enabled);

export class Page {
  #models = siteModels();
  #model = namedModel(this.#models, location.search, lastModel());
  /** The one that is to come. */
  #wanted = this.#model;
  /** Null until the model's is here. @type {Manifest | null} */
  #manifest = null;
  #language = preferredLanguage();
  /** The title that `nurie publish --title` may have written. */
  #published = get("title").textContent;
  #status = new Status(this.#language);
  /** What went wrong last with a model. @type {string | undefined} */
  #failed;
  #result = new Result(get("result", HTMLCanvasElement));
  #keeper = new Keeper(
    () => ({ ...this.#pad.state, model: this.#model.name, seed: this.#colouring.seed }),
    (key) => tell(say(this.#language, `shelf.${key}`)),
  );
  /** The drawing of the last visit. @type {Promise<Opened | null> | null} */
  #returning = null;
  /** The sheet is the visitor's: no sample comes by itself. */
  #taken = false;
  /** @type {Promise<import("./shelf/shelf.js").Shelf> | null} */
  #shelf = null;
  /** A picture that is to be saved as soon as it is of the drawing. */
  #saves = false;
  #pad = new Pad(
    get("drawing", HTMLCanvasElement),
    {
      onsteps: ({ canUndo, canRedo }) => {
        enable("undo", canUndo);
        enable("redo", canRedo);
        this.#keeper.changed();
      },
      onchange: () => this.#changed(),
      onseed: (seed) => this.#dice.restore(seed),
      onpen: () => this.#tools.panel.offerPen(),
      onrefuse: () => this.#tools.panel.offerFingers(),
      onzoom: (zoom) => this.#tools.panel.showZoom(zoom),
      onsay: (what, where) => this.#status.say(what, where),
    },
    this.#model.layout.input,
  );
  #tools = new Tools(this.#pad, get("drawing"));
  #gallery = new Gallery((preset) => this.#place(preset));
  #settings = new Settings(() => this.#translate());
  #chooser = new Chooser(get("models"), this.#models, this.#model, (model) => this.#choose(model));
  #colouring = new Colouring(
    () => this.#pad.pixels(),
    { seed: seedOf() ?? 0, backend: backendOf() },
    {
      onstate: (state, failure) => this.#tell(state, failure),
      onwait: (waits) => this.#status.wait(waits),
      onbytes: (bytes) => this.#status.showBytes(bytes),
      onmodel: (manifest, address) => this.#open(manifest, address),
      onask: (id) => {
        this.#result.ask(id);
        this.#status.ask(id);
      },
      onpicture: (picture) => this.#show(picture),
      onbackend: (backend, threads) => this.#status.showBackend(backend, threads),
      updated,
    },
  );

  #dice = new Dice(this.#colouring, () => this.#keeper.changed());
  #overlay = new Overlay((strength) => {
    this.#result.lines = strength;
  });

  constructor() {
    // The chooser says the title as well.
    get("title").classList.toggle("unseen", this.#models.length > 1 && !this.#published);
    this.#listen();
    this.#tools.layOut(this.#model.layout);
    get("dice").hidden = !this.#model.layout.styles;
    this.#translate();
    get("stuck").remove();
  }

  /** The drawing as the engine gets it: RGBA at the model's size, a copy. */
  pixels() {
    return this.#pad.pixels();
  }

  /** Which part of the sheet is seen. */
  get view() {
    return this.#pad.hand.view;
  }

  /**
   * Start the engine on a model that comes.
   * @param {Download} [download]
   */
  start(download = new Download(this.#wanted.address)) {
    this.#chooser.check(this.#wanted);
    if (!this.#manifest) this.#returning ??= this.#keeper.restore(this.#wanted.name);
    return this.#colouring.start(download);
  }

  /** After a failure, or when nothing comes: past the browser's cache, which may hold a damaged file. */
  #again() {
    if (this.#failed === "updated") location.reload();
    else this.start(new Download(this.#wanted.address, "reload"));
  }

  /**
   * @param {import("./colouring.js").State} state
   * @param {import("./failure.js").Failure | null} failure the choice of a model goes back
   */
  #tell(state, failure) {
    this.#failed = failure?.code;
    this.#status.show(state, failure);
    if (failure) this.#chooser.check(this.#model);
  }

  #listen() {
    /** @type {{[button: string]: () => void}} */
    const actions = {
      undo: () => this.#pad.undo(),
      redo: () => this.#pad.redo(),
      clear: () => this.#clear(),
      preset: () => this.#gallery.open(),
      // After a failure that is worth another try.
      convert: () => (this.#colouring.state === "failed" ? this.#again() : this.#colouring.paint()),
      live: () => this.#setLive(!this.#colouring.live),
      download: () => this.#save(),
      shelf: () => this.#withShelf((shelf) => shelf.open()),
      again: () => this.#again(),
      swap: () => this.#status.enlarge(),
      language: () => this.#speak(this.#language === "en" ? "ja" : "en"),
    };
    for (const [button, action] of Object.entries(actions)) get(button).addEventListener("click", action);
    document.addEventListener("keydown", (event) => this.#press(event));
    // A file that is dropped never takes the page's place.
    for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
    document.addEventListener("drop", ({ dataTransfer }) => {
      const files = [...(dataTransfer?.files ?? [])];
      if (files.length > 0) this.#withShelf((shelf) => shelf.take(files));
    });
    addEventListener("online", () => this.#failed === "network" && this.#again());
  }

  /** The drawing is another one now. */
  #changed() {
    this.#status.outdated();
    this.#colouring.changed();
  }

  /** Who has emptied the sheet wants to draw: another drawing. */
  #clear() {
    this.#tools.take();
    const { seed } = this.#colouring;
    if (!this.#pad.empty) this.#dice.renew(this.#manifest, this.#pad.touched);
    this.#pad.clear([seed, this.#colouring.seed]);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (document.querySelector("dialog[open]")) return;
    const onButton = event.target instanceof HTMLElement && event.target.closest("button, a, select") !== null;
    const button = shortcut(event, onButton, this.#settings.letters);
    if (!button) return;
    get(button).click();
    event.preventDefault();
  }

  /**
   * A model is there: its size, samples and credits. The first sample is put on the sheet unless the visitor has drawn.
   * @param {Manifest} manifest
   * @param {URL} address the manifest's
   */
  async #open(manifest, address) {
    if (this.#model !== this.#wanted) this.#change();
    this.#manifest = manifest;
    this.#status.showModel(manifest);
    const [first] = manifest.presets ?? [];
    this.#gallery.offer(manifest, address);
    this.#pad.suit(manifest.input, manifest.pencil ?? USUAL_PENCIL, this.#tools.layOut(manifest));
    enable("preset", Boolean(first));
    get("dice").hidden = colourings(manifest) === 0;
    this.#overlay.offer(manifest, this.#model.name);
    this.#dice.forget();
    for (const id of ["box", "fill", "colours", "dice", "overlay"]) delete get(id).dataset.waiting;
    this.#translate();
    if (this.#returning) {
      const opened = await this.#returning;
      this.#returning = null;
      if (this.#pad.touched || !opened?.record) this.#dice.renew(manifest, false);
      if (this.#pad.touched) opened?.claim?.release();
      else if (opened) this.#bring(opened);
      if (this.#manifest !== manifest) return;
    }
    if (first && !this.#taken && !this.#gallery.asked && !this.#pad.touched) this.#begin(first);
    else this.#colouring.paint();
  }

  /** Go on with another drawing. @param {Opened} opened */
  #bring(opened) {
    const { record, claim } = opened;
    this.#taken = true;
    this.#dice.forget();
    this.#pad.restore(record ?? { ...this.#pad.state, steps: [], done: 0 });
    if (record) this.#colouring.seed = seedOf() ?? record.seed;
    this.#keeper.adopt(opened);
    if (!claim && record) this.#keeper.changed();
  }

  /** A drawing of the shelf, with the model that it was made with. @param {string | null} id null: a new one */
  async #take(id) {
    if (id === null) await this.#keeper.flush();
    const opened = id === null ? { record: null, claim: null } : await this.#keeper.open(id);
    if (!opened) return tell(say(this.#language, "shelf.gone"));
    if (id !== null) keep("seed", null);
    else this.#dice.renew(this.#manifest, this.#pad.state.own);
    this.#bring(opened);
    this.#tools.take();
    this.#changed();
    const model = this.#models.find(({ name }) => name === opened.record?.model);
    if (model && model !== this.#wanted) this.#choose(model);
  }

  /** @param {(shelf: import("./shelf/shelf.js").Shelf) => void} act */
  async #withShelf(act) {
    this.#shelf ??= import("./shelf/shelf.js").then(
      ({ Shelf }) =>
        new Shelf(this.#keeper, () => {
          const { size, pencil, paper } = this.#pad.state;
          const sheet = { size, pencil, paper, model: this.#model.name };
          return { language: this.#language, sheet, onopen: (id) => this.#take(id) };
        }),
    );
    const shelf = await this.#shelf.catch(() => {
      this.#shelf = null;
      this.#status.tell(new Failure("network", { file: "shelf.js" }));
    });
    if (shelf) act(shelf);
  }

  /**
   * The first sample, as long as the sheet is untouched.
   * @param {Preset} preset
   */
  async #begin(preset) {
    const sample = await this.#gallery.fetch(preset).catch(() => null);
    if (!sample || this.#taken || this.#pad.touched) return;
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
    this.#changed();
  }

  /**
   * @param {Preset} preset
   * @param {import("./model/download.js").Sample} sample
   */
  #lay(preset, sample) {
    const { seed } = this.#colouring;
    this.#colouring.seed = seedOf() ?? preset.seed ?? seed;
    this.#dice.forget();
    this.#pad.place(sample, [seed, this.#colouring.seed]);
    this.#tools.take();
  }

  /**
   * Another of the site's models. The one before goes on until this one is there.
   * @param {Model} model
   */
  #choose(model) {
    this.#wanted = model;
    if (model !== this.#model || !this.#colouring.stay()) this.start();
  }

  /** The model that was chosen is there. Until its first picture comes, the sheet for the colours is empty. */
  #change() {
    this.#model = this.#wanted;
    this.#gallery.forget();
    this.#result.clear();
    this.#status.forget();
    enable("download", false);
    keep("model", this.#model.name);
  }

  /** @param {import("./engine/painter.js").Picture} picture */
  #show(picture) {
    this.#result.show(picture);
    this.#status.showPicture(picture);
    enable("download", true);
    if (this.#saves && this.#status.current) this.#save();
  }

  /** Save the picture of the drawing as it is now, which may have to come first. */
  #save() {
    this.#saves = !this.#status.current && this.#colouring.state !== "failed";
    if (this.#status.current)
      this.#result.save().catch(() => this.#status.tell(new Failure("network", { file: "png.js" })));
    else if (this.#saves) this.#colouring.paint();
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
