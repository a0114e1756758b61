import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shortcut } from "../../src/nurie/page/tools/shortcuts.js";

/**
 * @param {string} keys such as "Control+Shift+z"
 * @param {{code?: string, repeat?: boolean, isComposing?: boolean, onButton?: boolean, letters?: boolean}} [how]
 */
function pressed(keys, { code = "", repeat = false, isComposing = false, onButton = false, letters = true } = {}) {
  const key = keys.split("+").at(-1) ?? "";
  const [ctrlKey, metaKey, shiftKey, altKey] = ["Control", "Meta", "Shift", "Alt"].map((name) => keys.includes(name));
  return shortcut({ key, code, ctrlKey, metaKey, shiftKey, altKey, repeat, isComposing }, onButton, letters);
}

test("keys press buttons, capitals too", () => {
  const buttons = {
    p: "pencil",
    P: "pencil",
    b: "box",
    f: "fill",
    e: "eraser",
    d: "dice",
    Enter: "convert",
    "Shift+E": "eraser",
  };
  Object.assign(buttons, { "Shift+D": "undice" });
  for (const [keys, button] of Object.entries(buttons)) assert.equal(pressed(keys), button, keys);
  for (const keys of ["x", "Escape", "Tab", " ", "Alt+p", "Control+p", "Meta+e", "Control+Enter"])
    assert.equal(pressed(keys), undefined, keys);
});

test("Control or the command key undoes and does again, as long as it is held", () => {
  for (const command of ["Control", "Meta"]) {
    assert.equal(pressed(`${command}+z`), "undo");
    assert.equal(pressed(`${command}+z`, { repeat: true }), "undo");
    assert.equal(pressed(`${command}+Shift+Z`), "redo");
    assert.equal(pressed(`${command}+y`), "redo");
    assert.equal(pressed(`${command}+Shift+Y`), "redo");
    assert.equal(pressed(`Alt+${command}+z`), undefined);
  }
});

test("a held key presses once, and Enter on a focused button is that button's", () => {
  assert.equal(pressed("d", { repeat: true }), undefined);
  assert.equal(pressed("Enter", { onButton: true }), undefined);
  assert.equal(pressed("e", { onButton: true }), "eraser");
});

test("where keys write no Latin letters, their places count", () => {
  for (const key of ["я", "Я", "ζ", "つ", "Process", "Unidentified", "Dead"]) {
    assert.equal(pressed(`Control+${key}`, { code: "KeyZ" }), "undo", key);
    assert.equal(pressed(`Control+Shift+${key}`, { code: "KeyZ" }), "redo", key);
    assert.equal(pressed(key, { code: "KeyE" }), "eraser", key);
  }
  assert.equal(pressed("Control+w", { code: "KeyZ" }), undefined); // AZERTY: Z is where others have W
  assert.equal(pressed("Control+z", { code: "KeyW" }), "undo");
  assert.equal(pressed("é", { code: "Digit2" }), undefined);
});

test("while a word is being composed, only commands count", () => {
  for (const key of ["Enter", "Process", "p"])
    assert.equal(pressed(key, { code: "KeyP", isComposing: true }), undefined);
  assert.equal(pressed("Control+z", { code: "KeyZ", isComposing: true }), "undo");
  assert.equal(pressed("Control+Process", { code: "KeyZ", isComposing: true }), "undo");
});

test("single letters can be switched off; Enter and commands stay", () => {
  for (const key of ["p", "b", "f", "e", "d"]) assert.equal(pressed(key, { letters: false }), undefined);
  assert.equal(pressed("Enter", { letters: false }), "convert");
  assert.equal(pressed("Control+z", { letters: false }), "undo");
});

test("each button's keys are those that it tells", () => {
  const html = readFileSync(new URL("../../src/nurie/page/index.html", import.meta.url), "utf8");
  const told = [...html.matchAll(/<button id="(\w+)"[^>]* aria-keyshortcuts="([^"]+)"/g)];
  assert.equal(told.length, 9);
  for (const [, button, shortcuts] of told)
    for (const keys of shortcuts.split(" ")) assert.equal(pressed(keys), button, keys);
});
