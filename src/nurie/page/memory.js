// What the browser remembers of a visitor's choices. Storage may be forbidden; a choice then holds for this visit.

export const memory = {
  /** @param {string} name */
  get(name) {
    try {
      return localStorage.getItem(name);
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
      localStorage.setItem(name, value);
    } catch {}
  },
};
