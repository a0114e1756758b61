// The fuzzer's target (bench/fuzz.py): a plan, its weights and two drawings, as a host hands them to the engine. Every
// answer must be one that docs/formats.md allows, and every operation must keep to its own tensors and leave their
// borders and padding channels zero.
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../api.c"
#include "input.h"

enum {
  MOST_BYTES = 1 << 22, MOST_WORK = 1 << 21,  // larger plans are checked and laid out, but not run
  MOST_SECONDS = 5,
};

#define EXPECT(fact)                                                          \
  do {                                                                        \
    if (fact) break;                                                          \
    fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #fact);        \
    abort();                                                                  \
  } while (0)

void help(int thread);  // parallel.c, for a host of threads

static int helpers;

static void *helper(void *thread) {
  help((int)(intptr_t)thread);
  return 0;
}

// HELPERS=n in the environment: so many real threads, for ThreadSanitizer.
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  const char *wanted = getenv("HELPERS");
  helpers = wanted ? min(atoi(wanted), MAX_THREADS - 1) : 0;
  for (int i = 1; i <= helpers; i++) {
    pthread_t started;
    EXPECT(!pthread_create(&started, 0, helper, (void *)(intptr_t)i));
  }
  return 0;
}

static void repeat(uint8_t *to, int64_t bytes, const uint8_t *from, int64_t count) {
  if (!count) memset(to, 0, (size_t)bytes);
  else for (; bytes > 0; bytes -= count, to += count) memcpy(to, from, (size_t)(bytes < count ? bytes : count));
}

// Where a tensor's memory begins.
static float *block_of(const Tensor *t) { return t->data - t->border * (t->row + t->pixel); }

// Tensors that live at the same time share nothing. Then each moves to a block of its own.
static void take_apart(void) {
  for (int i = 0; i < engine.tensor_count; i++) {
    Tensor *a = &engine.tensors[i];
    if (a->first < 0) continue;
    for (int j = 0; j < i; j++) {
      const Tensor *b = &engine.tensors[j];
      if (b->first < 0 || a->first > b->last || b->first > a->last) continue;
      EXPECT(a->start + a->bytes <= b->start || b->start + b->bytes <= a->start);
    }
  }
  for (int i = 0; i < engine.tensor_count; i++) {
    Tensor *t = &engine.tensors[i];
    if (t->first < 0) continue;
    uint8_t *block = malloc((size_t)t->bytes);
    EXPECT(block);
    memset(block, 0xCC, (size_t)t->bytes);
    t->data = (float *)block + t->border * (t->row + t->pixel);
  }
}

static void put_away(void) {
  for (int i = 0; i < engine.tensor_count; i++)
    if (engine.tensors[i].first >= 0) {
      float *block = block_of(&engine.tensors[i]);
      ASAN_UNPOISON_MEMORY_REGION(block, (size_t)engine.tensors[i].bytes);
      free(block);
    }
}

static int uses(const Op *op, int tensor) {
  return (reads_slice(op) && op->input == tensor) || (op->op != OUTPUT && op->output == tensor) ||
         op->residual == tensor;
}

// What an operation has no business with can not be touched while it runs.
static void lock_all_but(const Op *op) {
  for (int i = 0; i < engine.tensor_count; i++) {
    const Tensor *t = &engine.tensors[i];
    if (t->first < 0) continue;
    if (uses(op, i)) ASAN_UNPOISON_MEMORY_REGION(block_of(t), (size_t)t->bytes);
    else ASAN_POISON_MEMORY_REGION(block_of(t), (size_t)t->bytes);
  }
}

static int is_zero(const float *from, int64_t floats) {
  const uint32_t *words = (const uint32_t *)from;
  uint32_t any = 0;
  for (int64_t i = 0; i < floats; i++) any |= words[i];
  return any == 0;
}

// The border of what was just written, where no reader of another slice has mirrored pixels into it, and the channels
// that only fill up the slice's last quad.
static void expect_zeros(const Op *op) {
  const Tensor *t = &engine.tensors[op->output];
  const float *row = block_of(t);
  EXPECT(t->mirrored || is_zero(row, (int64_t)t->border * t->row));
  row += t->border * t->row;
  int end = op->output_channel + channels_written(op);
  for (int y = 0; y < t->height; y++, row += t->row) {
    EXPECT(t->mirrored || is_zero(row, t->border * t->pixel));
    EXPECT(t->mirrored || is_zero(row + (t->border + t->width) * t->pixel, t->right * t->pixel));
    for (int x = 0; x < t->width; x++)
      EXPECT(is_zero(row + (t->border + x) * t->pixel + end, round_up(end, 4) - end));
  }
  EXPECT(t->mirrored || is_zero(row, (int64_t)t->below * t->row));
}

static int64_t work(void) {
  int64_t total = 0;
  for (int i = 0; i < engine.op_count; i++) {
    const Op *op = &engine.ops[i];
    const Tensor *t = &engine.tensors[op->op == OUTPUT ? op->input : op->output];
    int64_t pixels = (int64_t)t->height * t->width, taps = is_conv(op) ? op->kernel * op->kernel * weight_depth(op) : 1;
    total += pixels * max(4, channels_written(op)) * taps;
    if (total > MOST_WORK) break;
  }
  return total;
}

static void colour(int height, int width, const uint8_t *drawing, int bytes) {
  int error = resize(height, width);
  EXPECT(error == DONE || error == NO_MEMORY || error == BAD_SIZE);
  if (error) {
    EXPECT(run(0, 0) == BAD_ORDER && input() == BAD_ORDER && output() == BAD_ORDER && peak() == BAD_ORDER);
    EXPECT(tensor(0) == BAD_ORDER);
    return;
  }
  EXPECT(run(-1, 0) == BAD_PLAN && run(1, 0) == BAD_PLAN && run(0, engine.op_count + 1) == BAD_PLAN);
  EXPECT(tensor(-1) == BAD_PLAN && tensor(engine.tensor_count) == BAD_PLAN);
  for (int i = 0; i < engine.tensor_count; i++) {
    intptr_t view = tensor(i);
    EXPECT(engine.tensors[i].first < 0 ? view == BAD_PLAN : ((const int *)view)[3] == engine.tensors[i].channels);
  }
  if (peak() > MOST_BYTES || work() > MOST_WORK) return;
  take_apart();
  repeat((uint8_t *)input(), (int64_t)height * width * 4, drawing, bytes);
  memset((uint8_t *)output(), 0, (size_t)engine.output_height * (size_t)engine.output_width * 4);
  for (int i = 0; i < engine.op_count; i++) {
    lock_all_but(&engine.ops[i]);
    EXPECT(run(i, i + 1) == DONE);
    if (engine.ops[i].op != OUTPUT) expect_zeros(&engine.ops[i]);
  }
  const uint8_t *picture = (const uint8_t *)output();
  for (int64_t i = 0; i < (int64_t)engine.output_height * engine.output_width; i++) EXPECT(picture[4 * i + 3] == 255);
  put_away();
}

// The rest of an input as coded weights. Returns whether the engine took it.
static int decode_all(const uint8_t *from, int bytes, int most) {
  uint8_t *part = (uint8_t *)coded();
  for (int made = 0; bytes > 0;) {
    int some = min(bytes, 7), now;
    memcpy(part, from, (size_t)some);
    now = decode(some);
    if (now == BAD_CODE) EXPECT(decode(0) == BAD_ORDER && load_plan(0) == BAD_ORDER);
    if (now == BAD_CODE) return 0;
    EXPECT(made <= now && now <= most);
    made = now;
    from += some;
    bytes -= some;
  }
  return 1;
}

static void try(const uint8_t *data, size_t size) {
  Input given;
  if (size < sizeof given) return;
  memcpy(&given, data, sizeof given);
  const uint8_t *rest = data + sizeof given, *end = data + size;
  intptr_t table = plan(given.tensors, given.ops);
  EXPECT(load_plan(0) == BAD_ORDER && resize(1, 1) == BAD_ORDER);
  if (table < 0) {
    EXPECT(table == BAD_PLAN && weights(0) == BAD_ORDER);
    return;
  }
  int64_t words = min((int)((end - rest) / 4), (int)table_words(&given));
  memset((void *)table, 0, 4 * (size_t)table_words(&given));
  memcpy((void *)table, rest, 4 * (size_t)words);
  rest += 4 * words;
  const uint8_t *drawing = rest;
  int drawing_bytes = min(max(given.drawing, 0), (int)(end - rest));
  rest += drawing_bytes;

  intptr_t file = weights(given.weights);
  if (file < 0) {
    EXPECT(file == BAD_PLAN || file == NO_MEMORY || file == SHORT_WEIGHTS);
    EXPECT(load_plan(given.weights) == BAD_ORDER && weights(given.weights) == BAD_ORDER);
    return;
  }
  EXPECT(resize(1, 1) == BAD_ORDER);
  if (heap_bytes() > MOST_BYTES) return;
  repeat((uint8_t *)file, given.weights, rest, end - rest);
  if (given.threads < 0 && !decode_all(rest, (int)(end - rest), given.weights)) return;
  int left = load_plan(given.weights / 2);
  EXPECT(left >= 0 && left <= given.ops);
  if (left) EXPECT(resize(1, 1) == BAD_ORDER && load_plan(given.weights) == DONE);
  EXPECT(load_plan(given.weights) == BAD_ORDER && weights(given.weights) == BAD_ORDER);
  int count = use_threads(helpers ? helpers + 1 : given.threads);
  EXPECT(1 <= count && count <= MAX_THREADS);
  *(Style *)style() = (Style){7, {0.5f, -0.25f, 1.0f}};
  for (int i = 0; i < 2; i++) colour(given.height[i], given.width[i], drawing, drawing_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  clock_t began = clock();  // of this process, however busy the machine is
  try(data, size);
  EXPECT(clock() - began < MOST_SECONDS * CLOCKS_PER_SEC);
  return 0;
}
