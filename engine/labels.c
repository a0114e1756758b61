// The drawing as a label map: one channel for each colour of a palette, 1 in that of the nearest colour.
#include "engine.h"
#include "parallel.h"
#include "simd.h"

typedef struct {
  const Engine *engine;
  const Op *op;
  const uint8_t *palette;  // RGB, op->out_channels times
} Labels;

static int nearest(const Labels *l, const uint8_t *pixel) {
  int best = 0, least = INT32_MAX;
  SMALL for (int i = 0; i < l->op->out_channels; i++) {
    int distance = 0;
    SMALL for (int c = 0; c < 3; c++) {
      int d = pixel[c] - l->palette[3 * i + c];
      distance += d * d;
    }
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

static void labels_row(const void *context, int y, int thread) {
  (void)thread;
  const Labels *l = context;
  const Tensor *t = &l->engine->tensors[l->op->output];
  const uint8_t *from = l->engine->input + (int64_t)y * 4 * t->width, *before = from;
  float *to = t->data + y * t->row + l->op->output_channel;
  int label = nearest(l, from);
  for (int x = 0; x < t->width; x++, from += 4, to += t->pixel) {
    // mostly the colour of the pixel before
    if (from[0] != before[0] || from[1] != before[1] || from[2] != before[2]) label = nearest(l, from);
    before = from;
    SMALL for (int c = 0; c < round_up(l->op->out_channels, 4); c++) to[c] = c == label ? 1.0f : 0.0f;
  }
}

void run_labels(const Engine *e, const Op *op, const Packed *packed) {
  Labels l = {e, op, packed->weights};
  in_parallel(labels_row, &l, e->input_height);
}

void pack_palette(const Engine *e, const Op *op, const Packed *packed) {
  uint8_t *to = packed->weights;
  SMALL for (int i = 0; i < 3 * palette_colours(op); i++) to[i] = e->raw[op->weight + i];
}
