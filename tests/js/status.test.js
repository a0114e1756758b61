import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, engineKey } from "../../src/nurie/page/status.js";

test("a picture's time has about two digits", () => {
  const told = /** @type {const} */ ([
    [0.04, "0.0 ms"],
    [9.94, "9.9 ms"],
    [19.4, "19 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [12345, "12.3 s"],
  ]);
  for (const [ms, text] of told) assert.equal(duration(ms), text);
});

test("what computes is told, and why it is one thread only", () => {
  const wasm = /** @type {const} */ ({ backend: "wasm" });
  assert.equal(engineKey(null, 0, "plain", 4), "engine.none");
  assert.equal(engineKey({ backend: "webgpu" }, 2, "relaxed-threads", 4), "engine.webgpu");
  assert.equal(engineKey(wasm, 0, "relaxed-threads", 4), "engine.wasm");
  assert.equal(engineKey(wasm, 2, "relaxed-threads", 4), "engine.threads");
  assert.equal(engineKey(wasm, 1, "relaxed-threads", 4), "engine.refused");
  assert.equal(engineKey(wasm, 1, "relaxed", 4), "engine.alone");
  assert.equal(engineKey(wasm, 1, "relaxed", 1), "engine.single");
});
