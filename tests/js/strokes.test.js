import assert from "node:assert/strict";
import { test } from "node:test";
import { Drawing } from "../../src/nurie/page/sheet/drawing.js";

/** @param {Drawing} drawing */
function line(drawing, x = 0, tool = "pencil") {
  drawing.begin(/** @type {"pencil"} */ (tool), 2, x, 0);
  drawing.extend(x, 10);
  drawing.end();
}

test("a line counts when the pencil is lifted", () => {
  const drawing = new Drawing();
  drawing.begin("pencil", 2, 1, 2);
  drawing.extend(3, 4);
  assert.deepEqual(drawing.shown.strokes, []);
  assert.equal(drawing.empty, false);
  drawing.end();
  assert.deepEqual(drawing.shown.strokes, [{ tool: "pencil", width: 2, points: [1, 2, 3, 4] }]);
  assert.equal(drawing.current, null);
});

test("points that are all but the same are dropped", () => {
  const drawing = new Drawing();
  drawing.begin("pencil", 2, 0, 0);
  drawing.extend(0.1, 0.1);
  drawing.extend(1, 0);
  assert.deepEqual(drawing.current?.points, [0, 0, 1, 0]);
});

test("points lie on a grid of a quarter of a pixel, and pressures are kept", () => {
  const drawing = new Drawing();
  drawing.begin("pencil", 2, 0.1, 0.2, undefined, 0.5);
  drawing.extend(1.3, 0.9, 0.3);
  drawing.extend(5, 5);
  assert.deepEqual(drawing.current, {
    tool: "pencil",
    width: 2,
    points: [0, 0.25, 1.25, 1, 5, 5],
    pressures: [0.5, 0.296875, 1],
  });
});

test("a drawing goes on where another one was left", () => {
  const [drawing, other] = [new Drawing(), new Drawing()];
  line(drawing, 1);
  line(drawing, 2);
  drawing.undo();
  other.restore(structuredClone(drawing.state));
  assert.deepEqual(other.steps, drawing.steps);
  assert.ok(other.redo());
  assert.equal(other.shown.strokes.length, 2);
});

test("a box goes from corner to corner, in whole pixels, and is nothing without an area", () => {
  const drawing = new Drawing();
  drawing.begin("box", 6, 10.4, 20.6, "#0030ff");
  drawing.extend(30, 5);
  drawing.extend(4.6, 8.2);
  assert.equal(drawing.empty, false);
  drawing.end();
  assert.deepEqual(drawing.shown.strokes, [{ tool: "box", width: 6, points: [10, 21, 5, 8], colour: "#0030ff" }]);
  drawing.begin("box", 6, 10, 20, "#0030ff");
  drawing.extend(50, 20.3);
  drawing.end();
  assert.equal(drawing.current, null);
  assert.equal(drawing.shown.strokes.length, 1);
});

test("what is filled stays as it is where the pen goes on, and nothing without boxes", () => {
  const drawing = new Drawing();
  drawing.fill([0, 0, 4, 1, 2, 1, 4, 3], 6, "#0030ff");
  drawing.extend(30, 5);
  drawing.end();
  const filled = { tool: "box", width: 6, points: [0, 0, 4, 1, 2, 1, 4, 3], colour: "#0030ff" };
  assert.deepEqual(drawing.shown.strokes, [filled]);
  drawing.fill([], 6, "#0030ff");
  drawing.end();
  assert.deepEqual([drawing.current, drawing.shown.strokes.length], [null, 1]);
  drawing.fit({ width: 10, height: 10 }, { width: 20, height: 20 });
  assert.deepEqual(drawing.shown.strokes[0].points, [0, 0, 8, 2, 4, 2, 8, 6]);
});

test("undo and redo go through the lines", () => {
  const drawing = new Drawing();
  line(drawing, 1);
  line(drawing, 2);
  assert.ok(drawing.undo());
  assert.deepEqual(
    drawing.shown.strokes.map((stroke) => stroke.points[0]),
    [1],
  );
  assert.ok(drawing.redo());
  assert.equal(drawing.redo(), null);
  assert.equal(drawing.shown.strokes.length, 2);
});

test("a new line forgets what was undone", () => {
  const drawing = new Drawing();
  line(drawing, 1);
  drawing.undo();
  line(drawing, 2);
  assert.equal(drawing.canRedo, false);
  assert.deepEqual(
    drawing.shown.strokes.map((stroke) => stroke.points[0]),
    [2],
  );
});

test("a preset replaces the drawing, and undo brings it back", () => {
  const drawing = new Drawing();
  line(drawing, 1);
  drawing.place({ strokes: [{ width: 3, points: [5, 5, 6, 6] }] });
  line(drawing, 2);
  assert.deepEqual(
    drawing.shown.strokes.map((stroke) => stroke.width),
    [3, 2],
  );
  drawing.undo();
  drawing.undo();
  assert.deepEqual(
    drawing.shown.strokes.map((stroke) => stroke.points[0]),
    [1],
  );
});

test("a preset is not the visitor's own until he draws on it or empties the sheet", () => {
  const drawing = new Drawing();
  const preset = { strokes: [{ width: 3, points: [5, 5, 6, 6] }] };
  drawing.place(preset);
  assert.equal(drawing.touched, false);
  line(drawing);
  drawing.undo();
  assert.equal(drawing.touched, true);
  drawing.place(preset);
  assert.equal(drawing.touched, false);
  drawing.place();
  assert.equal(drawing.touched, true);
});

test("a sheet of another size keeps the drawing's form, in the middle, also of what undo brings back", () => {
  const drawing = new Drawing();
  const preset = { strokes: [{ width: 3, points: [5, 5, 6, 6] }] };
  drawing.place(preset);
  line(drawing, 1);
  drawing.undo();
  drawing.begin("pencil", 2, 8, 8);
  drawing.fit({ width: 10, height: 10 }, { width: 20, height: 30 });
  assert.deepEqual(drawing.shown.strokes, [{ tool: "pencil", width: 6, points: [10, 15, 12, 17] }]);
  assert.deepEqual(drawing.current, { tool: "pencil", width: 4, points: [16, 21] });
  drawing.cancel();
  drawing.redo();
  assert.deepEqual(drawing.shown.strokes[1].points, [2, 5, 2, 25]);
  assert.deepEqual(preset.strokes[0].points, [5, 5, 6, 6]);
});

test("another pencil redraws what is in ink, undone lines too", () => {
  const drawing = new Drawing();
  drawing.place({
    strokes: [
      { width: 3, points: [5, 5, 6, 6] },
      { width: 6, points: [5, 5], colour: "#ff8800" },
    ],
  });
  drawing.begin("eraser", 14, 0, 0);
  drawing.end();
  drawing.begin("pencil", 2, 0, 0);
  drawing.end();
  drawing.undo();
  drawing.widen(3);
  drawing.redo();
  assert.deepEqual(
    drawing.shown.strokes.map(({ width }) => width),
    [9, 6, 14, 6],
  );
});

test("an empty sheet shows nothing; the eraser alone draws nothing", () => {
  const drawing = new Drawing();
  assert.equal(drawing.touched, false);
  line(drawing);
  drawing.place();
  assert.equal(drawing.empty, true);
  line(drawing, 0, "eraser");
  assert.equal(drawing.empty, true);
  assert.equal(drawing.touched, true);
});

test("nothing is undone while the pencil is down, and a cancelled line leaves no trace", () => {
  const drawing = new Drawing();
  line(drawing);
  drawing.begin("pencil", 2, 0, 0);
  assert.equal(drawing.undo(), null);
  drawing.cancel();
  assert.equal(drawing.shown.strokes.length, 1);
});
