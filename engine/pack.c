// Weights from the file's order [out][kernel y][kernel x][in], 8-bit or float, to the order in which the register
// tiles read them: blocks of 8 packed channels (the last may be 4), within a block [tap][in][channel of the block].
#include "engine.h"
#include "target.h"
#include "weights.h"

// Returns the end of what it wrote.
static void *pack_taps(const Engine *e, const Op *op, int path, const int *taps, int count, void *to) {
  int quads = packed_channels(op) / 4;
  float *floats = to;
  int8_t *codes = to;
  for (int q = 0; q < quads; q += 2) {
    int vectors = min(2, quads - q);
    QuadWeights w[2] = {weights_of_quad(e, op, q), weights_of_quad(e, op, q + vectors - 1)};
    for (int i = 0; i < count; i++)
      for (int in = 0; in < round_up(op->in_channels, 4); in++)
        for (int v = 0; v < vectors; v++, floats += 4, codes += 4) {
          if (path == DIRECT_8BIT) store_codes(codes, &w[v], taps[i], in);
          else store(floats, weight(&w[v], taps[i], in));
        }
  }
  return path == DIRECT_8BIT ? (void *)codes : floats;
}

// Phase (dy, dx) of a transposed convolution meets kernel rows 3 - dy and 1 - dy, in this order, and columns likewise.
static void pack_transposed(const Engine *e, const Op *op, const Packed *packed) {
  void *to = packed->weights;
  for (int phase = 0; phase < 4; phase++) {
    int y = 3 - (phase >> 1), x = 3 - (phase & 1);
    int taps[4] = {4 * y + x, 4 * y + x - 2, 4 * (y - 2) + x, 4 * (y - 2) + x - 2};
    to = pack_taps(e, op, packed->path, taps, 4, to);
  }
}

// By quads: [tap][channel of the quad].
static void pack_depthwise(const Engine *e, const Op *op, float *to) {
  for (int q = 0; q < packed_channels(op) / 4; q++) {
    QuadWeights w = weights_of_quad(e, op, q);
    for (int i = 0; i < op->kernel * op->kernel; i++, to += 4) store(to, weight(&w, i, 0));
  }
}

static void pack_direct(const Engine *e, const Op *op, const Packed *packed) {
  int taps[MAX_KERNEL * MAX_KERNEL], count = op->kernel * op->kernel;
  for (int i = 0; i < count; i++) taps[i] = i;
  pack_taps(e, op, packed->path, taps, count, packed->weights);
}

static void pack_bias(const Engine *e, const Op *op, float *to) {
  for (int i = 0; i < packed_channels(op); i++) {
    int out = source_channel(op, i);
    to[i] = op->bias == -1 || out < 0 ? 0.0f : floats_at(e, op->bias)[out];
  }
}

static void pack_scale(const Engine *e, const Op *op, float *to) {
  for (int i = 0; i < packed_channels(op); i++) {
    int out = source_channel(op, i);
    to[i] = out < 0 ? 0.0f : floats_at(e, op->scale)[out];
  }
}

int reserve_packed(Engine *e) {
  choose_paths(e);
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    Packed *packed = &e->packed[i];
    if (!has_weights(op)) continue;
    int64_t channels = op->op == NORM ? round_up(op->out_channels, 4) : packed_channels(op);
    packed->weights = allocate(weight_bytes(op, packed->path));
    packed->bias = allocate(4 * channels);
    packed->scale = allocate(packed->path == DIRECT_8BIT || op->op == NORM ? 4 * channels : 0);
    if (!packed->weights || !packed->bias || !packed->scale) return NO_MEMORY;
  }
  return DONE;
}

static void pack_op(const Engine *e, const Op *op, const Packed *packed) {
  if (!is_conv(op)) {
    (op->op == NORM ? pack_norm : pack_palette)(e, op, packed);
    return;
  }
  pack_bias(e, op, packed->bias);
  if (packed->path == DIRECT_8BIT) pack_scale(e, op, packed->scale);
  if (is_winograd(packed->path)) winograd_pack(e, op, packed->path, packed->weights);
  else if (op->op == DEPTHWISE) pack_depthwise(e, op, packed->weights);
  else if (op->op == CONV) pack_direct(e, op, packed);
  else pack_transposed(e, op, packed);
}

int pack_weights(Engine *e, int bytes) {
  for (; e->packed_ops < e->op_count; e->packed_ops++) {
    const Op *op = &e->ops[e->packed_ops];
    if (!has_weights(op)) continue;
    if (end_of_weights(op) > bytes) return e->op_count - e->packed_ops;
    pack_op(e, op, &e->packed[e->packed_ops]);
  }
  return 0;
}
