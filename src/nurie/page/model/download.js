// The model comes over the network: the manifest, then the weights part by part. Throws Failure.

import { Failure } from "../failure.js";
import { strokesOf } from "./strokes.js";

/**
 * @typedef {import("../formats.d.ts").Manifest} Manifest
 * @typedef {import("../formats.d.ts").Preset} Preset
 * @typedef {{strokes?: import("../formats.d.ts").Line[], picture?: import("../png.js").Picture}} Sample
 */

/** Of manifests. */
const VERSIONS = [1, 2];
/** Milliseconds for a sample's picture. */
const PRESET_MS = 15_000;

/** A model on its way. It tells whoever asks what has come, earlier or later. */
export class Download {
  address;
  /** @type {Promise<Manifest>} */
  manifest;
  /** Resolves when all of the weights have come and are what was exported. */
  complete;
  /** Bytes that came, as they were sent: received and total. @type {[number, number]} */
  bytes = [0, 0];
  /** Called when `bytes` change. */
  onprogress = () => {};
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #parts = [];
  /** Who wants parts that are still to come. @type {((part: Uint8Array<ArrayBuffer>) => void)[] | null} */
  #takers = [];
  #abort = new AbortController();
  #options;

  /**
   * @param {URL} address the manifest's
   * @param {RequestCache} [cache] "reload": past the browser's, where a damaged file would stay for ever
   */
  constructor(address, cache = "default") {
    this.address = address;
    this.#options = { cache, signal: this.#abort.signal };
    this.manifest = fetchManifest(address, this.#options);
    this.complete = this.#weights();
    // Whoever waits for them is told of failures.
    this.manifest.catch(() => {});
    this.complete.catch(() => {});
  }

  /**
   * Give each part of the weights as the engine takes it, in order: those that are there, then those that come.
   * @param {(part: Uint8Array<ArrayBuffer>) => void} take
   */
  forEachPart(take) {
    this.#parts.forEach(take);
    this.#takers?.push(take);
  }

  /** Nobody wants it any more: what has not come is not fetched. */
  abort() {
    this.#abort.abort();
    this.#parts = [];
    this.#takers = null;
  }

  async #weights() {
    const progress = (/** @type {[number, number]} */ ...bytes) => {
      this.bytes = bytes;
      this.onprogress();
    };
    const take = (/** @type {Uint8Array<ArrayBuffer>} */ part) => {
      if (this.#takers) this.#parts.push(part);
      for (const taker of this.#takers ?? []) taker(part);
    };
    await fetchWeights(await this.manifest, this.address, progress, take, this.#options);
    this.#takers = null;
  }
}

/**
 * What a preset puts on the sheet. Throws Failure.
 * @param {Preset} preset
 * @param {URL} base the manifest's address
 * @returns {Promise<Sample>}
 */
export async function openPreset(preset, base) {
  if (!preset.image) return { strokes: strokesOf(preset) };
  const url = new URL(preset.image, base);
  const picture = (await openPicture(url, "default")) ?? (await openPicture(url, "reload"));
  if (!picture) throw new Failure("preset");
  return { picture };
}

/**
 * Null where it does not come, or is damaged.
 * @param {URL} url
 * @param {RequestCache} cache
 */
async function openPicture(url, cache) {
  const response = await fetch(url, { cache, signal: AbortSignal.timeout(PRESET_MS) }).catch(() => null);
  const file = response?.ok ? await response.arrayBuffer().catch(() => null) : null;
  const { decode } = await import("../png.js"); // most samples are strokes
  return file && decode(new Uint8Array(file));
}

/**
 * Fetch files past the browser's cache, which then holds what the server has. Throws Failure.
 * @param {URL[]} urls
 */
export async function refetch(urls) {
  const fetched = urls.map(async (url) => {
    const response = await request(url, { cache: "reload" });
    const bytes = await response.arrayBuffer().catch(() => null);
    if (!bytes) throw new Failure("network", { file: fileOf(url) });
  });
  await Promise.all(fetched);
}

/** Of a model that chooses its areas' colours from a palette: as many as there is no end to. */
const MANY = 1000;

/**
 * How many colourings of one drawing a model has.
 * @param {Manifest} manifest
 */
export const colourings = ({ styles = [], palette = [] }) => styles.length || (palette.length && MANY);

/**
 * What the drawing does not say, for this of the model's colourings.
 * @param {Manifest} manifest
 * @param {number} seed
 */
export function styleOf({ styles = [] }, seed) {
  return { seed, colour: styles[seed % styles.length] ?? [0, 0, 0] };
}

/**
 * @param {URL} url
 * @param {RequestInit} [options]
 * @returns {Promise<Manifest>}
 */
export async function fetchManifest(url, options) {
  const response = await request(url, options);
  const text = await response.text().catch(() => null);
  if (text === null) throw new Failure("network", { file: fileOf(url) });
  const manifest = parsed(text);
  if (manifest?.format !== "nurie-model") throw new Failure("manifest");
  if (!VERSIONS.includes(manifest.version))
    throw new Failure("version", { version: String(manifest.version), known: VERSIONS.join(", ") });
  if (!complete(manifest)) throw new Failure("manifest");
  return manifest;
}

/**
 * The weights part by part as they arrive, unzipped where they are zipped: coded ones are for the engine. When the promise resolves, all have come and are what was exported.
 * @param {Manifest} manifest
 * @param {URL} base the manifest's address
 * @param {(received: number, total: number) => void} onprogress bytes that came, as they were sent
 * @param {(part: Uint8Array<ArrayBuffer>) => void} onpart
 * @param {RequestInit} [options]
 * @returns {Promise<void>}
 */
export async function fetchWeights({ weights }, base, onprogress, onpart, options) {
  const total = weights.bytes;
  const response = await request(new URL(weights.file, base), options);
  if (weights.encoding === "rans") {
    const bytes = await read(response, total, onprogress, onpart);
    if (await differs(bytes, weights.sha256)) throw new Failure("corrupt");
    return;
  }
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  const unzipped = forEachPart(readable, onpart).then(
    () => true,
    () => false,
  );
  const feed = (/** @type {Uint8Array<ArrayBuffer>} */ part) => void writer.write(part).catch(() => {}); // `unzipped` tells
  const bytes = await read(response, total, onprogress, feed).catch((error) => {
    writer.abort().catch(() => {});
    throw error;
  });
  writer.close().catch(() => {});
  const [wrong, whole] = await Promise.all([differs(bytes, weights.sha256), unzipped]);
  if (wrong || !whole) throw new Failure("corrupt");
}

/**
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} readable
 * @param {(part: Uint8Array<ArrayBuffer>) => void} onpart
 */
async function forEachPart(readable, onpart) {
  const reader = readable.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) onpart(part.value);
}

/** @param {any} manifest */
function complete({ input, weights, tensors, ops }) {
  const sizes = [input?.width, input?.height, weights?.bytes, weights?.raw_bytes];
  const counted = sizes.every((size) => Number.isInteger(size) && size > 0);
  return counted && typeof weights.file === "string" && Array.isArray(tensors) && Array.isArray(ops);
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const fileOf = (/** @type {URL} */ url) => url.pathname.split("/").pop() ?? "";

/**
 * @param {URL} url
 * @param {RequestInit} [options]
 */
async function request(url, options) {
  const response = await fetch(url, options).catch(() => null);
  const file = fileOf(url);
  if (!response) throw new Failure("network", { file });
  if (!response.ok) throw new Failure("missing", { file, status: response.status });
  return response;
}

/**
 * The body, straight into one array of the promised length.
 * @param {Response} response
 * @param {number} total
 * @param {(received: number, total: number) => void} onprogress
 * @param {(part: Uint8Array<ArrayBuffer>) => void} onpart
 */
async function read(response, total, onprogress, onpart) {
  const bytes = new Uint8Array(total);
  const reader = response.body?.getReader();
  let received = 0;
  onprogress(0, total);
  // A connection that breaks off counts as a file that is too short.
  const next = async () => (await reader?.read().catch(() => null))?.value;
  for (let part = await next(); part; part = await next()) {
    if (received + part.length > total) throw new Failure("corrupt");
    bytes.set(part, received);
    received += part.length;
    onpart(part);
    onprogress(received, total);
  }
  if (received < total) throw new Failure("short", { received, total });
  return bytes;
}

/**
 * Browsers have crypto.subtle only on https and on this computer; elsewhere gzip's own checksum must do.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} sha256
 */
async function differs(bytes, sha256) {
  if (!globalThis.crypto?.subtle || !sha256) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") !== sha256.toLowerCase();
}
