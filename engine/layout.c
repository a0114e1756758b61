// Where every tensor lies for one input size: shapes by walking the plan, zero borders as wide as the
// readers need, and one arena in which a tensor's place is used again after its last reader.
#include "engine.h"
#include "parallel.h"

enum { USUAL_SIDE = 256 };

static int conv_side(const Op *op, int side) {
  int steps = side + op->pad + pad_end(op) - op->kernel;
  return steps < 0 ? 0 : (steps / op->stride + 1) * op->shuffle;
}

// The size of what an operation writes; 0 where there is none.
static Size written_size(const Engine *e, const Op *op, Size image) {
  if (reads_drawing(op)) {
    if (image.height % op->shuffle || image.width % op->shuffle) return (Size){0, 0};
    return (Size){image.height / op->shuffle, image.width / op->shuffle};
  }
  const Tensor *in = &e->tensors[op->input];
  switch (op->op) {
    case CONV:
    case DEPTHWISE: return (Size){conv_side(op, in->height), conv_side(op, in->width)};
    case CONV_TRANSPOSE: return (Size){2 * in->height, 2 * in->width};
    case COPY:
    case OUTPUT: return (Size){op->shuffle * in->height, op->shuffle * in->width};
    default: return (Size){in->height, in->width};
  }
}

static int same_size(const Tensor *t, Size size) { return t->height == size.height && t->width == size.width; }

static int is_mirrorable(const Op *op, const Tensor *in) { return min(in->height, in->width) > max(op->pad, pad_end(op)); }

static void use(Tensor *t, int op) {
  if (t->first < 0) t->first = op;
  t->last = op;
}

static void use_areas(Engine *e, int64_t bytes) {
  if (bytes > e->areas_bytes) e->areas_bytes = bytes;
}

// Sizes and lifetimes.
static int walk(Engine *e, Size image) {
  e->areas_bytes = 0;
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    Size size = written_size(e, op, image);
    if (size.height < 1 || size.width < 1 || size.height > MAX_SIDE || size.width > MAX_SIDE) return BAD_SIZE;
    if (!reads_drawing(op)) use(&e->tensors[op->input], i);
    if (op->reflect && !is_mirrorable(op, &e->tensors[op->input])) return BAD_SIZE;
    if (op->op == OUTPUT) {
      e->output_height = size.height;
      e->output_width = size.width;
      if (needs_drawing(op) && (size.height != image.height || size.width != image.width)) return BAD_SIZE;
      if (op->activation == FILL) use_areas(e, fill_bytes(size.height, size.width));
      continue;
    }
    if (op->op == NORM && op->statistics != CHANNEL && op->out_channels != size.height) return BAD_SIZE;
    if (op->op == ENCLOSED) use_areas(e, enclosed_bytes(size.height, size.width));
    Tensor *out = &e->tensors[op->output];
    if (out->height == 0) {
      out->height = size.height;
      out->width = size.width;
    } else if (!same_size(out, size)) {
      return BAD_SIZE;
    }
    use(out, i);
    if (op->residual == -1) continue;
    if (!same_size(&e->tensors[op->residual], size)) return BAD_SIZE;
    use(&e->tensors[op->residual], i);
  }
  return DONE;
}

static void reset_tensors(Engine *e) {
  for (int i = 0; i < e->tensor_count; i++)
    e->tensors[i] = (Tensor){.channels = e->channels[i], .pixel = round_up(e->channels[i], 4), .first = -1, .last = -1};
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    if (!is_conv(op)) continue;
    Tensor *t = &e->tensors[op->input];
    t->border = max(t->border, op->pad);
    t->border_end = max(t->border_end, pad_end(op));
    t->mirrored |= op->reflect;
    if (is_winograd(e->packed[i].path)) t->whole_tiles = max(t->whole_tiles, winograd_step(op, e->packed[i].path));
  }
}

// Weights are packed before the drawing's size is known, and stay when it changes.
void expect_sizes(Engine *e) {
  reset_tensors(e);
  walk(e, (Size){USUAL_SIDE, USUAL_SIDE});
}

// Steps of tiles are powers of 2, so the largest serves all readers.
static int border_after(const Tensor *t, int side) {
  return t->whole_tiles ? max(t->border_end, round_up(side, t->whole_tiles) - side + 1) : t->border_end;
}

static void measure(Tensor *t) {
  t->below = border_after(t, t->height);
  t->right = border_after(t, t->width);
  t->row = (t->border + t->width + t->right) * t->pixel;
  t->bytes = ((int64_t)(t->border + t->height + t->below) * t->row * 4 + 63) & ~(int64_t)63;
}

static int live_together(const Tensor *a, const Tensor *b) { return a->first <= b->last && b->first <= a->last; }

// The lowest place where `t` meets no placed tensor that lives at the same time. `placed` is in order of place.
static int64_t lowest_place(const Tensor *t, Tensor *const *placed, int count) {
  int64_t start = 0;
  for (int i = 0; i < count; i++) {
    const Tensor *other = placed[i];
    if (!live_together(t, other)) continue;
    if (start + t->bytes <= other->start) break;
    if (start < other->start + other->bytes) start = other->start + other->bytes;
  }
  return start;
}

static void insert_placed(Tensor **placed, int count, Tensor *t) {
  for (; count > 0 && placed[count - 1]->start > t->start; count--) placed[count] = placed[count - 1];
  placed[count] = t;
}

static Tensor *largest_unplaced(Engine *e) {
  Tensor *largest = 0;
  for (int i = 0; i < e->tensor_count; i++) {
    Tensor *t = &e->tensors[i];
    if (t->first >= 0 && t->start < 0 && (!largest || t->bytes > largest->bytes)) largest = t;
  }
  return largest;
}

// Largest first, each at the lowest free place (Pisarchyk & Lee 2020, "greedy by size"). Returns the arena's
// bytes, or -1 without memory for the bookkeeping.
static int64_t place_tensors(Engine *e) {
  void *before = heap_top();
  Tensor **placed = allocate((int64_t)sizeof(Tensor *) * e->tensor_count);
  if (!placed) return -1;
  for (int i = 0; i < e->tensor_count; i++) e->tensors[i].start = -1;
  int64_t arena = 0;
  int count = 0;
  for (Tensor *t; (t = largest_unplaced(e)); count++) {
    t->start = lowest_place(t, placed, count);
    insert_placed(placed, count, t);
    if (t->start + t->bytes > arena) arena = t->start + t->bytes;
  }
  heap_rewind(before);
  return arena;
}

// In whole cache lines, so that no two threads write to one.
static int64_t scratch_floats(const Engine *e) {
  int64_t most = 0;
  for (int i = 0; i < e->op_count; i++) {
    int path = e->packed[i].path;
    int64_t floats = is_winograd(path) ? winograd_scratch_floats(e, &e->ops[i], path) : 0;
    if (path == DIRECT_8BIT) floats = dequantised_floats(&e->ops[i]);
    if (floats > most) most = floats;
  }
  return (most + 15) & ~(int64_t)15;
}

int lay_out(Engine *e, int height, int width) {
  if (height < 1 || width < 1 || height > MAX_SIDE || width > MAX_SIDE) return BAD_SIZE;
  reset_tensors(e);
  int error = walk(e, (Size){height, width});
  if (error) return error;
  for (int i = 0; i < e->tensor_count; i++)
    if (e->tensors[i].first >= 0) measure(&e->tensors[i]);
  int64_t bytes = place_tensors(e);
  if (bytes < 0) return NO_MEMORY;
  uint8_t *arena = allocate(bytes);
  e->input = allocate((int64_t)height * width * 4);
  e->output = allocate((int64_t)e->output_height * e->output_width * 4);
  e->scratch_floats = scratch_floats(e);
  e->scratch = allocate(4 * e->scratch_floats * threads());
  e->areas = allocate(e->areas_bytes);
  if (!arena || !e->input || !e->output || !e->scratch || !e->areas) return NO_MEMORY;
  e->input_height = height;
  e->input_width = width;
  for (int i = 0; i < e->tensor_count; i++) {
    Tensor *t = &e->tensors[i];
    if (t->first >= 0) t->data = (float *)(arena + t->start) + t->border * (t->row + t->pixel);
  }
  return DONE;
}
