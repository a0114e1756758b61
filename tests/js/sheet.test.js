import assert from "node:assert/strict";
import { test } from "node:test";
import { span } from "../../src/nurie/page/sheet/curve.js";
import { Drawing } from "../../src/nurie/page/sheet/drawing.js";
import { WHITE } from "../../src/nurie/page/sheet/layers.js";
import { Surface } from "../../src/nurie/page/sheet/surface.js";

/** @typedef {import("../../src/nurie/page/sheet/drawing.js").Tool} Tool */

const SHEET = { width: 64, height: 48 };

/** All pieces' ends of the line through points. @param {number[]} points */
function line(points) {
  const ends = Array.from({ length: points.length / 2 - 1 }, (_, i) => span(points, i)).flat();
  return Array.from({ length: ends.length / 3 }, (_, i) => ends.slice(3 * i, 3 * i + 2));
}

/** Numbers in [0, 1), the same ones each time. @param {number} seed */
function random(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

function blank(scale = 1, paper = WHITE) {
  const surface = new Surface();
  surface.paper = paper;
  surface.resize(scale * SHEET.width, scale * SHEET.height, SHEET);
  surface.redraw(new Drawing());
  return surface;
}

/** @param {Surface} surface @param {Drawing} drawing */
function anew(surface, drawing) {
  const other = blank(surface.width / SHEET.width, surface.paper);
  other.redraw(drawing);
  return other.pixels;
}

test("the line passes through its points, and a circle of 8 is round", () => {
  const circle = Array.from({ length: 9 }, (_, i) => [
    100 + 60 * Math.cos((i * Math.PI) / 4),
    100 + 60 * Math.sin((i * Math.PI) / 4),
  ]);
  const ends = line(circle.flat());
  for (const [x, y] of circle.slice(1)) assert.ok(ends.some(([atX, atY]) => Math.hypot(atX - x, atY - y) < 1e-9));
  const inner = ends.slice(ends.length / 8, (-2 * ends.length) / 8); // but for the first and the last part
  for (const [x, y] of inner) assert.ok(Math.abs(Math.hypot(x - 100, y - 100) - 60) < 0.6, `${x}, ${y}`);
});

test("sharp turns stay corners, and squares are square", () => {
  for (const [x, y] of line([0, 0, 40, 0, 40, 40, 0, 40]))
    assert.ok(Math.abs(Math.min(y, 40 - x, 40 - y)) < 1e-9, `${x}, ${y}`);
});

test("points in one place, once or many times, are a dot", () => {
  assert.deepEqual(span([3, 4], 0), [3, 4, 1]);
  for (const [x, y] of line([3, 4, 3, 4, 3, 4])) assert.deepEqual([x, y], [3, 4]);
});

/**
 * Draw, undo and go on at random; what the surface shows is compared after each step with all drawn anew.
 * @param {number} seed
 * @param {Surface} surface
 * @param {boolean} labels
 */
function live(seed, surface, labels) {
  const next = random(seed);
  const at = () => /** @type {[number, number]} */ ([next() * 80 - 8, next() * 64 - 8]);
  const drawing = new Drawing();
  const { paper } = surface;
  surface = blank(surface.width / SHEET.width, paper);
  let shown = new Uint8ClampedArray(surface.pixels);
  for (let i = 0; i < 60; i++) {
    const choice = next();
    if (choice < 0.6) {
      const tool = /** @type {Tool} */ (["pencil", "eraser", labels ? "box" : "pencil"][Math.floor(3 * next())]);
      const colour = tool !== "eraser" && next() < 0.5 ? "#e08030" : undefined;
      if (labels && next() < 0.2) drawing.fill([...at(), ...at(), 3, 3, 9, 4].map(Math.round), 6, "#30e080");
      else drawing.begin(tool, 1 + 8 * next(), ...at(), colour, next() < 0.5 ? next() : undefined);
      for (let move = 0; move < 8 * next(); move++) {
        drawing.extend(...at(), next());
        surface.update(drawing);
        assert.deepEqual(surface.pixels, anew(surface, drawing));
      }
      if (next() < 0.8) drawing.end();
      else drawing.cancel();
    } else if (choice < 0.85) drawing.undo();
    else if (choice < 0.95) drawing.redo();
    else if (labels || choice < 0.98) drawing.place({ strokes: [{ width: 3, points: at() }] });
    else drawing.wash();
    surface.update(drawing);
    assert.deepEqual(surface.pixels, anew(surface, drawing));
    const changed = surface.changed() ?? { left: 0, top: 0, right: 0, bottom: 0 };
    for (let pixel = 0; pixel < surface.width * surface.height; pixel++) {
      const [x, y] = [pixel % surface.width, Math.floor(pixel / surface.width)];
      const within = x >= changed.left && x < changed.right && y >= changed.top && y < changed.bottom;
      const same = [0, 1, 2].every((c) => surface.pixels[4 * pixel + c] === shown[4 * pixel + c]);
      assert.ok(within || same, "what has changed is said");
    }
    shown = new Uint8ClampedArray(surface.pixels);
  }
}

test("what is shown step by step is what would be drawn anew, at any scale and on any paper", () => {
  for (let seed = 0; seed < 6; seed++) live(seed, blank(1 + (seed % 2)), false);
  for (let seed = 0; seed < 4; seed++) live(seed, blank(1, { colour: "#0030ff", covered: true }), true);
});

test("another part of the sheet is seen as on a surface that never showed another one", () => {
  const drawing = new Drawing();
  drawing.place({ strokes: [{ width: 3, points: [5, 5, 40, 20] }] });
  drawing.begin("pencil", 6, 10, 30, "#e08030");
  drawing.extend(30, 40);
  drawing.extend(50, 10);
  const [surface, other] = [blank(2), new Surface()];
  const view = { scale: 5, left: 10, top: 8 };
  surface.update(drawing);
  surface.resize(surface.width, surface.height, SHEET, view);
  surface.redraw(drawing);
  other.resize(surface.width, surface.height, SHEET, view);
  other.redraw(drawing);
  assert.deepEqual(surface.pixels, other.pixels);
  drawing.end();
  for (const each of [surface, other]) each.update(drawing);
  assert.deepEqual(surface.pixels, other.pixels);
});

test("a label map is seen in squares of its pixels, wherever one looks, and only what has changed is new", () => {
  const paper = { colour: "#0030ff", covered: true };
  const [map, seen] = [blank(1, paper), new Surface()];
  const [view, sides] = [
    { scale: 2.5, left: 10, top: 8 },
    { width: 100, height: 70 },
  ];
  seen.resize(sides.width, sides.height, SHEET, view);
  seen.mirror(map, true);
  assert.deepEqual(seen.changed(), { left: 0, top: 0, right: 100, bottom: 70 });
  const drawing = new Drawing();
  drawing.begin("box", 6, 20, 10, "#ff0000");
  drawing.extend(31, 15);
  map.update(drawing);
  seen.mirror(map);
  assert.deepEqual(seen.changed(), { left: 25, top: 5, right: 53, bottom: 18 });
  const [words, from] = [seen, map].map(({ pixels }) => new Uint32Array(pixels.buffer));
  for (let y = 0; y < 70; y++) {
    for (let x = 0; x < 100; x++) {
      const at = Math.floor((y + 0.5) / 2.5 + 8) * 64 + Math.floor((x + 0.5) / 2.5 + 10);
      assert.equal(words[y * 100 + x], from[at], `${x} ${y}`);
    }
  }
});

test("of a long drawing the oldest steps are taken back as well", () => {
  const surface = blank(16); // 3 MB a step that covers all
  const drawing = new Drawing();
  for (let i = 0; i < 40; i++) {
    drawing.begin("pencil", 4, 0, i);
    drawing.extend(64, 48 - i);
    drawing.end();
    surface.update(drawing);
  }
  while (drawing.undo()) surface.update(drawing);
  assert.ok(surface.pixels.every((byte) => byte === 255));
});

test("ink stays black under colours, the later colour is seen, and the eraser takes off both", () => {
  const drawing = new Drawing();
  const surface = blank();
  const stroke = (
    /** @type {Tool} */ tool,
    /** @type {string} */ colour,
    /** @type {number[]} */ ...[x, y, toX, toY]
  ) => {
    drawing.begin(tool, 8, x, y, colour || undefined);
    drawing.extend(toX, toY);
    drawing.end();
    surface.update(drawing);
  };
  const at = (/** @type {number} */ x, /** @type {number} */ y) => [
    ...surface.pixels.slice(4 * (y * 64 + x), 4 * (y * 64 + x) + 3),
  ];
  stroke("pencil", "", 32, 0, 32, 48);
  stroke("pencil", "#ff0000", 0, 12, 64, 12);
  stroke("pencil", "#00ff00", 10, 0, 10, 48);
  assert.deepEqual(
    [at(32, 12), at(20, 12), at(10, 12), at(50, 40)],
    [
      [0, 0, 0],
      [255, 0, 0],
      [0, 255, 0],
      [255, 255, 255],
    ],
  );
  surface.coloured = false;
  surface.redraw(drawing);
  assert.deepEqual(
    [at(32, 12), at(10, 12)],
    [
      [0, 0, 0],
      [255, 255, 255],
    ],
  );
  surface.coloured = true;
  drawing.wash();
  surface.redraw(drawing);
  assert.deepEqual(
    [at(32, 12), at(10, 12)],
    [
      [0, 0, 0],
      [255, 255, 255],
    ],
  );
  assert.equal(drawing.coloured, false);
  drawing.undo();
  stroke("eraser", "", 0, 12, 64, 12);
  assert.deepEqual(
    [at(32, 12), at(10, 12), at(10, 30)],
    [
      [255, 255, 255],
      [255, 255, 255],
      [0, 255, 0],
    ],
  );
});
