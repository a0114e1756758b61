// Convolution of any kernel and stride as a matrix product that gathers its rows from the bordered input, and
// transposed convolution as four 2x2 convolutions, one for each parity of the output pixel.
#include "engine.h"
#include "gemm.h"
#include "parallel.h"
#include "target.h"
#include "weights.h"

// Pixels computed together: their input and sums stay in the first-level cache while all weights pass by.
enum { BLOCK = 16 * TILE_ROWS };

typedef struct {
  const float *first;   // tap (0, 0) of computed pixel (0, 0)
  int pixel, row;       // floats from one computed pixel to the next
  int height, width;    // computed pixels
  Reach reach;
} Source;

typedef struct {
  int count;
  const float *rows[BLOCK];            // where each pixel reads
  int out[BLOCK], residual[BLOCK];     // its offsets in the target
} Block;

static void gather(Block *block, const Source *s, const Target *t, int first, int count) {
  int y = first / s->width, x = first % s->width;
  block->count = count;
  for (int i = 0; i < count; i++) {
    block->rows[i] = s->first + y * s->row + x * s->pixel;
    block->out[i] = offset_of(&t->out, y, x);
    block->residual[i] = offset_of(&t->residual, y, x);
    if (++x == s->width) {
      x = 0;
      y++;
    }
  }
}

static void finish_block(const Target *t, const Block *block, int quad, int vectors, const float *sums) {
  for (int v = 0; v < vectors; v++) {
    Sink sink = sink_of(t, quad + v);
    for (int i = 0; i < block->count; i++) finish(sink, block->out[i], block->residual[i], load(sums + 8 * i + 4 * v));
  }
}

typedef struct {
  const Engine *engine;
  Source source;
  Target target;
  const float *weights;
  const int8_t *codes;    // in place of weights; else null
  const float *bias, *scale;
  Vec curve;
  int quads;
  int parts, part_quads;  // the quads are shared out where there are too few blocks for all threads
} Product;

int64_t dequantised_floats(const Op *op) { return (int64_t)8 * op->kernel * op->kernel * round_up(op->in_channels, 4); }

// The weights of one block of channels, `depth` for each, in the scratch memory of this thread.
static const float *dequantise(const Product *p, int quad, int vectors, int depth, int thread) {
  float *first = p->engine->scratch + thread * p->engine->scratch_floats, *to = first;
  const int8_t *from = p->codes + 4 * (int64_t)quad * depth;
  Vec low = load(p->scale + 4 * quad), high = load(p->scale + 4 * (quad + vectors - 1));
  // Eight codes at a time: two input channels where the block has one vector; `depth` is a multiple of 4.
  for (int i = 0; i < depth * vectors; i += 2, from += 8, to += 8) {
    Vec codes = wasm_i16x8_load8x8(from);
    Vec first_four = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(codes));
    Vec others = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(codes));
    store(to, mul(expand(first_four, p->curve), low));
    store(to + 4, mul(expand(others, p->curve), high));
  }
  return first;
}

static void convolve_part(const void *context, int index, int thread) {
  const Product *p = context;
  const Source *s = &p->source;
  float sums[8 * BLOCK];
  Block block;
  int first = index / p->parts * BLOCK, pixels = s->height * s->width, depth = s->reach.runs * s->reach.length;
  int quad = index % p->parts * p->part_quads, end = min(p->quads, quad + p->part_quads);
  gather(&block, s, &p->target, first, min(BLOCK, pixels - first));
  for (; quad < end; quad += 2) {
    int vectors = min(2, p->quads - quad);
    const float *weights = p->codes ? dequantise(p, quad, vectors, depth, thread) : p->weights + 4 * quad * depth;
    multiply(block.rows, block.count, s->reach, weights, vectors, p->bias + 4 * quad, sums, 8);
    finish_block(&p->target, &block, quad, vectors, sums);
  }
}

// Its weights begin `first` numbers after those of the operation.
static void convolve(const Engine *e, const Op *op, const Packed *packed, int64_t first, Source source, Target target) {
  int quads = packed_channels(op) / 4, blocks = (source.height * source.width + BLOCK - 1) / BLOCK;
  int part_quads = quads_in_part(quads, blocks), parts = (quads + part_quads - 1) / part_quads;
  Product product = {
    .engine = e,
    .source = source,
    .target = target,
    .bias = packed->bias,
    .scale = packed->scale,
    .curve = curve_of(op),
    .quads = quads,
    .parts = parts,
    .part_quads = part_quads,
  };
  if (packed->path == DIRECT_8BIT) product.codes = (const int8_t *)packed->weights + first;
  else product.weights = (const float *)packed->weights + first;
  in_parallel(convolve_part, &product, blocks * parts);
}

// A kernel row is one run when the slice is the whole tensor, since the pixels then lie side by side.
static Reach reach_of(const Tensor *in, int channels, int kernel, int *starts) {
  int length = round_up(channels, 4);
  if (length == in->pixel) {
    for (int y = 0; y < kernel; y++) starts[y] = y * in->row;
    return (Reach){kernel, kernel * length, starts};
  }
  for (int i = 0; i < kernel * kernel; i++) starts[i] = i / kernel * in->row + i % kernel * in->pixel;
  return (Reach){kernel * kernel, length, starts};
}

static void run_conv(const Engine *e, const Op *op, const Packed *packed) {
  int starts[MAX_KERNEL * MAX_KERNEL];
  const Tensor *in = &e->tensors[op->input], *out = &e->tensors[op->output];
  Source source = {
    .first = in->data - op->pad * (in->row + in->pixel) + op->input_channel,
    .pixel = op->stride * in->pixel,
    .row = op->stride * in->row,
    .height = out->height / op->shuffle,
    .width = out->width / op->shuffle,
    .reach = reach_of(in, op->in_channels, op->kernel, starts),
  };
  Target target = target_of(e, op, op->shuffle, 0, 0);
  convolve(e, op, packed, 0, source, target);
}

// Output pixel (2y + dy, 2x + dx) reads input rows y - 1 + dy and y + dy, and columns likewise.
static void run_transposed(const Engine *e, const Op *op, const Packed *packed) {
  int starts[4];
  const Tensor *in = &e->tensors[op->input];
  Source s = {.pixel = in->pixel, .row = in->row, .height = in->height, .width = in->width};
  s.reach = reach_of(in, op->in_channels, 2, starts);
  int64_t weights = (int64_t)s.reach.runs * s.reach.length * packed_channels(op);
  for (int phase = 0; phase < 4; phase++) {
    int dy = phase >> 1, dx = phase & 1;
    s.first = in->data + (dy - 1) * in->row + (dx - 1) * in->pixel + op->input_channel;
    convolve(e, op, packed, phase * weights, s, target_of(e, op, 2, dy, dx));
  }
}

void run_direct(const Engine *e, const Op *op, const Packed *packed) {
  if (op->op == CONV) run_conv(e, op, packed);
  else run_transposed(e, op, packed);
}
