// The plan on WebGPU: the same surface as the WebAssembly engine, but pictures come as promises. Kernels: wgsl.js.

import { withEnclosed } from "./enclosed.js";
import { EngineError } from "./errors.js";
import { gridOf, layOut, packed, uniformOf } from "./layout.js";
import { complete, needsWasm, readsDrawing, sizes } from "./plan.js";
import { KERNELS, SHOW, UNIFORM } from "./wgsl.js";
import { IMPORTED } from "./wgsl-imported.js";

/**
 * @typedef {import("./plan.js").Plan} Plan
 * @typedef {import("./plan.js").Size} Size
 * @typedef {import("./plan.js").FullOp} FullOp
 */

// The order of bindings in wgsl.js.
const BINDINGS = ["storage", "read-only-storage", "read-only-storage", "uniform", "storage"];
const UNIFORM_STRIDE = 256; // the largest alignment that WebGPU may ask for

export class GpuEngine {
  #device;
  #f16;
  #layout;
  /** @type {Plan | null} */
  #plan = null;
  /** @type {FullOp[]} */
  #ops = [];
  /** @type {GPUComputePipeline[]} */
  #pipelines = [];
  /** @type {{weights: GPUBuffer, bias: GPUBuffer}[]} */
  #packed = [];
  /** Everything that depends on the size. @type {Sized | null} */
  #sized = null;
  /** @type {GPURenderPipeline | null} */
  #show = null;

  /**
   * Use `GpuEngine.load`.
   * @param {GPUDevice} device
   * @param {boolean} f16
   */
  constructor(device, f16) {
    this.#device = device;
    this.#f16 = f16;
    const entries = BINDINGS.map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: /** @type {GPUBufferBindingType} */ (type) },
    }));
    this.#layout = device.createBindGroupLayout({ entries });
  }

  /**
   * An engine without a model; null where there is no WebGPU, or only one that the processor imitates.
   * @param {{f16?: boolean, software?: boolean}} [options] f16: compute in half precision where the device can;
   *     software: an imitation will do
   * @returns {Promise<GpuEngine | null>}
   */
  static async load({ f16 = true, software = false } = {}) {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter || (!software && adapter.info?.isFallbackAdapter)) return null;
    const half = f16 && adapter.features.has("shader-f16") && "Float16Array" in globalThis;
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    const device = await adapter.requestDevice({
      requiredFeatures: half ? ["shader-f16"] : [],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    });
    return new GpuEngine(device, half);
  }

  /** Whether tensors and weights are half-precision. */
  get f16() {
    return this.#f16;
  }

  /** Resolves when the device is gone and no picture will come any more. */
  get lost() {
    return this.#device.lost;
  }

  /** Free everything on the device. */
  close() {
    this.#device.destroy();
  }

  /**
   * Take a model: the weights are uploaded and the kernels compiled once. The model before is forgotten. Throws
   * EngineError -1 for one that fills areas or sees the drawing in Lab: only the WebAssembly engine does.
   * @param {Plan} plan checked by the WebAssembly engine
   * @param {Uint8Array} weights the weights file, unzipped
   * @param {() => Promise<unknown>} [rest] awaited after each operation, for what else is to be done meanwhile
   */
  async setModel(plan, weights, rest) {
    this.#sized?.buffers.forEach((buffer) => buffer.destroy());
    this.#packed.forEach(({ weights, bias }) => [weights, bias].forEach((buffer) => buffer.destroy()));
    this.#sized = null;
    this.#plan = plan;
    this.#ops = plan.ops.map(complete);
    if (needsWasm(plan)) throw new EngineError(-1);
    this.#packed = [];
    for (const op of this.#ops) {
      this.#packed.push(this.#upload(op, weights));
      await rest?.();
    }
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.#layout] });
    this.#pipelines = await Promise.all(
      this.#ops.map((op) => {
        const kernel = KERNELS[op.op] ?? IMPORTED[op.op];
        const module = this.#device.createShaderModule({ code: kernel(op, this.#f16) });
        return this.#device.createComputePipelineAsync({ layout, compute: { module, entryPoint: "main" } });
      }),
    );
  }

  /**
   * @param {FullOp} op
   * @param {Uint8Array} file
   */
  #upload(op, file) {
    const { weights, bias } = packed(op, file);
    // as bytes: Dawn's bindings for Node.js end the process over a Float16Array
    const values = new Uint8Array((this.#f16 ? new Float16Array(weights) : weights).buffer);
    return {
      weights: this.#buffer(values.byteLength, GPUBufferUsage.STORAGE, values),
      bias: this.#buffer(bias.byteLength, GPUBufferUsage.STORAGE, bias),
    };
  }

  /**
   * @param {number} bytes
   * @param {number} usage
   * @param {ArrayBufferView<ArrayBuffer>} [values]
   */
  #buffer(bytes, usage, values) {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const buffer = this.#device.createBuffer({ size, usage: usage | GPUBufferUsage.COPY_DST });
    if (values) this.#device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  /** Width and height of the picture that comes out. */
  get outputSize() {
    return /** @type {Sized} */ (this.#sized).output;
  }

  /**
   * Prepare for drawings of this size; nothing happens when it is the present one. Throws EngineError -4 when it does
   * not fit the plan, or the device.
   * @param {number} height
   * @param {number} width
   */
  resize(height, width) {
    if (!this.#plan) throw new EngineError(-5);
    if (this.#sized?.input.height === height && this.#sized.input.width === width) return;
    this.#sized?.buffers.forEach((buffer) => buffer.destroy());
    this.#sized = null;
    const found = sizes(this.#plan, { height, width });
    if (!found) throw new EngineError(-4);
    const { places, quads } = layOut(this.#plan, found);
    const bytes = quads * (this.#f16 ? 8 : 16);
    if (bytes > this.#device.limits.maxStorageBufferBindingSize) throw new EngineError(-4);
    const drawing = { height, width };
    const last = /** @type {FullOp} */ (this.#ops.find((op) => op.op === "output"));
    const output = found[last.input];
    const { STORAGE, COPY_SRC, UNIFORM: uniform, MAP_READ, COPY_DST } = GPUBufferUsage;
    const pictureBytes = output.height * output.width * 4;
    const arena = this.#buffer(bytes, STORAGE);
    const rgbaIn = this.#buffer(height * width * 4, STORAGE);
    const rgbaOut = this.#buffer(pictureBytes, STORAGE | COPY_SRC);
    const read = this.#device.createBuffer({ size: pictureBytes, usage: MAP_READ | COPY_DST });
    const uniforms = this.#buffer(UNIFORM_STRIDE * this.#ops.length, uniform);
    const steps = this.#ops.map((op, i) => {
      const values = uniformOf(op, drawing, found, places);
      this.#device.queue.writeBuffer(uniforms, UNIFORM_STRIDE * i, new Int32Array(UNIFORM.map((name) => values[name])));
      const resources = [
        { buffer: arena },
        { buffer: this.#packed[i].weights },
        { buffer: this.#packed[i].bias },
        { buffer: uniforms, offset: UNIFORM_STRIDE * i, size: 4 * UNIFORM.length },
        { buffer: readsDrawing(op) ? rgbaIn : rgbaOut },
      ];
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      return { group: this.#device.createBindGroup({ layout: this.#layout, entries }), grid: gridOf(op, values) };
    });
    if (steps.some(({ grid }) => Math.max(...grid) > 65535)) throw new EngineError(-4);
    this.#sized = {
      input: drawing,
      output,
      steps,
      rgbaIn,
      rgbaOut,
      read,
      buffers: [arena, rgbaIn, rgbaOut, read, uniforms],
    };
  }

  /**
   * What the drawing does not say, for models that have a style.
   * @param {import("./plan.js").Style} style
   */
  setStyle({ seed, colour }) {
    const bits = new Float32Array([0, ...colour]);
    new Uint32Array(bits.buffer)[0] = seed;
    this.#ops.forEach((op, i) => op.op === "style" && this.#device.queue.writeBuffer(this.#packed[i].bias, 0, bits));
  }

  /**
   * @param {Uint8Array | Uint8ClampedArray} rgba
   * @returns {{encoder: GPUCommandEncoder, sized: Sized}} with all operations in it
   */
  #encode(rgba) {
    const sized = this.#sized;
    if (!sized) throw new EngineError(-5);
    const bytes = sized.input.height * sized.input.width * 4;
    if (rgba.length !== bytes) throw new RangeError(`Expected ${bytes} bytes of RGBA, but got ${rgba.length}.`);
    const drawing = /** @type {Uint8Array<ArrayBuffer>} */ (withEnclosed(this.#ops, rgba, sized.input.width));
    this.#device.queue.writeBuffer(sized.rgbaIn, 0, drawing);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    sized.steps.forEach(({ group, grid }, i) => {
      pass.setPipeline(this.#pipelines[i]);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    });
    pass.end();
    return { encoder, sized };
  }

  /**
   * Colour one drawing of the size given to `resize`. One at a time.
   * @param {Uint8Array | Uint8ClampedArray} rgba
   * @returns {Promise<Uint8ClampedArray<ArrayBuffer>>} RGBA, opaque
   */
  async run(rgba) {
    const { encoder, sized } = this.#encode(rgba);
    encoder.copyBufferToBuffer(sized.rgbaOut, 0, sized.read, 0, sized.read.size);
    this.#device.queue.submit([encoder.finish()]);
    await sized.read.mapAsync(GPUMapMode.READ);
    const pixels = new Uint8ClampedArray(sized.read.getMappedRange().slice(0));
    sized.read.unmap();
    return pixels;
  }

  /**
   * Colour one drawing straight onto a canvas of the output's size; the picture never leaves the device.
   * @param {Uint8Array | Uint8ClampedArray} rgba
   * @param {GPUCanvasContext} context configured here
   */
  show(rgba, context) {
    const { encoder, sized } = this.#encode(rgba);
    const format = navigator.gpu.getPreferredCanvasFormat();
    context.configure({ device: this.#device, format });
    if (!this.#show) {
      const module = this.#device.createShaderModule({ code: SHOW });
      this.#show = this.#device.createRenderPipeline({
        layout: "auto",
        vertex: { module },
        fragment: { module, targets: [{ format }] },
      });
    }
    sized.width ??= this.#buffer(4, GPUBufferUsage.UNIFORM, new Uint32Array([sized.output.width]));
    const resources = [{ buffer: sized.rgbaOut }, { buffer: sized.width }];
    const entries = resources.map((resource, binding) => ({ binding, resource }));
    const view = context.getCurrentTexture().createView();
    const pass = encoder.beginRenderPass({ colorAttachments: [{ view, loadOp: "clear", storeOp: "store" }] });
    pass.setPipeline(this.#show);
    pass.setBindGroup(0, this.#device.createBindGroup({ layout: this.#show.getBindGroupLayout(0), entries }));
    pass.draw(3);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }
}

/**
 * @typedef {object} Sized
 * @property {Size} input
 * @property {Size} output
 * @property {{group: GPUBindGroup, grid: [number, number, number]}[]} steps one for each operation
 * @property {GPUBuffer} rgbaIn
 * @property {GPUBuffer} rgbaOut
 * @property {GPUBuffer} read
 * @property {GPUBuffer} [width] for `show`
 * @property {GPUBuffer[]} buffers
 */
