// What the fuzzer makes up: this, then as int32 the channel counts and the operations, then what both drawings repeat as
// often as it takes, then what the weights file repeats. A table that is too short ends in zeros. tests/inputs.py reads
// the same.
#pragma once
#include "../engine.h"

typedef struct {
  int tensors, ops;
  int weights;              // bytes of the weights file
  int drawing;              // bytes that the drawings repeat
  int threads;
  int height[2], width[2];  // of two drawings, one after the other
} Input;

static inline int64_t table_words(const Input *input) {
  return input->tensors + (int64_t)sizeof(Op) / 4 * input->ops;
}
