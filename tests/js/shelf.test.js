import assert from "node:assert/strict";
import { test } from "node:test";
import { Drawing } from "../../src/nurie/page/sheet/drawing.js";
import { Surface } from "../../src/nurie/page/sheet/surface.js";
import { isKept } from "../../src/nurie/page/shelf/check.js";
import { fromFile, LARGEST, Misfit, read, shown, toFiles, toJson } from "../../src/nurie/page/shelf/exchange.js";
import { svg } from "../../src/nurie/page/shelf/svg.js";

/** @typedef {import("../../src/nurie/page/shelf/check.js").Kept} Kept */

const WHITE = { colour: "#ffffff", covered: false };
const BLUE = { colour: "#0030ff", covered: true };
const SHEET = { size: { width: 64, height: 48 }, pencil: 2, paper: WHITE, model: "cats" };

/** @param {Partial<Kept>} [fields] @returns {Kept} */
function kept(fields = {}) {
  const drawing = new Drawing();
  for (const tool of /** @type {const} */ (["pencil", "eraser", "pencil"])) {
    drawing.begin(tool, 3, 10, 10, tool === "pencil" ? "#ff8800" : undefined, 0.5);
    drawing.extend(40, 30, 1);
    drawing.extend(20, 44, 0.25);
    drawing.end();
  }
  drawing.begin("pencil", 2, 1 / 3, 5);
  drawing.extend(60, 7);
  drawing.end();
  drawing.undo();
  drawing.redo();
  const { size, paper } = SHEET;
  const about = { id: "a", writer: "w", made: 1, changed: 2, model: "dogs", seed: 7, size, pencil: 2, paper };
  return { ...about, ...drawing.state, ...fields };
}

/** @param {Pick<Kept, "steps" | "done" | "size" | "paper">} drawing */
function pixels({ steps, done, size, paper }) {
  const surface = new Surface();
  surface.paper = paper;
  surface.resize(size.width, size.height, size);
  surface.redraw({ steps: steps.slice(0, done), current: null });
  return surface.pixels;
}

function picture(width = 64, height = 48) {
  const bytes = new Uint8ClampedArray(4 * width * height).map((_, i) => (i % 4 === 3 ? 255 : (i * 7) % 256));
  return { width, height, pixels: bytes };
}

/** A label map on a sample that is a picture. */
function mapped() {
  const drawing = new Drawing();
  drawing.place({ picture: picture() });
  drawing.begin("box", 6, 5, 5, "#ff0000");
  drawing.extend(20, 30);
  drawing.end();
  drawing.fill([20, 5, 40, 8, 30, 8, 40, 9], 6, "#00ff00");
  drawing.end();
  return kept({ ...drawing.state, paper: BLUE });
}

test("a drawing comes back from its file to the byte", async () => {
  for (const drawing of [kept(), mapped()]) {
    const [again] = await read(await toJson(drawing, "Title"), SHEET);
    assert.deepEqual(pixels(again), pixels(drawing));
    assert.deepEqual([again.model, again.seed, again.pencil, again.title], ["dogs", 7, 2, "Title"]);
    assert.ok(isKept({ ...again, id: "b", writer: "", made: 1, changed: 1 }));
  }
});

test("a drawing of strokes is what nurie predict reads; on a picture it is not, lest they be taken for all", async () => {
  const file = JSON.parse(await toJson(kept(), "Title"));
  assert.deepEqual([file.title, file.width, file.height, file.seed, file.strokes.length], ["Title", 64, 48, 7, 4]);
  const square = JSON.parse(await toJson(kept({ size: { width: 64, height: 64 } }), "Title"));
  assert.deepEqual([square.size, square.width], [64, undefined]);
  assert.deepEqual(file.strokes[0].tool, undefined);
  const drawn = JSON.parse(await toJson(kept({ paper: BLUE }), "Title"));
  assert.deepEqual([drawn.format, drawn.paper, drawn.strokes.length], [undefined, BLUE, 4]);
  const map = JSON.parse(await toJson(mapped(), "Title"));
  assert.deepEqual([map.format, map.strokes, map.drawings.length], ["nurie-drawings", undefined, 1]);
});

test("what is undone is not exported", async () => {
  const drawing = kept();
  const [again] = await read(await toJson({ ...drawing, done: 2 }, ""), SHEET);
  assert.equal(shown(again).strokes.length, 2);
});

test("all drawings are one file, or so many as are small enough to be read again", async () => {
  const drawings = Array.from({ length: 9 }, (_, i) => kept({ seed: i }));
  const [one, ...more] = await toFiles(drawings, () => "");
  assert.equal(more.length, 0);
  assert.deepEqual(
    (await read(one, SHEET)).map(({ seed }) => seed),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  const files = await toFiles(drawings, () => "", 2000);
  assert.ok(files.length > 1 && files.every((file) => file.length <= 2000));
  const read_ = await Promise.all(files.map((file) => read(file, SHEET)));
  assert.equal(read_.flat().length, 9);
});

test("a file that does not say its sheet has the page's", async () => {
  const line = { width: 2, points: [1, 2, 3, 4] };
  const [bare] = await read(JSON.stringify({ title: { en: "Line" }, strokes: [line] }), SHEET);
  assert.deepEqual([bare.size, bare.pencil, bare.model, bare.seed], [{ width: 64, height: 48 }, 2, "cats", 0]);
  const [large] = await read(JSON.stringify({ size: 128, strokes: [line] }), SHEET);
  assert.deepEqual([large.size, large.pencil], [{ width: 128, height: 128 }, 2 * (128 / 48)]);
  const [huge] = await read(JSON.stringify({ width: 65536, height: 49152, strokes: [line] }), SHEET);
  assert.deepEqual(huge.size, { width: 64, height: 48 });
  assert.deepEqual(
    shown(huge).strokes[0].points,
    [1, 2, 3, 4].map((at) => at / 1024),
  );
});

test("files that are no drawings, or wrong ones, are told apart, with the field", async () => {
  const line = { width: 2, points: [1, 2, 3, 4] };
  /** @type {[unknown, string, string][]} */
  const cases = [
    ["no JSON", "foreign", ""],
    [null, "foreign", ""],
    [[1, 2], "foreign", ""],
    [{ tensors: [], ops: [] }, "foreign", ""],
    [{ format: "nurie-drawings", version: 2, drawings: [] }, "version", ""],
    [{ format: "nurie-drawings", version: 1 }, "damaged", "$.drawings"],
    [{ format: "nurie-drawings", version: 1, drawings: [null] }, "damaged", "$.drawings[0].strokes"],
    [{ strokes: {} }, "damaged", "$.strokes"],
    [{ strokes: Array(10_001).fill(line) }, "damaged", "$.strokes"],
    [{ strokes: [line, { ...line, width: 0 }] }, "damaged", "$.strokes[1].width"],
    [{ strokes: [{ ...line, width: "2" }] }, "damaged", "$.strokes[0].width"],
    [{ strokes: [{ ...line, points: [1, 2, 3] }] }, "damaged", "$.strokes[0].points"],
    [{ strokes: [{ ...line, points: [1, 70_000] }] }, "damaged", "$.strokes[0].points"],
    [{ strokes: [{ ...line, points: [1, null] }] }, "damaged", "$.strokes[0].points"],
    [{ strokes: [{ ...line, colour: "red" }] }, "damaged", "$.strokes[0].colour"],
    [{ strokes: [{ ...line, pressures: [1] }] }, "damaged", "$.strokes[0].pressures"],
    [{ strokes: [{ ...line, tool: "sheet" }] }, "damaged", "$.strokes[0].tool"],
    [{ strokes: [{ ...line, tool: "box", points: [1, 2] }] }, "damaged", "$.strokes[0].points"],
    [{ strokes: [{ ...line, tool: "box", points: [1, 2, 3, 4, 5, 6] }] }, "damaged", "$.strokes[0].points"],
    [{ strokes: [line], size: 0 }, "damaged", "$.size"],
    [{ strokes: [line], size: 70_000 }, "damaged", "$.size"],
    [{ strokes: [line], seed: -1 }, "damaged", "$.seed"],
    [{ strokes: [line], title: 7 }, "damaged", "$.title"],
    [{ strokes: [line], paper: { colour: "url(x)", covered: true } }, "damaged", "$.paper"],
    [{ strokes: [line], picture: "%" }, "damaged", "$.picture"],
    [{ strokes: [line], picture: "aGVsbG8=" }, "damaged", "$.picture"],
  ];
  for (const [value, code, field] of cases) {
    const text = value === "no JSON" ? value : JSON.stringify(value);
    await assert.rejects(read(text, SHEET), (error) => {
      assert.ok(error instanceof Misfit);
      assert.deepEqual([error.code, error.field], [code, field], text.slice(0, 100));
      return true;
    });
  }
});

test("large files are refused before they are read, pictures before they are unpacked", async () => {
  const file = { size: LARGEST + 1, text: () => assert.fail("read") };
  const misfit = (/** @type {string} */ code) => (/** @type {unknown} */ error) =>
    error instanceof Misfit && error.code === code;
  await assert.rejects(fromFile(/** @type {any} */ (file), SHEET), misfit("large"));
  const one = { size: 4096, picture: "", strokes: [] };
  const many = { format: "nurie-drawings", version: 1, drawings: [one, one] };
  await assert.rejects(read(JSON.stringify(many), SHEET), misfit("large"));
  const map = JSON.parse(await toJson(mapped(), "")).drawings[0];
  await assert.rejects(read(JSON.stringify({ ...map, width: 4096, height: 4096 }), SHEET), misfit("damaged"));
});

test("a record that is damaged anywhere is not opened", () => {
  for (const drawing of [kept(), mapped(), kept({ title: { en: "Cat", ja: "猫" } })]) assert.ok(isKept(drawing));
  const good = kept();
  /** @type {{[field: string]: unknown}[]} */
  const wrong = [
    { id: 3 },
    { made: "now" },
    { model: undefined },
    { seed: 0.5 },
    { size: { width: 1e9, height: 1 } },
    { pencil: Number.NaN },
    { paper: null },
    { steps: {} },
    { steps: [{ tool: "sheet" }], done: 1 },
    { steps: [{ tool: "sheet", strokes: [], picture: { ...picture(), width: 65 } }], done: 1 },
    { steps: [{ ...good.steps[0], points: "1,2" }], done: 1 },
    { steps: [{ ...good.steps[0], tool: "spray" }], done: 1 },
    { done: 99 },
    { done: -1 },
  ];
  for (const fields of wrong) assert.equal(isKept({ ...good, ...fields }), false, JSON.stringify(fields));
  for (const value of [null, undefined, 7, "drawing", []]) assert.equal(isKept(value), false);
});

test("an SVG has the same curves, boxes, pictures and layers", () => {
  const line = { tool: /** @type {const} */ ("pencil"), width: 3, points: [1, 2, 10, 20, 30, 20] };
  const plain = svg(SHEET.size, WHITE, [line, { ...line, tool: "eraser" }]);
  assert.match(plain, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 64 48"/);
  assert.equal(plain.match(/C[-\d. ]+/g)?.length, 4);
  assert.ok(plain.indexOf('stroke="#000000"') < plain.indexOf('stroke="#ffffff"') && !plain.includes("mix-blend-mode"));
  const both = svg(SHEET.size, WHITE, [{ ...line, colour: "#ff8800" }, line, { ...line, tool: "eraser" }]);
  assert.ok(both.indexOf("#ff8800") < both.indexOf("mix-blend-mode") && both.match(/stroke="#ffffff"/g)?.length === 2);
  const dot = svg(SHEET.size, WHITE, [{ ...line, points: [5, 6] }]);
  assert.ok(dot.includes('d="M5 6h0"'));
  const pressed = svg(SHEET.size, WHITE, [{ ...line, pressures: [0, 0.5, 1] }]);
  assert.ok((pressed.match(/stroke-width/g)?.length ?? 0) > 10);
  const map = svg(SHEET.size, BLUE, [{ ...line, tool: "box", points: [9, 8, 1, 2], colour: "#ff0000" }], "data:x");
  const filled = svg(SHEET.size, BLUE, [{ ...line, tool: "box", points: [0, 0, 9, 1, 4, 1, 9, 2], colour: "#ff0000" }]);
  assert.equal(filled.match(/<rect [^>]*fill="#ff0000"/g)?.length, 2);
  assert.ok(map.includes('<rect x="1" y="2" width="8" height="6" fill="#ff0000"/>') && map.includes('href="data:x"'));
});
