// Short names for the vector instructions. Four floats are one Vec.
#pragma once
#include <wasm_simd128.h>

typedef v128_t Vec;

#define UNROLL _Pragma("clang loop unroll(full)")
#define NO_UNROLL _Pragma("clang loop unroll(disable)")
#define SMALL _Pragma("clang loop unroll(disable) vectorize(disable)")  // code, where time is no matter

static inline Vec load(const float *from) { return wasm_v128_load(from); }
static inline void store(float *to, Vec v) { wasm_v128_store(to, v); }
static inline Vec splat(float x) { return wasm_f32x4_splat(x); }
static inline Vec load_splat(const float *from) { return wasm_v128_load32_splat(from); }
static inline Vec add(Vec a, Vec b) { return wasm_f32x4_add(a, b); }
static inline Vec sub(Vec a, Vec b) { return wasm_f32x4_sub(a, b); }
static inline Vec mul(Vec a, Vec b) { return wasm_f32x4_mul(a, b); }

// a * b + c and c - a * b. The relaxed build rounds once where the machine has a fused instruction.
#ifdef __wasm_relaxed_simd__
static inline Vec mul_add(Vec a, Vec b, Vec c) { return wasm_f32x4_relaxed_madd(a, b, c); }
static inline Vec mul_sub(Vec a, Vec b, Vec c) { return wasm_f32x4_relaxed_nmadd(a, b, c); }
#else
static inline Vec mul_add(Vec a, Vec b, Vec c) { return add(mul(a, b), c); }
static inline Vec mul_sub(Vec a, Vec b, Vec c) { return sub(c, mul(a, b)); }
#endif

// The first `n` lanes all ones, the others zero.
static inline Vec lane_mask(int n) {
  return wasm_i32x4_lt(wasm_i32x4_make(0, 1, 2, 3), wasm_i32x4_splat(n));
}
