// What the browser remembers, in a few words. Storage may be forbidden; a choice then holds for this visit.

/** @param {"localStorage" | "sessionStorage"} storage */
const kept = (storage) => ({
  /** @param {string} name */
  get(name) {
    try {
      return globalThis[storage].getItem(name);
    } catch {
      return null;
    }
  },

  /**
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    try {
      globalThis[storage].setItem(name, value);
    } catch {}
  },
});

/** Of a visitor's choices. */
export const memory = kept("localStorage");
/** Of a tab: until it is closed. */
export const tabMemory = kept("sessionStorage");
