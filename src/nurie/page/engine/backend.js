// Is WebGPU worth using here? Only where it computes the same pictures as the WebAssembly engine, and sooner.

import { GpuEngine } from "./webgpu.js";

/** @typedef {import("./wasm.js").Engine} Engine */
/** @typedef {import("./plan.js").Plan} Plan */

// Levels of 255 by which the pictures may differ: on average, and anywhere.
const LIMITS = { f32: { mean: 0.1, most: 2 }, f16: { mean: 2, most: 24 } };
const TRIALS = 3;

/**
 * A WebGPU engine that has the model and passed its test; null where there is none.
 * @param {{plan: Plan, weights: Uint8Array}} model
 * @param {{width: number, height: number}} size
 * @param {Engine} wasm with the same model and size
 * @param {boolean} forced an imitation by the processor will do, however slow
 * @returns {Promise<GpuEngine | null>}
 */
export async function openGpu(model, size, wasm, forced) {
  const gpu = await GpuEngine.load({ software: forced });
  if (!gpu) return null;
  try {
    await gpu.setModel(model.plan, model.weights);
    gpu.resize(size.height, size.width);
    const drawing = testDrawing(size);
    for (const engine of [gpu, wasm]) engine.setStyle({ seed: 7, colour: [0.1, -0.2, 0.3] });
    const right = equal(await gpu.run(drawing), wasm.run(drawing), gpu.f16);
    if (right && (forced || (await faster(gpu, wasm, drawing)))) return gpu;
  } catch {
    // Whatever it was: the other engine is there.
  }
  gpu.close();
  return null;
}

/**
 * Black lines and a few colours on white, the same everywhere.
 * @param {{width: number, height: number}} size
 */
export function testDrawing({ width, height }) {
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      if ((x + 3 * y) % 29 < 3 || (5 * x - y) % 41 === 0) pixels.fill(0, at, at + 3);
      else if ((x * y) % 61 === 7) pixels.set([x % 256, y % 256, (x + y) % 256], at);
    }
  }
  return pixels;
}

/**
 * @param {Uint8ClampedArray} made
 * @param {Uint8ClampedArray} expected
 * @param {boolean} f16
 */
export function equal(made, expected, f16) {
  const limits = f16 ? LIMITS.f16 : LIMITS.f32;
  const { sum, most } = difference(made, expected);
  return made.length === expected.length && sum <= limits.mean * expected.length && most <= limits.most;
}

/**
 * In levels of 255, over all of `expected`.
 * @param {Uint8ClampedArray} made
 * @param {Uint8ClampedArray} expected
 */
export function difference(made, expected) {
  let sum = 0;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const levels = Math.abs(made[i] - expected[i]);
    sum += levels;
    most = Math.max(most, levels);
  }
  return { sum, most };
}

/**
 * @param {GpuEngine} gpu
 * @param {Engine} wasm
 * @param {Uint8ClampedArray} drawing
 */
async function faster(gpu, wasm, drawing) {
  /** @type {number[]} */
  const ratios = [];
  for (let i = 0; i < TRIALS; i++) {
    const start = performance.now();
    await gpu.run(drawing);
    const between = performance.now();
    wasm.run(drawing);
    ratios.push((between - start) / (performance.now() - between));
  }
  return ratios.sort((a, b) => a - b)[TRIALS >> 1] < 1;
}
