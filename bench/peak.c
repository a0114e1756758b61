// As many multiply-adds as the machine can do: twelve independent sums in registers, nothing loaded or stored.
// 12 vectors of 4: 48 multiply-adds in each round.
#include <wasm_simd128.h>

__attribute__((export_name("peak"))) float peak(int rounds) {
  v128_t sum[12], x = wasm_f32x4_splat(0.999f), y = wasm_f32x4_splat(0.001f);
#pragma clang loop unroll(full)
  for (int i = 0; i < 12; i++) sum[i] = wasm_f32x4_splat((float)i);
  for (int round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 12; i++) {
#ifdef __wasm_relaxed_simd__
      sum[i] = wasm_f32x4_relaxed_madd(sum[i], x, y);
#else
      sum[i] = wasm_f32x4_add(wasm_f32x4_mul(sum[i], x), y);
#endif
    }
  }
  for (int i = 1; i < 12; i++) sum[0] = wasm_f32x4_add(sum[0], sum[i]);
  return wasm_f32x4_extract_lane(sum[0], 0);
}
