// What a model folder says, in the types of docs/formats.md.

/** A text in several languages, or one for all. */
export type Words = string | { [language: string]: string };

/**
 * Of a drawing; `points` are x, y pairs, `pressures` 0 to 1, one for each point: parts of the width. Lengths are pixels of
 * the model's input. Without a colour ink is black.
 */
export type Line = {
  width: number;
  points: number[];
  colour?: string;
  pressures?: number[];
  tool?: "pencil" | "box" | "eraser";
};

/** A sample drawing. */
export type Preset = {
  title?: Words;
  strokes?: Line[];
  /** file name, beside the manifest */
  image?: string;
  /** the colouring that it comes in */
  seed?: number;
};

/** Of a label map. */
export type Label = { colour: string; title?: Words };

/** One operation of the plan; absent fields have the defaults of engine/plan.js. */
export type Op = { op: string } & { [field: string]: number | string };

export type Plan = {
  /** channels of each */
  tensors: number[];
  ops: Op[];
};

export type Manifest = Plan & {
  format: string;
  version: number;
  title: Words;
  input: { width: number; height: number };
  /** `bytes` as downloaded, `raw_bytes` unzipped or decoded */
  weights: { file: string; encoding?: string; bytes: number; raw_bytes: number; sha256: string };
  /** width of the lines that it knows, in pixels of the drawing */
  pencil?: number;
  /** colours of which its drawings consist, where they are label maps; the ground first */
  labels?: Label[];
  /** how much of the drawing's lines lies over the picture: 0 none, 1 all their ink */
  lines?: number;
  /** strokes of colour say how to colour what is around them */
  hints?: boolean;
  /** colours that the subject can be asked to have, RGB in [-1, 1] */
  styles?: number[][];
  /** colours that it paints in, where it chooses one for each area */
  palette?: string[];
  presets?: Preset[];
  credits?: string[];
};
