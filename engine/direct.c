// Convolution of any kernel and stride as a matrix product that gathers its rows from the bordered input, and
// transposed convolution as four 2x2 convolutions, one for each parity of the output pixel.
#include "engine.h"
#include "gemm.h"
#include "target.h"

// Pixels computed together: their input and sums stay in the first-level cache while all weights pass by.
enum { CHUNK = 16 * TILE_ROWS };

typedef struct {
  const float *first;   // tap (0, 0) of computed pixel (0, 0)
  int pixel, row;       // floats from one computed pixel to the next
  int height, width;    // computed pixels
  Reach reach;
} Source;

typedef struct {
  int count;
  const float *rows[CHUNK];            // where each pixel reads
  int out[CHUNK], residual[CHUNK];     // its offsets in the target
} Chunk;

static void gather(Chunk *chunk, const Source *s, const Target *t, int first, int count) {
  int y = first / s->width, x = first % s->width;
  chunk->count = count;
  for (int i = 0; i < count; i++) {
    chunk->rows[i] = s->first + y * s->row + x * s->pixel;
    chunk->out[i] = offset_of(&t->out, y, x);
    chunk->residual[i] = offset_of(&t->residual, y, x);
    if (++x == s->width) {
      x = 0;
      y++;
    }
  }
}

static void finish_chunk(const Target *t, const Chunk *chunk, int quad, int vectors, const float *sums) {
  for (int v = 0; v < vectors; v++) {
    Sink sink = sink_of(t, quad + v);
    for (int i = 0; i < chunk->count; i++) finish(sink, chunk->out[i], chunk->residual[i], load(sums + 8 * i + 4 * v));
  }
}

static void convolve(const Source *s, const Target *t, const float *weights, const float *bias, int quads) {
  float sums[8 * CHUNK];
  Chunk chunk;
  int pixels = s->height * s->width, depth = s->reach.runs * s->reach.length;
  for (int first = 0; first < pixels; first += CHUNK) {
    gather(&chunk, s, t, first, min(CHUNK, pixels - first));
    for (int q = 0; q < quads; q += 2) {
      int vectors = min(2, quads - q);
      multiply(chunk.rows, chunk.count, s->reach, weights + 4 * q * depth, vectors, bias + 4 * q, sums, 8);
      finish_chunk(t, &chunk, q, vectors, sums);
    }
  }
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
  Source s = {
    .first = in->data - op->pad * (in->row + in->pixel) + op->input_channel,
    .pixel = op->stride * in->pixel,
    .row = op->stride * in->row,
    .height = out->height / op->shuffle,
    .width = out->width / op->shuffle,
    .reach = reach_of(in, op->in_channels, op->kernel, starts),
  };
  Target t = target_of(e, op, op->shuffle, 0, 0);
  convolve(&s, &t, packed->weights, packed->bias, packed_channels(op) / 4);
}

// Output pixel (2y + dy, 2x + dx) reads input rows y - 1 + dy and y + dy, and columns likewise.
static void run_transposed(const Engine *e, const Op *op, const Packed *packed) {
  int starts[4];
  const Tensor *in = &e->tensors[op->input];
  Source s = {.pixel = in->pixel, .row = in->row, .height = in->height, .width = in->width};
  s.reach = reach_of(in, op->in_channels, 2, starts);
  const float *weights = packed->weights;
  for (int phase = 0; phase < 4; phase++) {
    int dy = phase >> 1, dx = phase & 1;
    s.first = in->data + (dy - 1) * in->row + (dx - 1) * in->pixel + op->input_channel;
    Target t = target_of(e, op, 2, dy, dx);
    convolve(&s, &t, weights, packed->bias, packed_channels(op) / 4);
    weights += s.reach.runs * s.reach.length * packed_channels(op);
  }
}

void run_direct(const Engine *e, const Op *op, const Packed *packed) {
  if (op->op == CONV) run_conv(e, op, packed);
  else run_transposed(e, op, packed);
}
