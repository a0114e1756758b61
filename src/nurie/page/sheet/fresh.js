// A fresh sheet, the step that a drawing begins with. Apart from the drawing: the page's first picture needs no more.

/**
 * @param {{strokes?: import("../formats.d.ts").Line[], picture?: import("../png.js").Picture}} preset
 * @param {number[]} [seeds] the colourings before it and of it
 * @returns {import("./drawing.js").Sheet}
 */
export const sheetWith = ({ strokes = [], picture }, seeds) => ({
  tool: "sheet",
  strokes: strokes.map((stroke) => ({ tool: "pencil", ...stroke })),
  picture,
  seeds,
});
