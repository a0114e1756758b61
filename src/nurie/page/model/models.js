// The site's models, and what the page's address says of them.

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

/**
 * The model that the page's address names, else the default.
 * @param {Model[]} models
 * @param {string} query the address's, from the question mark on
 */
export function namedModel(models, query) {
  const name = new URLSearchParams(query).get("model");
  return models.find((model) => model.name === name) ?? models[0];
}

/**
 * The number after `seed=` in the address's query; null where there is none.
 * @param {string} query
 */
export function seedOf(query) {
  const seed = new URLSearchParams(query).get("seed");
  return seed === null ? null : Math.max(0, Math.floor(Number(seed))) || 0;
}
