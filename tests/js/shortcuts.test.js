import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { shortcut } from "../../src/nurie/page/tools/shortcuts.js";

/** @param {string} keys such as "Control+Shift+z" @param {{repeat?: boolean, onButton?: boolean}} [how] */
function pressed(keys, { repeat = false, onButton = false } = {}) {
  const key = keys.split("+").at(-1) ?? "";
  const [ctrlKey, metaKey, shiftKey, altKey] = ["Control", "Meta", "Shift", "Alt"].map((name) => keys.includes(name));
  return shortcut({ key, ctrlKey, metaKey, shiftKey, altKey, repeat }, onButton);
}

test("keys press buttons, capitals too", () => {
  const buttons = { p: "pencil", P: "pencil", b: "box", e: "eraser", d: "dice", Enter: "convert", "Shift+E": "eraser" };
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

test("each button's keys are those that it tells", () => {
  const html = readFileSync(new URL("../../src/nurie/page/index.html", import.meta.url), "utf8");
  const told = [...html.matchAll(/<button id="(\w+)"[^>]* aria-keyshortcuts="([^"]+)"/g)];
  assert.equal(told.length, 7);
  for (const [, button, shortcuts] of told)
    for (const keys of shortcuts.split(" ")) assert.equal(pressed(keys), button, keys);
});
