// The matrix product inside every convolution.
#pragma once

// The rows computed at once: as many accumulators as 16 vector registers hold beside two weights and an input.
// Without fused multiply-add the product needs a register of its own.
#ifdef __wasm_relaxed_simd__
enum { TILE_ROWS = 6 };
#else
enum { TILE_ROWS = 5 };
#endif

// What one row reads: `runs` stretches of `length` floats (a multiple of 4), each `starts[i]` floats from the row's
// own beginning. A 3x3 convolution has three runs, one for each kernel row.
typedef struct {
  int runs, length;
  const int *starts;
} Reach;

// sums[i * step + j] = bias[j] + sum over k of rows[i][k] * weights[k * 4 * vectors + j], j < 4 * vectors.
// `vectors` is 1 or 2.
void multiply(const float *const *rows, int count, Reach reach, const float *weights, int vectors, const float *bias,
              float *sums, int step);
