// Reading weights four output channels at a time.
#pragma once
#include "engine.h"
#include "simd.h"

// The four file channels behind one quad of packed channels. Padding has scale 0.
typedef struct {
  int quantised, inputs;
  const uint8_t *from[4];
  Vec scale;
} QuadWeights;

QuadWeights weights_of_quad(const Engine *e, const Op *op, int quad);

// The dequantised weights of the quad for one tap and input channel; zero for padding.
static inline Vec weight(const QuadWeights *w, int tap, int in) {
  if (in >= w->inputs) return splat(0.0f);
  int i = tap * w->inputs + in;
  Vec values;
  if (w->quantised) {
    values = wasm_f32x4_convert_i32x4(wasm_i32x4_make((int8_t)w->from[0][i], (int8_t)w->from[1][i],
                                                      (int8_t)w->from[2][i], (int8_t)w->from[3][i]));
  } else {
    values = wasm_f32x4_make(((const float *)w->from[0])[i], ((const float *)w->from[1])[i],
                             ((const float *)w->from[2])[i], ((const float *)w->from[3])[i]);
  }
  return mul(values, w->scale);
}
