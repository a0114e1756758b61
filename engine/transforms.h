// The transforms of Winograd's F(m x m, r x r): m x m pixels of a convolution with r x r weights from a tile of
// (m + r - 1) x (m + r - 1) inputs, with one multiplication for each input (Lavin & Gray 2016).
#pragma once
#include "target.h"

typedef struct { int y, x, height, width; } Tile;  // its first pixel, and how much of it lies in the picture

enum { MOST_PLACES = 36, MOST_TAPS = 9 };

typedef struct {
  int tile, taps, side;  // m, r and m + r - 1
  // r * r weights -> side * side, row by row.
  void (*weights)(const Vec *taps, Vec *places);
  // `from` is the first pixel of the inputs; place i of channel c goes to to[i * plane + c].
  void (*read)(const float *from, int pixel, int row, int channels, float *to, int plane);
  // Sums in the same order -> pixels.
  void (*write)(const float *from, int plane, int quads, const Target *t, Tile tile, const float *bias);
} Transforms;

const Transforms *transforms_of(int path);  // of a Packed
