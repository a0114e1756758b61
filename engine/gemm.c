// Register tiles: up to TILE_ROWS rows x 2 vectors of sums stay in registers while the inputs stream by.
// Each input is one load that broadcasts, each weight vector serves all rows.
#include "gemm.h"
#include "engine.h"
#include "simd.h"

// Makes the compiler compute `v` here. Left alone, LLVM sinks the four multiply-adds of each sum to the end of the
// loop body, all loads before them need registers that do not exist, and the tile runs at 60 % of its speed.
#ifdef __wasm__
#define PIN(v) __asm__ volatile("" : "+r"(v))
#else
#define PIN(v)
#endif

static inline __attribute__((always_inline)) void tile(const int rows, const int vectors, const float *const *read,
                                                       Reach reach, const float *weights, const float *bias,
                                                       float *sums, int step) {
  Vec sum[TILE_ROWS][2];
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = load(bias + 4 * v);
  for (int run = 0; run < reach.runs; run++) {
    const float *from[TILE_ROWS];
    UNROLL for (int i = 0; i < rows; i++) from[i] = read[i] + reach.starts[run];
    for (int k = 0; k < reach.length; k += 4) {
      UNROLL for (int lane = 0; lane < 4; lane++) {
        Vec weight[2];
        UNROLL for (int v = 0; v < vectors; v++) weight[v] = load(weights + 4 * (vectors * lane + v));
        UNROLL for (int i = 0; i < rows; i++) {
          Vec x = load_splat(from[i] + lane);
          UNROLL for (int v = 0; v < vectors; v++) {
            sum[i][v] = mul_add(x, weight[v], sum[i][v]);
            PIN(sum[i][v]);
          }
        }
      }
      weights += 16 * vectors;
      UNROLL for (int i = 0; i < rows; i++) from[i] += 4;
    }
  }
  UNROLL for (int i = 0; i < rows; i++)
    UNROLL for (int v = 0; v < vectors; v++) store(sums + i * step + 4 * v, sum[i][v]);
}

#define TILE(ROWS, VECTORS)                                                                              \
  static __attribute__((noinline)) void tile_##ROWS##x##VECTORS(const float *const *read, Reach reach,   \
                                                                const float *weights, const float *bias, \
                                                                float *sums, int step) {                 \
    tile(ROWS, VECTORS, read, reach, weights, bias, sums, step);                                         \
  }
#define TILES(ROWS) TILE(ROWS, 1) TILE(ROWS, 2)
TILES(1) TILES(2) TILES(3) TILES(4) TILES(5)
#ifdef __wasm_relaxed_simd__
TILES(6)
#endif

void multiply(const float *const *rows, int count, Reach reach, const float *weights, int vectors, const float *bias,
              float *sums, int step) {
#define CASE(ROWS)                                                                    \
  case ROWS:                                                                          \
    if (vectors == 2) tile_##ROWS##x2(rows, reach, weights, bias, sums, step);        \
    else tile_##ROWS##x1(rows, reach, weights, bias, sums, step);                     \
    break;
  for (int n; count > 0; count -= n, rows += n, sums += n * step) {
    n = min(count, TILE_ROWS);
    switch (n) {
      CASE(1) CASE(2) CASE(3) CASE(4) CASE(5)
#ifdef __wasm_relaxed_simd__
      CASE(6)
#endif
    }
  }
}
