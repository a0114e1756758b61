// Flat colouring: each area that the drawing's lines enclose becomes one colour, the mean of what the net made of it.
#include "engine.h"

enum {
  DARK = 128,        // a grey pixel of the drawing is of a line where all its channels are below
  COLOURED = 32,     // a pixel is of a coloured stroke where its channels differ by as much,
  PALE = 192,        // or where all are below this and it is of no line: a grey one
  MOST_AREAS = 4096, // any more are left as they are
  GAP = 6,           // pixels of 256: gaps in lines of up to as many are closed
  SPREAD = 4800,     // strokes that differ more (variance, of all channels) want several colours in one area
};

// Of the pixels of an area that touch no line; [1] of those under coloured strokes, which speak for the whole area.
typedef struct {
  int count[2];
  int64_t sum[2][3];
  double squares;  // of the coloured ones
  int filled, colour[3];
} Area;

static int lightest(const uint8_t *rgba) { return max(rgba[0], max(rgba[1], rgba[2])); }
static int is_grey(const uint8_t *rgba) { return lightest(rgba) - min(rgba[0], min(rgba[1], rgba[2])) < COLOURED; }
static int is_line(const uint8_t *rgba) { return is_grey(rgba) && lightest(rgba) < DARK; }

static int find(int *parents, int i) {
  while (parents[i] != i) i = parents[i] = parents[parents[i]];
  return i;
}

static void unite(int *parents, int a, int b) {
  a = find(parents, a);
  b = find(parents, b);
  parents[max(a, b)] = min(a, b);
}

// Numbers what hangs together side by side. `labels[1 + pixel]` is negative where there is nothing to number; elsewhere it
// becomes 0 for what reaches the border (paper), else a number from `next` on. Returns one more than the largest.
static int number(int *labels, int height, int width, int next) {
  labels[0] = 0;
  for (int y = 0, i = 1; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      if (labels[i] < 0) continue;
      labels[i] = i;
      if (y == 0 || x == 0 || y == height - 1 || x == width - 1) unite(labels, 0, i);
      if (x > 0 && labels[i - 1] >= 0) unite(labels, i - 1, i);
      if (y > 0 && labels[i - width] >= 0) unite(labels, i - width, i);
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

// The least label beside a pixel; -1 where there is none.
static int label_beside(const int *labels, int i, int height, int width) {
  int x = (i - 1) % width, found = -1;
  int beside[4] = {x > 0 ? labels[i - 1] : -1, x < width - 1 ? labels[i + 1] : -1, i > width ? labels[i - width] : -1,
                   i + width <= height * width ? labels[i + width] : -1};
  for (int k = 0; k < 4; k++)
    if (beside[k] >= 0 && (found < 0 || beside[k] < found)) found = beside[k];
  return found;
}

// What would be enclosed if small gaps in the lines were closed becomes areas too.
static int close_gaps(int *areas, int *wide, int height, int width, int next) {
  int reach = max(1, GAP * width / 256 / 2);
  mark_wide_paper(areas, wide, height, width, reach);
  int end = number(wide, height, width, next), *band = wide + 1 + height * width, pixels = 0;
  if (end == next) return next;
  for (int i = 1; i <= height * width; i++)
    if (areas[i] == 0 && wide[i] < 0) band[pixels++] = i;
  for (int step = 0; step <= reach; step++) {  // back to the lines, and to the middle of the gaps
    for (int k = 0; k < pixels; k++)
      if (wide[band[k]] == -1) wide[band[k]] = -2 - label_beside(wide, band[k], height, width);
    for (int k = 0; k < pixels; k++)
      if (wide[band[k]] < -1) wide[band[k]] = -2 - wide[band[k]];
  }
  for (int i = 1; i <= height * width; i++)
    if (areas[i] == 0) areas[i] = max(0, wide[i]);
  return end;
}

// `areas[1 + pixel]`: -1 for lines, 0 for paper, else the area's number. Returns one more than the largest number.
static int find_areas(const uint8_t *drawing, int height, int width, int *areas) {
  for (int i = 0; i < height * width; i++) areas[1 + i] = is_line(drawing + 4 * i) ? -1 : 0;
  int next = number(areas, height, width, 1);
  return close_gaps(areas, areas + 1 + height * width, height, width, next);
}

// 1 for lines and all pixels that touch one, diagonally too, else 0.
static void mark_lines(const int *areas, uint8_t *at_line, int height, int width) {
  for (int i = 0; i < height * width; i++) at_line[i] = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      if (areas[1 + y * width + x] >= 0) continue;
      for (int v = max(y - 1, 0); v <= min(y + 1, height - 1); v++)
        for (int u = max(x - 1, 0); u <= min(x + 1, width - 1); u++) at_line[v * width + u] = 1;
    }
}

static void add_pixel(Area *area, const uint8_t *drawing, const uint8_t *picture) {
  int coloured = !is_grey(drawing) || lightest(drawing) < PALE;
  area->count[coloured]++;
  for (int c = 0; c < 3; c++) {
    area->sum[coloured][c] += picture[c];
    if (coloured) area->squares += picture[c] * picture[c];
  }
}

static void choose_colour(Area *area) {
  int coloured = area->count[1] > 0, count = area->count[coloured];
  if (!count) return;
  double square = 0;  // of the sums
  for (int c = 0; c < 3; c++) {
    square += (double)area->sum[coloured][c] * area->sum[coloured][c];
    area->colour[c] = (int)((2 * area->sum[coloured][c] + count) / (2 * (int64_t)count));
  }
  area->filled = !coloured || area->squares / count - square / count / count <= SPREAD;
}

int64_t fill_bytes(int height, int width) {
  return 3 * 4 * ((int64_t)height * width + 1) + (int64_t)sizeof(Area) * MOST_AREAS;
}

// The colour under a line: the mean of those around it. 0 where there are none.
static int colour_around(const int *areas, const Area *found, int y, int x, int height, int width, int colour[3]) {
  int count = 0, sum[3] = {0};
  for (int v = max(y - 1, 0); v <= min(y + 1, height - 1); v++)
    for (int u = max(x - 1, 0); u <= min(x + 1, width - 1); u++) {
      int area = areas[1 + v * width + u];
      if (area <= 0 || !found[area].filled) continue;
      count++;
      for (int c = 0; c < 3; c++) sum[c] += found[area].colour[c];
    }
  for (int c = 0; c < 3; c++) colour[c] = count ? (2 * sum[c] + count) / (2 * count) : 0;
  return count;
}

// Lines, and what touches them, are as dark as in the drawing.
void fill_areas(const Engine *e) {
  int height = e->output_height, width = e->output_width;
  Area *found = (Area *)e->areas;
  int *areas = (int *)(found + MOST_AREAS);
  int count = find_areas(e->input, height, width, areas);
  uint8_t *at_line = (uint8_t *)(areas + 1 + height * width);  // find_areas is done with this memory
  mark_lines(areas, at_line, height, width);
  for (int i = 0; i < count; i++) found[i] = (Area){0};
  for (int i = 0; i < height * width; i++)
    if (areas[1 + i] > 0 && !at_line[i]) add_pixel(&found[areas[1 + i]], e->input + 4 * i, e->output + 4 * i);
  for (int i = 1; i < count; i++) choose_colour(&found[i]);
  for (int y = 0, i = 0; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      int area = areas[1 + i], colour[3];
      if (area == 0 || (area > 0 && !found[area].filled)) continue;
      if (area > 0) for (int c = 0; c < 3; c++) colour[c] = found[area].colour[c];
      else if (!colour_around(areas, found, y, x, height, width, colour)) continue;
      int light = at_line[i] ? lightest(e->input + 4 * i) : 255;
      for (int c = 0; c < 3; c++) e->output[4 * i + c] = (uint8_t)((2 * colour[c] * light + 255) / 510);
    }
}
