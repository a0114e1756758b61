// Is WebGPU worth using here? Only where it computes the same pictures as the WebAssembly engine, and sooner. While that
// is found out the visitor's pictures go first: they interrupt it, and what they disturbed is done again.

import { GpuEngine } from "./webgpu.js";

/** @typedef {import("./wasm.js").Engine} Engine */
/** @typedef {import("./plan.js").Plan} Plan */

// Levels of 255 by which the pictures may differ: on average, and anywhere.
const LIMITS = { f32: { mean: 0.1, most: 2 }, f16: { mean: 2, most: 24 } };
/** Every so many pixels across and down the test drawings have lines: each is another picture. */
const TESTS = [
  [29, 41],
  [53, 17],
  [97, 61],
  [13, 71],
];
/** Milliseconds of computing after which the visitor's pictures may come in between. */
const SLICE = 8;

/**
 * Lets the visitor's pictures go first. How many there have been: where that stays, none came in between.
 * @typedef {() => Promise<number>} Rest
 *
 * @typedef {{pixels: Uint8ClampedArray, style: import("./plan.js").Style}} Task
 * @typedef {{picture: Uint8ClampedArray<ArrayBuffer>, ms: number}} Done
 */

/**
 * A WebGPU engine that has the model and passed its test; null where there is none.
 * @param {{plan: Plan, weights: Uint8Array}} model
 * @param {{width: number, height: number}} size
 * @param {Engine} wasm with the same model and size
 * @param {boolean} forced an imitation by the processor will do, however slow
 * @param {Rest} rest
 * @returns {Promise<GpuEngine | null>}
 */
export async function openGpu(model, size, wasm, forced, rest) {
  const gpu = await GpuEngine.load({ software: forced });
  if (!gpu) return null;
  try {
    await gpu.setModel(model.plan, model.weights, rest);
    gpu.resize(size.height, size.width);
    const ratio = await compare(gpu, wasm, size, rest);
    if (ratio !== null && (forced || ratio < 1)) return gpu;
  } catch {
    // Whatever it was: the other engine is there.
  }
  gpu.close();
  return null;
}

/**
 * How much of the other engine's time this one takes; null where one of several pictures is another.
 * @param {Pick<GpuEngine, "f16" | "setStyle" | "run">} gpu
 * @param {Engine} wasm
 * @param {{width: number, height: number}} size
 * @param {Rest} rest
 * @returns {Promise<number | null>}
 */
export async function compare(gpu, wasm, size, rest) {
  /** @type {number[]} */
  const ratios = [];
  for (const [seed, lines] of TESTS.entries()) {
    const task = { pixels: testDrawing(size, lines), style: { seed, colour: [0.1 * seed, -0.2, 0.3 - 0.2 * seed] } };
    const expected = await onWasm(wasm, task, rest);
    const made = await onGpu(gpu, task, rest);
    if (!equal(made.picture, expected.picture, gpu.f16)) return null;
    ratios.push(made.ms / expected.ms);
  }
  ratios.shift(); // the first warms up
  return ratios.sort((a, b) => a - b)[ratios.length >> 1];
}

/**
 * @param {Pick<GpuEngine, "setStyle" | "run">} gpu
 * @param {Task} task
 * @param {Rest} rest
 * @returns {Promise<Done>} of a time in which the visitor wanted nothing
 */
async function onGpu(gpu, { pixels, style }, rest) {
  for (;;) {
    const before = await rest();
    gpu.setStyle(style);
    const start = performance.now();
    const picture = await gpu.run(pixels);
    const ms = performance.now() - start;
    if ((await rest()) === before) return { picture, ms };
  }
}

/**
 * The same from the other engine, in slices.
 * @param {Engine} wasm
 * @param {Task} task
 * @param {Rest} rest
 * @returns {Promise<Done>}
 */
async function onWasm(wasm, task, rest) {
  for (;;) {
    const done = await once(wasm, task, rest, await rest());
    if (done) return done;
  }
}

/**
 * Null where the visitor's pictures were more than `before` at some moment.
 * @param {Engine} wasm
 * @param {Task} task
 * @param {Rest} rest
 * @param {number} before
 * @returns {Promise<Done | null>}
 */
export async function once(wasm, { pixels, style }, rest, before) {
  if ((await rest()) !== before) return null;
  wasm.setStyle(style);
  wasm.setInput(pixels);
  let ms = 0;
  for (let next = 0; next < wasm.operations; ) {
    const start = performance.now();
    for (; next < wasm.operations && performance.now() - start < SLICE; next++) wasm.runOps(next, next + 1);
    ms += performance.now() - start;
    if ((await rest()) !== before) return null;
  }
  return { picture: wasm.getOutput(), ms };
}

/**
 * Black lines and a few colours on white, the same everywhere.
 * @param {{width: number, height: number}} size
 * @param {number[]} lines every so many pixels
 */
function testDrawing({ width, height }, [across, down]) {
  const pixels = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      if ((x + 3 * y) % across < 3 || (5 * x - y) % down === 0) pixels.fill(0, at, at + 3);
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
function difference(made, expected) {
  let sum = 0;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const levels = Math.abs(made[i] - expected[i]);
    sum += levels;
    most = Math.max(most, levels);
  }
  return { sum, most };
}
