// Starting a worker wherever the page may be shown.

/**
 * Hosts may forbid bare strings as scripts' addresses: `require-trusted-types-for 'script'`.
 * @type {{createScriptURL: (url: string) => any} | undefined}
 */
const policy = (() => {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  try {
    return trustedTypes?.createPolicy("nurie", { createScriptURL: (/** @type {string} */ url) => url });
  } catch {
    return undefined; // the host names the policies, and not ours
  }
})();

/** @param {string} url @returns {string} */
const trusted = (url) => policy?.createScriptURL(url) ?? url;

/**
 * @param {URL} url of a module
 * @param {string} [name]
 */
export function startWorker(url, name) {
  const options = /** @type {const} */ ({ type: "module", name });
  try {
    return new Worker(trusted(url.href), options);
  } catch {
    // In a frame of its own origin (sandbox) no file of the site is of the same one; what is made here is.
    const module = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
    return new Worker(trusted(URL.createObjectURL(module)), options);
  }
}
