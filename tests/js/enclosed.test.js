import assert from "node:assert/strict";
import { test } from "node:test";

import { enclosed } from "../../src/nurie/page/engine/enclosed.js";

/**
 * RGBA of a drawing in characters: `#` black, `r` red, all else white.
 * @param {string[]} rows
 */
const rgba = (rows) =>
  Uint8Array.from(
    [...rows.join("")].flatMap((c) =>
      c === "#" ? [0, 0, 0, 255] : c === "r" ? [255, 0, 0, 255] : [255, 255, 255, 255],
    ),
  );

/**
 * How many brushes are kept out of each place, as rows of digits.
 * @param {string[]} rows
 * @param {number} factor
 */
const kept = (rows, factor = 1) => {
  const digits = enclosed(rgba(rows), rows[0].length, factor).join("");
  return digits.match(new RegExp(`.{${rows[0].length / factor}}`, "g"));
};

test("what lines of any colour enclose is closed to every brush, and a gap lets small ones in", () => {
  const paper = Array(3).fill(".".repeat(11));
  const around = Array(3).fill("2".repeat(11));
  assert.deepEqual(
    kept([...paper, "...#####...", "...#...r...", "...#...#...", "...#...#...", "...#####...", ...paper]),
    [...around, ...Array(5).fill("22233333222"), ...around],
  );
  assert.deepEqual(
    kept([...paper, "...#...#...", "...#...#...", "...#...#...", "...#...#...", "...#####...", ...paper]),
    [...around, ...Array(4).fill("22232223222"), "22233333222", ...around],
  );
});

test("nothing is closed on blank paper, and a place is closed where one of its pixels is a line", () => {
  assert.deepEqual(kept(Array(8).fill("........")), Array(8).fill("00000000"));
  assert.deepEqual(kept([...Array(15).fill(".".repeat(16)), `#${".".repeat(15)}`], 2), [
    ...Array(7).fill("00000000"),
    "30000000",
  ]);
});
