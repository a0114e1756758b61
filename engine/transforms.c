// F(4x4, 3x3) on the points 0, 1, -1, 2, -2 and infinity, F(4x4, 2x2) on 0, 1, -1, 2 and infinity, F(2x2, 2x2) on 0, 1
// and infinity. Each transform of a tile is that of a line, by columns and then by rows.
#include "transforms.h"

#define INLINE static inline __attribute__((always_inline))

typedef void Line(const Vec *from, Vec *to, int step);

// G: three weights in a line -> six.
INLINE void weights_4_3(const Vec *g, Vec *to, int step) {
  Vec even = mul(add(g[0], g[2]), splat(-1.0f / 6)), odd = mul(g[1], splat(-1.0f / 6));
  Vec outer = mul_add(g[2], splat(1.0f / 6), mul(g[0], splat(1.0f / 24)));
  Vec inner = mul(g[1], splat(1.0f / 12));
  to[0] = mul(g[0], splat(0.25f));
  to[step] = add(even, odd);
  to[2 * step] = sub(even, odd);
  to[3 * step] = add(outer, inner);
  to[4 * step] = sub(outer, inner);
  to[5 * step] = g[2];
}

// B transposed: six inputs in a line -> six.
INLINE void inputs_4_3(const Vec *d, Vec *to, int step) {
  Vec four = splat(4.0f), five = splat(5.0f);
  Vec a = mul_sub(four, d[2], d[4]), b = mul_sub(four, d[1], d[3]);
  Vec c = sub(d[4], d[2]), f = mul(splat(2.0f), sub(d[3], d[1]));
  to[0] = mul_add(four, d[0], mul_sub(five, d[2], d[4]));
  to[step] = add(a, b);
  to[2 * step] = sub(a, b);
  to[3 * step] = add(c, f);
  to[4 * step] = sub(c, f);
  to[5 * step] = mul_add(four, d[1], mul_sub(five, d[3], d[5]));
}

// A transposed: six sums in a line -> four pixels.
INLINE void sums_4_3(const Vec *m, Vec *to, int step) {
  Vec s12 = add(m[1], m[2]), d12 = sub(m[1], m[2]), s34 = add(m[3], m[4]), d34 = sub(m[3], m[4]);
  to[0] = add(add(m[0], s12), s34);
  to[step] = mul_add(splat(2.0f), d34, d12);
  to[2 * step] = mul_add(splat(4.0f), s34, s12);
  to[3 * step] = add(mul_add(splat(8.0f), d34, d12), m[5]);
}

INLINE void weights_4_2(const Vec *g, Vec *to, int step) {
  to[0] = mul(g[0], splat(0.5f));
  to[step] = mul(add(g[0], g[1]), splat(-0.5f));
  to[2 * step] = mul(sub(g[1], g[0]), splat(1.0f / 6));
  to[3 * step] = mul_add(g[1], splat(1.0f / 3), mul(g[0], splat(1.0f / 6)));
  to[4 * step] = g[1];
}

INLINE void inputs_4_2(const Vec *d, Vec *to, int step) {
  Vec two = splat(2.0f), odd = sub(d[3], d[1]);
  to[0] = mul_add(two, sub(d[0], d[2]), odd);
  to[step] = sub(odd, add(d[1], d[2]));
  to[2 * step] = mul_add(splat(3.0f), sub(d[1], d[2]), odd);
  to[3 * step] = odd;
  to[4 * step] = mul_sub(two, odd, sub(d[4], d[2]));
}

INLINE void sums_4_2(const Vec *m, Vec *to, int step) {
  Vec s12 = add(m[1], m[2]), d12 = sub(m[1], m[2]);
  to[0] = add(add(m[0], s12), m[3]);
  to[step] = mul_add(splat(2.0f), m[3], d12);
  to[2 * step] = mul_add(splat(4.0f), m[3], s12);
  to[3 * step] = add(mul_add(splat(8.0f), m[3], d12), m[4]);
}

INLINE void weights_2_2(const Vec *g, Vec *to, int step) {
  to[0] = g[0];
  to[step] = add(g[0], g[1]);
  to[2 * step] = g[1];
}

INLINE void inputs_2_2(const Vec *d, Vec *to, int step) {
  to[0] = sub(d[0], d[1]);
  to[step] = d[1];
  to[2 * step] = sub(d[2], d[1]);
}

INLINE void sums_2_2(const Vec *m, Vec *to, int step) {
  to[0] = add(m[0], m[1]);
  to[step] = add(m[1], m[2]);
}

INLINE void transform_weights(const int taps, const int side, Line *transform, const Vec *from, Vec *to) {
  Vec columns[MOST_PLACES], line[MOST_TAPS];
  for (int x = 0; x < taps; x++) {
    for (int y = 0; y < taps; y++) line[y] = from[taps * y + x];
    transform(line, columns + x, taps);
  }
  for (int y = 0; y < side; y++) transform(columns + taps * y, to + side * y, 1);
}

INLINE void read_tile(const int side, Line *transform, const float *from, int pixel, int row, int channels, float *to,
                      int plane) {
  for (int c = 0; c < channels; c += 4, from += 4, to += 4) {
    Vec columns[MOST_PLACES];
    NO_UNROLL for (int x = 0; x < side; x++) {
      Vec line[6];
      UNROLL for (int y = 0; y < side; y++) line[y] = load(from + y * row + x * pixel);
      transform(line, columns + x, side);
    }
    NO_UNROLL for (int y = 0; y < side; y++) {
      Vec line[6];
      transform(columns + side * y, line, 1);
      UNROLL for (int x = 0; x < side; x++) store(to + (side * y + x) * plane, line[x]);
    }
  }
}

INLINE void write_tile(const int side, Line *transform, const float *from, int plane, int quads,
                       const Target *t, Tile tile, const float *bias) {
  int out = offset_of(&t->out, tile.y, tile.x), residual = offset_of(&t->residual, tile.y, tile.x);
  Slice o = t->out, r = t->residual;
  for (int q = 0; q < quads; q++, from += 4) {
    Sink sink = sink_of(t, q);
    Vec rows[24], b = load(bias + 4 * q);
    NO_UNROLL for (int x = 0; x < side; x++) {
      Vec line[6];
      UNROLL for (int y = 0; y < side; y++) line[y] = load(from + (side * y + x) * plane);
      transform(line, rows + x, side);
    }
    NO_UNROLL for (int y = 0; y < tile.height; y++) {
      Vec line[4];
      transform(rows + side * y, line, 1);
      NO_UNROLL for (int x = 0; x < tile.width; x++)
        finish(sink, out + offset_of(&o, y, x), residual + offset_of(&r, y, x), add(line[x], b));
    }
  }
}

#define TRANSFORMS(M, R)                                                                                             \
  static void transform_##M##_##R(const Vec *taps, Vec *places) {                                                    \
    transform_weights(R, M + R - 1, weights_##M##_##R, taps, places);                                                \
  }                                                                                                                  \
  static void read_##M##_##R(const float *from, int pixel, int row, int channels, float *to, int plane) {            \
    read_tile(M + R - 1, inputs_##M##_##R, from, pixel, row, channels, to, plane);                                   \
  }                                                                                                                  \
  static void write_##M##_##R(const float *from, int plane, int quads, const Target *t, Tile tile,                   \
                              const float *bias) {                                                                   \
    write_tile(M + R - 1, sums_##M##_##R, from, plane, quads, t, tile, bias);                                     \
  }
TRANSFORMS(4, 3) TRANSFORMS(4, 2) TRANSFORMS(2, 2)

#define ROW(M, R) {M, R, M + R - 1, transform_##M##_##R, read_##M##_##R, write_##M##_##R}

const Transforms *transforms_of(int path) {
  static const Transforms all[] = {[F4X4_3X3] = ROW(4, 3), [F4X4_2X2] = ROW(4, 2), [F2X2_2X2] = ROW(2, 2)};
  return &all[path];
}
