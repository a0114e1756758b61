import assert from "node:assert/strict";
import { test } from "node:test";
import { namedModel } from "../../src/nurie/page/models.js";

const models = ["cats", "open moji"].map((name) => ({ name, title: name, address: new URL("http://localhost/manifest.json") }));

test("the address names a model; without a name, or with an unknown one, the first is shown", () => {
  const shown = (/** @type {string} */ query) => namedModel(models, query).name;
  assert.equal(shown("?seed=3&model=open+moji&backend=wasm"), "open moji");
  for (const query of ["", "?seed=3", "?model=", "?model=dogs"]) assert.equal(shown(query), "cats");
});
