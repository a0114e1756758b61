// How enclosed each place of the drawing is by its lines: brushes of three sizes try to come in from the border.
#include "areas.h"

enum {
  INK = 192,     // a pixel is of a line where one of its channels is below
  FAR = 254,     // more steps than any brush is wide
  BRUSHES = 3,
};
static const uint8_t SIDE[BRUSHES] = {0, 1, 3};  // places to each side of a brush's middle

// One byte for each place: steps to the nearest line and to the nearest place that a brush's middle can be at, and how many
// brushes paint it. `todo` holds places whose neighbours are still to be looked at.
typedef struct {
  uint8_t *to_line, *to_brush, *painted;
  int *todo;
} Maps;

static int has_ink(const uint8_t *rgba, int row_bytes, int factor) {
  for (int y = 0; y < factor; y++, rgba += row_bytes)
    for (int x = 0; x < factor; x++)
      if (darkest(rgba + 4 * x) < INK) return 1;
  return 0;
}

// From 0 at some places and FAR at all others to the steps to the nearest 0, diagonal ones too.
static void count_steps(uint8_t *steps, int height, int width) {
  for (int y = 0, i = 0; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      int least = steps[i];
      if (x > 0) least = min(least, steps[i - 1] + 1);
      if (y > 0)
        for (int u = max(x - 1, 0); u <= min(x + 1, width - 1); u++) least = min(least, steps[i - width + u - x] + 1);
      steps[i] = (uint8_t)least;
    }
  for (int y = height - 1, i = height * width - 1; y >= 0; y--)
    for (int x = width - 1; x >= 0; x--, i--) {
      int least = steps[i];
      if (x < width - 1) least = min(least, steps[i + 1] + 1);
      if (y < height - 1)
        for (int u = max(x - 1, 0); u <= min(x + 1, width - 1); u++) least = min(least, steps[i + width + u - x] + 1);
      steps[i] = (uint8_t)least;
    }
}

// Where the middle of a brush can come to from the border without touching a line, sideways, up and down: 0, elsewhere FAR.
static void go_in(const Maps *m, int side, int height, int width) {
  int count = 0, places = height * width;
  for (int i = 0; i < places; i++) {
    int x = i % width, at_border = i < width || i >= places - width || x == 0 || x == width - 1;
    m->to_brush[i] = at_border && m->to_line[i] > side ? 0 : FAR;
    if (!m->to_brush[i]) m->todo[count++] = i;
  }
  while (count > 0) {
    int i = m->todo[--count], x = i % width;
    int beside[4] = {x > 0 ? i - 1 : i, x < width - 1 ? i + 1 : i, i >= width ? i - width : i,
                     i + width < places ? i + width : i};
    for (int k = 0; k < 4; k++) {
      int j = beside[k];
      if (m->to_brush[j] == 0 || m->to_line[j] <= side) continue;
      m->to_brush[j] = 0;
      m->todo[count++] = j;
    }
  }
}

int64_t enclosed_bytes(int height, int width) { return (int64_t)(3 + sizeof(int)) * height * width; }

void run_enclosed(const Engine *e, const Op *op) {
  const Tensor *t = &e->tensors[op->output];
  int height = t->height, width = t->width, places = height * width, row_bytes = 4 * e->input_width;
  uint8_t *bytes = (uint8_t *)e->areas + sizeof(int) * places;
  Maps m = {bytes, bytes + places, bytes + 2 * places, (int *)e->areas};
  for (int y = 0, i = 0; y < height; y++)
    for (int x = 0; x < width; x++, i++) {
      m.to_line[i] = has_ink(e->input + op->shuffle * (y * row_bytes + 4 * x), row_bytes, op->shuffle) ? 0 : FAR;
      m.painted[i] = 0;
    }
  count_steps(m.to_line, height, width);
  for (int k = 0; k < BRUSHES; k++) {
    go_in(&m, SIDE[k], height, width);
    if (SIDE[k] > 0) count_steps(m.to_brush, height, width);
    for (int i = 0; i < places; i++) m.painted[i] += m.to_brush[i] <= SIDE[k];
  }
  for (int y = 0, i = 0; y < height; y++) {
    float *to = t->data + y * t->row + op->output_channel;
    for (int x = 0; x < width; x++, i++, to += t->pixel) {
      to[0] = (float)(BRUSHES - m.painted[i]) / BRUSHES;
      to[1] = to[2] = to[3] = 0;
    }
  }
}
