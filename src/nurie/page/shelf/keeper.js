// Keeps the drawings: saves the current one soon after each change, and knows the others. No two pages write to one.

import { comesBack, drawn, gone, keepInTab, lastDrawings, leave, left, place, tabDrawing } from "../last.js";
import { isKept } from "./check.js";
import { Store } from "./store.js";

/**
 * @typedef {import("./check.js").Kept} Kept
 *
 * What the page says of its drawing.
 * @typedef {Omit<Kept, "id" | "writer" | "made" | "changed" | "title"> & {own: boolean}} Now
 *
 * A page has the drawing until it releases it. Not `sure`: this browser can not tell whether another one has it, too.
 * @typedef {{release: () => void, sure: boolean}} Claim
 *
 * A drawing to go on with; null: an empty sheet. Without a claim another page has it, and this one goes on with a copy.
 * @typedef {{record: Kept | null, claim: Claim | null}} Opened
 */

/** Milliseconds from a change until it is saved. */
const SOON = 200;
/**
 * All steps are written each time: 1 ms for 10 lines, 38 for 3,000 of 60 points, most of it in the page's own thread. So
 * a save waits this many times as long as the last one took, but not longer than that.
 */
const REST = 20;
const LATEST = 2000;
/** Milliseconds that a page which has just been left may take to release its drawing. */
const PATIENCE = 1000;

export const newId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Keeper {
  /** Of the current drawing. */
  id = newId();
  /** What can not be kept lives as long as this page. @type {Map<string, Kept>} */
  #unkept = new Map();
  #store = new Store(place());
  #take;
  #onlost;
  #writer = newId();
  /** Of the current drawing: what does not change. @type {{made: number, title?: import("../formats.d.ts").Words}} */
  #about = { made: Date.now() };
  /** It is on the shelf, or was. */
  #known = false;
  /** @type {Claim | null} */
  #claim = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #saving = Promise.resolve();
  /** Milliseconds that the last one took. */
  #took = 0;
  #changes = 0;
  /** So many of them. */
  #saved = 0;
  /** The last one that was to be kept was not. */
  lost = false;

  /**
   * @param {() => Now} take gives the drawing as it is now, a copy
   * @param {(key: "unkept" | "damaged") => void} onlost drawings are not kept, or the last one can not be read
   */
  constructor(take, onlost) {
    this.#take = take;
    this.#onlost = onlost;
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
    addEventListener("pagehide", async () => {
      const claimed = this.#claim;
      if (this.#saved !== this.#changes) await this.#save(true); // the page that comes next waits for it
      claimed?.release();
      if (this.#claim === claimed) this.#claim = null;
    });
    // The browser may show the page again as it was left.
    addEventListener("pageshow", async ({ persisted }) => {
      if (persisted && this.#known) this.#claim = await claim(this.id, 0);
    });
  }

  /** The drawing has changed. */
  changed() {
    this.#changes += 1;
    this.#timer ??= setTimeout(() => this.flush(), Math.min(Math.max(SOON, REST * this.#took), LATEST));
  }

  /** Save what has changed, now. */
  flush() {
    if (this.#timer === undefined) return this.#saving;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saving = this.#saving.then(async () => {
      const start = performance.now();
      await this.#save();
      this.#took = performance.now() - start;
    });
    return this.#saving;
  }

  /**
   * The drawing that comes back when the page opens: this tab's, or else the last one of the model.
   * @param {string} model
   * @returns {Promise<Opened | null>} `adopt` or `release` it; null: there is none
   */
  async restore(model) {
    if (!comesBack(model)) return null;
    const mine = tabDrawing();
    if (mine?.id === "") return { record: null, claim: null };
    const id = mine?.id ?? lastDrawings().find(([name]) => name === model)?.[1] ?? "";
    const claimed = await claim(id, mine ? PATIENCE : 0);
    if (!claimed && !mine) return null; // it is open in another tab
    const stored = await this.#store.get(id).catch(() => undefined);
    const [record] = [mine && left(), stored]
      .filter((found) => isKept(found) && found.id === id)
      .sort((a, b) => b.changed - a.changed);
    if (record) return { record, claim: claimed };
    claimed?.release();
    if (stored) this.#onlost("damaged");
    return null;
  }

  /**
   * A drawing of the shelf.
   * @param {string} id
   * @returns {Promise<Opened | null>} null: it is gone
   */
  async open(id) {
    await this.flush();
    const claimed = id === this.id ? null : await claim(id, 0);
    const record = this.#unkept.get(id) ?? (await this.#store.get(id).catch(() => null));
    if (isKept(record)) return { record, claim: claimed };
    claimed?.release();
    return null;
  }

  /** This drawing is the current one from now on. @param {Opened} opened */
  adopt({ record, claim }) {
    this.#rest();
    this.#begin(claim && record ? record.id : newId(), claim);
    this.#about = { made: record?.made ?? Date.now(), ...(record?.title && { title: record.title }) };
    this.#known = record !== null;
    keepInTab(claim ? this.id : "", this.#take().model);
    if (!claim || !record) return;
    this.#store // a page that has it, too, goes on with a copy
      .put({ ...record, writer: this.#writer })
      .then(() => this.#kept())
      .catch(() => {});
    drawn(record);
  }

  /**
   * All drawings, the one that was changed last first.
   * @returns {Promise<{drawings: Kept[], damaged: number}>} and how many can not be read
   */
  async list() {
    await this.flush();
    const records = await this.#store.all().catch(() => []);
    /** @type {Map<string, Kept>} */
    const drawings = new Map();
    for (const record of records) if (isKept(record)) drawings.set(record.id, record);
    const damaged = records.length - drawings.size;
    for (const record of this.#unkept.values()) drawings.set(record.id, record);
    return { drawings: [...drawings.values()].sort((a, b) => b.changed - a.changed), damaged };
  }

  /** Put a drawing on the shelf. @param {Omit<Kept, "writer">} drawing */
  async add(drawing) {
    const record = { ...drawing, writer: this.#writer };
    await this.#store.put(record).catch(() => this.#lose(record));
  }

  /** Take one off. The current one becomes a new one, which is empty. @param {string} id */
  async remove(id) {
    if (id === this.id) {
      this.#rest();
      await this.#saving;
      this.adopt({ record: null, claim: null });
    }
    this.#unkept.delete(id);
    gone(id);
    await this.#store.remove(id).catch(() => {});
  }

  /** @param {boolean} [hurried] the page is being left: there is no time to look who has written meanwhile */
  async #save(hurried = false) {
    const changes = this.#changes;
    const { own, ...now } = this.#take();
    if (!own && !this.#known) return;
    const record = { ...now, ...this.#about, id: this.id, writer: this.#writer, changed: Date.now() };
    const alone = !this.#known || this.#claim?.sure;
    if (hurried) {
      this.#remember(record);
      // Firefox and WebKit leave out what the database has not begun. Pictures are too large for the tab.
      if (!record.steps.some((step) => step.tool === "sheet" && step.picture)) leave(record);
    }
    try {
      if (hurried && alone) await this.#store.put(record);
      else if (!(await this.#store.replace(record))) {
        this.#begin(newId(), null); // another page goes on with that one
        await this.#store.put(Object.assign(record, { id: this.id }));
      }
      this.#unkept.delete(record.id);
      this.lost = false;
      this.#saved = changes;
      this.#kept();
    } catch {
      this.#lose(record);
      return;
    }
    if (record.id !== this.id) return;
    this.#remember(record);
    if (!hurried) this.#claim ??= await claim(record.id, 0);
  }

  /** There is nothing to save. */
  #rest() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#saved = this.#changes;
  }

  /** The database has it: nothing needs to wait in the tab, unless it has changed again. */
  #kept() {
    if (this.#saved === this.#changes) leave(null);
  }

  /** It comes back. @param {Kept} record of the current drawing */
  #remember(record) {
    this.#known = true;
    drawn(record);
    keepInTab(record.id, record.model);
  }

  /**
   * @param {string} id
   * @param {Claim | null} claim
   */
  #begin(id, claim) {
    this.#claim?.release();
    this.#claim = claim;
    this.id = id;
  }

  /** @param {Kept} record that can not be kept */
  #lose(record) {
    this.#unkept.set(record.id, record);
    if (!this.lost) this.#onlost("unkept");
    this.lost = true;
  }
}

/**
 * Have a drawing for oneself.
 * @param {string} id
 * @param {number} ms to wait for the page that has it
 * @returns {Promise<Claim | null>} null: another page has it
 */
function claim(id, ms) {
  const unsure = { release: () => {}, sure: false };
  if (!navigator.locks) return Promise.resolve(unsure); // on http they are not there
  const wait = new AbortController();
  if (ms) setTimeout(() => wait.abort(), ms);
  const options = ms ? { signal: wait.signal } : { ifAvailable: true };
  return new Promise((resolve) => {
    const hold = (/** @type {Lock | null} */ lock) =>
      lock ? new Promise((release) => resolve({ release: () => release(null), sure: true })) : resolve(null);
    navigator.locks
      .request(`${place()} ${id}`, options, hold)
      .catch((error) => resolve(error?.name === "AbortError" ? null : unsure));
  });
}
