// Who may name whom: the page's folders and files refer one way, in types too.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const page = new URL("../../src/nurie/page/", import.meta.url);

/** Lowest first: a row may name those below it; what stands in one row knows nothing of each other. */
const ROWS = [
  ["formats.d.ts", "memory.js"],
  ["address.js", "dom.js", "failure.js", "last.js", "png.js", "text.js"],
  ["lines.js"],
  ["pointer"],
  ["engine", "model", "sheet"],
  ["shelf", "tools"],
  ["colouring.js"],
  ["status.js"],
  ["main.js"],
  ["first.js"],
  ["early.js"], // lies in index.html
];

/** What the first picture waits for. */
const FIRST = ["first.js", "address.js", "failure.js", "last.js", "lines.js", "memory.js", "engine", "model", "sheet"];

/** Imports of all kinds, workers, files' addresses, and types in comments: each has a relative name in quotes. */
const REFERENCE = /(["'`])(\.{1,2}\/[^"'`]*)\1/g;
const IMPORT = /^\s*(?:import|export)\b(?!\s*\()[^;"']*["'](\.[^"']*)["']/gm; // static

const scripts = readdirSync(page, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.(js|ts)$/.test(file));

/** @param {string} file */
const read = (file) => readFileSync(new URL(file, page), "utf8");

/**
 * @param {string} file
 * @param {string} name relative to it
 */
const resolved = (file, name) => new URL(name, new URL(file, page)).href.slice(page.href.length);

/** The folder, or a file on top. @param {string} file */
const part = (file) => file.split("/")[0];

/** @param {string} file */
const row = (file) => ROWS.findIndex((parts) => parts.includes(part(file)));

/**
 * What a file may not name.
 * @param {string} file
 * @param {string} text its content
 */
function faults(file, text) {
  const named = [...text.matchAll(REFERENCE)].map((match) => resolved(file, match[2]));
  const wrong = named.filter((other) => part(other) !== part(file) && (row(other) < 0 || row(other) >= row(file)));
  return wrong.map((other) => `${file} -> ${other}`);
}

/** What a file imports before it starts. @param {string} file */
const imported = (file) => [...read(file).matchAll(IMPORT)].map((match) => resolved(file, match[1]));

test("folders refer one way, and every script has its row", () => {
  assert.ok(scripts.length > 20);
  assert.deepEqual(
    scripts.filter((file) => row(file) < 0),
    [],
  );
  assert.deepEqual(
    scripts.flatMap((file) => faults(file, read(file))),
    [],
  );
});

test("a reference of any kind is seen", () => {
  for (const text of [
    'import { a } from "../tools/a.js";',
    'import {\n  a,\n} from "../tools/a.js";',
    'import "../tools/a.js";',
    'export * from "../tools/a.js";',
    'const a = await import("../tools/a.js");',
    'new Worker(new URL("../tools/a.js", import.meta.url))',
    '/** @param {import("../tools/a.js").A} a */',
  ]) {
    assert.deepEqual(faults("sheet/b.js", text), ["sheet/b.js -> tools/a.js"], text);
    assert.deepEqual(faults("main.js", text.replace("../", "./")), [], text);
  }
  assert.deepEqual(faults("sheet/b.js", 'import "../model/a.js"; import "./c.js"; import "../failure.js";'), [
    "sheet/b.js -> model/a.js",
  ]);
  assert.deepEqual(faults("text.js", 'import "./failure.js";'), ["text.js -> failure.js"]);
  assert.deepEqual(faults("tools/b.js", 'import "../new/a.js"; import "../../a.js";').length, 2);
});

test("no script waits for itself", () => {
  /** @type {Set<string>} */
  const done = new Set();
  const visit = (/** @type {string} */ file, /** @type {string[]} */ path = []) => {
    assert.ok(!path.includes(file), [...path, file].join(" -> "));
    if (done.has(file)) return;
    for (const other of imported(file)) visit(other, [...path, file]);
    done.add(file);
  };
  scripts.forEach((file) => visit(file));
  assert.ok(imported("main.js").length > 5 && done.size === scripts.length);
});

test("the first picture waits for no more than it needs", () => {
  const needed = new Set(["first.js"]);
  for (const file of needed) for (const other of imported(file)) needed.add(other); // a Set goes on to what is added
  assert.deepEqual(
    [...needed].filter((file) => !FIRST.includes(part(file))),
    [],
  );
  assert.ok(needed.size > 5);
});
