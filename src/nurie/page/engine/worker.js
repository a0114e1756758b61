// The engine's own thread. It starts with the build's name (see `bestBuild`) and compiles at once,
// while the page still downloads the model. Messages in: {model, size, backend}, many {part},
// then {id, pixels, style}; out: see painter.js.

import { BAD_CODE, EngineError } from "./errors.js";
import { needsWasm } from "./plan.js";
import { startWorker } from "./start.js";
import { fetchEngine } from "./wasm.js";

// More gain little on nets of this size, and the page wants a core too.
const MOST_THREADS = 4;
/** Milliseconds after a picture in which the next one may be expected. */
const REST = 100;
/** Of so many pictures by WebGPU at least one is compared. */
const SELDOM = 64;

const startHelper = () => startWorker(new URL("./helper.js", import.meta.url));

const build = /** @type {import("./wasm.js").Build} */ (self.name);
const engine = fetchEngine(build);
engine.then(
  () => postMessage({ started: true }),
  () => {}, // told when the model arrives
);

/** Takes over when it is ready, after the first picture. @type {import("./webgpu.js").GpuEngine | null} */
let gpu = null;
/** Of its pictures: how many may come until one is compared, and how many that were at last. */
let unchecked = 1;
let interval = 1;
/** The visitor's pictures: how many there have been, whether one is made now, and when the last one ended. */
const visits = { count: 0, busy: false, end: 0 };
/** Whether `gpu` may get the model, and its weights once they are here. */
let forGpu = false;
/** @type {Uint8Array | null} */
let copy = null;
/** @type {Size} */
let size = { width: 0, height: 0 };
/** @type {(() => Promise<void>) | null} what is left to do once the first picture is out */
let later = null;

/**
 * bytes: of the weights, unzipped or decoded; encoding: as they come.
 * @typedef {{plan: import("./plan.js").Plan, bytes: number, encoding?: string}} Model
 * @typedef {{width: number, height: number}} Size
 *
 * @param {{model: Model, size: Size, backend?: string}} message
 */
async function begin({ model, size: given, backend }) {
  size = given;
  forGpu = Boolean(navigator.gpu) && backend !== "wasm" && !needsWasm(model.plan);
  copy = null;
  later = async () => {
    share(await engine);
    await choose(model.plan, backend);
  };
  (await engine).beginModel(model.plan, model.bytes, model.encoding);
}

/**
 * Helpers are started after the first picture: each costs a core some tens of milliseconds that the page needs itself.
 * @param {import("./wasm.js").Engine} ready
 */
function share(ready) {
  if (!ready.shared || ready.threads > 1) return;
  ready.startHelpers(Math.min(MOST_THREADS, navigator.hardwareConcurrency), startHelper);
}

/** @param {Uint8Array} part of the weights; an empty one says that all are there, and right */
async function feed(part) {
  const ready = await engine;
  const complete = ready.feed(part);
  if (part.length) return;
  if (!complete) throw new EngineError(-3);
  if (forGpu) copy = ready.weights?.slice() ?? null;
  ready.resize(size.height, size.width);
  postMessage({ loaded: true });
}

/**
 * @param {import("./plan.js").Plan} plan
 * @param {string} [backend] the one to use; else the faster one
 */
async function choose(plan, backend) {
  const weights = copy;
  copy = null;
  const opened = weights ? await openedGpu({ plan, weights }, backend === "webgpu").catch(() => null) : null;
  gpu = opened;
  opened?.lost.then(() => (gpu === opened ? leaveGpu() : undefined));
  postMessage({ backend: gpu ? "webgpu" : "wasm", threads: (await engine).threads });
}

async function leaveGpu() {
  gpu?.close();
  gpu = null;
  postMessage({ backend: "wasm", threads: (await engine).threads });
}

/** The visitor's pictures go first. @type {import("./backend.js").Rest} */
async function rest() {
  do await new Promise((resolve) => setTimeout(resolve));
  while (visits.busy || performance.now() - visits.end < REST);
  return visits.count;
}

/**
 * @param {{plan: import("./plan.js").Plan, weights: Uint8Array}} model
 * @param {boolean} forced
 */
async function openedGpu(model, forced) {
  const { openGpu } = await import("./backend.js");
  return openGpu(model, size, await engine, forced, rest);
}

/**
 * Compare a picture of WebGPU's, unless the visitor draws on; where it is wrong the other engine takes over.
 * @param {number} id
 * @param {import("./backend.js").Task} task
 * @param {Uint8ClampedArray} picture
 */
async function check(id, task, picture) {
  const { equal, once } = await import("./backend.js");
  const ready = await engine;
  const done = await once(ready, task, rest, visits.count);
  if (!done || !gpu) return;
  interval = Math.min(2 * interval, SELDOM);
  unchecked = interval;
  if (equal(picture, done.picture, gpu.f16)) return;
  await leaveGpu();
  const drawing = { pixels: task.pixels, ...size };
  postMessage({
    id,
    corrected: true,
    pixels: done.picture,
    drawing,
    ms: done.ms,
    backend: "wasm",
    ...ready.outputSize,
  });
}

/**
 * @param {Uint8ClampedArray} pixels RGBA
 * @param {import("./plan.js").Style} style
 * @returns {Promise<{backend: "webgpu" | "wasm", picture: Uint8ClampedArray<ArrayBuffer>}>}
 */
async function compute(pixels, style) {
  const ready = await engine;
  ready.setStyle(style);
  gpu?.setStyle(style);
  const onGpu = await gpu?.run(pixels).catch(() => null);
  if (onGpu) return { backend: "webgpu", picture: onGpu };
  return { backend: "wasm", picture: ready.run(pixels) };
}

/**
 * @param {number} id
 * @param {Uint8ClampedArray} pixels RGBA
 * @param {import("./plan.js").Style} style
 */
async function paint(id, pixels, style) {
  const { outputSize } = await engine;
  const start = performance.now();
  const { backend, picture } = await compute(pixels, style);
  const ms = performance.now() - start;
  const due = backend === "webgpu" && --unchecked <= 0 ? [picture.slice(), pixels.slice()] : null;
  const drawing = { pixels, ...size };
  postMessage(
    { id, pixels: picture, drawing, ms, backend, ...outputSize },
    { transfer: [picture.buffer, pixels.buffer] },
  );
  if (due) check(id, { pixels: due[1], style }, due[0]).catch(() => {}); // the next one will do
}

addEventListener("message", async ({ data }) => {
  try {
    if (data.model) return await begin(data);
    if (data.part) return await feed(data.part);
    Object.assign(visits, { count: visits.count + 1, busy: true });
    await paint(data.id, data.pixels, data.style);
    Object.assign(visits, { busy: false, end: performance.now() });
    const next = later;
    later = null;
    await next?.();
  } catch (error) {
    // What the engine refuses now it would refuse again; anything else may be an accident.
    const refused = error instanceof EngineError ? (error.code === BAD_CODE ? "corrupt" : "engine") : null;
    postMessage({ failed: refused ?? "crash", reason: String(error) });
  }
});
