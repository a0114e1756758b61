// A picture as classes: the most probable of each pixel, and which one an area gets.
#include "classes.h"
#include "noise.h"
#include "parallel.h"
#include "simd.h"

enum {
  NAT = 16,         // how finely a pixel's logits are compared
  MOST_COST = 256,  // more than 16 nats are no more
  FREE = 1024,      // 256ths of a nat that chance may add to each class: 4 nats
  ALIKE = 512,      // 256ths of a nat that it costs to have a neighbour's class
  BLOCK = 4096,     // pixels whose costs are added as 32-bit integers
};

typedef struct {
  const Tensor *tensor;
  int channel, classes, quads;
  int shift;  // 2 to this power are the pixels, across and down, that have the same logits
  Vec last;  // the lanes of the last quad that are classes
  uint8_t *output;
  uint32_t colours[MAX_LABELS];  // RGBA
} Logits;

static Logits logits_of(const Engine *e, const Op *op) {
  int quads = (op->in_channels + 3) / 4;
  return (Logits){
    .tensor = &e->tensors[op->input],
    .channel = op->input_channel,
    .classes = op->in_channels,
    .quads = quads,
    .shift = op->shuffle / 2,
    .last = lane_mask(op->in_channels - 4 * (quads - 1)),
    .output = e->output,
  };
}

static const float *row_of(const Logits *l, int y) { return l->tensor->data + y * l->tensor->row + l->channel; }

// What is no class is the least there is.
static inline Vec quad_of(const Logits *l, const float *from, int q) {
  Vec v = load(from + 4 * q);
  return q < l->quads - 1 ? v : wasm_v128_bitselect(v, splat(-__builtin_inff()), l->last);
}

static inline Vec largest_lane(Vec v) {
  v = wasm_f32x4_pmax(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  return wasm_f32x4_pmax(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
}

// The first of the largest; whatever the numbers are, it is a class.
static int most_probable(const Logits *l, const float *from) {
  Vec best = quad_of(l, from, 0), found = wasm_i32x4_splat(0);
  for (int q = 1; q < l->quads; q++) {
    Vec v = quad_of(l, from, q), more = wasm_f32x4_gt(v, best);
    best = wasm_v128_bitselect(v, best, more);
    found = wasm_v128_bitselect(wasm_i32x4_splat(4 * q), found, more);
  }
  Vec equal = wasm_f32x4_eq(best, largest_lane(best));
  Vec at = wasm_v128_bitselect(wasm_i32x4_add(found, wasm_i32x4_make(0, 1, 2, 3)), wasm_i32x4_splat(l->classes - 1), equal);
  at = wasm_i32x4_min(at, wasm_i32x4_shuffle(at, at, 2, 3, 0, 1));
  at = wasm_i32x4_min(at, wasm_i32x4_shuffle(at, at, 1, 0, 3, 2));
  return min(wasm_i32x4_extract_lane(at, 0), l->classes - 1);
}

static void classes_row(const void *context, int y, int thread) {
  (void)thread;
  const Logits *l = context;
  const float *from = row_of(l, y >> l->shift);
  int side = 1 << l->shift;
  uint32_t *to = (uint32_t *)l->output + (int64_t)y * l->tensor->width * side;
  for (int x = 0; x < l->tensor->width; x++, from += l->tensor->pixel) {
    uint32_t colour = l->colours[most_probable(l, from)];
    SMALL for (int i = 0; i < side; i++) *to++ = colour;
  }
}

void show_classes(const Engine *e, const Op *op, const uint8_t *palette) {
  Logits l = logits_of(e, op);
  SMALL for (int i = 0; i < l.classes; i++)
    l.colours[i] = palette[3 * i] | (uint32_t)palette[3 * i + 1] << 8 | (uint32_t)palette[3 * i + 2] << 16 | 255u << 24;
  in_parallel(classes_row, &l, e->output_height);
}

static inline void add_pixel(const Logits *l, const float *from, Vec *sums) {
  Vec top = quad_of(l, from, 0);
  for (int q = 1; q < l->quads; q++) top = wasm_f32x4_pmax(top, quad_of(l, from, q));
  top = largest_lane(top);
  for (int q = 0; q < l->quads; q++) {
    Vec behind = wasm_f32x4_nearest(mul(sub(top, load(from + 4 * q)), splat(NAT)));
    Vec cost = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_pmin(behind, splat(MOST_COST)));
    sums[q] = wasm_i32x4_add(sums[q], cost);
  }
}

__attribute__((minsize)) void add_costs(const Engine *e, const Op *op, const int *pixels, int count, int64_t total[MAX_LABELS]) {
  Logits l = logits_of(e, op);
  int width = l.tensor->width << l.shift;
  for (int begin = 0; begin < count; begin += BLOCK) {
    Vec sums[MAX_LABELS / 4];
    int32_t sum[MAX_LABELS];
    for (int q = 0; q < l.quads; q++) sums[q] = wasm_i32x4_splat(0);
    int y = pixels[begin] / width, end = min(count, begin + BLOCK);
    for (int k = begin; k < end; k++) {
      while (pixels[k] >= (y + 1) * width) y++;
      add_pixel(&l, row_of(&l, y >> l.shift) + ((pixels[k] - y * width) >> l.shift) * l.tensor->pixel, sums);
    }
    for (int q = 0; q < l.quads; q++) wasm_v128_store(sum + 4 * q, sums[q]);
    SMALL for (int c = 0; c < l.classes; c++) total[c] += sum[c];
  }
}

// Class 0 is paper, and no area's.
int draw_class(const int64_t *total, int classes, int pixels, uint32_t seed, uint64_t near) {
  int best = 1, found = 1, least = INT32_MAX;
  SMALL for (int c = 2; c < classes; c++)
    if (total[c] < total[best]) best = c;
  if (!seed) return best;
  int mean[MAX_LABELS], second = INT32_MAX;
  SMALL for (int c = 1; c < classes; c++) {
    mean[c] = (int)((32 * total[c] + pixels) / (2 * (int64_t)pixels));
    if (c != best) second = min(second, mean[c]);
  }
  uint32_t free = (uint32_t)(FREE + 2 * (second - mean[best]));
  SMALL for (int c = 1; c < classes; c++) {
    int chance = (int)((hash_of((uint32_t)(64 * best + c), seed) >> 16) * free >> 16);
    int cost = mean[c] - chance + (near >> c & 1 ? ALIKE : 0);
    if (cost >= least) continue;
    least = cost;
    found = c;
  }
  return found;
}
