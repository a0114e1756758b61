import assert from "node:assert/strict";
import { test } from "node:test";
import { area } from "../../src/nurie/page/sheet/area.js";
import { Drawing } from "../../src/nurie/page/sheet/drawing.js";
import { Surface } from "../../src/nurie/page/sheet/surface.js";

/** By letters. @type {{[letter: string]: string}} */
const COLOURS = { ".": "#0000de", a: "#ff0000", b: "#ffff00", n: "#f00808" }; // n: a sample's, nearly that of a
const LABELS = ["#0000de", "#ff0000", "#ffff00"];

/** A label map of letters. @param {string[]} rows */
function map(rows) {
  const [width, height] = [rows[0].length, rows.length];
  const bytes = [...rows.join("")].flatMap((letter) => [...Buffer.from(COLOURS[letter].slice(1), "hex"), 255]);
  return { width, height, pixels: new Uint8ClampedArray(bytes) };
}

/** The map with boxes on it, as letters. @param {string[]} rows @param {number[]} points @param {string} letter */
function covered(rows, points, letter) {
  const { width, height, pixels } = map(rows);
  const surface = new Surface();
  surface.paper = { colour: "#0000de", covered: true };
  surface.resize(width, height, { width, height });
  const drawing = new Drawing();
  drawing.place({ picture: { width, height, pixels } });
  drawing.fill(points, 6, COLOURS[letter]);
  surface.redraw(drawing);
  const letters = Object.fromEntries(Object.entries(COLOURS).map(([each, colour]) => [colour, each]));
  const found = Array.from({ length: width * height }, (_, i) => Buffer.from(surface.pixels.slice(4 * i, 4 * i + 3)));
  const text = found.map((bytes) => letters[`#${bytes.toString("hex")}`]).join("");
  return rows.map((_, y) => text.slice(y * width, (y + 1) * width));
}

const ROWS = ["..aa..", ".aaaa.", ".a..a.", "aa.ana", ".....a"];

test("the area around a point is what is connected by its sides and has its label", () => {
  const points = area(map(ROWS), 2.9, 0.2, LABELS, COLOURS.b);
  assert.deepEqual(covered(ROWS, points, "b"), ["..bb..", ".bbbb.", ".b..b.", "bb.bbb", ".....b"]);
  const ground = area(map(ROWS), 2, 2, LABELS, COLOURS.b);
  assert.deepEqual(covered(ROWS, ground, "b"), ["..aa..", ".aaaa.", ".abba.", "aabana", "bbbbba"]);
});

test("rows that are the same are one box, so that a large area takes few numbers", () => {
  const rows = Array.from({ length: 40 }, () => ".".repeat(30));
  assert.deepEqual(area(map(rows), 3, 3, LABELS, COLOURS.b), [0, 0, 30, 40]);
});

test("boxes cover an area of any form exactly once", () => {
  let seed = 5;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  for (let round = 0; round < 40; round++) {
    const rows = Array.from({ length: 12 }, () =>
      Array.from({ length: 17 }, () => (next() < 0.6 ? "a" : ".")).join(""),
    );
    const points = area(map(rows), 8, 6, LABELS, COLOURS.b);
    const after = covered(rows, points, "b").join("");
    let pixels = 0;
    for (let i = 0; i < points.length; i += 4) pixels += (points[i + 2] - points[i]) * (points[i + 3] - points[i + 1]);
    assert.equal(pixels, [...after].filter((letter) => letter === "b").length);
    for (let at = 0; at < after.length; at++) {
      if (after[at] !== "b") continue;
      assert.equal(rows.join("")[at], rows[6][8]);
      const sides = [at % 17 && at - 1, (at + 1) % 17 && at + 1, at >= 17 && at - 17, at < 187 && at + 17];
      for (const side of sides) if (side) assert.ok(after[side] === "b" || after[side] !== rows[6][8]);
    }
  }
});

test("nothing changes where that is the label already; beside the map the nearest pixel counts", () => {
  for (const x of [0, 1]) assert.deepEqual(area(map(["anb"]), x, 0, LABELS, COLOURS.a), []);
  for (const [x, y] of [
    [-0.1, 0],
    [0, 9],
    [0, -1],
  ])
    assert.deepEqual(area(map(["anb"]), x, y, LABELS, COLOURS.b), [0, 0, 2, 1]);
  assert.deepEqual(area(map(["anb"]), 3, 1, LABELS, COLOURS.a), [2, 0, 3, 1]);
});
