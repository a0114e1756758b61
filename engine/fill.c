// Flat colouring: each area that the drawing's lines enclose becomes one colour, the mean of what the net made of it.
#include "engine.h"

enum {
  DARK = 128,        // a grey pixel of the drawing is of a line where all its channels are below
  COLOURED = 32,     // a pixel is of a coloured stroke where its channels differ by as much,
  PALE = 192,        // or where all are below this and it is of no line: a grey one
  MOST_AREAS = 4096, // any more are left as they are
  SPREAD = 4800,     // strokes that differ more (variance, of all channels) want several colours in one area
};

// Of the pixels of an area that touch no line; [1] of those under coloured strokes, which speak for the whole area.
typedef struct {
  int count[2], sum[2][3];
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

// Numbers the areas: `areas[1 + pixel]` becomes 0 for paper (what reaches the border), else a number from 1; -1 for
// lines. Pixels hang together side by side. Returns one more than the largest number.
static int number_areas(const uint8_t *drawing, int height, int width, int *areas) {
  areas[0] = 0;
  for (int y = 0, i = 1; y < height; y++)
    for (int x = 0; x < width; x++, i++, drawing += 4) {
      areas[i] = is_line(drawing) ? -1 : i;
      if (areas[i] < 0) continue;
      if (y == 0 || x == 0 || y == height - 1 || x == width - 1) unite(areas, 0, i);
      if (x > 0 && areas[i - 1] >= 0) unite(areas, i - 1, i);
      if (y > 0 && areas[i - width] >= 0) unite(areas, i - width, i);
    }
  int count = 1;
  for (int i = 1; i <= height * width; i++) {  // a parent comes before its children, and has its number already
    if (areas[i] < 0) continue;
    areas[i] = areas[i] < i ? areas[areas[i]] : count < MOST_AREAS ? count++ : 0;
  }
  return count;
}

static int touches_line(const int *areas, int y, int x, int height, int width) {
  for (int v = max(y - 1, 0); v <= min(y + 1, height - 1); v++)
    for (int u = max(x - 1, 0); u <= min(x + 1, width - 1); u++)
      if (areas[1 + v * width + u] < 0) return 1;
  return 0;
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
    area->colour[c] = (2 * area->sum[coloured][c] + count) / (2 * count);
  }
  area->filled = !coloured || area->squares / count - square / count / count <= SPREAD;
}

int64_t fill_bytes(int height, int width) {
  return 4 * ((int64_t)height * width + 1) + (int64_t)sizeof(Area) * MOST_AREAS;
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
  Area *found = (Area *)e->fill;
  int *areas = (int *)(found + MOST_AREAS);
  int count = number_areas(e->input, height, width, areas);
  for (int i = 0; i < count; i++) found[i] = (Area){0};
  for (int y = 0, i = 0; y < height; y++)
    for (int x = 0; x < width; x++, i++)
      if (areas[1 + i] > 0 && !touches_line(areas, y, x, height, width))
        add_pixel(&found[areas[1 + i]], e->input + 4 * i, e->output + 4 * i);
  for (int i = 1; i < count; i++) choose_colour(&found[i]);
  for (int y = 0, i = 0; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      int area = areas[1 + i], colour[3];
      if (area == 0 || (area > 0 && !found[area].filled)) continue;
      if (area > 0) for (int c = 0; c < 3; c++) colour[c] = found[area].colour[c];
      else if (!colour_around(areas, found, y, x, height, width, colour)) continue;
      int light = touches_line(areas, y, x, height, width) ? lightest(e->input + 4 * i) : 255;
      for (int c = 0; c < 3; c++) e->output[4 * i + c] = (uint8_t)((2 * colour[c] * light + 255) / 510);
    }
}
