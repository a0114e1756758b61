import assert from "node:assert/strict";
import { test } from "node:test";
import { namedModel, seedOf } from "../../src/nurie/page/model/models.js";

const models = ["cats", "open moji"].map((name) => ({ name, title: name, address: new URL("http://localhost/manifest.json") }));

test("the address names a model; without a name, or with an unknown one, the first is shown", () => {
  const shown = (/** @type {string} */ query) => namedModel(models, query).name;
  assert.equal(shown("?seed=3&model=open+moji&backend=wasm"), "open moji");
  for (const query of ["", "?seed=3", "?model=", "?model=dogs"]) assert.equal(shown(query), "cats");
});

test("the address names a seed: a whole number from 0 on; without one there is none", () => {
  const seeds = /** @type {const} */ ([["", null], ["?model=cats", null], ["?seed=7", 7], ["?seed=2.9", 2], ["?seed=-4", 0], ["?seed=x", 0]]);
  for (const [query, seed] of seeds) assert.equal(seedOf(query), seed);
});
