/** What the site's maker may do about a failure, for the console and the note's title; visitors read text.js. */
const HINTS = /** @type {{[code: string]: string}} */ ({
  network: "{file} could not be fetched.",
  missing: "The server has no {file} (status {status}). Run nurie publish again, and copy all of the site.",
  manifest: "The model's manifest cannot be read. Export the model again, and run nurie publish.",
  version: "The model has format version {version}, the page knows {known}. Run nurie publish of a matching version.",
  short: "The host sent {received} of {total} bytes of the weights. Copy the site again.",
  corrupt: "The weights are not the file that the manifest promises. Copy the site again.",
  engine: "The engine refuses the model: {reason}. Export it again.",
  start: "The engine's files do not run. Run nurie publish again, and copy all of the site.",
  unknown: "{reason}",
});

/**
 * Something that the visitor must be told; `code` names the sentence in text.js, `values` fill it in.
 */
export class Failure extends Error {
  /**
   * @param {string} code
   * @param {{[name: string]: string | number}} [values]
   */
  constructor(code, values = {}) {
    super((HINTS[code] ?? "").replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? "")));
    this.name = "Failure";
    this.code = code;
    this.values = values;
  }
}
