// 3x3 convolution with stride 1, and both kinds of 4x4 with stride 2, by Winograd's minimal filtering (Lavin & Gray
// 2016): fewer multiplications, and transforms made of additions around them (transforms.c).
//
// A 4x4 convolution of stride 2 is four 2x2 convolutions, one of each parity of the input's pixels: their transformed
// products are summed before they are transformed back. A transposed one is four 2x2 convolutions as well, one for each
// parity of the output's pixels: each is a pass of its own.
//
// For a block of tiles: transform the inputs, one matrix product for each place in a transformed tile, transform the
// sums back.
#include "engine.h"
#include "gemm.h"
#include "parallel.h"
#include "transforms.h"
#include "weights.h"

// Floats of transformed inputs and sums in one block: a quarter megabyte, for the second-level cache. From half to four
// times as many, the time differs by 2 %.
enum { BLOCK_FLOATS = 1 << 16, SOME_TILES = 4 * TILE_ROWS, MAX_TILES = 16 * TILE_ROWS };
// Each block reads all weights. Where they are more floats than the third-level cache holds, blocks are as large as they
// can be: 0.8 of the time for 64 tiles and 19 MB of weights. With 9 MB and 256 tiles, large blocks take 1.1 of the time.
enum { CACHED_WEIGHTS = 1 << 22 };
// Between two places: 64 bytes more than the tiles take. A power of two would put all places of a channel into one
// cache set; up to 10 % slower (32 channels).
enum { PLANE_GAP = 16 };

static int input_phases(const Op *op) { return op->op == CONV ? op->stride * op->stride : 1; }
static int passes(const Op *op) { return op->op == CONV_TRANSPOSE ? 4 : 1; }
static int padded_in(const Op *op) { return round_up(op->in_channels, 4); }
static int depth_of(const Op *op) { return input_phases(op) * padded_in(op); }

static int places_of(int path) {
  int side = transforms_of(path)->side;
  return side * side;
}

static int64_t pass_floats(const Op *op, int path) {
  return (int64_t)places_of(path) * depth_of(op) * packed_channels(op);
}

// How many tiles a side of so many computed pixels takes.
static int tiles_along(int path, int side) {
  int tile = transforms_of(path)->tile;
  return (side + tile - 1) / tile;
}

static int tiles_in_block(const Op *op, int path, int tiles) {
  int fit = BLOCK_FLOATS / (places_of(path) * (depth_of(op) + packed_channels(op)));
  int cached = pass_floats(op, path) <= CACHED_WEIGHTS;
  int wanted = cached ? min(SOME_TILES, fit) : max(SOME_TILES, MAX_TILES / threads());
  return min(round_up(tiles, TILE_ROWS), max(TILE_ROWS, wanted / TILE_ROWS * TILE_ROWS));
}

int64_t winograd_weight_floats(const Op *op, int path) { return passes(op) * pass_floats(op, path); }

int64_t winograd_scratch_floats(const Engine *e, const Op *op, int path) {
  Size size = computed_size(e, op);
  int tiles = tiles_along(path, size.height) * tiles_along(path, size.width);
  int per_tile = depth_of(op) + packed_channels(op);
  return (int64_t)places_of(path) * (tiles_in_block(op, path, tiles) * per_tile + 2 * PLANE_GAP);
}

int winograd_step(const Op *op, int path) {
  return transforms_of(path)->tile * (op->op == CONV ? op->stride : 1);
}

// The kernel's taps behind the r x r weights of one pass and one phase of the input.
static void find_taps(const Op *op, int taps, int pass, int phase, int *found) {
  int transposed = op->op == CONV_TRANSPOSE, step = transposed ? -2 : op->stride;
  int y = transposed ? 3 - (pass >> 1) : phase >> 1, x = transposed ? 3 - (pass & 1) : phase & 1;
  for (int i = 0; i < taps * taps; i++) found[i] = op->kernel * (y + i / taps * step) + x + i % taps * step;
}

static void pack_quads(const Engine *e, const Op *op, const Transforms *t, int pass, int quad, int vectors, float *to) {
  int64_t plane = (int64_t)depth_of(op) * packed_channels(op);
  QuadWeights w[2] = {weights_of_quad(e, op, quad), weights_of_quad(e, op, quad + vectors - 1)};
  for (int phase = 0; phase < input_phases(op); phase++) {
    int taps[MOST_TAPS];
    find_taps(op, t->taps, pass, phase, taps);
    for (int in = 0; in < padded_in(op); in++)
      for (int v = 0; v < vectors; v++, to += 4) {
        Vec kernel[MOST_TAPS], places[MOST_PLACES];
        for (int i = 0; i < t->taps * t->taps; i++) kernel[i] = weight(&w[v], taps[i], in);
        t->weights(kernel, places);
        for (int i = 0; i < t->side * t->side; i++) store(to + i * plane, places[i]);
      }
  }
}

// Pass by pass; the two quads of a block lie side by side, for each place, phase of the input and channel.
void winograd_pack(const Engine *e, const Op *op, int path, float *to) {
  int quads = packed_channels(op) / 4;
  for (int pass = 0; pass < passes(op); pass++, to += pass_floats(op, path))
    for (int q = 0; q < quads; q += 2)
      pack_quads(e, op, transforms_of(path), pass, q, min(2, quads - q), to + 4 * (int64_t)q * depth_of(op));
}

typedef struct {
  const Engine *engine;
  const Transforms *transforms;
  const float *weights, *bias;
  const float *corner;     // input of the first tile
  int pixel, row;          // floats from one pixel, one row, of the input to the next
  int step;                // pixels from one of an input's phase to the next
  Target target;
  int height, width;       // computed pixels
  int across, tiles, block;
  int channels, phases;    // of the input
  int depth, quads;
} Winograd;

typedef struct {
  float *inputs, *sums;     // transformed, [place][tile][channel]
  int in_plane, sum_plane;  // floats from one place to the next
  int first, count;         // tiles
} Block;

static int places(const Winograd *w) { return w->transforms->side * w->transforms->side; }

// In the scratch memory of this thread.
static Block block_at(const Winograd *w, int index, int thread) {
  int first = index * w->block, in_plane = w->block * w->depth + PLANE_GAP;
  float *inputs = w->engine->scratch + thread * w->engine->scratch_floats;
  return (Block){
    .inputs = inputs,
    .sums = inputs + places(w) * in_plane,
    .in_plane = in_plane,
    .sum_plane = w->block * 4 * w->quads + PLANE_GAP,
    .first = first,
    .count = min(w->block, w->tiles - first),
  };
}

static Tile tile_at(const Winograd *w, int index) {
  int size = w->transforms->tile, y = index / w->across * size, x = index % w->across * size;
  return (Tile){y, x, min(size, w->height - y), min(size, w->width - x)};
}

// Tile `i` of the block.
static void transform_tile(const Winograd *w, const Block *b, int i) {
  Tile tile = tile_at(w, b->first + i);
  const float *from = w->corner + w->step * (tile.y * w->row + tile.x * w->pixel);
  float *to = b->inputs + i * w->depth;
  for (int phase = 0; phase < w->phases; phase++, to += w->channels) {
    const float *first = from + (phase >> 1) * w->row + (phase & 1) * w->pixel;
    w->transforms->read(first, w->step * w->pixel, w->step * w->row, w->channels, to, b->in_plane);
  }
}

static void multiply_place(const Winograd *w, const Block *b, int place) {
  static const float no_bias[8];
  const float *rows[MAX_TILES], *weights = w->weights + 4 * (int64_t)w->depth * place * w->quads;
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
  w->transforms->write(b->sums + i * 4 * w->quads, b->sum_plane, w->quads, &w->target, tile, w->bias);
}

// A block by one thread.
static void run_block(const void *context, int index, int thread) {
  const Winograd *w = context;
  Block b = block_at(w, index, thread);
  for (int i = 0; i < b.count; i++) transform_tile(w, &b, i);
  for (int place = 0; place < places(w); place++) multiply_place(w, &b, place);
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
    in_parallel(run_piece, &(Together){w, first, places(w), multiply_place}, count * places(w));
    in_parallel(run_piece, &(Together){w, first, w->block, finish_tile}, tiles);
  }
}

static void run_pass(const Winograd *w) {
  int blocks = (w->tiles + w->block - 1) / w->block;
  if (chunks_suffice(blocks)) in_parallel(run_block, w, blocks);
  else run_together(w, blocks);
}

void run_winograd(const Engine *e, const Op *op, const Packed *packed) {
  const Tensor *in = &e->tensors[op->input];
  Size size = computed_size(e, op);
  int across = tiles_along(packed->path, size.width), tiles = across * tiles_along(packed->path, size.height);
  Winograd w = {
    .engine = e,
    .transforms = transforms_of(packed->path),
    .bias = packed->bias,
    .pixel = in->pixel,
    .row = in->row,
    .step = op->op == CONV_TRANSPOSE ? 1 : op->stride,
    .height = size.height,
    .width = size.width,
    .across = across,
    .tiles = tiles,
    .block = tiles_in_block(op, packed->path, tiles),
    .channels = padded_in(op),
    .phases = input_phases(op),
    .depth = depth_of(op),
    .quads = packed_channels(op) / 4,
  };
  for (int pass = 0; pass < passes(op); pass++) {
    int dy = pass >> 1, dx = pass & 1;
    w.weights = (const float *)packed->weights + pass * pass_floats(op, packed->path);
    w.corner = in->data + (dy - 1) * in->row + (dx - 1) * in->pixel + op->input_channel;
    w.target = target_of(e, op, written_step(op), dy, dx);
    run_pass(&w);
  }
}
