// PNG files from and to bytes: a canvas may give other ones than it was given. https://www.w3.org/TR/png-3/

/**
 * RGBA.
 * @typedef {{width: number, height: number, pixels: Uint8ClampedArray}} Picture
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const [RGB, RGBA] = [2, 6];
const UP = 2;
const MOST = 4096; // pixels at a side

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = CRCS[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function deflate(bytes) {
  const out = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(out).arrayBuffer());
}

/**
 * Null where it is damaged, or does not give just so many bytes.
 * @param {Blob} data
 * @param {number} length
 */
async function inflate(data, length) {
  const bytes = new Uint8Array(length);
  const reader = data.stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let filled = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (filled + part.value.length > length) return null;
      bytes.set(part.value, filled);
      filled += part.value.length;
    }
  } catch {
    return null;
  } finally {
    reader.cancel().catch(() => {});
  }
  return filled === length ? bytes : null;
}

/**
 * @param {string} type of four letters
 * @param {Uint8Array} data
 */
function chunk(type, data) {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/**
 * The file of an opaque picture.
 * @param {Picture} picture
 */
export async function encode({ width, height, pixels }) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, RGB], 8);
  const row = 1 + 3 * width;
  const rows = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    rows[y * row] = UP;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const at = 4 * (y * width + x) + channel;
        rows[y * row + 1 + 3 * x + channel] = pixels[at] - (y ? pixels[at - 4 * width] : 0);
      }
    }
  }
  const data = await deflate(rows);
  const parts = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
  return new Blob([new Uint8Array(SIGNATURE), ...parts], { type: "image/png" });
}

/**
 * The picture in a file as export writes them: RGB or RGBA of 8 bits that is not interlaced. Null where it is another one.
 * @param {Uint8Array<ArrayBuffer>} file
 * @param {{width: number, height: number}} [size] that it must have
 * @returns {Promise<Picture | null>}
 */
export async function decode(file, size) {
  const chunks = chunksOf(file);
  const header = chunks.get("IHDR")?.[0];
  if (header?.length !== 13) return null;
  const view = new DataView(header.buffer, header.byteOffset);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits, colour, , , interlaced] = header.subarray(8);
  const channels = colour === RGBA ? 4 : 3;
  const known = bits === 8 && !interlaced && (colour === RGB || colour === RGBA);
  if (!known || !width || !height || width > MOST || height > MOST) return null;
  if (size && (width !== size.width || height !== size.height)) return null;
  const data = new Blob(/** @type {BlobPart[]} */ (chunks.get("IDAT") ?? []));
  const rows = await inflate(data, height * (1 + width * channels));
  if (!rows) return null;
  const samples = unfilter(rows, height, width * channels, channels);
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 4) {
    pixels.set(samples.subarray(from, from + channels), to);
  }
  return { width, height, pixels };
}

/** @param {Uint8Array} file */
function chunksOf(file) {
  /** @type {Map<string, Uint8Array[]>} */
  const chunks = new Map();
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (!SIGNATURE.every((byte, i) => file[i] === byte)) return chunks;
  for (let at = 8; at + 12 <= file.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    chunks.set(type, [...(chunks.get(type) ?? []), file.subarray(at + 8, at + 8 + length)]);
    at += 12 + length;
  }
  return chunks;
}

/**
 * @param {Uint8Array} rows each begins with the number of its filter
 * @param {number} height
 * @param {number} length of a row
 * @param {number} step to the pixel at the left
 */
function unfilter(rows, height, length, step) {
  const out = new Uint8Array(height * length);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (length + 1)];
    for (let x = 0; x < length; x++) {
      const at = y * length + x;
      const left = x >= step ? out[at - step] : 0;
      const up = y ? out[at - length] : 0;
      const corner = x >= step && y ? out[at - length - step] : 0;
      out[at] = rows[y * (length + 1) + 1 + x] + predicted(filter, left, up, corner);
    }
  }
  return out;
}

/**
 * @param {number} filter
 * @param {number} left
 * @param {number} up
 * @param {number} corner
 */
function predicted(filter, left, up, corner) {
  if (filter < 4) return [0, left, up, (left + up) >> 1][filter];
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
