// Whether what a file or the browser's storage gives is a drawing, within the limits of docs/formats.md. Pure.

/**
 * @typedef {import("../sheet/drawing.js").Step} Step
 *
 * A drawing on the shelf.
 * @typedef {object} Kept
 * @property {string} id
 * @property {string} writer the page that wrote it last
 * @property {number} made milliseconds since 1970
 * @property {number} changed
 * @property {import("../formats.d.ts").Words} [title]
 * @property {string} model its name on this site
 * @property {number} seed the colouring
 * @property {{width: number, height: number}} size of its sheet, in pixels
 * @property {number} pencil width of its lines in ink
 * @property {import("../sheet/layers.js").Paper} paper
 * @property {boolean} [coloured] are its colours seen?
 * @property {Step[]} steps
 * @property {number} done so many of them are not undone
 */

export const MOST = { side: 4096, strokes: 10_000, points: 200_000, at: 65_536, title: 2000, languages: 100 };

const COLOUR = /^#[0-9a-f]{6}$/;

/**
 * @param {unknown} value
 * @param {number} low
 * @param {number} high both included
 */
export const within = (value, low, high) => typeof value === "number" && value >= low && value <= high;

/** @param {unknown} value */
export const isCount = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** @param {any} title in one language or in several */
function isTitle(title) {
  const isText = (/** @type {unknown} */ text) => typeof text === "string" && text.length <= MOST.title;
  if (typeof title !== "object" || title === null || Array.isArray(title)) return isText(title);
  const texts = Object.entries(title);
  return texts.length <= MOST.languages && texts.flat().every(isText);
}

/**
 * The first field that is not as it must be; null: all are.
 * @param {any} value
 * @param {string} path
 * @param {{[field: string]: (value: any) => boolean}} rules
 */
export function wrong(value, path, rules) {
  if (typeof value !== "object" || value === null) return path;
  for (const [field, rule] of Object.entries(rules)) if (!rule(value[field])) return `${path}.${field}`;
  return null;
}

/**
 * @param {any} stroke
 * @param {string} path where it is
 * @param {unknown[]} [tools]
 * @returns {string | null} the field that is wrong
 */
function strokeFault(stroke, path, tools = ["pencil", "eraser", "box", undefined]) {
  const { tool, points } = stroke ?? {};
  return wrong(stroke, path, {
    tool: (value) => tools.includes(value),
    width: (value) => value > 0 && within(value, 0, MOST.side),
    points: (value) =>
      Array.isArray(value) &&
      within(value.length, 1, MOST.points) &&
      value.length % (tool === "box" ? 4 : 2) === 0 &&
      value.every((at) => within(at, -MOST.at, MOST.at)),
    colour: (value) => value === undefined || (typeof value === "string" && COLOUR.test(value)),
    pressures: (value) =>
      value === undefined ||
      (Array.isArray(value) &&
        (value.length === 0 || 2 * value.length === points.length) &&
        value.every((part) => within(part, 0, 1))),
  });
}

/**
 * @param {any} strokes
 * @param {string} path
 * @returns {string | null}
 */
export function strokesFault(strokes, path) {
  if (!Array.isArray(strokes) || strokes.length > MOST.strokes) return path;
  for (const [i, stroke] of strokes.entries()) {
    const fault = strokeFault(stroke, `${path}[${i}]`);
    if (fault) return fault;
  }
  return null;
}

/** @param {any} picture */
const isPicture = (picture) =>
  within(picture?.width, 1, MOST.side) &&
  within(picture.height, 1, MOST.side) &&
  picture.pixels instanceof Uint8ClampedArray &&
  picture.pixels.length === 4 * picture.width * picture.height;

/** @param {any} step */
function isStep(step) {
  if (step?.tool === "wash") return true;
  if (step?.tool !== "sheet") return strokeFault(step, "", ["pencil", "eraser", "box"]) === null;
  const { picture, seeds, strokes } = step;
  if (seeds !== undefined && !(Array.isArray(seeds) && seeds.length === 2 && seeds.every(isCount))) return false;
  return (picture === undefined || isPicture(picture)) && strokesFault(strokes, "") === null;
}

/** What a file and the shelf say of a drawing alike. */
export const RULES = {
  title: (/** @type {unknown} */ value) => value === undefined || isTitle(value),
  seed: isCount,
  pencil: (/** @type {unknown} */ value) => Number(value) > 0 && within(value, 0, MOST.side),
  paper: (/** @type {any} */ value) => COLOUR.test(value?.colour) && typeof value.covered === "boolean",
};

/**
 * @param {any} value
 * @returns {value is Kept} a record that can be opened
 */
export const isKept = (value) =>
  wrong(value, "$", {
    ...RULES,
    id: (id) => typeof id === "string",
    made: isCount,
    changed: isCount,
    model: (name) => typeof name === "string",
    size: (size) => [size?.width, size?.height].every((side) => within(side, 1, MOST.side)),
    coloured: (seen) => seen === undefined || typeof seen === "boolean",
    steps: (steps) => Array.isArray(steps) && steps.every(isStep),
    done: (done) => isCount(done) && done <= value.steps.length,
  }) === null;
