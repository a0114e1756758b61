// Keys that press buttons. The buttons say them, too: aria-keyshortcuts.

const KEYS = new Map(Object.entries({ p: "pencil", b: "box", e: "eraser", d: "dice", enter: "convert" }));
const COMMANDS = new Map(Object.entries({ z: "undo", y: "redo", "shift+z": "redo", "shift+y": "redo" }));

/**
 * The id of the button that a key presses; undefined: none.
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "repeat">} event
 * @param {boolean} onButton Enter on a focused button is that button's
 */
export function shortcut({ key, ctrlKey, metaKey, shiftKey, altKey, repeat }, onButton) {
  const name = key.toLowerCase();
  if (altKey) return undefined;
  if (ctrlKey || metaKey) return COMMANDS.get(shiftKey ? `shift+${name}` : name);
  return repeat || (name === "enter" && onButton) ? undefined : KEYS.get(name);
}
