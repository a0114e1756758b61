// The weights file, read four packed channels at a time. Their order is that of Target (target.h).
#pragma once
#include "engine.h"
#include "simd.h"

// Where the last of an operation's bytes in the file ends.
int64_t end_of_weights(const Op *op);

static inline const float *floats_at(const Engine *e, int offset) { return (const float *)(e->raw + offset); }

// The four file channels behind one quad of packed channels. Padding has scale 0.
typedef struct {
  int quantised, inputs;
  const uint8_t *from[4];
  Vec scale, curve;
} QuadWeights;

// The file's output channel behind a packed one; -1 for padding.
int source_channel(const Op *op, int packed);

QuadWeights weights_of_quad(const Engine *e, const Op *op, int quad);

// How steps grow with the code: code x (1 + compand x (code / 127)^2) is its value before it is scaled.
static inline Vec curve_of(const Op *op) { return splat(op->compand / (127.0f * 127.0f)); }
static inline Vec expand(Vec codes, Vec curve) {
  return mul(codes, add(splat(1.0f), mul(mul(codes, codes), curve)));
}

// The dequantised weights of the quad for one tap and input channel; zero for padding.
static inline Vec weight(const QuadWeights *w, int tap, int in) {
  if (in >= w->inputs) return splat(0.0f);
  int i = tap * w->inputs + in;
  Vec values;
  if (w->quantised) {
    values = wasm_f32x4_convert_i32x4(wasm_i32x4_make((int8_t)w->from[0][i], (int8_t)w->from[1][i],
                                                      (int8_t)w->from[2][i], (int8_t)w->from[3][i]));
    values = expand(values, w->curve);
  } else {
    values = wasm_f32x4_make(((const float *)w->from[0])[i], ((const float *)w->from[1])[i],
                             ((const float *)w->from[2])[i], ((const float *)w->from[3])[i]);
  }
  return mul(values, w->scale);
}

// The same as they are in the file. Padding channels have any: their scale is 0.
static inline void store_codes(int8_t *to, const QuadWeights *w, int tap, int in) {
  for (int i = 0; i < 4; i++) to[i] = in < w->inputs ? (int8_t)w->from[i][tap * w->inputs + in] : 0;
}
