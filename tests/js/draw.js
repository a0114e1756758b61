// Draws strokes as the page does: from [height, width, strokes, ground][] in, where a map has a ground, to base64 of RGB of each out. For tests/test_strokes.py.
import { readFileSync } from "node:fs";
import { Surface } from "../../src/nurie/page/sheet/surface.js";

/** @typedef {import("../../src/nurie/page/formats.d.ts").Line} Line */

/** @type {[number, number, Line[], string][]} */
const tasks = JSON.parse(readFileSync(0, "utf8"));
const drawn = tasks.map(([height, width, strokes, ground]) => {
  const surface = new Surface();
  if (ground) surface.paper = { colour: ground, covered: true };
  surface.resize(width, height, { width, height });
  surface.redraw({ steps: strokes.map((stroke) => ({ tool: "pencil", ...stroke })), current: null });
  return Buffer.from(surface.pixels.filter((_, i) => i % 4 < 3)).toString("base64");
});
console.log(JSON.stringify(drawn));
