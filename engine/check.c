// Is the plan one that the kernels can run? Everything they later take for granted is checked here,
// so that a bad plan gives an error code and never a trap or a wrong picture.
#include "engine.h"
#include "weights.h"

static int between(int low, int value, int high) { return low <= value && value <= high; }
static int quads(int channels) { return (channels + 3) / 4; }

// Channels [first, first + count) lie in tensor `index` and begin at a vector.
static int slice_exists(const Engine *e, int index, int first, int count) {
  return between(0, index, e->tensor_count - 1) && first >= 0 && first % 4 == 0 && count >= 1 &&
         (int64_t)first + count <= e->channels[index];
}

static int is_offset(int offset, int alignment) { return offset >= 0 && offset % alignment == 0; }

// Float32 numbers lie on their natural boundary.
static int offsets_valid(const Op *op) {
  return is_offset(op->weight, op->scale == -1 ? 4 : 1) && (op->scale == -1 || is_offset(op->scale, 4)) &&
         (op->bias == -1 || is_offset(op->bias, 4));
}

static int window_valid(const Op *op) {
  return between(1, op->kernel, MAX_KERNEL) && between(1, op->stride, 2) && between(0, op->pad, op->kernel - 1) &&
         between(-1, op->pad_end, op->kernel - 1) && between(0, op->reflect, 1);
}

static int norm_valid(const Op *op) {
  int counted = op->statistics == CHANNEL ? op->out_channels == op->in_channels : op->out_channels >= 1;
  return counted && op->shuffle == 1 && (op->scale == -1 || is_offset(op->scale, 4)) &&
         (op->bias == -1 || is_offset(op->bias, 4));
}

static int output_valid(const Op *op) {
  if (op->activation != NONE && op->activation != FILL) return 0;
  return op->mode != CLASSES
           ? op->shuffle == 1
           : (op->activation == FILL && between(3, op->in_channels, MAX_LABELS) && is_offset(op->weight, 1));
}

static int fields_valid(const Op *op) {
  if (!between(0, op->in_channels, MAX_CHANNELS) || !between(0, op->out_channels, MAX_COMPUTED)) return 0;
  if (op->shuffle != 1 && op->shuffle != 2 && op->shuffle != 4) return 0;
  if (!between(NONE, op->activation, SIGMOID) || (op->activation == FILL && op->op != OUTPUT)) return 0;
  if (!(op->slope >= 0 && op->slope <= 1)) return 0;
  if (!(op->epsilon >= 0 && op->epsilon <= 1)) return 0;
  if (!(op->compand >= 0 && op->compand <= MAX_COMPAND)) return 0;
  if (!between(CHANNEL, op->statistics, op->op == NORM ? FIXED_ROW : CHANNEL)) return 0;
  if (!between(RGB, op->mode, op->op == OUTPUT ? CLASSES : op->op == INPUT ? LAB : RGB)) return 0;
  if ((op->pad_end != -1 || op->reflect) && op->op != CONV && op->op != DEPTHWISE) return 0;
  if (is_conv(op) ? !offsets_valid(op) : op->op != NORM && op->residual != -1) return 0;
  switch (op->op) {
    case INPUT: return op->activation == NONE && (op->mode == RGB || op->shuffle == 1);
    case ENCLOSED: return op->activation == NONE;
    case CONV: return window_valid(op) && op->out_channels % (op->shuffle * op->shuffle) == 0;
    case CONV_TRANSPOSE: return op->kernel == 4 && op->stride == 2 && op->pad == 1 && op->shuffle == 1;
    case DEPTHWISE: return window_valid(op) && op->in_channels == op->out_channels && op->shuffle == 1;
    case COPY: return 1;
    case NORM: return norm_valid(op);
    case LABELS:
      return op->activation == NONE && op->shuffle == 1 && between(2, op->out_channels, MAX_LABELS) &&
             is_offset(op->weight, 1);
    case STYLE: return op->activation == NONE && op->shuffle == 1;
    case OUTPUT: return output_valid(op);
    default: return 0;
  }
}

static int slices_valid(const Engine *e, const Op *op) {
  int written = channels_written(op);
  if (op->op == STYLE && !between(0, op->input, e->tensor_count - 1)) return 0;
  if (reads_slice(op) && !slice_exists(e, op->input, op->input_channel, channels_read(op))) return 0;
  if (op->op != OUTPUT && !slice_exists(e, op->output, op->output_channel, written)) return 0;
  return op->residual == -1 || slice_exists(e, op->residual, op->residual_channel, written);
}

// Marks the quads (vectors of 4 channels) of a slice as written; false if one was before.
static int mark_written(uint8_t *written, int first, int count) {
  int fresh = 1;
  for (int q = first / 4; q < first / 4 + quads(count); q++) {
    fresh &= !written[q];
    written[q] = 1;
  }
  return fresh;
}

static int all_written(const uint8_t *written, int first, int count) {
  for (int q = first / 4; q < first / 4 + quads(count); q++)
    if (!written[q]) return 0;
  return 1;
}

// Every slice is written once, and before it is read: so no operation reads what it writes.
// `place[i]` is where the marks of tensor i begin.
static int order_valid(const Engine *e, uint8_t *written, const int *place) {
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    if (reads_slice(op) && !all_written(written + place[op->input], op->input_channel, channels_read(op))) return 0;
    if (op->residual != -1 &&
        !all_written(written + place[op->residual], op->residual_channel, channels_written(op))) return 0;
    if (op->op != OUTPUT && !mark_written(written + place[op->output], op->output_channel, channels_written(op)))
      return 0;
  }
  return 1;
}

static int check_order(const Engine *e) {
  void *before = heap_top();
  int64_t total = 0;
  for (int i = 0; i < e->tensor_count; i++) total += quads(e->channels[i]);
  int *place = allocate(4 * (int64_t)e->tensor_count);
  uint8_t *written = allocate(total);
  if (!place || !written) return NO_MEMORY;
  for (int64_t i = 0; i < total; i++) written[i] = 0;
  for (int i = 0, next = 0; i < e->tensor_count; i++) {
    place[i] = next;
    next += quads(e->channels[i]);
  }
  int valid = order_valid(e, written, place);
  heap_rewind(before);
  return valid ? DONE : BAD_PLAN;
}

int check_plan(const Engine *e) {
  for (int i = 0; i < e->tensor_count; i++)
    if (!between(1, e->channels[i], MAX_CHANNELS)) return BAD_PLAN;
  int outputs = 0;
  for (int i = 0; i < e->op_count; i++) {
    const Op *op = &e->ops[i];
    if (!fields_valid(op) || !slices_valid(e, op)) return BAD_PLAN;
    outputs += op->op == OUTPUT;
  }
  if (outputs != 1) return BAD_PLAN;
  int error = check_order(e);
  for (int i = 0; i < e->op_count && !error; i++)
    if (has_weights(&e->ops[i]) && end_of_weights(&e->ops[i]) > e->raw_bytes) error = SHORT_WEIGHTS;
  return error;
}
