// What the page's address says, for the next visit and for others: ?model=NAME&seed=NUMBER&backend=wasm

/**
 * The model that the address names, else that of the last drawing, else the default.
 * @template {{name: string}} Model
 * @param {Model[]} models the first is the default
 * @param {string} [query] the address's, from the question mark on
 * @param {string} [last] its name
 */
export function namedModel(models, query = location.search, last) {
  const name = new URLSearchParams(query).get("model") ?? last;
  return models.find((model) => model.name === name) ?? models[0];
}

/**
 * The number after `seed=`; null where there is none.
 * @param {string} [query]
 */
export function seedOf(query = location.search) {
  const seed = new URLSearchParams(query).get("seed");
  return seed === null ? null : Math.max(0, Math.floor(Number(seed))) || 0;
}

/**
 * The only back end to use; undefined: the faster one.
 * @param {string} [query]
 */
export const backendOf = (query = location.search) => new URLSearchParams(query).get("backend") ?? undefined;

/**
 * The same address with another choice.
 * @param {string} address
 * @param {"model" | "seed"} name
 * @param {string | number | null} value null: no choice
 */
export function withChoice(address, name, value) {
  const url = new URL(address);
  if (value === null) url.searchParams.delete(name);
  else url.searchParams.set(name, String(value));
  return url.href;
}

/**
 * The address keeps a choice. The way back does not lead through all of them.
 * @param {"model" | "seed"} name
 * @param {string | number | null} value
 */
export const keep = (name, value) => history.replaceState(null, "", withChoice(location.href, name, value));
