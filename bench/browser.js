// Our engine, ONNX Runtime Web and LiteRT.js on one net in one page; bench/browser.py opens it. Rounds are interleaved.

/**
 * @typedef {{run: () => Promise<number>, output: () => Promise<Float32Array | Uint8Array>}} Runner
 *   `run` colours the drawing once and returns milliseconds; `output` is the picture, RGB or RGBA in rows
 * @typedef {{threads: number, size: number, runtimes: string[], rounds: number, plan: object, build: string}} Task
 */

/** The memories of the WebAssembly modules that the page makes, by who was being opened. @type {{[name: string]: Set<WebAssembly.Memory>}} */
const memories = {};
let opening = "";
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...rest) => {
    const result = await original.apply(WebAssembly, rest);
    memories[opening] ??= new Set();
    const known = memories[opening];
    const found = [
      ...Object.values((result.instance ?? result).exports),
      ...Object.values(rest[1] ?? {}).flatMap(Object.values),
    ];
    found.filter((value) => value instanceof WebAssembly.Memory).forEach((memory) => known.add(memory));
    return result;
  };
}

/** A drawing that all get (convert.py makes it too): RGBA bytes, and the same as float32 in [-1, 1] NHWC. @param {number} size */
function drawing(size) {
  const rgba = Uint8Array.from({ length: size * size * 4 }, (_, i) => (i * 2654435761) >>> 24);
  const floats = Float32Array.from(
    { length: size * size * 3 },
    (_, i) => rgba[Math.floor(i / 3) * 4 + (i % 3)] / 127.5 - 1,
  );
  return { rgba, floats };
}

/** @param {Task} task @returns {Promise<Runner>} */
async function openOurs({ threads, size, plan, build }) {
  const worker = new Worker("/ours.js", { type: "module" });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
      worker.postMessage(message);
    });
  const { bytes } = await ask({ plan, size, threads, build, rgba: drawing(size).rgba });
  memories.ours = new Set([{ buffer: { byteLength: bytes } }]);
  return { run: async () => (await ask({ run: true })).ms, output: async () => (await ask({ output: true })).pixels };
}

/** @param {Task} task @returns {Promise<Runner>} */
async function openOrt({ threads, size }) {
  const ort = await import("/ort/ort.wasm.min.mjs");
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create("/net.onnx", {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    extra: { session: { disable_quant_qdq: "1" } },
  });
  const { floats } = drawing(size);
  const planes = Float32Array.from(
    { length: floats.length },
    (_, i) => floats[(i % (size * size)) * 3 + Math.floor(i / (size * size))],
  );
  const feeds = { drawing: new ort.Tensor("float32", planes, [1, 3, size, size]) };
  let last = planes;
  const run = async () => {
    const start = performance.now();
    last = (await session.run(feeds)).picture.data;
    return performance.now() - start;
  };
  const output = async () =>
    Float32Array.from({ length: floats.length }, (_, i) => last[(i % 3) * size * size + Math.floor(i / 3)]);
  return { run, output };
}

/** @param {Task} task @returns {Promise<Runner>} */
async function openLiteRt({ threads, size }) {
  const { loadLiteRt, loadAndCompile, Tensor } = await import("/litert/index.js");
  await loadLiteRt("/litert/wasm/", { threads: threads > 1 });
  const model = await loadAndCompile("/net.tflite", { accelerator: "wasm", cpuOptions: { numThreads: threads } });
  const { floats } = drawing(size);
  const input = new Tensor(floats, [1, size, size, 3]);
  let last = floats;
  const run = async () => {
    const start = performance.now();
    const [result] = await model.run(input);
    last = Float32Array.from(result.toTypedArray());
    const ms = performance.now() - start;
    result.delete();
    return ms;
  };
  return { run, output: async () => last };
}

/** Multiply-adds without memory: what the processor can do at most. @param {Task} task @returns {Promise<Runner>} */
async function openPeak({ build }) {
  const bytes = await (await fetch(`/peak-${build}.wasm`)).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes);
  const run = async () => {
    const start = performance.now();
    instance.exports.peak(200_000); // 9.6 million multiply-adds
    return performance.now() - start;
  };
  return { run, output: async () => new Float32Array() };
}

const OPEN = { ours: openOurs, ort: openOrt, litert: openLiteRt, peak: openPeak };

/** @param {Float32Array | Uint8Array} picture RGBA bytes, or RGB in [-1, 1] */
const toLevels = (picture) =>
  picture instanceof Float32Array ? picture.map((x) => (x + 1) * 127.5) : picture.filter((_, i) => i % 4 < 3);

/**
 * @param {Task} task
 * @returns {Promise<{[runtime: string]: {ms: number[], memory: number, difference: number} | {error: string}}>} per
 *   round; bytes; and the largest difference of the picture to the first runtime's, in levels of 255
 */
export async function compare(task) {
  const runners = {};
  const results = {};
  for (const name of [...task.runtimes, "peak"]) {
    opening = name;
    try {
      runners[name] = await OPEN[name](task);
      results[name] = { ms: [] };
    } catch (error) {
      results[name] = { error: String(error) };
    }
  }
  for (let round = -4; round < task.rounds; round++) {
    for (const [name, runner] of Object.entries(runners)) {
      const ms = await runner.run();
      if (round >= 0) results[name].ms.push(ms);
    }
  }
  let first = null;
  for (const [name, runner] of Object.entries(runners)) {
    const levels = toLevels(await runner.output());
    first ??= levels;
    results[name].difference = levels.reduce((most, value, i) => Math.max(most, Math.abs(value - first[i])), 0);
    results[name].memory = [...(memories[name] ?? [])].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
  }
  return results;
}
