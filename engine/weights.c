// Where things lie in the weights file.
#include "weights.h"
#include "target.h"

int source_channel(const Op *op, int packed) {
  int width = 4 * quads_per_phase(op), phase = packed / width, channel = packed % width;
  return channel < channels_written(op) ? channel * phases(op) + phase : -1;
}

QuadWeights weights_of_quad(const Engine *e, const Op *op, int quad) {
  QuadWeights w = {.quantised = op->scale != -1, .inputs = weight_depth(op), .curve = curve_of(op)};
  int64_t channel_bytes = (int64_t)op->kernel * op->kernel * w.inputs * (w.quantised ? 1 : 4);
  float scale[4];
  for (int i = 0; i < 4; i++) {
    int channel = source_channel(op, 4 * quad + i), padding = channel < 0;
    w.from[i] = e->raw + op->weight + (padding ? 0 : channel * channel_bytes);
    scale[i] = padding ? 0.0f : w.quantised ? floats_at(e, op->scale)[channel] : 1.0f;
  }
  w.scale = load(scale);
  return w;
}

int64_t end_of_weights(const Op *op) {
  if (palette_colours(op)) return (int64_t)op->weight + 3 * palette_colours(op);
  int64_t floats = 4 * op->out_channels, end = 0;
  if (op->op != NORM) {  // whose kernel can be any number
    int64_t codes = (int64_t)op->out_channels * op->kernel * op->kernel * weight_depth(op);
    end = op->weight + (op->scale == -1 ? 4 * codes : codes);
  }
  if (op->scale != -1 && op->scale + floats > end) end = op->scale + floats;
  if (op->bias != -1 && op->bias + floats > end) end = op->bias + floats;
  return end;
}
