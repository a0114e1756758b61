import assert from "node:assert/strict";
import { test } from "node:test";
import { trace } from "../../src/nurie/page/sheet/raster.js";

/** @param {number[]} points */
function commands(points) {
  /** @type {(string | number)[][]} */
  const list = [];
  const note =
    (/** @type {string} */ name) =>
    (/** @type {number[]} */ ...values) =>
      void list.push([name, ...values]);
  trace({ moveTo: note("move"), lineTo: note("line"), quadraticCurveTo: note("curve") }, points);
  return list;
}

test("a single point becomes a line that is not quite without length", () => {
  assert.deepEqual(commands([3, 4]), [
    ["move", 3, 4],
    ["line", 3.01, 4],
  ]);
});

test("a gentle turn is rounded", () => {
  assert.deepEqual(commands([0, 0, 10, 0, 20, 2]), [
    ["move", 0, 0],
    ["curve", 10, 0, 15, 1],
    ["line", 20, 2],
  ]);
});

test("a sharp turn stays a corner", () => {
  assert.deepEqual(commands([0, 0, 10, 0, 10, 10]), [
    ["move", 0, 0],
    ["line", 10, 0],
    ["line", 10, 5],
    ["line", 10, 10],
  ]);
});
