// How things stand, told to the visitor: what has come, what went wrong, how long a picture took; <html data-state>.

import { get } from "./dom.js";
import { say } from "./text.js";

/** @typedef {import("./failure.js").Failure} Failure */

/**
 * How long a picture took.
 * @param {number} ms
 */
export function duration(ms) {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(2);

export class Status {
  #language;
  /** The one that is being told. @type {Failure | null} */
  #failure = null;
  /** Whether what comes has stopped coming, which is told until it goes on. */
  #waits = false;
  #again = false;
  /** Received and total. @type {[number, number]} */
  #bytes = [0, 0];

  /** @param {import("./text.js").Language} language */
  constructor(language) {
    this.#language = language;
  }

  /**
   * @param {import("./colouring.js").State} state
   * @param {Failure | null} failure why no more pictures come
   */
  show(state, failure) {
    document.documentElement.dataset.state = state;
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

  /** @param {string} backend the chosen one */
  showBackend(backend) {
    document.documentElement.dataset.backend = backend;
  }

  /** A picture is there; what went wrong before it is past. @param {number} ms that it took */
  showTime(ms) {
    get("time").textContent = duration(ms);
    if (this.#failure) this.tell(null);
  }

  /** No picture is there yet. */
  clearTime() {
    get("time").textContent = "–";
  }

  /** @param {import("./text.js").Language} language */
  translate(language) {
    this.#language = language;
    this.showBytes(this.#bytes);
    this.tell(this.#failure, this.#again);
  }
}
