// The engine's own thread. It starts with the build's name (see `bestBuild`) and compiles at once,
// while the page still downloads the model. Messages in: {model, size, backend}, then {id, pixels}; out: see painter.js.

import { Engine, EngineError } from "./engine.js";

/** @type {{[build in import("./engine.js").Build]: URL}} */
const BUILDS = {
  plain: new URL("./nurie.wasm", import.meta.url),
  relaxed: new URL("./nurie-relaxed.wasm", import.meta.url),
  "plain-threads": new URL("./nurie-threads.wasm", import.meta.url),
  "relaxed-threads": new URL("./nurie-relaxed-threads.wasm", import.meta.url),
};
// More gain little on nets of this size, and the page wants a core too.
const MOST_THREADS = 4;

/** @param {URL} url */
async function compile(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status}`);
  // Streaming needs the type application/wasm, which some hosts do not send.
  if (response.headers.get("Content-Type") !== "application/wasm") return WebAssembly.compile(await response.arrayBuffer());
  return WebAssembly.compileStreaming(response);
}

const startHelper = () => new Worker(new URL("./helper.js", import.meta.url), { type: "module" });

/** @param {import("./engine.js").Build} build */
async function open(build) {
  const module = await compile(BUILDS[build]);
  if (!build.endsWith("-threads")) return Engine.load(module);
  return Engine.load(module, Math.min(MOST_THREADS, navigator.hardwareConcurrency), startHelper);
}

const engine = open(/** @type {import("./engine.js").Build} */ (self.name));
engine.catch(() => {}); // told when the model arrives

/** Takes over when it is ready, after the first pictures. @type {import("./webgpu.js").GpuEngine | null} */
let gpu = null;

/**
 * @param {{plan: import("./plan.js").Plan, weights: Uint8Array}} model
 * @param {{width: number, height: number}} size
 */
async function load(model, size) {
  const ready = await engine;
  ready.setModel(model.plan, model.weights);
  ready.resize(size.height, size.width);
  postMessage({ loaded: true });
}

/**
 * @param {{plan: import("./plan.js").Plan, weights: Uint8Array}} model
 * @param {{width: number, height: number}} size
 * @param {boolean} forced
 */
async function openedGpu(model, size, forced) {
  if (!navigator.gpu) return null;
  const { openGpu } = await import("./backend.js");
  return openGpu(model, size, await engine, forced);
}

/**
 * @param {{plan: import("./plan.js").Plan, weights: Uint8Array}} model
 * @param {{width: number, height: number}} size
 * @param {string} [backend] the one to use; else the faster one
 */
async function choose(model, size, backend) {
  gpu = backend === "wasm" ? null : await openedGpu(model, size, backend === "webgpu").catch(() => null);
  gpu?.lost.then(() => (gpu = null));
  postMessage({ backend: gpu ? "webgpu" : "wasm" });
}

/**
 * @param {Uint8ClampedArray} pixels RGBA
 * @returns {Promise<{backend: "webgpu" | "wasm", picture: Uint8ClampedArray<ArrayBuffer>}>}
 */
async function compute(pixels) {
  const ready = await engine;
  const onGpu = await gpu?.run(pixels).catch(() => null);
  if (onGpu) return { backend: "webgpu", picture: onGpu };
  return { backend: "wasm", picture: ready.run(pixels) };
}

/**
 * @param {number} id
 * @param {Uint8ClampedArray} pixels RGBA
 */
async function paint(id, pixels) {
  const { outputSize } = await engine;
  const start = performance.now();
  const { backend, picture } = await compute(pixels);
  const ms = performance.now() - start;
  postMessage({ id, pixels: picture, ms, backend, ...outputSize }, { transfer: [picture.buffer] });
}

/** @type {(() => Promise<void>) | null} what is left to do once the first picture is out */
let later = null;

addEventListener("message", async ({ data }) => {
  try {
    if (data.model) {
      await load(data.model, data.size);
      later = () => choose(data.model, data.size, data.backend);
      return;
    }
    await paint(data.id, data.pixels);
    const next = later;
    later = null;
    await next?.();
  } catch (error) {
    // What the engine refuses now it would refuse again; anything else may be an accident.
    postMessage({ failed: error instanceof EngineError ? "engine" : "crash", reason: String(error) });
  }
});
