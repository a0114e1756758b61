// The site's models.

/**
 * What `nurie publish` wrote into index.html.
 * @typedef {object} Model
 * @property {string} name in the page's address: ?model=NAME
 * @property {import("../formats.d.ts").Words} title
 * @property {URL} address of its manifest
 * @property {number} bytes that a visitor downloads for it; 0: not known
 */

const METAS = "meta[name=nurie-model]";

/** @returns {Model[]} the first is the default */
export function siteModels() {
  const metas = /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll(METAS));
  return Array.from(metas, ({ content, dataset: { name = "", title = '""', bytes = "0" } }) => ({
    name,
    title: JSON.parse(title),
    address: new URL(content, document.baseURI),
    bytes: Number(bytes),
  }));
}

/** Whether the site has been published anew since this page was opened: its files have other names then. */
export async function updated() {
  const response = await fetch(document.baseURI, { cache: "no-cache" }).catch(() => null);
  const text = response?.ok ? await response.text().catch(() => "") : "";
  const parts = document.querySelectorAll(`${METAS}, script[src]`);
  const names = Array.from(parts, (part) => part.getAttribute("content") ?? part.getAttribute("src") ?? "");
  return text.includes("nurie-model") && !names.every((name) => text.includes(name));
}
