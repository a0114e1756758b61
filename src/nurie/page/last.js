// Which drawing comes back when the page is opened. That is known at once, without the database of the drawings.

import { memory, tabMemory } from "./memory.js";

/** Sites that share a host do not share drawings. */
export const place = () => `nurie ${new URL(document.baseURI).pathname.replace(/[^/]*$/, "")}`;

/**
 * The last drawing of each model, the newest first, and its colouring.
 * @returns {[model: string, id: string, seed?: string][]}
 */
export function lastDrawings() {
  try {
    const last = JSON.parse(memory.get(place()) ?? "");
    return last.filter(
      (/** @type {unknown} */ pair) => Array.isArray(pair) && pair.every((part) => typeof part === "string"),
    );
  } catch {
    return [];
  }
}

/** @param {{model: string, id: string, seed: number}} drawing */
export const drawn = ({ model, id, seed }) =>
  put([[model, id, String(seed)], ...lastDrawings().filter(([name]) => name !== model)]);

/** A drawing is gone. @param {string} id */
export const gone = (id) => put(lastDrawings().filter(([, other]) => other !== id));

/**
 * The drawing of this tab, whose id is "" as long as it is new and empty; null: there is none.
 * @returns {{id: string, model: string} | null}
 */
export function tabDrawing() {
  const [id, ...model] = tabMemory.get(place())?.split(" ") ?? [];
  return id === undefined ? null : { id, model: model.join(" ") };
}

/**
 * @param {string} id
 * @param {string} model
 */
export const keepInTab = (id, model) => tabMemory.set(place(), `${id} ${model}`);

/**
 * A drawing that the database may be too slow for as the page goes waits in the tab; null: none does.
 * @param {unknown} record
 */
export const leave = (record) => tabMemory.set(`${place()} left`, JSON.stringify(record));

/** @returns {any} what waits in the tab, whatever it is */
export function left() {
  try {
    return JSON.parse(tabMemory.get(`${place()} left`) ?? "null");
  } catch {
    return null;
  }
}

/** The colouring of the last drawing; -1: there is none. */
export const lastSeed = () => Number(lastDrawings()[0]?.[2] ?? -1);

/**
 * The colouring of a new drawing: the next of a model's styles.
 * @param {Pick<import("./formats.d.ts").Manifest, "styles">} manifest
 * @param {number} [before] the colouring of the drawing before
 */
export const nextSeed = ({ styles = [] }, before = lastSeed()) => (before + 1) % styles.length || 0;

/** Name of the model to open the page with, where the address names none. */
export const lastModel = () => (tabDrawing() ?? { model: lastDrawings()[0]?.[0] }).model;

/** Does a drawing come back to this model's page? @param {string} model */
export const comesBack = (model) => tabDrawing() !== null || lastDrawings().some(([name]) => name === model);

/** @param {ReturnType<typeof lastDrawings>} last */
const put = (last) => memory.set(place(), JSON.stringify(last));
