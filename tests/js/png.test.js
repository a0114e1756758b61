import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, decode, encode } from "../../src/nurie/page/png.js";

const picture = {
  width: 7,
  height: 5,
  pixels: Uint8ClampedArray.from({ length: 140 }, (_, i) => (i % 4 === 3 ? 255 : (i * i * 7) % 256)),
};

test("the checksum is that of the standard", () => {
  assert.equal(crc32(new TextEncoder().encode("IEND")), 0xae426082);
});

test("a file holds the same bytes as the picture", async () => {
  assert.deepEqual(await decode(new Uint8Array(await (await encode(picture)).arrayBuffer())), picture);
});

test("what is no such file is none, wherever it breaks off", async () => {
  const file = new Uint8Array(await (await encode(picture)).arrayBuffer());
  for (let length = 0; length < file.length - 16; length++) assert.equal(await decode(file.slice(0, length)), null);
  for (const at of [16, 18, 20, 24, 25, 28]) {
    const other = file.slice();
    other[at] ^= 255; // size, bits, colour, interlace
    assert.equal(await decode(other), null, String(at));
  }
});
