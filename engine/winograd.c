// 3x3 convolution with stride 1 by Winograd's F(4x4, 3x3) (Lavin & Gray 2016): 36 multiplications for 16 pixels
// instead of 144, and transforms made of additions around them.
//
// A tile is 4x4 pixels of the result and the 6x6 pixels of the input that they need. For a block of tiles: transform
// the inputs, one matrix product for each of the 36 places in a tile, transform the sums back.
#include "engine.h"
#include "gemm.h"
#include "parallel.h"
#include "target.h"
#include "weights.h"

enum { PLACES = 36 };
// Floats of transformed inputs and sums in one block: a quarter megabyte, for the second-level cache. From half to four
// times as many, the time differs by 2 %.
enum { BLOCK_FLOATS = 1 << 16, MAX_TILES = 4 * TILE_ROWS };
// Between two places: 64 bytes more than the tiles take. A power of two would put all 36 places of a channel into one
// cache set; up to 10 % slower (32 channels).
enum { PLANE_GAP = 16 };

static int padded_in(const Op *op) { return round_up(op->in_channels, 4); }

static int tiles_in_block(const Op *op) {
  int fit = BLOCK_FLOATS / (PLACES * (padded_in(op) + packed_channels(op)));
  return min(MAX_TILES, max(TILE_ROWS, fit / TILE_ROWS * TILE_ROWS));
}

// Measured against direct convolution by bench/paths.py (docs/performance.md): 1.2 to 3 times as fast from 16 tiles on,
// and slower on few, where its larger weights are read for hardly any pixel. `height` and `width`: computed pixels.
int suits_winograd(const Op *op, int height, int width) {
  if (op->op != CONV || op->kernel != 3 || op->stride != 1 || op->pad != 1 || pad_end(op) != 1 || op->in_channels < 8) return 0;
  int tiles = ((height + 3) / 4) * ((width + 3) / 4), wide = min(op->in_channels, op->out_channels) >= 64;
  return tiles >= (wide ? 4 : 16);
}

int64_t winograd_weight_floats(const Op *op) { return (int64_t)PLACES * padded_in(op) * packed_channels(op); }

int64_t winograd_scratch_floats(const Op *op) {
  return (int64_t)PLACES * (tiles_in_block(op) * (padded_in(op) + packed_channels(op)) + 2 * PLANE_GAP);
}

// G: three weights in a line -> six.
static inline void transform_weights(const Vec *g, int from, Vec *to, int step) {
  Vec even = mul(add(g[0], g[2 * from]), splat(-1.0f / 6)), odd = mul(g[from], splat(-1.0f / 6));
  Vec outer = mul_add(g[2 * from], splat(1.0f / 6), mul(g[0], splat(1.0f / 24)));
  Vec inner = mul(g[from], splat(1.0f / 12));
  to[0] = mul(g[0], splat(0.25f));
  to[step] = add(even, odd);
  to[2 * step] = sub(even, odd);
  to[3 * step] = add(outer, inner);
  to[4 * step] = sub(outer, inner);
  to[5 * step] = g[2 * from];
}

static void transform_kernel(const QuadWeights *w, int in, Vec places[PLACES]) {
  Vec taps[9], columns[18];
  for (int i = 0; i < 9; i++) taps[i] = weight(w, i, in);
  for (int x = 0; x < 3; x++) transform_weights(taps + x, 3, columns + x, 3);
  for (int y = 0; y < 6; y++) transform_weights(columns + 3 * y, 1, places + 6 * y, 1);
}

// The two quads of a block lie side by side, for each place and input channel.
void winograd_pack(const Engine *e, const Op *op, float *to) {
  int quads = packed_channels(op) / 4, depth = padded_in(op);
  int64_t plane = (int64_t)4 * quads * depth;
  for (int q = 0; q < quads; q += 2) {
    int vectors = min(2, quads - q);
    QuadWeights w[2] = {weights_of_quad(e, op, q), weights_of_quad(e, op, q + vectors - 1)};
    for (int in = 0; in < depth; in++, to += 4 * vectors) {
      Vec places[2][PLACES];
      for (int v = 0; v < vectors; v++) transform_kernel(&w[v], in, places[v]);
      for (int i = 0; i < PLACES; i++)
        for (int v = 0; v < vectors; v++) store(to + i * plane + 4 * v, places[v][i]);
    }
  }
}

// B transposed: six inputs in a line -> six.
static inline __attribute__((always_inline)) void transform_input(const Vec d[6], Vec *to, int step) {
  Vec four = splat(4.0f), five = splat(5.0f);
  Vec a = mul_sub(four, d[2], d[4]), b = mul_sub(four, d[1], d[3]);
  Vec c = sub(d[4], d[2]), f = mul(splat(2.0f), sub(d[3], d[1]));
  to[0] = mul_add(four, d[0], mul_sub(five, d[2], d[4]));
  to[step] = add(a, b);
  to[2 * step] = sub(a, b);
  to[3 * step] = add(c, f);
  to[4 * step] = sub(c, f);
  to[5 * step] = mul_add(four, d[1], mul_sub(five, d[3], d[5]));
}

// A transposed: six sums in a line -> four pixels.
static inline __attribute__((always_inline)) void transform_sums(const Vec m[6], Vec *to, int step) {
  Vec s12 = add(m[1], m[2]), d12 = sub(m[1], m[2]), s34 = add(m[3], m[4]), d34 = sub(m[3], m[4]);
  to[0] = add(add(m[0], s12), s34);
  to[step] = mul_add(splat(2.0f), d34, d12);
  to[2 * step] = mul_add(splat(4.0f), s34, s12);
  to[3 * step] = add(mul_add(splat(8.0f), d34, d12), m[5]);
}

// `from` is the input's pixel one up and left of the tile; place i of channel c goes to to[i * plane + c].
static void read_tile(const float *from, int pixel, int row, int channels, float *to, int plane) {
  for (int c = 0; c < channels; c += 4, from += 4, to += 4) {
    Vec columns[PLACES];
    NO_UNROLL for (int x = 0; x < 6; x++) {
      Vec line[6];
      UNROLL for (int y = 0; y < 6; y++) line[y] = load(from + y * row + x * pixel);
      transform_input(line, columns + x, 6);
    }
    NO_UNROLL for (int y = 0; y < 6; y++) {
      Vec line[6];
      transform_input(columns + 6 * y, line, 1);
      UNROLL for (int x = 0; x < 6; x++) store(to + (6 * y + x) * plane, line[x]);
    }
  }
}

typedef struct { int y, x, height, width; } Tile;  // its first pixel, and how much of it lies in the picture

static void write_tile(const float *from, int plane, int quads, const Target *t, Tile tile, const float *bias) {
  int out = offset_of(&t->out, tile.y, tile.x), residual = offset_of(&t->residual, tile.y, tile.x);
  Slice o = t->out, r = t->residual;
  for (int q = 0; q < quads; q++, from += 4) {
    Sink sink = sink_of(t, q);
    Vec rows[24], b = load(bias + 4 * q);
    NO_UNROLL for (int x = 0; x < 6; x++) {
      Vec line[6];
      UNROLL for (int y = 0; y < 6; y++) line[y] = load(from + (6 * y + x) * plane);
      transform_sums(line, rows + x, 6);
    }
    NO_UNROLL for (int y = 0; y < tile.height; y++) {
      Vec line[4];
      transform_sums(rows + 6 * y, line, 1);
      UNROLL for (int x = 0; x < 4; x++) {
        if (x < tile.width) finish(sink, out + offset_of(&o, y, x), residual + offset_of(&r, y, x), add(line[x], b));
      }
    }
  }
}

typedef struct {
  const Engine *engine;
  const Packed *packed;
  const float *corner;     // input of the first tile
  int pixel, row;          // floats from one pixel, one row, of the input to the next
  Target target;
  int height, width;       // computed pixels
  int across, tiles, block;
  int depth, quads;
} Winograd;

typedef struct {
  float *inputs, *sums;     // transformed, [place][tile][channel]
  int in_plane, sum_plane;  // floats from one place to the next
  int first, count;         // tiles
} Block;

// In the scratch memory of this thread.
static Block block_at(const Winograd *w, int index, int thread) {
  int first = index * w->block, in_plane = w->block * w->depth + PLANE_GAP;
  float *inputs = w->engine->scratch + thread * w->engine->scratch_floats;
  return (Block){
    .inputs = inputs,
    .sums = inputs + PLACES * in_plane,
    .in_plane = in_plane,
    .sum_plane = w->block * 4 * w->quads + PLANE_GAP,
    .first = first,
    .count = min(w->block, w->tiles - first),
  };
}

static Tile tile_at(const Winograd *w, int index) {
  int y = index / w->across * 4, x = index % w->across * 4;
  return (Tile){y, x, min(4, w->height - y), min(4, w->width - x)};
}

// Tile `i` of the block.
static void transform_tile(const Winograd *w, const Block *b, int i) {
  Tile tile = tile_at(w, b->first + i);
  const float *from = w->corner + tile.y * w->row + tile.x * w->pixel;
  read_tile(from, w->pixel, w->row, w->depth, b->inputs + i * w->depth, b->in_plane);
}

static void multiply_place(const Winograd *w, const Block *b, int place) {
  static const float no_bias[8];
  const float *rows[MAX_TILES], *weights = w->packed->weights + 4 * (int64_t)w->depth * place * w->quads;
  float *sums = b->sums + place * b->sum_plane;
  int start = place * b->in_plane;
  for (int i = 0; i < b->count; i++) rows[i] = b->inputs + i * w->depth;
  for (int q = 0; q < w->quads; q += 2) {
    int vectors = min(2, w->quads - q);
    multiply(rows, b->count, (Reach){1, w->depth, &start}, weights, vectors, no_bias, sums + 4 * q, 4 * w->quads);
    weights += 4 * vectors * w->depth;
  }
}

static void finish_tile(const Winograd *w, const Block *b, int i) {
  Tile tile = tile_at(w, b->first + i);
  write_tile(b->sums + i * 4 * w->quads, b->sum_plane, w->quads, &w->target, tile, w->packed->bias);
}

// A block by one thread.
static void run_block(const void *context, int index, int thread) {
  const Winograd *w = context;
  Block b = block_at(w, index, thread);
  for (int i = 0; i < b.count; i++) transform_tile(w, &b, i);
  for (int place = 0; place < PLACES; place++) multiply_place(w, &b, place);
  for (int i = 0; i < b.count; i++) finish_tile(w, &b, i);
}

// Few blocks by all threads, step by step; each block lies in the scratch memory of another thread.
typedef struct {
  const Winograd *winograd;
  int first, pieces;  // the first block, and into how many pieces each is cut
  void (*step)(const Winograd *w, const Block *b, int piece);
} Together;

static void run_piece(const void *context, int index, int thread) {
  (void)thread;
  const Together *t = context;
  int block = index / t->pieces;
  Block b = block_at(t->winograd, t->first + block, block);
  t->step(t->winograd, &b, index % t->pieces);
}

static void run_together(const Winograd *w, int blocks) {
  for (int first = 0; first < blocks; first += threads()) {
    int count = min(threads(), blocks - first), tiles = min(count * w->block, w->tiles - first * w->block);
    in_parallel(run_piece, &(Together){w, first, w->block, transform_tile}, tiles);
    in_parallel(run_piece, &(Together){w, first, PLACES, multiply_place}, count * PLACES);
    in_parallel(run_piece, &(Together){w, first, w->block, finish_tile}, tiles);
  }
}

void run_winograd(const Engine *e, const Op *op, const Packed *packed) {
  const Tensor *in = &e->tensors[op->input], *out = &e->tensors[op->output];
  Winograd w = {
    .engine = e,
    .packed = packed,
    .corner = in->data - in->row - in->pixel + op->input_channel,
    .pixel = in->pixel,
    .row = in->row,
    .target = target_of(e, op, op->shuffle, 0, 0),
    .height = out->height / op->shuffle,
    .width = out->width / op->shuffle,
    .block = tiles_in_block(op),
    .depth = padded_in(op),
    .quads = packed_channels(op) / 4,
  };
  w.across = (w.width + 3) / 4;
  w.tiles = w.across * ((w.height + 3) / 4);
  int blocks = (w.tiles + w.block - 1) / w.block;
  if (chunks_suffice(blocks)) in_parallel(run_block, &w, blocks);
  else run_together(&w, blocks);
}
