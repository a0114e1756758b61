// What the engine is asked for and when: the page without its page.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { another, Colouring, next } from "../../src/nurie/page/colouring.js";
import { Failure } from "../../src/nurie/page/failure.js";
import { FakeWorker } from "./worker.js";

const manifest = {
  format: "nurie-model",
  version: 1,
  title: "Cats",
  input: { width: 1, height: 1 },
  weights: { file: "weights.bin.gz", bytes: 4, raw_bytes: 2, sha256: "" },
  tensors: [],
  ops: [],
  styles: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
};

/** @type {FakeWorker[]} */
let workers = [];

beforeEach(() => {
  workers = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(console, "error", () => {});
  const make = class extends FakeWorker {
    constructor() {
      super();
      workers.push(this);
    }
  };
  Object.assign(globalThis, { Worker: make });
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, "Worker");
  mock.timers.reset();
  mock.restoreAll();
});

/** A promise, and what settles it. */
function promised() {
  /** @type {(value: any) => void} */
  let resolve = () => {};
  /** @type {(error: unknown) => void} */
  let reject = () => {};
  const promise = new Promise((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

/** A model on its way, which comes when the test says so. */
class FakeDownload {
  address = new URL("http://localhost/model/manifest.json");
  bytes = [0, 4];
  aborted = false;
  onprogress = () => {};
  #manifest = promised();
  #complete = promised();
  manifest = this.#manifest.promise;
  complete = this.#complete.promise;

  /** @param {(part: Uint8Array) => void} take */
  forEachPart(take) {
    take(Uint8Array.of(1, 2));
  }

  abort() {
    this.aborted = true;
  }

  async described(given = manifest) {
    this.#manifest.resolve(given);
    await settled();
  }

  async completed() {
    this.bytes = [4, 4];
    this.onprogress();
    this.#complete.resolve(undefined);
    await settled();
  }

  /** @param {unknown} error */
  async fails(error) {
    this.manifest.catch(() => {});
    this.complete.catch(() => {});
    this.#manifest.reject(error);
    this.#complete.reject(error);
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** @param {{seed?: number, backend?: string, updated?: boolean}} [choice] */
function begin({ updated = false, ...choice } = {}) {
  /** @type {any[]} */
  const events = [];
  const colouring = new Colouring(
    () => new Uint8ClampedArray(4),
    { seed: 0, ...choice },
    {
      onstate: (state, failure) => events.push(failure ? `${state}: ${failure.code}` : state),
      onwait: (waits) => events.push(waits ? "waits" : "goes on"),
      onbytes: (bytes) => events.push(bytes.join("/")),
      onmodel: ({ title }) => events.push(title),
      onask: (id) => events.push(`ask ${id}`),
      onpicture: ({ id }) => events.push(`picture ${id}`),
      onbackend: (backend) => events.push(backend),
      updated: async () => updated,
    },
  );
  const start = () => {
    const download = new FakeDownload();
    colouring.start(/** @type {any} */ (download));
    return download;
  };
  /** What has happened since the last question. */
  const news = () => events.splice(0);
  return { colouring, start, news };
}

/** A colouring that is ready. @param {Parameters<typeof begin>[0]} [choice] */
async function ready(choice) {
  const begun = begin(choice);
  const download = begun.start();
  await download.described();
  await download.completed();
  workers[0].answer({ loaded: true });
  begun.news();
  return begun;
}

test("each state has its steps", () => {
  const steps = /** @type {const} */ (["start", "loaded", "stay", "fail"]);
  const after = (/** @type {import("../../src/nurie/page/colouring.js").State} */ state) =>
    steps.map((step) => next(state, step));
  assert.deepEqual(after("loading"), ["loading", "ready", "ready", "failed"]);
  assert.deepEqual(after("ready"), ["loading", null, null, "failed"]);
  assert.deepEqual(after("failed"), ["loading", null, null, null]);
});

test("a model comes: its manifest, its weights, and then pictures", async () => {
  const { colouring, start, news } = begin({ seed: 4, backend: "wasm" });
  const download = start();
  assert.deepEqual(news(), ["loading", "0/0"]);
  colouring.paint();
  assert.deepEqual(news(), []); // nothing can be asked for yet
  await download.described();
  assert.deepEqual(news(), ["0/4", "Cats"]);
  colouring.paint();
  await download.completed();
  assert.deepEqual(news(), ["ask 1", "4/4"]);
  const [model, part, end] = workers[0].messages;
  assert.deepEqual([model.backend, model.model.bytes, part.part, end.part.length], ["wasm", 2, Uint8Array.of(1, 2), 0]);
  workers[0].answer({ loaded: true });
  assert.equal(colouring.state, "ready");
  assert.deepEqual(workers[0].messages[3].style, { seed: 4, colour: [0, 1, 0] });
  workers[0].answer({ id: 1 });
  workers[0].answer({ backend: "wasm" });
  assert.deepEqual(news(), ["ready", "picture 1", "wasm"]);
});

test("a change is coloured while live is on", async () => {
  const { colouring, news } = await ready();
  colouring.changed();
  colouring.live = false;
  colouring.changed();
  assert.deepEqual(news(), ["ask 1"]);
  colouring.paint();
  assert.deepEqual(news(), ["ask 2"]);
});

test("a second start leaves the first model, whatever comes of it", async () => {
  const { start, news } = begin();
  const first = start();
  const second = start();
  assert.deepEqual(news(), ["loading", "0/0", "loading", "0/0"]);
  assert.ok(workers[0].ended && first.aborted);
  await first.described({ ...manifest, title: "Dogs" });
  await first.completed();
  assert.deepEqual([news(), workers[0].messages], [[], []]);
  await second.described();
  assert.deepEqual(news(), ["0/4", "Cats"]);

  const third = start();
  news();
  await second.fails(new Failure("short"));
  second.onprogress();
  assert.deepEqual(news(), []);
  await third.described();
  assert.deepEqual(news(), ["0/4", "Cats"]);
});

test("until the new model is there, the old one goes on", async () => {
  const { colouring, start, news } = await ready();
  colouring.paint();
  const dogs = start();
  await dogs.described({ ...manifest, title: "Dogs" });
  workers[0].answer({ id: 1 });
  colouring.paint();
  assert.notEqual(colouring.roll(), null);
  assert.deepEqual(news(), ["ask 1", "loading", "0/0", "0/4", "picture 1", "ask 2", "ask 3"]);
  await dogs.completed();
  assert.ok(!workers[0].ended);
  workers[1].answer({ loaded: true });
  colouring.paint();
  assert.deepEqual(news(), ["4/4", "Dogs", "ready", "ask 4"]); // numbers go on
  assert.ok(workers[0].ended && !workers[1].ended);
});

test("a model that does not come leaves the one in use", async () => {
  const { colouring, start, news } = await ready();
  await start().fails(new Failure("short"));
  assert.deepEqual(news(), ["loading", "0/0", "ready: short"]);
  colouring.paint();
  assert.deepEqual([news(), workers[0].ended, workers[1].ended], [["ask 1"], false, true]);
});

test("a choice can be taken back", async () => {
  const { colouring, start, news } = await ready();
  const download = start();
  assert.equal(colouring.stay(), true);
  await download.fails(new Failure("network"));
  assert.deepEqual([news(), download.aborted, workers[1].ended], [["loading", "0/0", "ready"], true, true]);
  assert.equal(begin().colouring.stay(), false);
});

test("an engine that dies while another model comes is not missed", async () => {
  const { colouring, start, news } = await ready();
  const dogs = start();
  await dogs.described({ ...manifest, title: "Dogs" });
  for (const worker of [0, 2]) workers[worker].crash();
  assert.deepEqual(news(), ["loading", "0/0", "0/4", "Dogs"]);
  await dogs.completed();
  workers[1].answer({ loaded: true });
  assert.equal(colouring.state, "ready");
});

test("where nothing comes for seconds the visitor is told, until it goes on", async () => {
  const { start, news } = begin();
  const download = start();
  await download.described();
  news();
  mock.timers.tick(7999);
  download.onprogress();
  mock.timers.tick(7999);
  assert.deepEqual(news(), ["0/4"]);
  mock.timers.tick(1);
  assert.deepEqual(news(), ["waits"]);
  download.onprogress();
  assert.deepEqual(news(), ["goes on", "0/4"]);
  await download.completed(); // the engine's files are still to come
  mock.timers.tick(8000);
  assert.deepEqual(news(), ["4/4", "waits"]);
  workers[0].answer({ started: true });
  mock.timers.tick(80_000); // now it is the computer that takes its time
  assert.deepEqual(news(), ["goes on"]);
  start();
  mock.timers.tick(8000);
  assert.deepEqual(news(), ["loading", "0/0", "waits"]);
});

test("files of an engine that does not start are fetched past the cache, and it is tried again", async () => {
  /** @type {string[]} */
  const fetched = [];
  mock.method(globalThis, "fetch", async (/** @type {URL} */ url, /** @type {RequestInit} */ { cache }) => {
    fetched.push(`${url.pathname.split("/").pop()} ${cache}`);
    return new Response("");
  });
  const { start, news } = begin();
  const download = start();
  await download.described();
  news();
  for (const worker of [0, 1]) workers[worker].crash();
  await settled();
  assert.equal(workers.length, 3);
  assert.ok(["worker.js reload", "wasm.js reload", "start.js reload"].every((file) => fetched.includes(file)));
  assert.ok(fetched.some((file) => file.endsWith(".wasm reload")));
  for (const worker of [2, 3]) workers[worker].crash();
  await settled();
  assert.deepEqual([workers.length, news()], [4, ["0/4", "failed: start"]]);
});

test("files that can not be fetched mean that the network is away, not that they are damaged", async () => {
  for (const [answer, code] of /** @type {const} */ ([
    [() => Promise.reject(new TypeError("no network")), "network"],
    [async () => new Response("", { status: 404 }), "missing"],
  ])) {
    mock.method(globalThis, "fetch", answer);
    const { start, news } = begin();
    await start().described();
    news();
    for (const worker of workers.slice(-1)) worker.crash();
    for (const worker of workers.slice(-1)) worker.crash();
    await settled();
    assert.deepEqual(news(), [`failed: ${code}`]);
  }
});

test("a file that a newer site no longer has means that the page is an old one", async () => {
  const { start, news } = await ready({ updated: true });
  await start().fails(new Failure("missing"));
  assert.deepEqual(news(), ["loading", "0/0", "ready: updated"]);
});

test("a failure is told once, and another start may do better", async () => {
  const { colouring, start, news } = begin();
  const download = start();
  await download.described();
  workers[0].answer({ failed: "engine", reason: "" });
  download.onprogress();
  await download.fails(new Failure("short"));
  colouring.paint();
  assert.deepEqual(news(), ["loading", "0/0", "0/4", "Cats", "failed: engine"]);
  assert.ok(workers[0].ended);
  await start().described();
  assert.deepEqual(news(), ["loading", "0/0", "0/4", "Cats"]);
});

test("a ready engine that dies twice in a row is a failure", async () => {
  const { colouring, news } = await ready();
  workers[0].crash();
  assert.equal(colouring.state, "ready");
  workers[1].crash();
  assert.deepEqual([colouring.state, news()], ["failed", ["failed: crash"]]);
});

test("what nobody expected is told, and in the console in full", async () => {
  const { start, news } = begin();
  const error = mock.method(console, "error", () => {});
  await start().fails(new TypeError("made up"));
  assert.deepEqual(news(), ["loading", "0/0", "failed: unknown"]);
  assert.equal(error.mock.callCount(), 1);
});

test("a browser that lacks something is told so, and no worker is started", () => {
  const { start, news } = begin();
  mock.method(WebAssembly, "validate", () => false);
  start();
  assert.deepEqual([news(), workers.length], [["loading", "0/0", "failed: browser"], 0]);
});

test("other colours are never the same twice in a row", async () => {
  for (const count of [2, 3, 8]) {
    for (const seed of [0, 1, 1234]) {
      for (const random of [0, 0.5, 0.999]) {
        const rolled = another(seed, count, () => random);
        assert.ok(Number.isInteger(rolled) && rolled >= 0 && rolled % count !== seed % count);
      }
    }
  }
  const { colouring, news } = await ready();
  assert.equal(colouring.roll(), colouring.seed);
  assert.notEqual(colouring.seed % 3, 0);
  assert.deepEqual(news(), ["ask 1"]);
});

test("a model of one colour has other noise, and one without styles no choice", async () => {
  assert.equal(
    another(7, 1, () => 0.5),
    500,
  );
  const { colouring, start, news } = begin();
  const download = start();
  await download.described({ ...manifest, styles: [] });
  news();
  assert.deepEqual([colouring.roll(), news()], [null, []]);
});

test("a model that paints in a palette's colours has other colourings without styles", async () => {
  const { colouring, start, news } = begin();
  const download = start();
  await download.described(Object.assign({ palette: ["#ffffff", "#000000", "#ff0000"] }, manifest, { styles: [] }));
  news();
  const seeds = [colouring.roll(), colouring.roll()];
  assert.ok(seeds.every((seed) => seed !== null) && new Set([0, ...seeds]).size === 3, String(seeds));
  assert.equal(news().length, 2);
});
