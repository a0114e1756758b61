// Whether WebGPU is trusted: several pictures are compared, and the visitor's own come first.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, once } from "../../src/nurie/page/engine/backend.js";

const size = { width: 8, height: 8 };
const style = { seed: 0, colour: [0, 0, 0] };

/** An engine whose picture is the drawing, after so many operations that take so many milliseconds each. */
class FakeWasm {
  operations = 5;
  ms = 0;
  ran = 0;
  /** Operations at a stretch. */
  stretch = 0;
  #input = new Uint8ClampedArray(0);

  setStyle() {}

  /** @param {Uint8ClampedArray} pixels */
  setInput(pixels) {
    this.#input = pixels.slice();
    this.ran = 0;
  }

  runOps() {
    this.ran += 1;
    this.stretch += 1;
    for (const end = performance.now() + this.ms; performance.now() < end; );
  }

  getOutput() {
    assert.equal(this.ran, this.operations);
    return this.#input.slice();
  }
}

/** @param {(count: number) => number} level of its pictures' first byte, by their number; -1: as it should be */
function fakeGpu(level) {
  let count = 0;
  /** @param {Uint8ClampedArray} pixels */
  const run = async (pixels) => {
    const picture = new Uint8ClampedArray(pixels);
    if (level(count++) >= 0) picture.fill(0);
    return picture;
  };
  return /** @type {any} */ ({ f16: false, setStyle() {}, run });
}

const wasm = () => /** @type {any} */ (new FakeWasm());
const rest = async () => 0;

test("an engine that is right each time is measured", async () => {
  assert.equal(
    typeof (await compare(
      fakeGpu(() => -1),
      wasm(),
      size,
      rest,
    )),
    "number",
  );
});

test("an engine that is right once and black from then on is not trusted", async () => {
  for (const wrong of [0, 1, 2, 3]) {
    const gpu = fakeGpu((count) => (count >= wrong ? 0 : -1));
    assert.equal(await compare(gpu, wasm(), size, rest), null, String(wrong));
  }
});

test("the visitor's picture does not wait for the comparison, and what it disturbs is done again", async () => {
  const engine = Object.assign(wasm(), { ms: 4 });
  let count = 0;
  let rests = 0;
  let longest = 0;
  const visited = async () => {
    longest = Math.max(longest, engine.stretch);
    engine.stretch = 0;
    if (++rests % 4 === 0 && rests < 40) {
      count += 1;
      engine.setInput(new Uint8ClampedArray(4)); // a visitor's picture, in the same memory
    }
    return count;
  };
  assert.equal(
    typeof (await compare(
      fakeGpu(() => -1),
      engine,
      size,
      visited,
    )),
    "number",
  );
  assert.ok(count === 9 && longest <= 2, `${count} ${longest}`); // 8 ms
});

test("a picture in use is compared only as long as the visitor rests", async () => {
  const task = { pixels: new Uint8ClampedArray(4).fill(7), style };
  assert.deepEqual((await once(wasm(), task, rest, 0))?.picture, task.pixels);
  assert.equal(await once(wasm(), task, async () => 1, 0), null);
});
