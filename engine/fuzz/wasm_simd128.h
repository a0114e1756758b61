// WebAssembly's vector instructions on a host, by SIMDe (Debian: libsimde-dev), which lacks a few.
#pragma once
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>

#define wasm_u8x16_splat(x) wasm_i8x16_splat((int8_t)(x))
// The relaxed ones may round once or twice.
#define wasm_f32x4_relaxed_madd(a, b, c) wasm_f32x4_add(wasm_f32x4_mul(a, b), c)
#define wasm_f32x4_relaxed_nmadd(a, b, c) wasm_f32x4_sub(c, wasm_f32x4_mul(a, b))
