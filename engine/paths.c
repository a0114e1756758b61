// How each convolution is computed: what is fastest, as long as the weights do not take too much memory.
#include "target.h"

// Measured against direct convolution by bench/paths.py (docs/performance.md): 1.2 to 3 times as fast from 16 tiles on,
// and slower on few, where its larger weights are read for hardly any pixel. `height` and `width`: computed pixels.
static int suits_winograd(const Op *op, int height, int width) {
  if (op->op == DEPTHWISE || op->pad != 1 || pad_end(op) != 1) return DIRECT;
  int tiles = ((height + 3) / 4) * ((width + 3) / 4), narrow = min(op->in_channels, op->out_channels);
  if (op->kernel == 3 && op->stride == 1)
    return op->in_channels >= 8 && tiles >= (narrow >= 64 ? 4 : 16) ? F4X4_3X3 : DIRECT;
  if (op->kernel != 4 || op->stride != 2) return DIRECT;
  return narrow >= 16 && tiles >= 16 ? F4X4_2X2 : narrow >= 64 && tiles >= 4 ? F2X2_2X2 : DIRECT;
}

// Few pixels for many weights: reading these takes longer than to multiply.
enum { FEW_PIXELS = 96 };

static int direct_path(const Op *op, int64_t pixels) {
  return op->scale != -1 && op->op != DEPTHWISE && pixels <= FEW_PIXELS ? DIRECT_8BIT : DIRECT;
}

// A size that is not known is large.
static Size expected_size(const Engine *e, const Op *op) {
  Size size = computed_size(e, op);
  return (Size){size.height ? size.height : MAX_SIDE, size.width ? size.width : MAX_SIDE};
}

static int fastest_path(const Engine *e, const Op *op) {
  Size size = expected_size(e, op);
  int path = suits_winograd(op, size.height, size.width);
  return path == DIRECT ? direct_path(op, (int64_t)size.height * size.width) : path;
}

static int smaller_path(const Engine *e, const Op *op, int path) {
  Size size = expected_size(e, op);
  return path == F4X4_2X2 ? F2X2_2X2 : direct_path(op, (int64_t)size.height * size.width);
}

int64_t weight_bytes(const Op *op, int path) {
  if (op->op == NORM) return 0;
  if (palette_colours(op)) return 3 * palette_colours(op);
  if (is_winograd(path)) return 4 * winograd_weight_floats(op, path);
  int64_t weights = (int64_t)op->kernel * op->kernel * packed_channels(op);
  if (op->op != DEPTHWISE) weights *= round_up(op->in_channels, 4);
  return path == DIRECT_8BIT ? weights : 4 * weights;
}

// The operation whose smaller weights cost the least for each byte that they save: F(4x4, 2x2) does 0.39 of the
// multiplications with 6.25 times the weights, F(2x2, 2x2) 0.56 with 2.25. -1 if all are small.
static int cheapest_to_shrink(const Engine *e) {
  int64_t least = INT64_MAX;
  int cheapest = -1;
  for (int i = 0; i < e->op_count; i++) {
    int path = e->packed[i].path;
    Size size = expected_size(e, &e->ops[i]);
    int64_t cost = (int64_t)size.height * size.width * (path == F4X4_2X2 ? 1 : 6);
    if ((path == F4X4_2X2 || path == F2X2_2X2) && cost < least) {
      least = cost;
      cheapest = i;
    }
  }
  return cheapest;
}

// Weights may grow by half, and those of a small plan by this.
enum { SPARE_BYTES = 1 << 22 };

void choose_paths(Engine *e) {
  int64_t allowed = 0, bytes = 0;
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    if (!is_conv(op)) continue;
    int path = e->packed[i].path = fastest_path(e, op);
    bytes += weight_bytes(op, path);
    allowed += weight_bytes(op, path == F4X4_3X3 ? F4X4_3X3 : DIRECT);
  }
  allowed += allowed / 2 + SPARE_BYTES;
  for (int i; bytes > allowed && (i = cheapest_to_shrink(e)) >= 0;) {
    int *path = &e->packed[i].path, smaller = smaller_path(e, &e->ops[i], *path);
    bytes += weight_bytes(&e->ops[i], smaller) - weight_bytes(&e->ops[i], *path);
    *path = smaller;
  }
}
