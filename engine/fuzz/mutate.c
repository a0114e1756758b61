// Changes an input as a plan, not as bytes: what comes of it is nearly valid, and so gets beyond the engine's check.
#include <string.h>
#include "../weights.h"
#include "input.h"

enum { MOST = 24, MOST_TAIL = 4096 };  // tensors and operations; bytes of drawing and weights

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

typedef struct {
  Input header;
  int channels[MOST];
  Op ops[MOST];
  uint8_t tail[MOST_TAIL];
  int tail_bytes;
} Parts;

static uint32_t state;  // of PCG, as in noise.h

static int draw(int below) {
  state = state * 747796405u + 2891336453u;
  uint32_t word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737u;
  return (int)(((word >> 22) ^ word) % (uint32_t)below);
}
static int pick(const int *values, int count) { return values[draw(count)]; }
#define PICK(...) pick((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static int some_number(void) {
  switch (draw(8)) {
    case 0: return PICK(-1, -2, -4, 2147483647, -2147483647 - 1, 16384, 16385, 65536, 32768, 4096, 1 << 20, 1 << 28);
    case 1: return 4 * draw(20);
    default: return draw(20) - 2;
  }
}
static int changed(int number) { return (int)((uint32_t)number + (uint32_t)PICK(-4, -1, 1, 4)); }
static int some_side(void) {
  return draw(20) == 0 ? PICK(0, -1, 256, 512, 32768, 32769, 4096, 1000) : 1 + draw(draw(4) ? 24 : 80);
}

static int read_parts(Parts *parts, const uint8_t *data, size_t size) {
  Input *h = &parts->header;
  if (size < sizeof *h) return 0;
  memcpy(h, data, sizeof *h);
  if (h->tensors < 1 || h->ops < 1 || h->tensors > MOST || h->ops > MOST) return 0;
  size_t channels = 4 * (size_t)h->tensors, ops = sizeof(Op) * (size_t)h->ops, tables = sizeof *h + channels + ops;
  if (size < tables || size - tables > MOST_TAIL) return 0;
  memcpy(parts->channels, data + sizeof *h, channels);
  memcpy(parts->ops, data + sizeof *h + channels, ops);
  parts->tail_bytes = (int)(size - tables);
  memcpy(parts->tail, data + tables, (size_t)parts->tail_bytes);
  return 1;
}

static size_t write_parts(const Parts *parts, uint8_t *data, size_t most) {
  const Input *h = &parts->header;
  size_t channels = 4 * (size_t)h->tensors, ops = sizeof(Op) * (size_t)h->ops, tables = sizeof *h + channels + ops;
  size_t size = tables + (size_t)parts->tail_bytes;
  if (size > most) return 0;
  memcpy(data, h, sizeof *h);
  memcpy(data + sizeof *h, parts->channels, channels);
  memcpy(data + sizeof *h + channels, parts->ops, ops);
  memcpy(data + tables, parts->tail, (size_t)parts->tail_bytes);
  return size;
}

// The plan that copies a drawing.
static void begin(Parts *parts) {
  *parts = (Parts){
    .header = {1, 2, 64, 0, 1, {8, 5}, {8, 12}},
    .channels = {3},
    .ops = {{.shuffle = 1, .residual = -1, .pad_end = -1}, {.op = OUTPUT, .shuffle = 1, .residual = -1, .pad_end = -1}},
  };
}

// A place of a slice of 4, not always the first.
static int some_channel(int channels) { return draw(3) ? 0 : 4 * draw((channels + 3) / 4); }

static void insert_op(Parts *parts, int at, Op op) {
  Input *h = &parts->header;
  memmove(&parts->ops[at + 1], &parts->ops[at], sizeof(Op) * (size_t)(h->ops - at));
  parts->ops[at] = op;
  h->ops++;
}

static void remove_op(Parts *parts, int at) {
  Input *h = &parts->header;
  if (h->ops > 1) memmove(&parts->ops[at], &parts->ops[at + 1], sizeof(Op) * (size_t)(--h->ops - at));
}

// An operation that reads what is there, and a place for what it writes, which may be behind another's in one tensor.
static void add_op(Parts *parts) {
  Input *h = &parts->header;
  if (h->tensors == MOST || h->ops == MOST) return;
  int source = draw(h->tensors), have = parts->channels[source];
  if (have < 1 || have > 512) return;
  Op op = {
    .op = draw(LABELS + 1), .input = source, .stride = 1, .shuffle = 1, .residual = -1, .scale = -1, .bias = -1,
    .pad_end = -1, .slope = (float)draw(5) / 4,
  };
  if (op.op == OUTPUT) op.op = CONV;
  op.input_channel = some_channel(have);
  op.in_channels = draw(3) ? have - op.input_channel : 1 + draw(have - op.input_channel);
  op.out_channels = PICK(1, 3, 4, 5, 8, 12, 16, 20, 64);
  if (is_conv(&op)) {
    op.weight = 4 * draw(40);
    if (draw(2)) op.scale = 4 * draw(40), op.compand = (float)draw(4) / 2;
    if (draw(2)) op.bias = 4 * draw(40);
    if (draw(6) == 0) op.residual = draw(h->tensors);
  }
  op.kernel = op.op == CONV_TRANSPOSE ? 4 : draw(2) ? 3 : 1 + draw(MAX_KERNEL + 1);
  op.pad = op.op == CONV_TRANSPOSE ? 1 : draw(2) ? op.kernel / 2 : draw(op.kernel);
  op.stride = op.op == CONV_TRANSPOSE ? 2 : 1 + (draw(4) == 0);
  if (op.op == DEPTHWISE) op.out_channels = op.in_channels;
  if (op.op == INPUT || op.op == ENCLOSED || op.op == COPY || op.op == CONV) op.shuffle = PICK(1, 1, 2, 4);
  if (op.op == CONV) op.out_channels *= op.shuffle * op.shuffle;
  if (op.op == NORM) {
    op.epsilon = (float)draw(3) / 64;
    op.out_channels = op.in_channels;
    if (draw(4) == 0) op.statistics = 1 + draw(2), op.out_channels = h->height[0];
    if (draw(2)) op.scale = 4 * draw(40);
    if (draw(2)) op.bias = 4 * draw(40);
    if (draw(6) == 0) op.residual = draw(h->tensors);
  }
  if (op.op == LABELS) op.weight = draw(40), op.out_channels = 2 + draw(draw(4) ? 8 : MAX_LABELS);
  if (op.op == INPUT) op.mode = draw(6) == 0;
  if (op.op == CONV || op.op == DEPTHWISE) {
    if (draw(3) == 0) op.pad_end = draw(op.kernel);
    op.reflect = draw(3) == 0;
  }
  if (op.mode == LAB) op.shuffle = 1;
  if (is_conv(&op) || op.op == COPY || op.op == NORM) op.activation = PICK(NONE, RELU, LEAKY_RELU, TANH, SIGMOID);
  int written = channels_written(&op);
  op.output = draw(3) ? h->tensors++ : draw(h->tensors);
  if (op.output == h->tensors - 1 && draw(3)) parts->channels[op.output] = written + (draw(3) ? 0 : draw(9));
  else {
    op.output_channel = round_up(max(0, min(parts->channels[op.output], 512)), 4);
    parts->channels[op.output] = op.output_channel + written;
  }
  if (has_weights(&op) && end_of_weights(&op) > h->weights) h->weights = (int)end_of_weights(&op);
  int last = h->ops;
  for (int i = 0; i < h->ops; i++)
    if (parts->ops[i].op == OUTPUT) last = i;
  insert_op(parts, last, op);
  if (last + 1 < h->ops && written >= 3 && draw(3)) {
    parts->ops[last + 1].input = op.output;
    parts->ops[last + 1].input_channel = op.output_channel;
  }
}

// With a palette in the weights.
static void show_classes_of(Input *h, Op *output) {
  output->mode = CLASSES;
  output->activation = FILL;
  output->in_channels = 3 + draw(draw(4) ? 10 : MAX_LABELS);
  output->weight = draw(40);
  h->weights = max(h->weights, (int)end_of_weights(output));
}

static void change_field(Parts *parts) {
  Op *op = &parts->ops[draw(parts->header.ops)];
  int *fields = (int *)op, field = 1 + draw((int)sizeof(Op) / 4 - 1);
  fields[field] = draw(3) ? some_number() : changed(fields[field]);
  int *tensors[] = {&op->input, &op->output, &op->residual};
  if (draw(5) == 0) *tensors[draw(3)] = draw(parts->header.tensors + 2) - 1;
  if (draw(30) == 0) op->op = draw(LABELS + 2);
}

// Lines and dots on the drawing, which is of the first size.
static void draw_line(Parts *parts) {
  Input *h = &parts->header;
  int height = h->height[0], width = h->width[0];
  if (height < 1 || width < 1 || (int64_t)height * width * 4 > MOST_TAIL / 2) return;
  int bytes = height * width * 4, rest = max(0, parts->tail_bytes - max(0, h->drawing));
  rest = min(rest, MOST_TAIL - bytes);
  if (h->drawing != bytes) {
    memmove(parts->tail + bytes, parts->tail + parts->tail_bytes - rest, (size_t)rest);
    memset(parts->tail, 255, (size_t)bytes);
    h->drawing = bytes;
    parts->tail_bytes = bytes + rest;
  }
  int x = draw(width), y = draw(height), grey = draw(3), level = PICK(0, 0, 127, 128, 191, 192, 255);
  int rgb[3] = {level, grey ? level : draw(256), grey ? level : draw(256)};
  for (int n = draw(2) ? draw(height + width) : 1; n >= 0; n--) {
    for (int c = 0; c < 3; c++) parts->tail[4 * (y * width + x) + c] = (uint8_t)rgb[c];
    int step = draw(2) ? 1 : -1, *along = n % 4 ? &x : &y;
    *along = min(max(*along + step, 0), (along == &x ? width : height) - 1);
  }
}

static void mutate(Parts *parts) {
  Input *h = &parts->header;
  switch (draw(16)) {
    case 0: case 1: case 2: case 3: add_op(parts); break;
    case 4: case 5: case 6: change_field(parts); break;
    case 7: parts->channels[draw(h->tensors)] = draw(3) ? 1 + draw(24) : some_number(); break;
    case 8: case 9: {
      int i = draw(2);
      if (draw(2)) h->height[i] = some_side();
      if (draw(2)) h->width[i] = some_side();
      if (draw(2)) h->height[i] = h->height[i] / 4 * 4;
      if (draw(2)) h->width[i] = h->width[i] / 4 * 4;
      break;
    }
    case 10: h->weights = draw(2) ? changed(h->weights) : draw(5) ? 4 * draw(2000) : some_number(); break;
    case 11: h->threads = draw(5) ? 1 + draw(17) : some_number(); break;
    case 12: remove_op(parts, draw(h->ops)); break;
    case 13: {
      int a = draw(h->ops), b = draw(h->ops);
      Op op = parts->ops[a];
      parts->ops[a] = parts->ops[b];
      parts->ops[b] = op;
      break;
    }
    case 14: {
      Op *output = &parts->ops[draw(h->ops)];
      if (output->op == OUTPUT) output->activation = draw(2) * FILL, output->scale = draw(3) - 1, output->mode = draw(3);
      if (output->op == OUTPUT && draw(3) == 0) show_classes_of(h, output);
      draw_line(parts);
      break;
    }
    default: parts->tail_bytes = (int)LLVMFuzzerMutate(parts->tail, (size_t)parts->tail_bytes, MOST_TAIL);
  }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  state = seed;
  Parts parts;
  if (!read_parts(&parts, data, size)) {
    if (size >= sizeof(Input) && draw(4)) return LLVMFuzzerMutate(data, size, most);
    begin(&parts);
  }
  if (draw(50) == 0) return LLVMFuzzerMutate(data, size, most);
  for (int n = 1 + draw(draw(2) ? 1 : 5); n > 0; n--) mutate(&parts);
  size_t made = write_parts(&parts, data, most);
  return made ? made : LLVMFuzzerMutate(data, size, most);
}
