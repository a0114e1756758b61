// What is a line in a drawing, and the areas that lines enclose.
#pragma once
#include "engine.h"

enum {
  MOST_AREAS = 4096,  // any more have no number
  DARK = 128,         // a grey pixel is of a line where all its channels are below
  COLOURED = 32,      // a pixel is grey where its channels differ by less
};

static inline int lightest(const uint8_t *rgba) { return max(rgba[0], max(rgba[1], rgba[2])); }
static inline int darkest(const uint8_t *rgba) { return min(rgba[0], min(rgba[1], rgba[2])); }
static inline int is_grey(const uint8_t *rgba) { return lightest(rgba) - darkest(rgba) < COLOURED; }
static inline int is_line(const uint8_t *rgba) { return is_grey(rgba) && lightest(rgba) < DARK; }

// The pixels to the left, to the right, above and below; itself where the drawing ends.
static inline void find_beside(int i, int height, int width, int beside[4]) {
  int x = i % width;
  beside[0] = x > 0 ? i - 1 : i;
  beside[1] = x < width - 1 ? i + 1 : i;
  beside[2] = i >= width ? i - width : i;
  beside[3] = i + width < height * width ? i + width : i;
}

// Numbers what hangs together side by side. `labels[1 + pixel]` is negative where there is nothing to number; elsewhere it
// becomes a number from `next` on, or 0 for what reaches the border, if that is `paper`. Returns one more than the largest.
int number_areas(int *labels, int height, int width, int next, int paper);

// `areas[1 + pixel]`: -1 for lines, 0 for paper, else the area's number, small gaps in the lines closed. Needs room for
// another 2 x (pixels + 1) ints behind. Returns one more than the largest number.
int find_areas(const uint8_t *drawing, int height, int width, int *areas);
