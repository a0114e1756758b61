import assert from "node:assert/strict";
import { test } from "node:test";
import { backendOf, keep, namedModel, seedOf, withChoice } from "../../src/nurie/page/address.js";

const models = ["cats", "open moji"].map((name) => ({
  name,
  title: name,
  address: new URL("http://localhost/manifest.json"),
}));

test("the address names a model; without a name, or with an unknown one, the first is shown", () => {
  const shown = (/** @type {string} */ query) => namedModel(models, query).name;
  assert.equal(shown("?seed=3&model=open+moji&backend=wasm"), "open moji");
  for (const query of ["", "?seed=3", "?model=", "?model=dogs"]) assert.equal(shown(query), "cats");
});

test("the address names a seed: a whole number from 0 on; without one there is none", () => {
  const seeds = /** @type {const} */ ([
    ["", null],
    ["?model=cats", null],
    ["?seed=7", 7],
    ["?seed=2.9", 2],
    ["?seed=-4", 0],
    ["?seed=x", 0],
  ]);
  for (const [query, seed] of seeds) assert.equal(seedOf(query), seed);
});

test("the address may name the only back end to use", () => {
  assert.equal(backendOf("?seed=1&backend=wasm"), "wasm");
  assert.equal(backendOf("?seed=1"), undefined);
});

test("a choice takes its place in the address and leaves the rest as it is", () => {
  const address = "http://localhost/deep/?seed=5&backend=wasm#top";
  assert.equal(withChoice(address, "seed", 12), "http://localhost/deep/?seed=12&backend=wasm#top");
  assert.equal(withChoice(address, "seed", null), "http://localhost/deep/?backend=wasm#top");
  assert.equal(withChoice("http://localhost/", "model", "open moji"), "http://localhost/?model=open+moji");
  assert.equal(withChoice("http://localhost/", "seed", null), "http://localhost/");
});

test("the address of the page is kept without a new step for the way back", (t) => {
  /** @type {unknown[][]} */
  const calls = [];
  Object.assign(globalThis, {
    location: new URL("http://localhost/?model=cats"),
    history: { replaceState: (/** @type {unknown[]} */ ...call) => calls.push(call) },
  });
  t.after(() => ["location", "history"].forEach((name) => Reflect.deleteProperty(globalThis, name)));
  keep("seed", 0);
  assert.deepEqual(calls, [[null, "", "http://localhost/?model=cats&seed=0"]]);
  assert.equal(namedModel(models).name, "cats");
  assert.equal(seedOf(), null);
});
