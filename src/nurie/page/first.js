// Where the page begins: the model comes, and a small one colours its first sample at once, here in the page's own thread.
// To start a worker, and to build the page, takes as long as that picture; both wait for it, but not for a slow network.
// Who has drawn before sees the drawing instead: the page brings it back.

import { namedModel, seedOf } from "./address.js";
import { bestBuild, fetchEngine } from "./engine/wasm.js";
import { comesBack, lastModel, nextSeed } from "./last.js";
import { linesFor } from "./lines.js";
import { Download, openPreset, styleOf } from "./model/download.js";
import { siteModels } from "./model/models.js";
import { render, show } from "./sheet/canvas.js";
import { sheetWith } from "./sheet/fresh.js";
import { withLines } from "./sheet/lines.js";

/** Bytes of a model's weights, unzipped, times pixels of its drawings: with a larger one the page would stand still. */
const SMALL = 4e6 * 256 * 256;
/**
 * Milliseconds for the weights to begin to come, and as many for the rest: the page is built then in any case, and a
 * picture that is not begun is left to the worker.
 */
const PATIENCE = 150;

/**
 * Colour the first sample. Where anything is amiss the page will come upon the same, and say so.
 * @param {Download} download
 * @param {string} model its name
 * @param {AbortSignal} late
 */
async function firstPicture(download, model, late) {
  const build = bestBuild();
  if (!build) return;
  const starting = fetchEngine(build);
  starting.catch(() => {}); // awaited below, if at all
  const manifest = await download.manifest;
  const sample = manifest.presets?.[0];
  const { width, height } = manifest.input;
  if (!sample || manifest.weights.raw_bytes * width * height > SMALL) return;
  const steps = [sheetWith(await openPreset(sample, download.address))];
  const surface = render({ steps, current: null }, manifest.input, manifest.input);
  const engine = await starting;
  engine.beginModel(manifest, manifest.weights.raw_bytes, manifest.weights.encoding);
  let damaged = false;
  const whole = new Promise((resolve) =>
    download.forEachPart((part) => {
      if (damaged || late.aborted) return;
      try {
        if (engine.feed(part)) resolve(true);
      } catch {
        damaged = true;
      }
    }),
  );
  // Whether they are what was exported is found out meanwhile.
  if (!(await Promise.race([whole, download.complete])) || late.aborted) return;
  engine.resize(height, width);
  engine.setStyle(styleOf(manifest, seedOf() ?? sample.seed ?? nextSeed(manifest)));
  const picture = { ...engine.outputSize, pixels: engine.run(surface.pixels) };
  await download.complete;
  if (late.aborted) return;
  show(
    /** @type {HTMLCanvasElement} */ (document.getElementById("result")),
    withLines(picture, surface, linesFor(manifest, model).strength),
  );
}

/**
 * The first sample's picture, if it comes soon.
 * @param {Download} download
 * @param {string} model its name
 */
async function sample(download, model) {
  const late = new AbortController();
  const picture = firstPicture(download, model, late.signal).catch(() => {});
  const weights = new Promise((resolve) => download.forEachPart(() => resolve(true)));
  if (await Promise.race([weights, picture, patience()])) await Promise.race([picture, patience()]);
  late.abort();
}

/** @returns {Promise<void>} */
const patience = () =>
  new Promise((resolve) => AbortSignal.timeout(PATIENCE).addEventListener("abort", () => resolve()));

async function begin() {
  const model = namedModel(siteModels(), location.search, lastModel());
  const download = new Download(model.address);
  if (!comesBack(model.name)) await sample(download, model.name);
  const main = await import("./main.js").catch(() => null);
  if (!main) return void dispatchEvent(new Event("error")); // early.js hears it
  const page = new main.Page();
  Object.assign(globalThis, { nurie: page }); // for scripts that embed the page, and for tests
  page.start(download);
}

begin();
