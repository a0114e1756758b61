// What the parts of the engine share: the plan as the host writes it, tensors, and errors.
// The meaning of what is named here is in docs/formats.md, "The plan" and "The engine"; tests compare the two.
#pragma once
#include <stdint.h>

enum {
  DONE = 0,
  BAD_PLAN = -1,
  NO_MEMORY = -2,
  SHORT_WEIGHTS = -3,
  BAD_SIZE = -4,
  BAD_ORDER = -5,
  THREAD_LOST = -6,
  BAD_CODE = -7,
};

enum { INPUT, CONV, CONV_TRANSPOSE, COPY, OUTPUT, DEPTHWISE, STYLE, ENCLOSED, NORM, LABELS };
enum { NONE, RELU, LEAKY_RELU, TANH, FILL, SIGMOID };
enum { CHANNEL, ROW, FIXED_ROW };  // statistics
enum { RGB, LAB, RGBA, CLASSES };  // modes

// Limits that keep every offset below in an int, however strange the plan.
enum {
  MAX_COUNT = 4096,
  MAX_CHANNELS = 16384,
  MAX_COMPUTED = 65536,
  MAX_KERNEL = 7,
  MAX_SIDE = 32768,
  MAX_LABELS = 64,
  MAX_COMPAND = 64,
  MAX_PAGES = 32768,
  MAX_THREADS = 16,
};

// One row of 32-bit words, in the order of docs/formats.md: the engine reads what the host wrote.
typedef struct {
  int op, input, input_channel, output, output_channel, in_channels, out_channels;
  int kernel, stride, pad, activation, shuffle, residual, residual_channel, weight, scale, bias;
  int pad_end, reflect;
  float slope, epsilon;
  int statistics, mode;
  float compand;
} Op;

// Float32 NHWC with a border of zeros (border.c), so that no kernel ever asks whether a pixel is inside.
typedef struct {
  int channels;       // as the plan says
  int border;         // zero pixels before the first row and column: the largest padding of its readers
  int border_end;     // the same after the last
  int mirrored;       // a reader wants pixels from within instead of zeros
  int whole_tiles;    // a Winograd reader also wants zeros up to the next multiple of this, and one more; else 0
  int first, last;    // operations that write it first and use it last: its place is free outside
  int height, width;  // 0 until known
  int pixel, row;     // floats from one pixel, one row, to the next
  int below, right;   // zero pixels after the last row and column
  int64_t start;      // bytes from the arena's beginning
  int64_t bytes;
  float *data;        // pixel (0, 0), channel 0
} Tensor;

// How a convolution is computed: as it is, the same with weights that stay 8-bit, or by Winograd's F(m x m, r x r).
enum { DIRECT, DIRECT_8BIT, F4X4_3X3, F4X4_2X2, F2X2_2X2 };

// Weights as the kernels read them (pack.c). The order of packed channels is that of Target (target.h).
typedef struct {
  void *weights;      // floats, or int8 codes; of labels and classes the palette
  float *bias;        // one float per packed channel, zeros where there is none
  float *scale;       // of the codes, one float per packed channel; of a normalisation
  int path;
} Packed;

// What the drawing does not say, and the host may choose.
typedef struct {
  uint32_t seed;
  float colour[3];
} Style;

typedef struct {
  int tensor_count, op_count;
  int *channels;      // tensor_count numbers, then the operations: written by the host
  Op *ops;
  Tensor *tensors;
  Packed *packed;     // one per operation
  uint8_t *raw;       // the weights file, decoded; gone when the size is set
  int raw_bytes;
  int packed_ops;     // how many operations have their weights packed
  uint8_t *input, *output;  // RGBA
  int input_height, input_width, output_height, output_width;
  const Style *style;
  float *scratch;     // for Winograd's transformed tiles and dequantised weights: one stretch for each thread
  int64_t scratch_floats;  // of one thread
  void *areas;        // for the operations that look at what the drawing's lines enclose, if there are any
  int64_t areas_bytes;
} Engine;

typedef struct { int height, width; } Size;

static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
static inline int round_up(int n, int step) { return (n + step - 1) / step * step; }
static inline int is_winograd(int path) { return path >= F4X4_3X3; }
static inline int is_conv(const Op *op) { return op->op == CONV || op->op == CONV_TRANSPOSE || op->op == DEPTHWISE; }
static inline int in_classes(const Op *op) { return op->op == OUTPUT && op->mode == CLASSES; }

// How many colours its palette has, 3 bytes each.
static inline int palette_colours(const Op *op) {
  return op->op == LABELS ? op->out_channels : in_classes(op) ? op->in_channels : 0;
}

static inline int has_weights(const Op *op) { return is_conv(op) || op->op == NORM || palette_colours(op) > 0; }

// How many input channels each output channel has weights for.
static inline int weight_depth(const Op *op) { return op->op == DEPTHWISE ? 1 : op->in_channels; }

static inline int pad_end(const Op *op) { return op->pad_end == -1 ? op->pad : op->pad_end; }

static inline int reads_drawing(const Op *op) { return op->op == INPUT || op->op == ENCLOSED || op->op == LABELS; }
static inline int needs_drawing(const Op *op) { return op->op == OUTPUT && (op->activation == FILL || op->mode == LAB); }
static inline int reads_slice(const Op *op) { return !reads_drawing(op) && op->op != STYLE; }

// How many channels an operation reads from its input, and writes to its output.
static inline int channels_read(const Op *op) {
  if (!reads_slice(op)) return 0;
  return op->op != OUTPUT || in_classes(op) ? op->in_channels : op->mode == LAB ? 2 : op->mode == RGBA ? 4 : 3;
}
static inline int channels_written(const Op *op) {
  switch (op->op) {
    case INPUT: return (op->mode == LAB ? 1 : 3) * op->shuffle * op->shuffle;
    case CONV: return op->out_channels / (op->shuffle * op->shuffle);
    case CONV_TRANSPOSE: return op->out_channels;
    case DEPTHWISE: return op->out_channels;
    case COPY:
    case NORM: return op->in_channels;
    case LABELS: return op->out_channels;
    case STYLE: return 4;
    case ENCLOSED: return 1;
    default: return 0;
  }
}

// memory.c: one heap that only grows, taken back as a stack.
void *allocate(int64_t bytes);           // 64-byte aligned; null when there is no more memory
void *heap_top(void);
void heap_rewind(void *top);             // everything above is free again; null: everything
int heap_bytes(void);

int check_plan(const Engine *e);         // check.c
void choose_paths(Engine *e);            // paths.c: for the expected sizes
int64_t weight_bytes(const Op *op, int path);  // paths.c: as packed
void expect_sizes(Engine *e);            // layout.c: of a usual drawing, as far as they are known; 0 beyond
int reserve_packed(Engine *e);           // pack.c: a place for every operation's weights, packed as the expected size wants
int pack_weights(Engine *e, int bytes);  // pack.c: what `bytes` of the file allow; how many operations are left
int lay_out(Engine *e, int height, int width);  // layout.c

// border.c
void clear_border(const Tensor *t);
void prepare_border(const Engine *e, const Op *op);  // of what a convolution reads, where some readers mirror it

// The operations.
void run_input(const Engine *e, const Op *op);
void run_output(const Engine *e, const Op *op, const Packed *packed);
void run_copy(const Engine *e, const Op *op);
void run_style(const Engine *e, const Op *op);
void run_enclosed(const Engine *e, const Op *op);
void run_lightness(const Engine *e, const Op *op);
void run_lab(const Engine *e, const Op *op);
void run_norm(const Engine *e, const Op *op, const Packed *packed);
void run_labels(const Engine *e, const Op *op, const Packed *packed);
void run_direct(const Engine *e, const Op *op, const Packed *packed);
void run_winograd(const Engine *e, const Op *op, const Packed *packed);
void run_depthwise(const Engine *e, const Op *op, const Packed *packed);

int64_t dequantised_floats(const Op *op);       // direct.c: of `scratch`, where weights stay 8-bit
void pack_norm(const Engine *e, const Op *op, const Packed *packed);
void pack_palette(const Engine *e, const Op *op, const Packed *packed);
int64_t enclosed_bytes(int height, int width);  // enclosed.c: of `areas`, for an output of this size

// fill.c
int64_t fill_bytes(int height, int width);      // of `areas`
void fill_areas(const Engine *e, const Op *op, const uint8_t *palette);

// winograd.c
int winograd_step(const Op *op, int path);  // pixels of the input from one tile to the next
int64_t winograd_weight_floats(const Op *op, int path);
int64_t winograd_scratch_floats(const Engine *e, const Op *op, int path);  // of each thread
void winograd_pack(const Engine *e, const Op *op, int path, float *to);
