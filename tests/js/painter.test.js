import assert from "node:assert/strict";
import { test } from "node:test";
import { Painter } from "../../src/nurie/page/engine/painter.js";
import { FakeWorker } from "./worker.js";

function start() {
  /** @type {FakeWorker[]} */
  const workers = [];
  /** @type {any[]} */
  const events = [];
  const make = () => /** @type {any} */ (workers[workers.push(new FakeWorker()) - 1]);
  const painter = new Painter(make, {
    onstart: () => events.push("start of files"),
    onready: () => events.push("ready"),
    onpicture: ({ id }) => events.push(id),
    onbackend: (backend) => events.push(backend),
    onfailure: ({ code }) => events.push(code),
  });
  const weights = { file: "", bytes: 2, raw_bytes: 2, sha256: "" };
  const input = { width: 1, height: 1 };
  const about = { format: "nurie-model", version: 2, title: "" };
  painter.load({ ...about, input, weights, tensors: [], ops: [] }, 2, input);
  painter.feed(Uint8Array.of(1, 2));
  painter.feed(new Uint8Array());
  return { painter, workers, events };
}

const pixels = () => new Uint8ClampedArray(4);
const style = { seed: 0, colour: [0, 0, 0] };

test("one picture runs, and of those that wait the newest wins", () => {
  const { painter, workers, events } = start();
  workers[0].answer({ loaded: true });
  for (let i = 0; i < 5; i++) painter.paint(pixels, style);
  assert.deepEqual(workers[0].ids, [1]);
  workers[0].answer({ id: 1 });
  assert.deepEqual(workers[0].ids, [1, 5]);
  workers[0].answer({ id: 5 });
  assert.deepEqual(events, ["ready", 1, 5]);
});

test("a drawing waits for the model", () => {
  const { painter, workers } = start();
  painter.paint(pixels, style);
  assert.deepEqual(workers[0].ids, []);
  workers[0].answer({ loaded: true });
  assert.deepEqual(workers[0].ids, [1]);
});

test("after a crash a fresh worker gets the model and the newest drawing", () => {
  const { painter, workers, events } = start();
  workers[0].answer({ loaded: true });
  painter.paint(pixels, style);
  workers[0].crash();
  assert.equal(workers[0].ended, true);
  assert.deepEqual(workers[1].messages.slice(0, 3), workers[0].messages.slice(0, 3));
  assert.ok(workers[1].messages[0].model);
  workers[1].answer({ loaded: true });
  assert.equal(workers[1].ids.length, 1);
  workers[0].answer({ id: 1 }); // too late
  workers[1].answer({ id: 2 });
  assert.deepEqual(events, ["ready", "ready", 2]);
});

test("two crashes in a row are a failure", () => {
  const { painter, workers, events } = start();
  workers[0].answer({ loaded: true });
  painter.paint(pixels, style);
  workers[0].crash();
  workers[1].answer({ failed: "crash" });
  assert.deepEqual(events, ["ready", "crash"]);
  assert.equal(workers[1].ended, true);
  assert.equal(workers.length, 2);
});

test("workers that crash after each first picture are a failure, others get another chance", () => {
  for (const [pictures, outcome] of /** @type {const} */ ([
    [1, "crash"],
    [2, "restart"],
  ])) {
    const { painter, workers, events } = start();
    for (const worker of [0, 1]) {
      workers[worker].answer({ loaded: true });
      for (let i = 0; i < pictures; i++) workers[worker].answer({ id: painter.paint(pixels, style) });
      workers[worker].crash();
    }
    assert.equal(events.at(-1) === "crash" ? "crash" : "restart", outcome);
    assert.equal(workers.length, outcome === "crash" ? 2 : 3);
  }
});

test("an engine that never starts says so", () => {
  const { workers, events } = start();
  workers[0].crash();
  workers[1].crash();
  assert.deepEqual(events, ["start"]);
});

test("a model that the engine refuses is a failure at once", () => {
  const { workers, events } = start();
  workers[0].answer({ failed: "engine", reason: "no" });
  assert.deepEqual(events, ["engine"]);
  assert.equal(workers.length, 1);
});
