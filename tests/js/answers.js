// What the page's hosts of the engine say to plans and sizes, for tests/test_rules.py. Standard input: a list of
// {plan, bytes of zeros as weights, size}; output: [error code or 0, whether `sizes` of plan.js takes the size].
import { readFileSync } from "node:fs";
import { EngineError } from "../../src/nurie/page/engine/errors.js";
import { sizes } from "../../src/nurie/page/engine/plan.js";
import { Engine } from "../../src/nurie/page/engine/wasm.js";

const wasm = readFileSync(new URL("../../src/nurie/page/engine/nurie.wasm", import.meta.url));
const engine = await Engine.load(wasm);

/** @param {() => void} call */
function codeOf(call) {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof EngineError) return error.code;
    throw error;
  }
}

const answers = JSON.parse(readFileSync(0, "utf8")).map((/** @type {any} */ { plan, bytes, size }) => {
  const code = codeOf(() => engine.setModel(plan, new Uint8Array(bytes)));
  if (code || !size) return [code, false];
  const [height, width] = size;
  return [codeOf(() => engine.resize(height, width)), sizes(plan, { height, width }) !== null];
});
console.log(JSON.stringify(answers));
