// Draws strokes as the page does: from [height, width, strokes][] in, to base64 of RGB of each out. For tests/test_strokes.py.
import { readFileSync } from "node:fs";
import { Surface } from "../../src/nurie/page/sheet/surface.js";

/** @typedef {import("../../src/nurie/page/formats.d.ts").Line} Line */

/** @type {[number, number, Line[]][]} */
const tasks = JSON.parse(readFileSync(0, "utf8"));
const drawn = tasks.map(([height, width, strokes]) => {
  const surface = new Surface();
  surface.resize(width, height, { width, height });
  surface.redraw({ steps: strokes.map((stroke) => ({ tool: "pencil", ...stroke })), current: null });
  return Buffer.from(surface.pixels.filter((_, i) => i % 4 < 3)).toString("base64");
});
console.log(JSON.stringify(drawn));
