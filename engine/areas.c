// The areas that a drawing's lines enclose.
#include "areas.h"

enum {
  GAP = 6,       // pixels of 256: gaps in lines of up to as many are closed
  WAITING = -2,  // for a label, in the front
};

static int find(int *parents, int i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

static void unite(int *parents, int a, int b) {
  a = find(parents, a);
  b = find(parents, b);
  parents[max(a, b)] = min(a, b);
}

int number_areas(int *labels, int height, int width, int next, int paper) {
  labels[0] = 0;
  for (int y = 0, i = 1; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      if (labels[i] < 0) continue;
      int left = x > 0 && labels[i - 1] >= 0, above = y > 0 && labels[i - width] >= 0;
      labels[i] = left ? labels[i - 1] : above ? labels[i - width] : i;
      if (left && above && labels[i - width - 1] < 0) unite(labels, i - width, i);  // else they hang together already
      if (paper && labels[i] && (y == 0 || x == 0 || y == height - 1 || x == width - 1)) unite(labels, 0, i);
    }
  for (int i = 1; i <= height * width; i++) {  // a parent comes before its children, and has its number already
    if (labels[i] < 0) continue;
    labels[i] = labels[i] < i ? labels[labels[i]] : next < MOST_AREAS ? next++ : 0;
  }
  return next;
}

// Marks with 0 the paper that is more than `reach` steps to the side, up or down from any line, with -1 all else.
static void mark_wide_paper(const int *areas, int *wide, int height, int width, int reach) {
  for (int y = 0, i = 1; y < height; y++)
    for (int x = 0; x < width; x++, i++) {  // the steps, from -1 - reach on a line up to 0
      wide[i] = areas[i] < 0 ? -1 - reach : 0;
      if (x > 0) wide[i] = min(wide[i], wide[i - 1] + 1);
      if (y > 0) wide[i] = min(wide[i], wide[i - width] + 1);
    }
  for (int y = height - 1, i = height * width; y >= 0; y--)
    for (int x = width - 1; x >= 0; x--, i--) {
      if (x < width - 1) wide[i] = min(wide[i], wide[i + 1] + 1);
      if (y < height - 1) wide[i] = min(wide[i], wide[i + width] + 1);
    }
  for (int i = 1; i <= height * width; i++) wide[i] = areas[i] || wide[i] < 0 ? -1 : 0;
}

// The least label beside a pixel that has none, at `labels[i]`; -1 where there is none.
static int label_beside(const int *labels, int i, int height, int width) {
  int beside[4], found = -1;
  find_beside(i - 1, height, width, beside);
  for (int k = 0; k < 4; k++) {
    int label = labels[1 + beside[k]];
    if (label >= 0 && (found < 0 || label < found)) found = label;
  }
  return found;
}

// Adds to the front the pixels of paper beside one that have no label and are not in it. Returns how many it has then.
static int add_beside(const int *areas, int *wide, int i, int height, int width, int *front, int pixels) {
  int beside[4];
  find_beside(i - 1, height, width, beside);
  for (int k = 0; k < 4; k++) {
    int j = 1 + beside[k];
    if (areas[j] || wide[j] != -1) continue;
    wide[j] = WAITING;
    front[pixels++] = j;
  }
  return pixels;
}

// What would be enclosed if small gaps in the lines were closed becomes areas too.
static int close_gaps(int *areas, int *wide, int height, int width, int next) {
  int reach = max(1, GAP * width / 256 / 2);
  mark_wide_paper(areas, wide, height, width, reach);
  int end = number_areas(wide, height, width, next, 1), *front = wide + 1 + height * width, begin = 0, pixels = 0;
  if (end == next) return next;
  for (int i = 1; i <= height * width; i++)
    if (areas[i] == 0 && wide[i] == -1 && label_beside(wide, i, height, width) >= 0) front[pixels++] = i;
  for (int step = 0; step <= reach; step++) {  // back to the lines, and to the middle of the gaps
    int first = begin;
    begin = pixels;
    for (int k = first; k < begin; k++) wide[front[k]] = -2 - label_beside(wide, front[k], height, width);
    for (int k = first; k < begin; k++) wide[front[k]] = -2 - wide[front[k]];
    for (int k = first; k < begin; k++) pixels = add_beside(areas, wide, front[k], height, width, front, pixels);
  }
  for (int i = 1; i <= height * width; i++)
    if (areas[i] == 0) areas[i] = max(0, wide[i]);
  return end;
}

int find_areas(const uint8_t *drawing, int height, int width, int *areas) {
  for (int i = 0; i < height * width; i++) areas[1 + i] = is_line(drawing + 4 * i) ? -1 : 0;
  int next = number_areas(areas, height, width, 1, 1);
  return close_gaps(areas, areas + 1 + height * width, height, width, next);
}
