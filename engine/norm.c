// Normalisation: each channel by the mean and variance of this picture (Ulyanov et al. 2016), or each row of pixels.
//
// A value's deviation is (x - near) - rest, where `near` is a float close to the mean and `rest` what it misses: so
// nothing cancels, however large the mean. Sums of at most STRETCH floats go into doubles.
#include "activation.h"
#include "engine.h"
#include "parallel.h"
#include "simd.h"
#include "weights.h"

enum { STRETCH = 64, WIDEST = 4 };  // WIDEST: quads taken together, a cache line

typedef struct {
  const Engine *engine;
  const Op *op;
  const Packed *packed;
  const Tensor *in, *out, *residual;
  Activation activation;
  Vec last_mask;              // keeps padding channels zero
  int quads, part_quads;
} Norm;

static inline const float *in_at(const Norm *n, int y, int x, int quad) {
  return n->in->data + y * n->in->row + x * n->in->pixel + n->op->input_channel + 4 * quad;
}

static inline Vec mask_of(const Norm *n, int quad) {
  return quad == n->quads - 1 ? n->last_mask : wasm_i32x4_splat(-1);
}

// (x - near - rest) * factor + shift
typedef struct { Vec near, rest, factor, shift; } Reading;

static void write_pixel(const Norm *n, const Reading *r, int y, int x, int quad) {
  const Tensor *out = n->out, *added = n->residual;
  Vec v = add(mul(sub(sub(load(in_at(n, y, x, quad)), r->near), r->rest), r->factor), r->shift);
  int at = 4 * quad;
  if (added) v = add(v, load(added->data + y * added->row + x * added->pixel + n->op->residual_channel + at));
  v = wasm_v128_and(activate(n->activation, v), mask_of(n, quad));
  store(out->data + y * out->row + x * out->pixel + n->op->output_channel + at, v);
}

static __attribute__((noinline)) void add_doubles(double *sums, Vec v) {
  float lanes[4];
  store(lanes, v);
  SMALL for (int i = 0; i < 4; i++) sums[i] += lanes[i];
}

// What values are divided by, from their variance: 0 where they are all the same and nothing is to be seen.
static float factor_of(double variance, float epsilon) {
  double square = (variance > 0 ? variance : 0) + epsilon;
  return square > 0 ? (float)(1 / __builtin_sqrt(square)) : 0.0f;
}

// Sums of the deviations from `near` and of their squares, and nothing else of the plane: `quads` is a constant.
static inline __attribute__((always_inline)) void sum(const Norm *n, int quad, const int quads, const Vec *near,
                                                      double *sums, double *squares) {
  SMALL for (int i = 0; i < 4 * quads; i++) sums[i] = squares[i] = 0;
  for (int y = 0; y < n->in->height; y++)
    for (int first = 0; first < n->in->width; first += STRETCH) {
      Vec sum[WIDEST], square[WIDEST];
      UNROLL for (int q = 0; q < quads; q++) sum[q] = square[q] = splat(0.0f);
      const float *from = in_at(n, y, first, quad);
      for (int x = first; x < min(n->in->width, first + STRETCH); x++, from += n->in->pixel)
        UNROLL for (int q = 0; q < quads; q++) {
          Vec d = sub(load(from + 4 * q), near[q]);
          sum[q] = add(sum[q], d);
          square[q] = add(square[q], mul(d, d));
        }
      for (int q = 0; q < quads; q++) {
        add_doubles(sums + 4 * q, sum[q]);
        add_doubles(squares + 4 * q, square[q]);
      }
    }
}

static __attribute__((noinline)) void sum_plane(const Norm *n, int quad, int quads, const Vec *near, double *sums,
                                                double *squares) {
  if (quads == WIDEST) sum(n, quad, WIDEST, near, sums, squares);
  else sum(n, quad, 1, near, sums, squares);
}

// WIDEST quads, or one.
static void norm_quads(const Norm *n, int quad, int quads) {
  Vec near[WIDEST];
  double sums[4 * WIDEST], squares[4 * WIDEST], count = (double)n->in->height * n->in->width;
  for (int q = 0; q < quads; q++) near[q] = load(in_at(n, 0, 0, quad + q));
  sum_plane(n, quad, quads, near, sums, squares);
  for (int q = 0; q < quads; q++) {
    float means[4];
    store(means, near[q]);
    SMALL for (int i = 0; i < 4; i++) means[i] = (float)(means[i] + sums[4 * q + i] / count);
    near[q] = load(means);
  }
  sum_plane(n, quad, quads, near, sums, squares);
  Reading readings[WIDEST];
  for (int q = 0; q < quads; q++) {
    float rest[4], factor[4];
    SMALL for (int i = 0; i < 4; i++) {
      double mean = sums[4 * q + i] / count;
      rest[i] = (float)mean;
      factor[i] = factor_of(squares[4 * q + i] / count - mean * mean, n->op->epsilon);
    }
    Vec scale = load(n->packed->scale + 4 * (quad + q)), shift = load(n->packed->bias + 4 * (quad + q));
    readings[q] = (Reading){near[q], load(rest), mul(load(factor), scale), shift};
  }
  for (int y = 0; y < n->in->height; y++)
    for (int x = 0; x < n->in->width; x++)
      for (int q = 0; q < quads; q++) write_pixel(n, &readings[q], y, x, quad + q);
}

static void channels_part(const void *context, int index, int thread) {
  (void)thread;
  const Norm *n = context;
  int quad = index * n->part_quads, end = min(n->quads, quad + n->part_quads);
  for (; quad + WIDEST <= end; quad += WIDEST) norm_quads(n, quad, WIDEST);
  for (; quad < end; quad++) norm_quads(n, quad, 1);
}

static __attribute__((noinline)) double total(Vec v) {
  double sums[4] = {0};
  add_doubles(sums, v);
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

static void sum_row(const Norm *n, int y, float near, double *sum, double *square) {
  *sum = *square = 0;
  for (int q = 0; q < n->quads; q++)
    for (int first = 0; first < n->in->width; first += STRETCH) {
      Vec s = splat(0.0f), ss = s, mask = mask_of(n, q);
      const float *from = in_at(n, y, first, q);
      for (int x = first; x < min(n->in->width, first + STRETCH); x++, from += n->in->pixel) {
        Vec d = wasm_v128_and(sub(load(from), splat(near)), mask);
        s = add(s, d);
        ss = add(ss, mul(d, d));
      }
      *sum += total(s);
      *square += total(ss);
    }
}

static void norm_row(const void *context, int y, int thread) {
  (void)thread;
  const Norm *n = context;
  Reading r = {splat(0.0f), splat(0.0f), splat(n->packed->scale[y]), splat(n->packed->bias[y])};
  if (n->op->statistics == ROW) {
    double sum, square, count = (double)n->in->width * n->op->in_channels;
    float near = *in_at(n, y, 0, 0);
    sum_row(n, y, near, &sum, &square);
    near = (float)(near + sum / count);
    sum_row(n, y, near, &sum, &square);
    double mean = sum / count;
    r.near = splat(near);
    r.rest = splat((float)mean);
    r.factor = mul(r.factor, splat(factor_of(square / count - mean * mean, n->op->epsilon)));
  }
  for (int x = 0; x < n->in->width; x++)
    for (int q = 0; q < n->quads; q++) write_pixel(n, &r, y, x, q);
}

void run_norm(const Engine *e, const Op *op, const Packed *packed) {
  int quads = (op->in_channels + 3) / 4;
  Norm n = {
    .engine = e,
    .op = op,
    .packed = packed,
    .in = &e->tensors[op->input],
    .out = &e->tensors[op->output],
    .residual = op->residual == -1 ? 0 : &e->tensors[op->residual],
    .activation = activation_of(op),
    .last_mask = lane_mask(op->in_channels - 4 * (quads - 1)),
    .quads = quads,
    .part_quads = min(WIDEST, quads_in_part(quads, 1)),
  };
  if (op->statistics != CHANNEL) in_parallel(norm_row, &n, n.in->height);
  else in_parallel(channels_part, &n, (quads + n.part_quads - 1) / n.part_quads);
}

void pack_norm(const Engine *e, const Op *op, const Packed *packed) {
  SMALL for (int i = 0; i < round_up(op->out_channels, 4); i++) {
    int there = i < op->out_channels;
    packed->scale[i] = !there ? 0.0f : op->scale == -1 ? 1.0f : floats_at(e, op->scale)[i];
    packed->bias[i] = !there || op->bias == -1 ? 0.0f : floats_at(e, op->bias)[i];
  }
}
