// Runs nets on WebGPU without a browser, by Dawn's bindings for Node.js; bench/gpu.py starts it. Prints one line of JSON.
import { readFileSync } from "node:fs";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) } });
const page = new URL("../src/nurie/page/engine/", import.meta.url);
const { difference, equal, testDrawing } = await import(new URL("backend.js", page));
const { Engine } = await import(new URL("wasm.js", page));
const { GpuEngine } = await import(new URL("webgpu.js", page));

const PRECISIONS = ["f32", "f16"];
const STYLE = { seed: 7, colour: [0.1, -0.2, 0.3] };

/** A kernel of nothing but multiply-adds in registers, 8 vectors of 4 in each of so many loops. */
const LOOPS = 1024;
const GROUP_MACS = 64 * LOOPS * 32;
const PEAK_MS = 20; // at least
const PEAK = `
@group(0) @binding(0) var<storage, read_write> sums: array<vec4f>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(0.999);
  let y = vec4f(f32(id.x));
  var s: array<vec4f, 8>;
  for (var i = 0; i < ${LOOPS}; i++) {
    ${Array.from({ length: 8 }, (_, i) => `s[${i}] = fma(s[${i}], x, y);`).join(" ")}
  }
  sums[id.x % 64] = ${Array.from({ length: 8 }, (_, i) => `s[${i}]`).join(" + ")};
}`;

/**
 * @param {GPUDevice} device
 * @returns {Promise<{run: () => Promise<void>, macs: number}>}
 */
async function peakKernel(device) {
  const module = device.createShaderModule({ code: PEAK });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffer = device.createBuffer({ size: 64 * 16, usage: GPUBufferUsage.STORAGE });
  const layout = pipeline.getBindGroupLayout(0);
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  let groups = 8;
  const run = async () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
  while (groups < 32768 && (await milliseconds(run)) < PEAK_MS) groups *= 2;
  return { run, macs: groups * GROUP_MACS };
}

/** @param {() => Promise<unknown>} run */
async function milliseconds(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

/** @param {GpuEngine} engine */
const precision = (engine) => (engine.f16 ? "f16" : "f32");

/**
 * @param {{plan: object, weights: string}} net its weights in base64
 * @param {{height: number, width: number}[]} sizes
 * @param {GpuEngine[]} engines
 * @param {Engine} wasm
 * @returns for each precision, in levels of 255 over all sizes: mean, most; and whether the page would accept all
 */
async function compare({ plan, weights }, sizes, engines, wasm) {
  const file = new Uint8Array(Buffer.from(weights, "base64"));
  const paint = (engine, { height, width }) => {
    engine.resize(height, width);
    engine.setStyle(STYLE);
    return engine.run(testDrawing({ height, width }));
  };
  wasm.setModel(plan, file);
  const expected = sizes.map((size) => paint(wasm, size).slice());
  const results = {};
  for (const engine of engines) {
    await engine.setModel(plan, file);
    let [sum, count, most, right] = [0, 0, 0, true];
    for (const [i, size] of sizes.entries()) {
      const made = await paint(engine, size);
      const found = difference(made, expected[i]);
      sum += found.sum;
      count += made.length;
      most = Math.max(most, found.most);
      right &&= equal(made, expected[i], engine.f16);
    }
    results[precision(engine)] = { mean: sum / count, most, right };
  }
  return results;
}

async function main({ nets, random, rounds, size }) {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return { device: null };
  const loaded = await Promise.all(PRECISIONS.map((name) => GpuEngine.load({ f16: name === "f16", software: true })));
  const engines = loaded.filter((engine, i) => precision(engine) === PRECISIONS[i]);
  const wasm = await Engine.load(readFileSync(new URL("nurie.wasm", page)));
  const peak = await peakKernel(await adapter.requestDevice());
  const square = { height: size, width: size };
  const drawing = testDrawing(square);
  const result = {
    device: adapter.info.description || adapter.info.device,
    peak_macs: peak.macs,
    peak_ms: [],
    nets: {},
    random: [],
  };
  for (const net of random) result.random.push(await compare(net, net.sizes, engines, wasm));
  for (const [name, net] of Object.entries(nets)) {
    const found = await compare(net, [square], engines, wasm);
    for (const one of Object.values(found)) one.ms = [];
    for (let round = -2; round < rounds; round++) {
      for (const engine of engines) {
        const ms = await milliseconds(() => engine.run(drawing));
        if (round >= 0) found[precision(engine)].ms.push(ms);
      }
      const ms = await milliseconds(peak.run);
      if (round >= 0) result.peak_ms.push(ms);
    }
    result.nets[name] = found;
  }
  return result;
}

console.log(JSON.stringify(await main(JSON.parse(readFileSync(process.argv[2], "utf8")))));
process.exit(0); // Dawn's threads would keep it
