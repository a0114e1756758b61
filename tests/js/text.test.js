import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { say, TEXTS, translate } from "../../src/nurie/page/text.js";

const page = new URL("../../src/nurie/page/", import.meta.url);

/** @param {string} file */
const read = (file) => readFileSync(new URL(file, page), "utf8");

test("both languages say the same things with the same values", () => {
  assert.deepEqual(Object.keys(TEXTS.en), Object.keys(TEXTS.ja));
  const values = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [key, text] of Object.entries(TEXTS.en)) assert.deepEqual(values(text), values(TEXTS.ja[key]), key);
});

test("every text and failure that the page names exists", () => {
  const named = [...read("index.html").matchAll(/data-(?:text|label)="(\w+)"/g)].map((match) => match[1]);
  const files = readdirSync(page, { recursive: true, encoding: "utf8" });
  const scripts = files
    .filter((file) => file.endsWith(".js"))
    .map(read)
    .join();
  const failures = [...scripts.matchAll(/new Failure\("(\w+)"/g)].map((match) => `failure.${match[1]}`);
  assert.ok(named.length > 20 && failures.length > 8);
  for (const key of [...named, ...failures, "failure.crash", "failure.start", "failure.engine", "failure.waiting"])
    assert.ok(key in TEXTS.en, key);
});

test("values are filled in, numbers with separators", () => {
  assert.equal(
    say("en", "failure.short", { received: 1000, total: 1456428 }),
    "The model is incomplete: 1,000 of 1,456,428 bytes arrived. Try again.",
  );
});

test("a manifest's words come in the language, else in English, else in any", () => {
  assert.equal(translate({ en: "Cat", ja: "猫" }, "ja"), "猫");
  assert.equal(translate({ en: "Cat" }, "ja"), "Cat");
  assert.equal(translate({ fr: "Chat" }, "ja"), "Chat");
  assert.equal(translate("Cats", "ja"), "Cats");
  assert.equal(translate(undefined, "ja"), "");
});
