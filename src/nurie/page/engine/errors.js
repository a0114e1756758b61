// What the engine refuses: the errors of docs/formats.md, "The engine".

/** @type {{[code: number]: string}} */
const MESSAGES = {
  [-1]: "the plan is invalid",
  [-2]: "out of memory",
  [-3]: "the weights are too short for the plan",
  [-4]: "this picture size does not fit the plan",
  [-5]: "the engine was called out of order",
  [-6]: "a thread was lost",
  [-7]: "the coded weights are damaged",
};
export const THREAD_LOST = -6;
export const BAD_CODE = -7;

/** An error of the engine; `code` is the number in docs/formats.md. */
export class EngineError extends Error {
  /** @param {number} code */
  constructor(code) {
    super(`The engine refused: ${MESSAGES[code] ?? `error ${code}`}.`);
    this.name = "EngineError";
    this.code = code;
  }
}

/**
 * A result of the engine. Throws EngineError for a negative one.
 * @param {number} result
 */
export function checked(result) {
  if (result < 0) throw new EngineError(result);
  return result;
}
