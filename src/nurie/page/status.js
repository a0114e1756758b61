// How things stand, told to the visitor: what has come, what went wrong, how a picture was made; <html data-state>.

import { get } from "./dom.js";
import { bestBuild } from "./engine/wasm.js";
import { say } from "./text.js";

/** @typedef {import("./failure.js").Failure} Failure */
/** @typedef {import("./engine/painter.js").Picture} Picture */
/** @typedef {import("./formats.d.ts").Manifest} Manifest */

/**
 * How long a picture took.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * The key of what computes, and if that is one thread only, why.
 * @param {Pick<Picture, "backend"> | null} picture
 * @param {number} threads that share the work; 0: not known yet
 * @param {string | null} [build] of the engine
 * @param {number} [cores]
 */
export function engineKey(picture, threads, build = bestBuild(), cores = navigator.hardwareConcurrency) {
  if (!picture) return "engine.none";
  if (picture.backend === "webgpu") return "engine.webgpu";
  if (threads > 1) return "engine.threads";
  if (build?.endsWith("-threads")) return threads ? "engine.refused" : "engine.wasm";
  return cores > 1 ? "engine.alone" : "engine.single";
}

const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(2);

/**
 * Where a file came from: "network", "cache", or null while it has not come.
 * @param {string} file
 */
function origin(file) {
  const loads = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource"));
  const load = loads.findLast(({ name }) => new URL(name).pathname.endsWith(`/${file}`));
  if (!load) return null;
  return load.transferSize === 0 && load.decodedBodySize > 0 ? "cache" : "network";
}

export class Status {
  #language;
  #root = document.documentElement;
  /** The one that is being told. @type {Failure | null} */
  #failure = null;
  /** Whether what comes has stopped coming, which is told until it goes on. */
  #waits = false;
  #again = false;
  /** Received and total. @type {[number, number]} */
  #bytes = [0, 0];
  /** Null until it is known. @type {Manifest | null} */
  #manifest = null;
  /** The last one. @type {Picture | null} */
  #picture = null;
  /** Of the WebAssembly engine; 0: not known yet. */
  #threads = 0;
  /** The id of the picture that was asked for last. */
  #asked = 0;

  /** @param {import("./text.js").Language} language */
  constructor(language) {
    this.#language = language;
    get("help").addEventListener("click", () => this.#showFacts());
  }

  /**
   * @param {import("./colouring.js").State} state
   * @param {Failure | null} failure why no more pictures come
   */
  show(state, failure) {
    this.#root.dataset.state = state;
    if (state === "failed") this.#busy(false);
    this.tell(failure, true);
  }

  /**
   * @param {Failure | null} failure null: all is well
   * @param {boolean} [again] whether it is worth another try
   */
  tell(failure, again = false) {
    this.#failure = failure;
    this.#again = again;
    const code = failure?.code ?? (this.#waits && "waiting");
    get("notice").hidden = !code;
    get("message").textContent = code ? say(this.#language, `failure.${code}`, failure?.values) : "";
    get("message").title = failure?.message ?? "";
    get("again").hidden = !again;
    get("again").dataset.text = code === "updated" ? "reload" : "again";
    get("again").textContent = say(this.#language, get("again").dataset.text ?? "");
  }

  /** @param {boolean} waits whether what comes has stopped coming, for now */
  wait(waits) {
    this.#waits = waits;
    this.tell(null, waits);
  }

  /** @param {[number, number]} bytes of the weights, zipped: received, total */
  showBytes(bytes) {
    this.#bytes = bytes;
    const [received, total] = bytes;
    const percent = total ? Math.floor((100 * received) / total) : 0;
    const values = { received: megabytes(received), total: megabytes(total) };
    const text = total ? say(this.#language, "bytes", values) : "";
    const progress = get("progress");
    progress.setAttribute("aria-valuenow", String(percent));
    progress.setAttribute("aria-valuetext", text);
    progress.style.setProperty("--percent", `${percent}%`);
    get("bytes").textContent = text;
  }

  /**
   * @param {string} backend the chosen one
   * @param {number} threads that the WebAssembly engine shares its work among
   */
  showBackend(backend, threads) {
    this.#root.dataset.backend = backend;
    this.#threads = threads;
  }

  /** @param {Manifest} manifest of the model that is coming */
  showModel(manifest) {
    this.#manifest = manifest;
  }

  /** @param {number} id of the picture of the drawing as it is now */
  ask(id) {
    this.#asked = id;
    delete this.#root.dataset.outdated;
    this.#busy(true);
  }

  /** The drawing has changed; until the next picture is asked for, what is to be seen is not of it. */
  outdated() {
    this.#root.dataset.outdated = "";
  }

  /** Is the picture that is to be seen one of the drawing as it is now? */
  get current() {
    return !("outdated" in this.#root.dataset) && this.#picture !== null && this.#picture.id >= this.#asked;
  }

  /** A picture is there; what went wrong before it is past. @param {Picture} picture */
  showPicture(picture) {
    this.#picture = picture;
    get("time").textContent = duration(picture.ms);
    if (picture.id >= this.#asked) this.#busy(false);
    if (this.#failure) this.tell(null);
  }

  /** Another model comes; no picture of it is there yet. */
  forget() {
    this.#manifest = null;
    this.#picture = null;
    this.#threads = 0;
    get("time").textContent = "–";
  }

  /**
   * To those who do not see the pen that keys move.
   * @param {string} what key of text.js
   * @param {{[name: string]: number}} values
   */
  say(what, values) {
    get("said").textContent = say(this.#language, what, values);
  }

  /** On phones the picture and the drawing change places, and back. */
  enlarge() {
    const large = this.#root.dataset.large !== "picture";
    this.#root.dataset.large = large ? "picture" : "drawing";
    get("swap").setAttribute("aria-pressed", String(large));
  }

  /** @param {import("./text.js").Language} language */
  translate(language) {
    this.#language = language;
    this.showBytes(this.#bytes);
    this.tell(this.#failure, this.#again);
    this.#showFacts();
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.#root.toggleAttribute("data-busy", busy);
    get("result").setAttribute("aria-busy", String(busy));
  }

  /** In the dialog of help and settings. */
  #showFacts() {
    const word = (/** @type {string} */ key, /** @type {{[name: string]: string | number}} */ values = {}) =>
      say(this.#language, key, values);
    const { weights, credits = [] } = this.#manifest ?? {};
    const from = weights && this.#bytes[0] >= this.#bytes[1] ? origin(weights.file) : null;
    const total = megabytes(weights?.bytes ?? 0);
    const picture = this.#picture;
    const { width = 0, height = 0 } = picture ?? {};
    /** @type {[string, string[]][]} */
    const facts = [
      ["factsEngine", [word(engineKey(picture, this.#threads), { threads: this.#threads })]],
      ["factsPicture", [picture ? word("picture", { time: duration(picture.ms), width, height }) : "–"]],
      ["factsModel", [weights ? word(from ? `from.${from}` : "size", { total }) : "–"]],
      ["factsCredits", [...credits, word("licence")]],
    ];
    get("facts").replaceChildren(
      ...facts.flatMap(([key, lines]) => [element("dt", word(key)), ...lines.map((line) => element("dd", line))]),
    );
  }
}

/**
 * @param {"dt" | "dd"} tag
 * @param {string} text
 */
const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
