// Lays lines over pictures as the page does: from [picture, drawing, lines][] in, both [height, width, base64 of RGBA], to
// base64 of RGBA of each out. For tests/test_lines.py.
import { readFileSync } from "node:fs";
import { withLines } from "../../src/nurie/page/sheet/lines.js";

/** @param {[number, number, string]} of */
const image = ([height, width, data]) => ({
  height,
  width,
  pixels: new Uint8ClampedArray(Buffer.from(data, "base64")),
});

/** @type {[[number, number, string], [number, number, string], number][]} */
const tasks = JSON.parse(readFileSync(0, "utf8"));
const laid = tasks.map(([picture, drawing, lines]) => withLines(image(picture), image(drawing), lines).pixels);
console.log(JSON.stringify(laid.map((pixels) => Buffer.from(pixels).toString("base64"))));
