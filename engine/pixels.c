// Bytes to numbers and back, and copies: the operations without weights.
#include "activation.h"
#include "classes.h"
#include "engine.h"
#include "noise.h"
#include "parallel.h"
#include "simd.h"

// A whole RGBA pixel is one 32-bit lane: the channel sits at bit 8 * channel.
static Vec channel_of(Vec pixels, int channel, Vec scale, Vec offset) {
  Vec bytes = wasm_v128_and(wasm_u32x4_shr(pixels, 8 * channel), wasm_i32x4_splat(255));
  return add(wasm_f32x4_div(wasm_f32x4_convert_i32x4(bytes), scale), offset);
}

// 2x2 pixels as lanes (0,0) (0,1) (1,0) (1,1) are already the order of PixelUnshuffle: channel c of the four
// becomes channels 4c ... 4c + 3.
static void unshuffle_row(const uint8_t *top, const uint8_t *bottom, float *to, int width, int step, Vec scale,
                          Vec offset) {
  for (int x = 0; x < width; x++, top += 8, bottom += 8, to += step) {
    Vec pixels = wasm_v128_load64_lane(bottom, wasm_v128_load64_zero(top), 1);
    for (int c = 0; c < 3; c++) store(to + 4 * c, channel_of(pixels, c, scale, offset));
  }
}

// 4x4 pixels: a row of four is a vector, and becomes four of the sixteen channels of c.
static void unshuffle_row_by_4(const uint8_t *from, int row_bytes, float *to, int width, int step, Vec scale,
                               Vec offset) {
  for (int x = 0; x < width; x++, from += 16, to += step)
    for (int y = 0; y < 4; y++) {
      Vec pixels = wasm_v128_load(from + y * row_bytes);
      for (int c = 0; c < 3; c++) store(to + 16 * c + 4 * y, channel_of(pixels, c, scale, offset));
    }
}

static void plain_row(const uint8_t *from, float *to, int width, int step, Vec scale, Vec offset) {
  Vec rgb = lane_mask(3);
  for (int x = 0; x < width; x++, from += 4, to += step) {
    Vec bytes = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(from)));
    Vec v = add(wasm_f32x4_div(wasm_f32x4_convert_i32x4(bytes), scale), offset);
    store(to, wasm_v128_and(v, rgb));
  }
}

// The operations below go by bands of rows.
enum { BAND = 16 };

typedef struct {
  const Engine *engine;
  const Op *op;
  int height;
  Vec scale, offset;
} Rows;

static int in_bands(int height) { return (height + BAND - 1) / BAND; }

static void input_band(const void *context, int index, int thread) {
  (void)thread;
  const Rows *r = context;
  const Op *op = r->op;
  const Tensor *t = &r->engine->tensors[op->output];
  int row_bytes = 4 * r->engine->input_width;
  for (int y = index * BAND; y < min(r->height, (index + 1) * BAND); y++) {
    float *to = t->data + y * t->row + op->output_channel;
    const uint8_t *from = r->engine->input + y * op->shuffle * row_bytes;
    if (op->shuffle == 2) unshuffle_row(from, from + row_bytes, to, t->width, t->pixel, r->scale, r->offset);
    else if (op->shuffle == 4) unshuffle_row_by_4(from, row_bytes, to, t->width, t->pixel, r->scale, r->offset);
    else plain_row(from, to, t->width, t->pixel, r->scale, r->offset);
  }
}

void run_input(const Engine *e, const Op *op) {
  if (op->mode == LAB) {
    run_lightness(e, op);
    return;
  }
  int unit = op->scale == 1;  // range [0, 1] instead of [-1, 1]
  int height = e->tensors[op->output].height;
  Rows rows = {e, op, height, splat(unit ? 255.0f : 127.5f), splat(unit ? 0.0f : -1.0f)};
  in_parallel(input_band, &rows, in_bands(height));
}

// Red, green and blue where alpha, the fourth, lets white through: levels of 255.
static Vec on_white(Vec v) {
  Vec most = splat(255.0f);
  v = wasm_f32x4_pmin(most, wasm_f32x4_pmax(splat(0.0f), v));
  Vec alpha = wasm_i32x4_shuffle(v, v, 3, 3, 3, 3);
  return add(mul(v, wasm_f32x4_div(alpha, most)), sub(most, alpha));
}

static void output_band(const void *context, int index, int thread) {
  (void)thread;
  const Rows *r = context;
  const Tensor *t = &r->engine->tensors[r->op->input];
  Vec rgb = lane_mask(3), opaque = wasm_i32x4_splat(255);
  uint8_t *to = r->engine->output + 4 * index * BAND * t->width;
  for (int y = index * BAND; y < min(r->height, (index + 1) * BAND); y++) {
    const float *from = t->data + y * t->row + r->op->input_channel;
    for (int x = 0; x < t->width; x++, from += t->pixel, to += 4) {
      Vec value = mul(add(load(from), r->offset), r->scale);
      if (r->op->mode == RGBA) value = on_white(value);
      value = wasm_f32x4_nearest(value);
      Vec whole = wasm_v128_bitselect(wasm_i32x4_trunc_sat_f32x4(value), opaque, rgb);
      Vec words = wasm_i16x8_narrow_i32x4(whole, whole);
      wasm_v128_store32_lane(to, wasm_u8x16_narrow_i16x8(words, words), 0);
    }
  }
}

void run_output(const Engine *e, const Op *op, const Packed *packed) {
  int unit = op->scale == 1;
  int height = e->tensors[op->input].height;
  Rows rows = {e, op, height, splat(unit ? 255.0f : 127.5f), splat(unit ? 0.0f : 1.0f)};
  if (op->mode == LAB) run_lab(e, op);
  else if (op->mode == CLASSES) show_classes(e, op, packed->weights);
  else in_parallel(output_band, &rows, in_bands(height));
  if (op->activation == FILL) fill_areas(e, op, packed->weights);
}

// Channel 0: noise of the pixel's number, in [-1, 1). Then the colour.
static void style_band(const void *context, int index, int thread) {
  (void)thread;
  const Rows *r = context;
  const Tensor *out = &r->engine->tensors[r->op->output];
  const Style *style = r->engine->style;
  for (int y = index * BAND; y < min(r->height, (index + 1) * BAND); y++) {
    float *to = out->data + y * out->row + r->op->output_channel;
    for (int x = 0; x < out->width; x++, to += out->pixel) {
      to[0] = (float)(int32_t)hash_of((uint32_t)(y * out->width + x), style->seed) * 0x1p-31f;
      for (int c = 0; c < 3; c++) to[c + 1] = style->colour[c];
    }
  }
}

void run_style(const Engine *e, const Op *op) {
  int height = e->tensors[op->output].height;
  in_parallel(style_band, &(Rows){.engine = e, .op = op, .height = height}, in_bands(height));
}

static void copy_band(const void *context, int index, int thread) {
  (void)thread;
  const Rows *r = context;
  const Op *op = r->op;
  const Tensor *in = &r->engine->tensors[op->input], *out = &r->engine->tensors[op->output];
  Vec last = lane_mask(op->in_channels - (round_up(op->in_channels, 4) - 4));
  Activation activation = activation_of(op);
  int halve = op->shuffle / 2;  // 1, 2, 4 -> shift by 0, 1, 2
  for (int y = index * BAND; y < min(r->height, (index + 1) * BAND); y++) {
    for (int x = 0; x < out->width; x++) {
      const float *from = in->data + (y >> halve) * in->row + (x >> halve) * in->pixel + op->input_channel;
      float *to = out->data + y * out->row + x * out->pixel + op->output_channel;
      for (int c = 0; c < op->in_channels; c += 4) {
        Vec v = activate(activation, load(from + c));
        store(to + c, c + 4 < op->in_channels ? v : wasm_v128_and(v, last));
      }
    }
  }
}

void run_copy(const Engine *e, const Op *op) {
  int height = e->tensors[op->output].height;
  in_parallel(copy_band, &(Rows){.engine = e, .op = op, .height = height}, in_bands(height));
}
