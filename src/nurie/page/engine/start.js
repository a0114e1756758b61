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
  try {
    return new Worker(trusted(url.href), { type: "module", name });
  } catch {
    // In a frame of its own origin (sandbox) no file of the site is of the same one. What is made here is, though not as
    // a module in Chromium; it keeps what is said to the module until that is there.
    const script = `const kept = [];
      const keep = ({ data }) => kept.push(data);
      addEventListener("message", keep);
      import(${JSON.stringify(url.href)}).then(
        () => {
          removeEventListener("message", keep);
          for (const data of kept) dispatchEvent(new MessageEvent("message", { data }));
        },
        (error) => setTimeout(() => { throw error; }),
      );`;
    return new Worker(trusted(URL.createObjectURL(new Blob([script]))), { name });
  }
}
