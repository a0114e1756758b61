// Runs nets on WebGPU without a browser, by Dawn's bindings for Node.js; bench/gpu.py starts it. Prints one line of JSON.
import { readFileSync } from "node:fs";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: create([]) } });
const page = new URL("../src/nurie/page/", import.meta.url);
const { equal, testDrawing } = await import(new URL("backend.js", page));
const { Engine } = await import(new URL("engine.js", page));
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

/** Levels of 255, over all pictures. */
function difference(pairs) {
  let [sum, count, most] = [0, 0, 0];
  for (const [made, expected] of pairs) {
    made.forEach((value, i) => {
      sum += Math.abs(value - expected[i]);
      most = Math.max(most, Math.abs(value - expected[i]));
    });
    count += made.length;
  }
  return { mean: sum / count, most };
}

/**
 * @param {{plan: object, weights: string}} net its weights in base64
 * @param {{height: number, width: number}[]} sizes
 * @param {GpuEngine[]} engines
 * @param {Engine} wasm
 */
async function compare({ plan, weights }, sizes, engines, wasm) {
  const file = new Uint8Array(Buffer.from(weights, "base64"));
  wasm.setModel(plan, file);
  const results = {};
  for (const engine of engines) {
    await engine.setModel(plan, file);
    const pairs = [];
    for (const size of sizes) {
      const drawing = testDrawing(size);
      for (const each of [engine, wasm]) {
        each.resize(size.height, size.width);
        each.setStyle(STYLE);
      }
      pairs.push([await engine.run(drawing), wasm.run(drawing).slice()]);
    }
    const right = pairs.every(([made, expected]) => equal(made, expected, engine.f16));
    results[engine.f16 ? "f16" : "f32"] = { ...difference(pairs), right };
  }
  return results;
}

async function main({ nets, random, rounds, size }) {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return { device: null };
  const loaded = await Promise.all(PRECISIONS.map((precision) => GpuEngine.load({ f16: precision === "f16", software: true })));
  const engines = loaded.filter((engine, i) => engine.f16 === (PRECISIONS[i] === "f16"));
  const wasm = await Engine.load(readFileSync(new URL("nurie.wasm", page)));
  const peak = await peakKernel(await adapter.requestDevice());
  const square = { height: size, width: size };
  const drawing = testDrawing(square);
  const result = { device: adapter.info.description || adapter.info.device, peak_macs: peak.macs, peak_ms: [], nets: {}, random: [] };
  for (const net of random) result.random.push(await compare(net, net.sizes, engines, wasm));
  for (const [name, net] of Object.entries(nets)) {
    const found = await compare(net, [square], engines, wasm);
    for (const one of Object.values(found)) one.ms = [];
    for (let round = -2; round < rounds; round++) {
      for (const engine of engines) {
        const ms = await milliseconds(() => engine.run(drawing));
        if (round >= 0) found[engine.f16 ? "f16" : "f32"].ms.push(ms);
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
