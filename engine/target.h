// Where the results of a convolution go: bias is in already; residual, activation and pixel shuffle happen on the
// way to memory, so none of them is an operation of its own.
//
// Packed channels: with a pixel shuffle by f, output channel c of phase p (p = f * dy + dx) is the network's channel
// f * f * c + p. The engine computes them phase by phase, each padded to a multiple of 4, so that one vector (a "quad"
// of channels) always goes to one pixel.
#pragma once
#include "activation.h"
#include "engine.h"
#include "simd.h"

static inline int phases(const Op *op) { return op->op == CONV ? op->shuffle * op->shuffle : 1; }
static inline int quads_per_phase(const Op *op) { return (channels_written(op) + 3) / 4; }
static inline int packed_channels(const Op *op) { return 4 * phases(op) * quads_per_phase(op); }

// Output pixels from one computed pixel to the next, and how many pixels are computed at once: before a pixel shuffle,
// and of one parity of a transposed convolution's output.
static inline int written_step(const Op *op) { return op->op == CONV_TRANSPOSE ? 2 : op->shuffle; }
static inline Size computed_size(const Engine *e, const Op *op) {
  const Tensor *out = &e->tensors[op->output];
  return (Size){out->height / written_step(op), out->width / written_step(op)};
}

typedef struct {
  float *data;
  int pixel, row;  // floats from one computed pixel to the next; with a shuffle that is 2 or 4 pixels
} Slice;

typedef struct {
  Slice out, residual;        // residual.data is null without one
  int out_phase[16], residual_phase[16];
  int phase_quads;
  Activation activation;
  Vec last_mask;              // keeps the padding channels of a phase zero
} Target;

static inline Slice slice_of(const Tensor *t, int channel, int step, int dy, int dx) {
  return (Slice){t->data + dy * t->row + dx * t->pixel + channel, step * t->pixel, step * t->row};
}

// Computed pixel (y, x) is written at (step * y + dy, step * x + dx), plus its phase of a pixel shuffle.
static inline Target target_of(const Engine *e, const Op *op, int step, int dy, int dx) {
  const Tensor *out = &e->tensors[op->output];
  int quads = quads_per_phase(op);
  Target t = {
    .out = slice_of(out, op->output_channel, step, dy, dx),
    .phase_quads = quads,
    .activation = activation_of(op),
    .last_mask = lane_mask(channels_written(op) - 4 * (quads - 1)),
  };
  const Tensor *residual = op->residual == -1 ? 0 : &e->tensors[op->residual];
  if (residual) t.residual = slice_of(residual, op->residual_channel, step, dy, dx);
  for (int p = 0; p < phases(op); p++) {
    int y = p / op->shuffle, x = p % op->shuffle;
    t.out_phase[p] = y * out->row + x * out->pixel;
    t.residual_phase[p] = residual ? y * residual->row + x * residual->pixel : 0;
  }
  return t;
}

static inline int offset_of(const Slice *s, int y, int x) { return y * s->row + x * s->pixel; }

// What the inner loops need for one quad of packed channels. Passed by value, so that it stays in registers: for
// all the compiler knows, a store of pixels could change a Target in memory.
typedef struct {
  float *out;
  const float *residual;
  Vec mask;
  Activation activation;
} Sink;

static inline Sink sink_of(const Target *t, int quad) {
  int phase = quad / t->phase_quads, q = quad - phase * t->phase_quads;
  return (Sink){
    .out = t->out.data + t->out_phase[phase] + 4 * q,
    .residual = t->residual.data ? t->residual.data + t->residual_phase[phase] + 4 * q : 0,
    .mask = q == t->phase_quads - 1 ? t->last_mask : wasm_i32x4_splat(-1),
    .activation = t->activation,
  };
}

// `out` and `residual` are the computed pixel's offsets in the two slices.
static inline __attribute__((always_inline)) void finish(Sink s, int out, int residual, Vec v) {
  if (s.residual) v = add(v, load(s.residual + residual));
  store(s.out + out, wasm_v128_and(activate(s.activation, v), s.mask));
}
