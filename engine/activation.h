// Activation functions on four floats.
#pragma once
#include "engine.h"
#include "simd.h"

// tanh(x) = (e - 1) / (e + 1) with e = exp(2x) = 2^whole * 2^part; 2^part on [-1/2, 1/2] is its Taylor polynomial
// of degree 6 (the next term is below 1.3e-7). Within 3e-7 of the truth: the cancellation of e - 1 near zero
// costs relative accuracy only. From |x| = 9.02 on, the nearest float is 1.
static inline Vec tanh4(Vec x) {
  x = wasm_f32x4_pmin(splat(9.1f), wasm_f32x4_pmax(splat(-9.1f), x));
  Vec power = mul(x, splat(2.885390082f));  // 2 / ln 2
  Vec whole = wasm_f32x4_nearest(power);
  Vec part = sub(power, whole);
  Vec e = splat(1.540353039e-4f);  // ln(2)^6 / 6!
  e = mul_add(e, part, splat(1.333355815e-3f));
  e = mul_add(e, part, splat(9.618129108e-3f));
  e = mul_add(e, part, splat(5.550410866e-2f));
  e = mul_add(e, part, splat(2.402265070e-1f));
  e = mul_add(e, part, splat(6.931471806e-1f));
  e = mul_add(e, part, splat(1.0f));
  Vec exponent = wasm_i32x4_shl(wasm_i32x4_trunc_sat_f32x4(whole), 23);
  e = wasm_i32x4_add(e, exponent);
  return wasm_f32x4_div(sub(e, splat(1.0f)), add(e, splat(1.0f)));
}

// sigmoid(x) = (tanh(x / 2) + 1) / 2
static __attribute__((noinline)) Vec curve4(int curve, Vec x) {
  if (curve == TANH) return tanh4(x);
  return mul(add(tanh4(mul(x, splat(0.5f))), splat(1.0f)), splat(0.5f));
}

// What is no curve is max(v, slope * v): one path without a branch.
typedef struct {
  int curve;  // TANH, SIGMOID or 0
  Vec slope;
} Activation;

static inline Activation activation_of(const Op *op) {
  int curve = op->activation == TANH || op->activation == SIGMOID ? op->activation : 0;
  float slope = op->activation == RELU ? 0.0f : op->activation == LEAKY_RELU ? op->slope : 1.0f;
  return (Activation){curve, splat(slope)};
}

static inline Vec activate(Activation a, Vec v) {
  if (a.curve) return curve4(a.curve, v);
  return wasm_f32x4_pmax(v, mul(a.slope, v));
}
