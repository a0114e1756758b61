import assert from "node:assert/strict";
import { test } from "node:test";
import { duration } from "../../src/nurie/page/status.js";

test("a picture's time has about two digits", () => {
  const told = /** @type {const} */ ([
    [0.04, "0.0 ms"],
    [9.94, "9.9 ms"],
    [19.4, "19 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [12345, "12.3 s"],
  ]);
  for (const [ms, text] of told) assert.equal(duration(ms), text);
});
