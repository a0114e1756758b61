// Our engine in a worker, where it may use threads, for browser.js.
import { Engine } from "/src/nurie/page/engine/wasm.js";

/** @type {Engine} */
let engine;
let rgba = new Uint8Array();
let pixels = new Uint8ClampedArray();

async function open({ plan, size, threads, build, rgba: given }) {
  const source = await (await fetch(`/engine-${build}.wasm`)).arrayBuffer();
  const helper = () => new Worker("/src/nurie/page/engine/helper.js", { type: "module" });
  engine = await Engine.load(source);
  if (threads > 1) engine.startHelpers(threads, helper);
  engine.setModel(plan, new Uint8Array(await (await fetch("/weights.bin")).arrayBuffer()));
  engine.resize(size, size);
  rgba = given;
  return { bytes: engine.peak };
}

function run() {
  const start = performance.now();
  pixels = engine.run(rgba);
  return { ms: performance.now() - start };
}

addEventListener("message", async ({ data }) => {
  try {
    postMessage(data.plan ? await open(data) : data.run ? run() : { pixels: Uint8Array.from(pixels) });
  } catch (error) {
    postMessage({ error: String(error) });
  }
});
