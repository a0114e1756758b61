// Drawings to files and back: docs/formats.md. `nurie predict` reads one drawing of strokes; all else is in a list of ours.

import { decode, encode } from "../png.js";
import { Drawing } from "../sheet/drawing.js";
import { isCount, MOST, RULES, strokesFault, within, wrong } from "./check.js";

/**
 * @typedef {import("./check.js").Kept} Kept
 * @typedef {import("../sheet/drawing.js").Stroke} Stroke
 *
 * What the file says of a drawing.
 * @typedef {{
 *   title?: import("../formats.d.ts").Words, size?: number, width?: number, height?: number, model?: string, pencil?: number, seed?: number,
 *   paper?: import("../sheet/layers.js").Paper, picture?: string, strokes: import("../formats.d.ts").Line[]
 * }} Filed
 *
 * A sheet for drawings that do not say theirs.
 * @typedef {{size: {width: number, height: number}, pencil: number, paper: import("../sheet/layers.js").Paper, model: string}} Sheet
 *
 * A drawing that came from a file.
 * @typedef {Omit<Kept, "id" | "writer" | "made" | "changed">} Imported
 */

const FORMAT = "nurie-drawings";
const VERSION = 1;
/** Bytes of a file. */
export const LARGEST = 1 << 24;
/** Drawings of a file, and pixels of all their pictures. */
const MANY = 1000;
const PIXELS = 1 << 24;

/** A file that can not be read; `code` names the sentence in text.js. */
export class Misfit extends Error {
  /**
   * @param {"foreign" | "large" | "version" | "damaged"} code
   * @param {string} [field] that is wrong
   */
  constructor(code, field = "") {
    super(`${code} ${field}`);
    this.code = code;
    this.field = field;
  }
}

/** What lies on a drawing's sheet. @param {Pick<Kept, "steps" | "done">} drawing */
export function shown({ steps, done }) {
  const drawing = new Drawing();
  drawing.restore({ steps, done });
  return drawing.shown;
}

/**
 * A PNG file as base64.
 * @param {import("../png.js").Picture} picture
 */
export async function base64(picture) {
  const bytes = new Uint8Array(await (await encode(picture)).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/**
 * @param {Kept} drawing
 * @param {string} title
 * @returns {Promise<Filed>}
 */
async function filed(drawing, title) {
  const { picture, strokes } = shown(drawing);
  const { size, pencil, model, seed, paper } = drawing;
  return {
    title: drawing.title ?? title,
    ...(size.width === size.height ? { size: size.width } : size),
    ...(model && { model }),
    seed,
    pencil,
    ...((paper.covered || picture) && { paper }),
    ...(picture && { picture: await base64(picture) }),
    strokes: strokes.map(({ tool, ...stroke }) => ({ ...stroke, ...(tool !== "pencil" && { tool }) })),
  };
}

/**
 * The file of a drawing.
 * @param {Kept} drawing
 * @param {string} title where it has none of its own
 */
export async function toJson(drawing, title) {
  const file = await filed(drawing, title);
  const readable = !file.picture && file.strokes.length > 0;
  return readable ? `${JSON.stringify(file)}\n` : list([JSON.stringify(file)]);
}

/** @param {string[]} drawings as JSON */
const list = (drawings) =>
  `{"format": "${FORMAT}", "version": ${VERSION}, "drawings": [\n${drawings.join(",\n")}\n]}\n`;

/**
 * Files with many drawings, so few as can be: each can be read again.
 * @param {Kept[]} drawings
 * @param {(drawing: Kept) => string} title
 * @param {number} [largest] bytes
 */
export async function toFiles(drawings, title, largest = LARGEST) {
  const files = [];
  /** @type {string[]} */
  let some = [];
  let bytes = 0;
  for (const drawing of drawings) {
    const text = JSON.stringify(await filed(drawing, title(drawing)));
    const more = new TextEncoder().encode(text).length + 2;
    if (some.length === MANY || (some.length > 0 && bytes + more > largest - 100)) {
      files.push(list(some));
      [some, bytes] = [[], 0];
    }
    some.push(text);
    bytes += more;
  }
  return some.length > 0 ? [...files, list(some)] : files;
}

/**
 * The drawings in a file. Throws Misfit.
 * @param {Blob} file
 * @param {Sheet} sheet
 * @returns {Promise<Imported[]>}
 */
export async function fromFile(file, sheet) {
  if (file.size > LARGEST) throw new Misfit("large");
  return read(await file.text(), sheet);
}

/**
 * @param {string} text
 * @param {Sheet} sheet
 */
export async function read(text, sheet) {
  const value = parsed(text);
  if (value?.format !== FORMAT) {
    if (value?.strokes === undefined) throw new Misfit("foreign");
    return [await drawingOf(value, "$", sheet)];
  }
  if (value.version !== VERSION) throw new Misfit("version");
  const { drawings } = value;
  if (!Array.isArray(drawings) || drawings.length === 0 || drawings.length > MANY)
    throw new Misfit("damaged", "$.drawings");
  const pixels = drawings
    .filter((drawing) => drawing?.picture !== undefined)
    .map((drawing) => sizeOf(drawing, sheet))
    .map(({ width, height }) => Number(width) * Number(height) || 0);
  if (pixels.reduce((sum, count) => sum + count, 0) > PIXELS) throw new Misfit("large");
  const found = [];
  for (const [i, drawing] of drawings.entries()) found.push(await drawingOf(drawing, `$.drawings[${i}]`, sheet));
  return found;
}

/**
 * Of its sheet: a square, or else as wide and high as it says.
 * @param {Filed} value
 * @param {Sheet} sheet
 */
function sizeOf(value, sheet) {
  const { size, width = size ?? sheet.size.width, height = size ?? sheet.size.height } = value ?? {};
  return { width, height };
}

/**
 * @param {Filed} value
 * @param {string} path where it is
 * @param {Sheet} sheet
 * @returns {Promise<Imported>}
 */
async function drawingOf(value, path, sheet) {
  const { title, picture, strokes, size } = value ?? {};
  const { model = sheet.model, seed = 0, paper = sheet.paper } = value ?? {};
  const own = sizeOf(value, sheet);
  const { width, height } = own;
  const { pencil = sheet.pencil * Math.max(width / sheet.size.width, height / sheet.size.height) } = value ?? {};
  const most = picture === undefined ? MOST.at : MOST.side;
  const isSide = (/** @type {number} */ side) => within(side, 1, most);
  const rules = {
    size: (/** @type {number} */ side) => side === undefined || isSide(side),
    width: isSide,
    height: isSide,
    ...RULES,
    model: (/** @type {unknown} */ name) => typeof name === "string",
    picture: (/** @type {unknown} */ data) =>
      data === undefined || (typeof data === "string" && isCount(width * height)),
  };
  const fault = wrong({ title, size, width, height, model, seed, paper, pencil, picture }, path, rules);
  const worse = fault ?? strokesFault(strokes, `${path}.strokes`);
  if (worse) throw new Misfit("damaged", worse);
  const laid = picture === undefined ? undefined : await pictureOf(picture, own);
  if (laid === null) throw new Misfit("damaged", `${path}.picture`);
  const drawing = new Drawing();
  drawing.place({ strokes: strokes.map(strokeOf), picture: laid });
  // A sheet that no model has is made smaller.
  const large = Math.max(width, height) > MOST.side;
  const times = large ? drawing.fit(own, sheet.size) : 1;
  return {
    ...(title !== undefined && { title }),
    model,
    seed,
    size: large ? sheet.size : own,
    pencil: times * pencil,
    paper,
    ...drawing.state,
  };
}

/**
 * @param {string} data base64 of a PNG file
 * @param {{width: number, height: number}} size that it must have
 */
async function pictureOf(data, size) {
  try {
    return await decode(
      Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0)),
      size,
    );
  } catch {
    return null;
  }
}

/** Only what a line has. @param {import("../formats.d.ts").Line} stroke */
const strokeOf = ({ tool = "pencil", width, points, colour, pressures }) => ({
  tool,
  width,
  points,
  ...(colour && { colour }),
  ...(pressures?.length && { pressures }),
});

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
