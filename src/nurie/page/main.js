// The whole page: what the parts say to each other. first.js begins it. Tests may rely on the ids and on <html data-state>.

import { Painter } from "./engine/painter.js";
import { bestBuild } from "./engine/wasm.js";
import { Failure } from "./failure.js";
import { Download, openPreset, styleOf } from "./model/download.js";
import { namedModel, seedOf, siteModels } from "./model/models.js";
import { Drawing } from "./sheet/drawing.js";
import { Hand, keepCrisp } from "./sheet/hand.js";
import { Raster, show } from "./sheet/raster.js";
import { fillTexts, preferredLanguage, rememberLanguage, say, translate } from "./text.js";
import { Chooser } from "./tools/chooser.js";
import { Gallery } from "./tools/gallery.js";
import { Tools } from "./tools/tools.js";

/** @typedef {import("./formats.d.ts").Manifest} Manifest */
/** @typedef {import("./formats.d.ts").Preset} Preset */
/** @typedef {import("./model/models.js").Model} Model */
/** @typedef {import("./engine/painter.js").Picture} Picture */
/** @typedef {import("./text.js").Language} Language */

/** Before the manifest says otherwise. */
const USUAL_SIZE = { width: 256, height: 256 };
const USUAL_PENCIL = 2;

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 */
const get = (id) => /** @type {T} */ (document.getElementById(id));

/** The engine build for this browser; throws Failure where it lacks something. */
function usableBuild() {
  const build = globalThis.WebAssembly ? bestBuild() : null;
  if (!build) throw new Failure("browser", { feature: "WebAssembly SIMD" });
  if (!globalThis.DecompressionStream) throw new Failure("browser", { feature: "DecompressionStream" });
  return build;
}

/** @param {string} build */
const startWorker = (build) => new Worker(new URL("./engine/worker.js", import.meta.url), { type: "module", name: build });

export class Page {
  #canvas = /** @type {HTMLCanvasElement} */ (get("drawing"));
  #input = /** @type {HTMLCanvasElement} */ (get("input"));
  #result = /** @type {HTMLCanvasElement} */ (get("result"));
  #size = { ...USUAL_SIZE };
  #drawing = new Drawing();
  #shown = new Raster(this.#canvas, this.#size);
  #raster = new Raster(this.#input, this.#size);
  #hand = new Hand(this.#canvas, this.#drawing, this.#size, (finished) => this.#changed(finished));
  #tools = new Tools(this.#hand, this.#canvas);
  #models = siteModels();
  #model = namedModel(this.#models, location.search);
  #chooser = new Chooser(get("models"), this.#models, this.#model, (model) => this.#choose(model));
  /** @type {Painter | null} */
  #painter = null;
  /** @type {Gallery | null} */
  #gallery = null;
  /** @type {Manifest | null} */
  #manifest = null;
  /** The one that was asked for last. @type {Preset | null} */
  #preset = null;
  /** @type {Language} */
  #language = preferredLanguage();
  /** @type {Failure | null} */
  #failure = null;
  /** @type {[number, number]} */
  #bytes = [0, 0];
  #frame = 0;
  #live = true;
  /** Chooses among a model's colourings; the same number gives the same picture. */
  #seed = seedOf(location.search) ?? 0;
  /** The title that `nurie publish --title` may have written. */
  #published = get("title").textContent;

  constructor() {
    this.#resize(USUAL_SIZE);
    keepCrisp(this.#canvas, (width, height) => {
      this.#shown.resize(width, height);
      this.#shown.redraw(this.#drawing);
    });
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
  async start(download = new Download(this.#model.address)) {
    this.#painter?.close();
    this.#tell(null);
    this.#showBytes([0, 0]);
    document.documentElement.dataset.state = "loading";
    try {
      this.#painter = this.#startPainter(usableBuild());
      await this.#load(this.#painter, download);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * A painter that failed meanwhile, or that a second start has replaced, is given nothing more.
   * @param {Painter} painter
   * @param {Download} download
   */
  async #load(painter, download) {
    const current = () => painter === this.#painter && document.documentElement.dataset.state === "loading";
    try {
      const manifest = await download.manifest;
      if (!current()) return;
      const backend = new URLSearchParams(location.search).get("backend") ?? undefined;
      painter.load(manifest, manifest.weights.raw_bytes, manifest.input, backend);
      download.onprogress = () => current() && this.#showBytes(download.bytes);
      download.onprogress();
      download.forEachPart((part) => painter.feed(part));
      this.#open(manifest, download.address);
      await download.complete;
      if (current()) painter.feed(new Uint8Array());
    } catch (error) {
      if (current()) throw error;
    }
  }

  /** @param {string} build */
  #startPainter(build) {
    return new Painter(() => startWorker(build), {
      onready: () => (document.documentElement.dataset.state = "ready"),
      onpicture: (picture) => this.#show(picture),
      onbackend: (backend) => (document.documentElement.dataset.backend = backend),
      onfailure: (failure) => this.#fail(failure),
    });
  }

  /**
   * Another of the site's models. Until its first picture comes, the sheet for the colours is empty.
   * @param {Model} model
   */
  #choose(model) {
    this.#model = model;
    this.#manifest = this.#gallery = this.#preset = null;
    this.#result.width = this.#size.width; // empties it
    this.#result.dataset.empty = "";
    this.#result.dataset.shown = "0";
    get("time").textContent = "–";
    for (const id of ["preset", "download"]) /** @type {HTMLButtonElement} */ (get(id)).disabled = true;
    this.#keep("model", model.name);
    this.#translate();
    this.start();
  }

  /**
   * The address keeps a choice, for the next visit and for others.
   * @param {string} name
   * @param {string | null} value null: no choice
   */
  #keep(name, value) {
    const address = new URL(location.href);
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
    history.replaceState(null, "", address);
  }

  /**
   * The model is known: its size, samples and credits. The first sample is put on the sheet unless the visitor has drawn.
   * @param {Manifest} manifest
   * @param {URL} address the manifest's
   */
  #open(manifest, address) {
    this.#manifest = manifest;
    const { width, height } = manifest.input;
    if (width !== this.#size.width || height !== this.#size.height) this.#resize({ width, height });
    this.#gallery = new Gallery(manifest, address, (preset) => this.#place(preset));
    const [first] = manifest.presets ?? [];
    /** @type {HTMLButtonElement} */ (get("preset")).disabled = !first;
    this.#takePencil(manifest.pencil ?? USUAL_PENCIL);
    this.#lay(this.#tools.layOut(manifest));
    get("dice").hidden = !manifest.styles?.length;
    this.#translate();
    if (first && !this.#preset && !this.#drawing.touched) this.#place(first, true);
    else this.#paint();
  }

  /**
   * The one whose lines the model knows: it can make little of those of another. What was drawn is redrawn with it.
   * @param {number} width in model pixels
   */
  #takePencil(width) {
    if (width === this.#hand.pencil) return;
    this.#drawing.widen(width / this.#hand.pencil);
    this.#hand.pencil = width;
    this.#redraw();
  }

  /** @param {import("./sheet/raster.js").Paper} paper under the drawing */
  #lay(paper) {
    if (paper === this.#raster.paper) return;
    this.#shown.paper = this.#raster.paper = paper;
    this.#redraw();
  }

  /** @param {{width: number, height: number}} size */
  #resize(size) {
    this.#hand.pencil *= this.#drawing.fit(this.#size, size);
    Object.assign(this.#size, size);
    document.documentElement.style.setProperty("--shape", `${size.width} / ${size.height}`);
    this.#raster.resize(size.width, size.height);
    this.#redraw();
  }

  #listen() {
    get("undo").addEventListener("click", () => this.#drawing.undo() && this.#changed(true));
    get("redo").addEventListener("click", () => this.#drawing.redo() && this.#changed(true));
    get("clear").addEventListener("click", () => {
      if (!this.#drawing.empty) this.#drawing.place();
      this.#tools.take();
      this.#changed(true);
    });
    get("preset").addEventListener("click", () => this.#gallery?.open());
    get("convert").addEventListener("click", () => this.#convert());
    get("live").addEventListener("click", () => this.#setLive(!this.#live));
    get("download").addEventListener("click", () => this.#download());
    get("dice").addEventListener("click", () => this.#roll());
    get("again").addEventListener("click", () => this.start());
    get("language").addEventListener("click", () => {
      this.#language = this.#language === "en" ? "ja" : "en";
      rememberLanguage(this.#language);
      this.#translate();
    });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (/** @type {HTMLDialogElement} */ (get("gallery")).open || event.altKey) return;
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    // Enter on a focused button is that button's.
    const onButton = event.target instanceof HTMLElement && event.target.closest("button, a") !== null;
    if (command && key === "z") get(event.shiftKey ? "redo" : "undo").click();
    else if (command && key === "y") get("redo").click();
    else if (command || event.repeat) return;
    else if (key === "p") this.#tools.take("pencil");
    else if (key === "b") this.#tools.take("box");
    else if (key === "e") this.#tools.take("eraser");
    else if (key === "d") get("dice").click();
    else if (key === "enter" && !onButton) this.#convert();
    else return;
    event.preventDefault();
  }

  /** Another colouring of the same drawing. The address keeps the number. */
  #roll() {
    const count = this.#manifest?.styles?.length;
    if (!count) return;
    // not the same colour twice in a row
    const steps = count > 1 ? 1 + Math.floor(Math.random() * (count - 1)) : 0;
    this.#seed = ((this.#seed + steps) % count) + count * Math.floor(Math.random() * 1000);
    this.#keep("seed", String(this.#seed));
    this.#paint();
  }

  /** @param {boolean} live */
  #setLive(live) {
    this.#live = live;
    get("live").setAttribute("aria-checked", String(live));
    if (live) this.#paint();
  }

  /**
   * A sample comes in a colouring of its own, if it has one; the first one in that of the page's address, if that has one.
   * @param {Preset} preset
   * @param {boolean} [first] only while the sheet is untouched
   */
  async #place(preset, first = false) {
    this.#preset = preset;
    try {
      const sample = await openPreset(preset, this.#model.address);
      if (preset !== this.#preset || (first && this.#drawing.touched)) return;
      if (!first && preset.seed !== undefined) this.#keep("seed", null);
      this.#seed = seedOf(location.search) ?? preset.seed ?? this.#seed;
      this.#drawing.place(sample);
      this.#tools.take();
      this.#redraw();
      if (this.#live || first) this.#paint();
    } catch (error) {
      if (preset !== this.#preset) return;
      if (first) this.#preset = null;
      else this.#tell(error instanceof Failure ? error : new Failure("preset"));
    }
  }

  /**
   * The drawing is another one now. While the pencil moves, at most one picture per frame is asked for.
   * @param {boolean} finished more than the line that is being drawn has changed
   */
  #changed(finished) {
    if (finished) {
      this.#redraw();
      if (this.#live) this.#paint();
      return;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#shown.update(this.#drawing);
      this.#raster.update(this.#drawing);
      if (this.#live) this.#paint();
    });
  }

  #redraw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#shown.redraw(this.#drawing);
    this.#raster.redraw(this.#drawing);
    /** @type {HTMLButtonElement} */ (get("undo")).disabled = !this.#drawing.canUndo;
    /** @type {HTMLButtonElement} */ (get("redo")).disabled = !this.#drawing.canRedo;
  }

  /** Asked for by hand: after a failure that is worth another try. */
  #convert() {
    if (document.documentElement.dataset.state === "failed") this.start();
    else this.#paint();
  }

  #paint() {
    if (!this.#manifest || !this.#painter) return;
    this.#result.dataset.asked = String(this.#painter.paint(() => this.#raster.pixels().data, styleOf(this.#manifest, this.#seed)));
  }

  /** @param {Picture} picture */
  #show(picture) {
    show(this.#result, picture);
    const { id, ms, backend } = picture;
    this.#result.dataset.shown = String(id);
    this.#result.dataset.backend = backend;
    get("time").textContent = ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
    /** @type {HTMLButtonElement} */ (get("download")).disabled = false;
    if (this.#failure) this.#tell(null);
  }

  #download() {
    this.#result.toBlob((blob) => {
      if (!blob) return;
      const link = document.createElement("a");
      Object.assign(link, { href: URL.createObjectURL(blob), download: "nurie.png" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  }

  /** @param {[number, number]} bytes received, total */
  #showBytes(bytes) {
    this.#bytes = bytes;
    const [received, total] = bytes;
    const percent = total ? Math.floor((100 * received) / total) : 0;
    const mb = (/** @type {number} */ n) => (n / 1e6).toFixed(2);
    const text = total ? say(this.#language, "bytes", { received: mb(received), total: mb(total) }) : "";
    const progress = get("progress");
    progress.setAttribute("aria-valuenow", String(percent));
    progress.setAttribute("aria-valuetext", text);
    progress.style.setProperty("--percent", `${percent}%`);
    get("bytes").textContent = text;
  }

  /** @param {unknown} error no more pictures */
  #fail(error) {
    if (!(error instanceof Failure)) console.error(error);
    this.#painter?.close();
    document.documentElement.dataset.state = "failed";
    this.#tell(error instanceof Failure ? error : new Failure("unknown", { reason: String(error) }));
  }

  /** @param {Failure | null} failure */
  #tell(failure) {
    this.#failure = failure;
    const notice = /** @type {HTMLElement} */ (get("message").parentElement);
    notice.hidden = !failure;
    get("again").hidden = document.documentElement.dataset.state !== "failed";
    get("message").textContent = failure ? say(this.#language, `failure.${failure.code}`, failure.values) : "";
  }

  #translate() {
    fillTexts(this.#language);
    const title = this.#published || translate(this.#model.title, this.#language);
    get("title").textContent = title;
    document.title = title || "Nurie";
    const credits = this.#manifest?.credits ?? [];
    get("credits").replaceChildren(...credits.map((credit) => Object.assign(document.createElement("li"), { textContent: credit })));
    /** @type {HTMLElement} */ (get("credits").parentElement).hidden = credits.length === 0;
    this.#chooser.translate(this.#language);
    this.#gallery?.translate(this.#language);
    this.#tools.translate(this.#language);
    this.#showBytes(this.#bytes);
    this.#tell(this.#failure);
    get("language").lang = this.#language === "en" ? "ja" : "en";
  }
}
