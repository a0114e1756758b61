// The site's models.

/**
 * What `nurie publish` wrote into index.html.
 * @typedef {object} Model
 * @property {string} name in the page's address: ?model=NAME
 * @property {import("../formats.d.ts").Words} title
 * @property {URL} address of its manifest
 */

/** @returns {Model[]} the first is the default */
export function siteModels() {
  const metas = /** @type {NodeListOf<HTMLMetaElement>} */ (document.querySelectorAll("meta[name=nurie-model]"));
  return Array.from(metas, ({ content, dataset: { name = "", title = '""' } }) => ({
    name,
    title: JSON.parse(title),
    address: new URL(content, document.baseURI),
  }));
}
