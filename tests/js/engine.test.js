// The page's host of the engine: node --test tests/js (after `python hatch_build.py`)
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BAD_CODE, EngineError } from "../../src/nurie/page/engine/errors.js";
import { bestBuild, Engine } from "../../src/nurie/page/engine/wasm.js";

const wasm = (build = "plain") =>
  readFileSync(new URL(`../../src/nurie/page/engine/nurie-${build}.wasm`.replace("-plain", ""), import.meta.url));
const fixture = JSON.parse(readFileSync(new URL("small.json", import.meta.url), "utf8"));
const bytes = (/** @type {string} */ text) => new Uint8Array(Buffer.from(text, "base64"));
const { height, width } = fixture;
const weights = bytes(fixture.weights);
const coded = bytes(fixture.coded);
const drawing = bytes(fixture.drawing);

/** RGB from Python -> opaque RGBA. @param {Uint8Array} rgb */
const opaque = (rgb) =>
  Uint8ClampedArray.from({ length: (rgb.length / 3) * 4 }, (_, i) => (i % 4 === 3 ? 255 : rgb[(i >> 2) * 3 + (i % 4)]));
const picture = opaque(bytes(fixture.picture));

async function ready(build = "plain") {
  const engine = await Engine.load(wasm(build));
  engine.setModel(fixture, weights);
  engine.resize(height, width);
  return engine;
}

test("the picture equals Python's to the byte", async () => {
  assert.deepEqual((await ready()).run(drawing), picture);
});

test("the relaxed build differs by one level at most", { skip: bestBuild() !== "relaxed" }, async () => {
  const other = (await ready("relaxed")).run(drawing);
  assert.ok(other.every((value, i) => Math.abs(value - picture[i]) <= 1));
});

test("operation by operation gives the same picture", async () => {
  const engine = await ready();
  engine.setInput(drawing);
  for (let i = 0; i < engine.operations; i++) engine.runOps(i, i + 1);
  assert.deepEqual(engine.getOutput(), picture);
});

test("an abandoned picture leaves no trace", async () => {
  const engine = await ready();
  engine.setInput(drawing.map((value) => 255 - value));
  engine.runOps(0, 4);
  assert.deepEqual(engine.run(drawing), picture);
});

test("sizes change back and forth", async () => {
  const engine = await ready();
  engine.resize(2 * height, 2 * width);
  assert.deepEqual(engine.outputSize, { height: 2 * height, width: 2 * width });
  assert.equal(engine.run(new Uint8Array(4 * drawing.length)).length, 4 * picture.length);
  engine.resize(height, width);
  assert.deepEqual(engine.run(drawing), picture);
});

test("memory does not grow in 200 pictures", async () => {
  const engine = await ready();
  engine.run(drawing);
  const { memoryBytes, peak } = engine;
  for (let i = 0; i < 200; i++) engine.run(drawing);
  assert.deepEqual([engine.memoryBytes, engine.peak], [memoryBytes, peak]);
});

test("a second model replaces the first", async () => {
  const engine = await ready();
  engine.setModel({ tensors: [3], ops: [{ op: "input" }, { op: "output" }] }, new Uint8Array(0));
  engine.resize(2, 1);
  assert.deepEqual([...engine.run(new Uint8Array([1, 2, 3, 4, 250, 251, 252, 0]))], [1, 2, 3, 255, 250, 251, 252, 255]);
});

test("where helpers can not be started, one thread goes on", async () => {
  const refuse = () => {
    throw new DOMException("The object can not be cloned.", "DataCloneError");
  };
  for (const startHelper of [refuse, () => ({ postMessage: refuse, terminate() {} })]) {
    const engine = await ready("plain-threads");
    engine.startHelpers(3, startHelper);
    assert.equal(engine.threads, 1);
    assert.deepEqual(engine.run(drawing), picture);
  }
});

test("a browser that shares no memory gets a build without threads", (t) => {
  const given = (/** @type {string} */ name, /** @type {unknown} */ value) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() =>
      before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name),
    );
  };
  given("crossOriginIsolated", true);
  given("navigator", { hardwareConcurrency: 4 });
  assert.match(String(bestBuild()), /-threads$/);
  given("SharedArrayBuffer", undefined);
  assert.doesNotMatch(String(bestBuild()), /-threads$/);
});

test("errors have codes and sentences", async () => {
  const engine = await Engine.load(await WebAssembly.compile(wasm()));
  const refuses = (/** @type {() => void} */ call, /** @type {number} */ code) =>
    assert.throws(call, (error) => error instanceof EngineError && error.code === code && error.message.endsWith("."));
  refuses(() => engine.resize(8, 8), -5);
  refuses(() => engine.runOps(0, 1), -5);
  refuses(() => engine.setModel({ tensors: [3], ops: [{ op: "unknown" }, { op: "output" }] }, weights), -1);
  refuses(() => engine.setModel(fixture, weights.subarray(0, weights.length - 4)), -3);
  engine.setModel(fixture, weights);
  refuses(() => engine.resize(height + 1, width), -4);
  engine.resize(height, width);
  assert.throws(() => engine.setInput(new Uint8Array(5)), /Expected 1920 bytes of RGBA, but got 5/);
});

for (const size of [1, 100, coded.length])
  test(`weights that come coded, ${size} bytes at a time, are the same`, async () => {
    const engine = await Engine.load(wasm());
    engine.beginModel(fixture, weights.length, "rans");
    const parts = Array.from({ length: Math.ceil(coded.length / size) }, (_, i) =>
      coded.slice(i * size, (i + 1) * size),
    );
    const done = parts.map((part) => engine.feed(part));
    assert.deepEqual(done, [...Array(parts.length - 1).fill(false), true]);
    assert.deepEqual(engine.weights, weights);
    engine.resize(height, width);
    assert.equal(engine.weights, null);
    assert.deepEqual(engine.run(drawing), picture);
  });

test("coded weights that are damaged are an error", async () => {
  const engine = await Engine.load(wasm());
  const damaged = coded.slice();
  damaged[coded.length >> 1] ^= 1;
  engine.beginModel(fixture, weights.length, "rans");
  assert.throws(
    () => engine.feed(damaged),
    (error) => error instanceof EngineError && error.code === BAD_CODE,
  );
  engine.setModel(fixture, weights);
  engine.resize(height, width);
  assert.deepEqual(engine.run(drawing), picture);
});
