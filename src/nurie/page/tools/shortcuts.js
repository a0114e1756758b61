// Keys that press buttons. The buttons say them, too: aria-keyshortcuts.

const LETTERS = new Map(
  Object.entries({ p: "pencil", b: "box", f: "fill", e: "eraser", d: "dice", "shift+d": "undice" }),
);
const COMMANDS = new Map(Object.entries({ z: "undo", y: "redo", "shift+z": "redo", "shift+y": "redo" }));

/**
 * What is on the key. Where it writes no Latin letter (Cyrillic, Greek, a Japanese input method), what is there on most
 * keyboards.
 * @param {Pick<KeyboardEvent, "key" | "code">} event
 */
function named({ key, code }) {
  const foreign = ["Process", "Unidentified", "Dead"].includes(key) || /^[^\0-\x7f]$/u.test(key);
  return (foreign ? (/^Key([A-Z])$/.exec(code)?.[1] ?? "") : key).toLowerCase();
}

/**
 * The id of the button that a key presses; undefined: none.
 * @param {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "repeat" | "isComposing">} event
 * @param {boolean} onButton Enter on a focused button is that button's
 * @param {boolean} [letters] may single letters press buttons?
 */
export function shortcut(event, onButton, letters = true) {
  const { ctrlKey, metaKey, shiftKey, altKey, repeat, isComposing } = event;
  const name = named(event);
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return COMMANDS.get(shiftKey ? `shift+${name}` : name);
  if (repeat || isComposing) return undefined;
  if (name === "enter") return onButton ? undefined : "convert";
  if (!letters) return undefined;
  return (shiftKey && LETTERS.get(`shift+${name}`)) || LETTERS.get(name);
}
