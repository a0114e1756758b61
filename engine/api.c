// What the host calls, in this order: plan, weights, coded and decode if they are coded, load, threads, resize, run. An intptr_t, which is an int in
// WebAssembly, is an address or a negative error.
#include "coded.h"
#include "engine.h"
#include "parallel.h"

#define EXPORT(name) __attribute__((export_name(#name)))

typedef enum { EMPTY, PLANNED, WEIGHTED, LOADED, SIZED } Stage;

static Engine engine;
static Stage stage;
static Decoder *decoder;     // where the weights come coded
static int decoded;          // bytes of them
static Style chosen;         // stays when the model changes
static void *after_weights;  // the end of the packed weights: what resize() lays out begins here, in the file's place

EXPORT(plan) intptr_t plan(int tensors, int ops) {
  stage = EMPTY;
  heap_rewind(0);
  if (tensors < 1 || ops < 1 || tensors > MAX_COUNT || ops > MAX_COUNT) return BAD_PLAN;
  engine = (Engine){.tensor_count = tensors, .op_count = ops, .style = &chosen};
  engine.channels = allocate(4 * (int64_t)tensors + (int64_t)sizeof(Op) * ops);
  engine.tensors = allocate((int64_t)sizeof(Tensor) * tensors);
  engine.packed = allocate((int64_t)sizeof(Packed) * ops);
  if (!engine.channels || !engine.tensors || !engine.packed) return NO_MEMORY;
  engine.ops = (Op *)(engine.channels + tensors);
  for (int i = 0; i < ops; i++) engine.packed[i] = (Packed){0};
  stage = PLANNED;
  return (intptr_t)engine.channels;
}

EXPORT(weights) intptr_t weights(int bytes) {
  if (stage != PLANNED) return BAD_ORDER;
  stage = EMPTY;
  decoder = 0;
  decoded = 0;
  engine.raw_bytes = bytes;
  int error = bytes < 0 ? SHORT_WEIGHTS : check_plan(&engine);
  if (error) return error;
  expect_sizes(&engine);
  error = reserve_packed(&engine);
  if (error) return error;
  after_weights = heap_top();  // above it, the file's bytes lie until all are packed
  engine.raw = allocate(bytes);
  if (!engine.raw) return NO_MEMORY;
  stage = WEIGHTED;
  return (intptr_t)engine.raw;
}

EXPORT(coded) intptr_t coded(void) {
  if (stage != WEIGHTED) return BAD_ORDER;
  if (!decoder) {
    decoder = allocate(decoder_bytes());
    if (!decoder) return NO_MEMORY;
    start_decoder(decoder);
  }
  return (intptr_t)part_of(decoder);
}

EXPORT(decode) int decode(int bytes) {
  if ((stage != WEIGHTED && stage != LOADED) || !decoder || bytes < 0 || bytes > MOST_PART) return BAD_ORDER;
  int made = decode_part(decoder, bytes, engine.raw, decoded, engine.raw_bytes);
  if (made < 0) stage = EMPTY;
  return decoded = made;
}

EXPORT(load) int load_plan(int bytes) {
  if (stage != WEIGHTED) return BAD_ORDER;
  int left = pack_weights(&engine, bytes);
  if (left == 0) stage = LOADED;
  return left;
}

// Scratch memory is laid out for this many: the size must be set again.
EXPORT(threads) int use_threads(int count) {
  if (stage == SIZED) stage = LOADED;
  return set_threads(count);
}

EXPORT(resize) int resize(int height, int width) {
  if (stage < LOADED) return BAD_ORDER;
  stage = LOADED;
  decoder = 0;
  heap_rewind(after_weights);
  int error = lay_out(&engine, height, width);
  if (!error) stage = SIZED;
  return error;
}

EXPORT(style) intptr_t style(void) { return (intptr_t)&chosen; }

EXPORT(input) intptr_t input(void) { return stage == SIZED ? (intptr_t)engine.input : BAD_ORDER; }
EXPORT(output) intptr_t output(void) { return stage == SIZED ? (intptr_t)engine.output : BAD_ORDER; }
EXPORT(peak) int peak(void) { return stage == SIZED ? heap_bytes() : BAD_ORDER; }

static void run_op(int index) {
  const Op *op = &engine.ops[index];
  const Packed *packed = &engine.packed[index];
  if (op->op != OUTPUT && engine.tensors[op->output].first == index) clear_border(&engine.tensors[op->output]);
  if (is_conv(op)) prepare_border(&engine, op);
  switch (op->op) {
    case INPUT: run_input(&engine, op); break;
    case LABELS: run_labels(&engine, op, packed); break;
    case NORM: run_norm(&engine, op, packed); break;
    case OUTPUT: run_output(&engine, op, packed); break;
    case COPY: run_copy(&engine, op); break;
    case STYLE: run_style(&engine, op); break;
    case ENCLOSED: run_enclosed(&engine, op); break;
    case DEPTHWISE: run_depthwise(&engine, op, packed); break;
    default:
      if (is_winograd(packed->path)) run_winograd(&engine, op, packed);
      else run_direct(&engine, op, packed);
  }
}

EXPORT(run) int run(int first, int end) {
  if (stage != SIZED) return BAD_ORDER;
  if (first < 0 || first > end || end > engine.op_count) return BAD_PLAN;
  for (int i = first; i < end; i++) {
    run_op(i);
    if (thread_lost()) return THREAD_LOST;
  }
  return DONE;
}

EXPORT(tensor) intptr_t tensor(int index) {
  static int view[6];
  if (stage != SIZED) return BAD_ORDER;
  if (index < 0 || index >= engine.tensor_count || engine.tensors[index].first < 0) return BAD_PLAN;
  const Tensor *t = &engine.tensors[index];
  int values[6] = {(int)(intptr_t)t->data, t->height, t->width, t->channels, t->pixel, t->row};
  for (int i = 0; i < 6; i++) view[i] = values[i];
  return (intptr_t)view;
}
