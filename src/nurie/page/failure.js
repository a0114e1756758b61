/**
 * Something that the visitor must be told; `code` names the sentence in text.js, `values` fill it in.
 */
export class Failure extends Error {
  /**
   * @param {string} code
   * @param {{[name: string]: string | number}} [values]
   */
  constructor(code, values = {}) {
    super(`${code} ${JSON.stringify(values)}`);
    this.name = "Failure";
    this.code = code;
    this.values = values;
  }
}
