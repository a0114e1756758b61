// Times a model in the engine, inside a page; bench/engine.py opens it and passes what to measure.
// The rounds of all builds are interleaved, so that a machine that speeds up or slows down meanwhile changes no ratio.
import { Engine } from "/src/nurie/page/engine/wasm.js";

/**
 * @param {{plan: object, width: number, height: number, rounds: number, builds: {[name: string]: string},
 *   cut: {[name: string]: number}}} task
 * @returns what engine.py's `measure` describes
 */
export async function measure({ plan, width, height, rounds, builds, cut }) {
  const weights = new Uint8Array(await (await fetch("/weights.bin")).arrayBuffer());
  const picture = Uint8Array.from({ length: height * width * 4 }, (_, i) => (i * 2654435761) >>> 24);
  const results = {};
  const engines = {};
  for (const [name, url] of Object.entries(builds)) {
    const engine = await Engine.load(await (await fetch(url)).arrayBuffer());
    if (cut[name] > 1) engine.startHelpers(cut[name], () => ({ postMessage() {}, terminate() {} })); // none ever comes
    const start = performance.now();
    engine.setModel(plan, weights);
    const loaded = performance.now();
    engine.resize(height, width);
    const resized = performance.now();
    engine.setInput(picture);
    engines[name] = engine;
    results[name] = {
      load_ms: loaded - start,
      resize_ms: resized - loaded,
      peak_bytes: engine.peak,
      total_ms: [],
      op_ms: [],
    };
  }
  for (let round = -10; round < rounds; round++) {
    for (const [name, engine] of Object.entries(engines)) {
      const start = performance.now();
      engine.runOps(0, engine.operations);
      const total = performance.now() - start;
      const ops = [];
      for (let i = 0; i < engine.operations; i++) {
        const begin = performance.now();
        engine.runOps(i, i + 1);
        ops.push(performance.now() - begin);
      }
      if (round < 0) continue; // the browser compiles in tiers
      results[name].total_ms.push(total);
      results[name].op_ms.push(ops);
    }
  }
  return results;
}
