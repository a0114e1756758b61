// Noise that follows from a number and the seed.
#pragma once
#include <stdint.h>

// PCG's output function (O'Neill 2014).
static inline uint32_t hash_of(uint32_t number, uint32_t seed) {
  uint32_t state = (number + seed * 0x9E3779B9u) * 747796405u + 2891336453u;
  uint32_t word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737u;
  return (word >> 22) ^ word;
}
