// What lies around a tensor's pixels: zeros, or for readers that mirror, pixels from within.
#include "engine.h"
#include "simd.h"

static void clear(float *from, int floats) {
  for (int i = 0; i < floats; i += 4) store(from + i, splat(0.0f));
}

// Another tensor lay here before: the border must become zero again in every run.
void clear_border(const Tensor *t) {
  float *row = t->data - t->border * (t->row + t->pixel);
  clear(row, t->border * t->row);
  row += t->border * t->row;
  for (int y = 0; y < t->height; y++, row += t->row) {
    clear(row, t->border * t->pixel);
    clear(row + (t->border + t->width) * t->pixel, t->right * t->pixel);
  }
  clear(row, t->below * t->row);
}

// Some channels of the pixels of a tensor and its border.
typedef struct {
  float *data;              // pixel (0, 0)
  int pixel, row, channels;
} Part;

// Pixels (y, first) to (y, end - 1) become copies of pixels (from_y, from_x), (from_y, from_x + step), ...
static void copy_pixels(const Part *p, int y, int first, int end, int from_y, int from_x, int step) {
  float *to = p->data + y * p->row + first * p->pixel;
  const float *from = p->data + from_y * p->row + from_x * p->pixel;
  for (int x = first; x < end; x++, to += p->pixel, from += step * p->pixel)
    for (int c = 0; c < p->channels; c += 4) store(to + c, load(from + c));
}

static void mirror(const Part *p, int height, int width, int before, int after) {
  for (int y = 0; y < height; y++) {
    copy_pixels(p, y, -before, 0, y, before, -1);
    copy_pixels(p, y, width, width + after, y, width - 2, -1);
  }
  for (int i = 1; i <= before; i++) copy_pixels(p, -i, -before, width + after, i, -before, 1);
  for (int i = 1; i <= after; i++) copy_pixels(p, height - 1 + i, -before, width + after, height - 1 - i, -before, 1);
}

static void clear_pixels(const Part *p, int y, int first, int end) {
  float *to = p->data + y * p->row + first * p->pixel;
  for (int x = first; x < end; x++, to += p->pixel) clear(to, p->channels);
}

void prepare_border(const Engine *e, const Op *op) {
  const Tensor *t = &e->tensors[op->input];
  if (!t->mirrored) return;
  Part part = {t->data + op->input_channel, t->pixel, t->row, round_up(op->in_channels, 4)};
  if (op->reflect) {
    mirror(&part, t->height, t->width, op->pad, pad_end(op));
    return;
  }
  int left = -t->border, right = t->width + t->right;
  for (int y = left; y < t->height + t->below; y++) {
    int inside = y >= 0 && y < t->height;
    clear_pixels(&part, y, left, inside ? 0 : right);
    if (inside) clear_pixels(&part, y, t->width, right);
  }
}
