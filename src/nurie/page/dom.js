/**
 * An element of index.html.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind] for what only such elements have
 * @returns {T}
 */
export function get(id, kind = /** @type {any} */ (HTMLElement)) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}.`);
  return element;
}

/** A click beside a dialog closes it, too. @param {HTMLDialogElement} dialog */
export const closeFromOutside = (dialog) =>
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());

/**
 * Give the visitor a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function offer(blob, name) {
  const link = document.createElement("a");
  Object.assign(link, { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Milliseconds that a word stays. */
const WORD_MS = 10_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Tell the visitor something, at the foot of the window, for a while. @param {string} text */
export function tell(text) {
  const word = get("word");
  word.textContent = text;
  word.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => {
    word.hidden = true;
  }, WORD_MS);
}
