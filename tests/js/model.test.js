import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Download, fetchManifest, fetchWeights, openPreset, styleOf } from "../../src/nurie/page/model/download.js";

const raw = new Uint8Array(5000).map((_, i) => i * 7);
const zipped = new Uint8Array(gzipSync(raw));
const weights = {
  file: "weights.bin.gz",
  bytes: zipped.length,
  raw_bytes: raw.length,
  sha256: createHash("sha256").update(zipped).digest("hex"),
};
const manifest = {
  format: "nurie-model",
  version: 1,
  title: "Cats",
  input: { width: 256, height: 256 },
  weights,
  tensors: [],
  ops: [],
};
const base = new URL("http://localhost/deep/model/manifest.json");
const realFetch = globalThis.fetch;

/** @param {() => Response} answer */
function serve(answer) {
  /** @type {string[]} */
  const asked = [];
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    return answer();
  };
  return asked;
}

afterEach(() => {
  globalThis.fetch = realFetch;
});

/** @param {string} code */
const failure = (code) => (/** @type {any} */ error) => error.code === code;

test("the weights arrive in parts, from beside the manifest, and the bytes are counted to the end", async () => {
  const parts = new ReadableStream({
    start(controller) {
      controller.enqueue(zipped.slice(0, 7));
      controller.enqueue(zipped.slice(7));
      controller.close();
    },
  });
  const asked = serve(() => new Response(parts));
  /** @type {number[][]} */
  const counts = [];
  /** @type {number[]} */
  const bytes = [];
  await fetchWeights(
    manifest,
    base,
    (...count) => counts.push(count),
    (part) => bytes.push(...part),
  );
  assert.deepEqual(Uint8Array.from(bytes), raw);
  assert.deepEqual(asked, ["http://localhost/deep/model/weights.bin.gz"]);
  assert.deepEqual(counts[0], [0, zipped.length]);
  assert.deepEqual(counts.at(-1), [zipped.length, zipped.length]);
});

test("weights that are too short say how many bytes came", async () => {
  serve(() => new Response(zipped.slice(0, 10)));
  await assert.rejects(
    fetchWeights(
      manifest,
      base,
      () => {},
      () => {},
    ),
    (error) => {
      assert.deepEqual(/** @type {any} */ (error).values, { received: 10, total: zipped.length });
      return failure("short")(error);
    },
  );
});

test("weights with another checksum, or longer ones, are damaged", async () => {
  const other = zipped.slice();
  other[20] ^= 1;
  serve(() => new Response(other));
  await assert.rejects(
    fetchWeights(
      manifest,
      base,
      () => {},
      () => {},
    ),
    failure("corrupt"),
  );
  const unzippable = { ...manifest, weights: { ...weights, sha256: "" } };
  serve(() => new Response(other));
  await assert.rejects(
    fetchWeights(
      unzippable,
      base,
      () => {},
      () => {},
    ),
    failure("corrupt"),
  );
  serve(() => new Response(new Uint8Array([...zipped, 0])));
  await assert.rejects(
    fetchWeights(
      manifest,
      base,
      () => {},
      () => {},
    ),
    failure("corrupt"),
  );
});

test("coded weights are passed on as they come, and compared with their checksum", async () => {
  const coded = { ...manifest, weights: { ...weights, encoding: "rans" } };
  /** @type {number[]} */
  const bytes = [];
  const take = (/** @type {Uint8Array} */ part) => bytes.push(...part);
  serve(() => new Response(zipped));
  await fetchWeights(coded, base, () => {}, take);
  assert.deepEqual(Uint8Array.from(bytes), zipped);
  const other = zipped.slice();
  other[20] ^= 1;
  serve(() => new Response(other));
  await assert.rejects(
    fetchWeights(coded, base, () => {}, take),
    failure("corrupt"),
  );
});

test("a missing file and a dead network are told apart", async () => {
  serve(() => new Response("", { status: 404 }));
  await assert.rejects(fetchManifest(base), failure("missing"));
  serve(() => {
    throw new TypeError("no network");
  });
  await assert.rejects(fetchManifest(base), failure("network"));
});

test("a manifest of another version or form is refused", async () => {
  serve(() => Response.json(manifest));
  assert.equal((await fetchManifest(base)).title, "Cats");
  serve(() => Response.json({ ...manifest, version: 3 }));
  await assert.rejects(fetchManifest(base), failure("version"));
  for (const other of [{ ...manifest, ops: undefined }, { ...manifest, weights: {} }, { format: "else" }, null]) {
    serve(() => Response.json(other));
    await assert.rejects(fetchManifest(base), failure("manifest"));
  }
});

test("strokes are numbers in version 1 and texts in version 2", async () => {
  const points = [10, 20, 11.5, 22, -300.25, 4000];
  const opened = async (/** @type {number} */ version, /** @type {any} */ points) => {
    const presets = [
      { title: "1", strokes: [{ width: 2, points }] },
      { title: "2", image: "preset-2.png" },
    ];
    serve(() => Response.json({ ...manifest, version, presets }));
    const [preset] = (await fetchManifest(base)).presets ?? [];
    const first = await openPreset(preset, base);
    assert.deepEqual(await openPreset(preset, base), first);
    return first.strokes;
  };
  assert.deepEqual(await opened(1, points), [{ width: 2, points }]);
  for (const [text, found] of /** @type {[string, number[]][]} */ ([
    ["wCgFMQ9tCwif", points], // as files/packed.py writes it
    ["wCgFMQ!", []],
    ["", []],
  ])) {
    assert.deepEqual(await opened(2, text), [{ width: 2, points: found }]);
  }
});

/** @param {Response[]} answers */
function serveInTurn(...answers) {
  const left = [...answers];
  serve(() => /** @type {Response} */ (left.shift()));
}

test("a download gives all parts to whoever asks, earlier or later", async () => {
  serveInTurn(Response.json(manifest), new Response(zipped));
  const download = new Download(base);
  /** @type {number[][]} */
  const takers = [[], []];
  download.forEachPart((part) => takers[0].push(...part));
  await download.complete;
  download.forEachPart((part) => takers[1].push(...part));
  for (const bytes of takers) assert.deepEqual(Uint8Array.from(bytes), raw);
  assert.deepEqual(download.bytes, [zipped.length, zipped.length]);
  assert.equal((await download.manifest).title, "Cats");
});

test("a download that fails tells everyone who waits, and nobody else", async () => {
  serveInTurn(new Response("none", { status: 404 }));
  const download = new Download(base);
  await new Promise((resolve) => setTimeout(resolve, 20)); // an unhandled rejection would end this test
  await assert.rejects(download.manifest, failure("missing"));
  await assert.rejects(download.complete, failure("missing"));
});

test("a seed chooses a style; a model without styles is told zeros", () => {
  const styles = [
    [1, 0, 0],
    [0, 1, 0],
  ];
  assert.deepEqual(styleOf({ ...manifest, styles }, 5), { seed: 5, colour: [0, 1, 0] });
  assert.deepEqual(styleOf(manifest, 5), { seed: 5, colour: [0, 0, 0] });
});
