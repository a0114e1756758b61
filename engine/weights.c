// The weights file: which of its channels lie behind packed ones.
#include "weights.h"
#include "target.h"

int source_channel(const Op *op, int packed) {
  int width = 4 * quads_per_phase(op), phase = packed / width, channel = packed % width;
  return channel < channels_written(op) ? channel * phases(op) + phase : -1;
}

QuadWeights weights_of_quad(const Engine *e, const Op *op, int quad) {
  QuadWeights w = {.quantised = op->scale != -1, .inputs = weight_depth(op)};
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
