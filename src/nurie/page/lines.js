// How much of the drawing's lines lies over the picture: none, some or all of their ink. The visitor's choice for a model,
// else its maker's.

import { place } from "./last.js";
import { memory } from "./memory.js";

/** Unless the manifest says what some is. */
const SOFT = 0.5;

/** @param {string} model its name */
const key = (model) => `${place()} lines ${model}`;

/**
 * @param {Pick<import("./formats.d.ts").Manifest, "lines" | "labels">} manifest
 * @param {string} model its name
 * @returns {{choice: number, strength: number}} choice: 0 none, 1 some, 2 all; strength: 0 to 1
 */
export function linesFor({ lines = 0, labels = [] }, model) {
  const strengths = [0, lines % 1 || SOFT, 1];
  const choice = Number(memory.get(key(model)) ?? Math.max(0, strengths.indexOf(lines)));
  return { choice, strength: labels.length > 0 ? 0 : (strengths[choice] ?? 0) };
}

/**
 * @param {string} model
 * @param {number} choice
 */
export const keepLines = (model, choice) => memory.set(key(model), String(choice));
