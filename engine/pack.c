// Weights from the file's order [out][kernel y][kernel x][in], 8-bit or float, to the order in which the register
// tiles read them: blocks of 8 packed channels (the last may be 4), within a block [tap][in][channel of the block].
#include "engine.h"
#include "target.h"
#include "weights.h"

static float *pack_taps(const Engine *e, const Op *op, const int *taps, int count, float *to) {
  int quads = packed_channels(op) / 4;
  for (int q = 0; q < quads; q += 2) {
    int vectors = min(2, quads - q);
    QuadWeights w[2] = {weights_of_quad(e, op, q), weights_of_quad(e, op, q + vectors - 1)};
    for (int i = 0; i < count; i++)
      for (int in = 0; in < round_up(op->in_channels, 4); in++)
        for (int v = 0; v < vectors; v++, to += 4) store(to, weight(&w[v], taps[i], in));
  }
  return to;
}

// Phase (dy, dx) of a transposed convolution meets kernel rows 3 - dy and 1 - dy, in this order, and columns likewise.
static void pack_transposed(const Engine *e, const Op *op, float *to) {
  for (int phase = 0; phase < 4; phase++) {
    int y = 3 - (phase >> 1), x = 3 - (phase & 1);
    int taps[4] = {4 * y + x, 4 * y + x - 2, 4 * (y - 2) + x, 4 * (y - 2) + x - 2};
    to = pack_taps(e, op, taps, 4, to);
  }
}

// By quads: [tap][channel of the quad].
static void pack_depthwise(const Engine *e, const Op *op, float *to) {
  for (int q = 0; q < packed_channels(op) / 4; q++) {
    QuadWeights w = weights_of_quad(e, op, q);
    for (int i = 0; i < op->kernel * op->kernel; i++, to += 4) store(to, weight(&w, i, 0));
  }
}

static void pack_direct(const Engine *e, const Op *op, float *to) {
  int taps[MAX_KERNEL * MAX_KERNEL], count = op->kernel * op->kernel;
  for (int i = 0; i < count; i++) taps[i] = i;
  pack_taps(e, op, taps, count, to);
}

static void pack_bias(const Engine *e, const Op *op, float *to) {
  for (int i = 0; i < packed_channels(op); i++) {
    int out = source_channel(op, i);
    to[i] = op->bias == -1 || out < 0 ? 0.0f : floats_at(e, op->bias)[out];
  }
}

static int64_t weight_floats(const Op *op, int winograd) {
  if (winograd) return winograd_weight_floats(op);
  if (op->op == DEPTHWISE) return (int64_t)op->kernel * op->kernel * packed_channels(op);
  return (int64_t)op->kernel * op->kernel * round_up(op->in_channels, 4) * packed_channels(op);
}

static int chooses_winograd(const Engine *e, const Op *op) {
  const Tensor *out = &e->tensors[op->output];
  int height = out->height ? out->height : MAX_SIDE, width = out->width ? out->width : MAX_SIDE;
  return suits_winograd(op, height / op->shuffle, width / op->shuffle);
}

int reserve_packed(Engine *e) {
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    Packed *packed = &e->packed[i];
    *packed = (Packed){0};
    if (!is_conv(op)) continue;
    packed->winograd = chooses_winograd(e, op);
    packed->weights = allocate(4 * weight_floats(op, packed->winograd));
    packed->bias = allocate(4 * (int64_t)packed_channels(op));
    if (!packed->weights || !packed->bias) return NO_MEMORY;
  }
  return DONE;
}

static void pack_op(const Engine *e, const Op *op, const Packed *packed) {
  pack_bias(e, op, packed->bias);
  if (packed->winograd) winograd_pack(e, op, packed->weights);
  else if (op->op == DEPTHWISE) pack_depthwise(e, op, packed->weights);
  else if (op->op == CONV) pack_direct(e, op, packed->weights);
  else pack_transposed(e, op, packed->weights);
}

int pack_weights(Engine *e, int bytes) {
  for (; e->packed_ops < e->op_count; e->packed_ops++) {
    const Op *op = &e->ops[e->packed_ops];
    if (!is_conv(op)) continue;
    if (end_of_weights(op) > bytes) return e->op_count - e->packed_ops;
    pack_op(e, op, &e->packed[e->packed_ops]);
  }
  return 0;
}
