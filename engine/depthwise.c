// Depthwise convolution: each channel has a kernel of its own. A strip of pixels of one row is computed together, so
// that every weight loaded serves all of them.
#include "engine.h"
#include "parallel.h"
#include "target.h"

enum { STRIP = 4, ROWS = 4 };

typedef struct {
  const Op *op;
  const Packed *packed;
  const Tensor *in;
  Target target;
  int height, width;
} Depthwise;

// `pixels` is a constant in every call, so that the sums stay in registers.
static inline __attribute__((always_inline)) void strip(const Depthwise *d, const float *from, int pixels, int y,
                                                        int x) {
  const Op *op = d->op;
  int out = offset_of(&d->target.out, y, x), residual = offset_of(&d->target.residual, y, x);
  int step = op->stride * d->in->pixel;
  const float *weights = d->packed->weights;
  for (int q = 0; q < quads_per_phase(op); q++, from += 4) {
    Sink sink = sink_of(&d->target, q);
    Vec sums[STRIP];
    UNROLL for (int i = 0; i < pixels; i++) sums[i] = load(d->packed->bias + 4 * q);
    for (int ky = 0; ky < op->kernel; ky++) {
      const float *tap = from + ky * d->in->row;
      for (int kx = 0; kx < op->kernel; kx++, tap += d->in->pixel, weights += 4) {
        Vec weight = load(weights);
        UNROLL for (int i = 0; i < pixels; i++) sums[i] = mul_add(load(tap + i * step), weight, sums[i]);
      }
    }
    UNROLL for (int i = 0; i < pixels; i++)
      finish(sink, out + i * d->target.out.pixel, residual + i * d->target.residual.pixel, sums[i]);
  }
}

static void rows(const void *context, int index, int thread) {
  (void)thread;
  const Depthwise *d = context;
  const Op *op = d->op;
  for (int y = index * ROWS; y < min(d->height, (index + 1) * ROWS); y++) {
    const float *row = d->in->data + (op->stride * y - op->pad) * d->in->row - op->pad * d->in->pixel;
    int x = 0;
    for (; x + STRIP <= d->width; x += STRIP)
      strip(d, row + x * op->stride * d->in->pixel + op->input_channel, STRIP, y, x);
    for (; x < d->width; x++) strip(d, row + x * op->stride * d->in->pixel + op->input_channel, 1, y, x);
  }
}

void run_depthwise(const Engine *e, const Op *op, const Packed *packed) {
  const Tensor *out = &e->tensors[op->output];
  Depthwise d = {op, packed, &e->tensors[op->input], target_of(e, op, 1, 0, 0), out->height, out->width};
  in_parallel(rows, &d, (d.height + ROWS - 1) / ROWS);
}
