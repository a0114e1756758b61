// The site's models.

/**
 * What `nurie publish` wrote into index.html.
 * @typedef {object} Model
 * @property {string} name in the page's address: ?model=NAME
 * @property {import("../formats.d.ts").Words} title
 * @property {URL} address of its manifest
 * @property {number} bytes that a visitor downloads for it; 0: not known
 * @property {Layout} layout
 *
 * What the page has to know of a model to give everything its place before the manifest comes.
 * @typedef {Pick<import("../formats.d.ts").Manifest, "input" | "labels" | "hints"> & {styles?: boolean}} Layout
 */

/** Of a page that has not been published. @type {Layout} */
const USUAL = { input: { width: 256, height: 256 }, hints: true, styles: true };

const METAS = "meta[name=nurie-model]";

/** @returns {Model[]} the first is the default */
export function siteModels() {
  const metas = /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll(METAS));
  return Array.from(metas, ({ content, dataset: { name = "", title = '""', bytes = "0", layout } }) => ({
    name,
    title: JSON.parse(title),
    address: new URL(content, document.baseURI),
    bytes: Number(bytes),
    layout: layout ? JSON.parse(layout) : USUAL,
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
