// CIE L*a*b* with the white of D65: the drawing's lightness as a channel, and a picture of a and b with that lightness.
#include "engine.h"
#include "parallel.h"
#include "simd.h"

static const float LUMINANCE[3] = {0.212671f, 0.715160f, 0.072169f};  // Y of linear red, green, blue
static const float RGB_OF[3][3] = {  // linear red, green, blue of X, Y, Z as parts of the white
  {3.0799803f, -1.53715152f, -0.54282131f},
  {-0.92124775f, 1.87599f, 0.04524734f},
  {0.05289046f, -0.20404134f, 1.15123201f},
};
static const float LINEAR_FROM = 6.0f / 29, SLOPE = 3 * 6.0f / 29 * 6.0f / 29;

typedef struct {
  const Engine *engine;
  const Op *op;
  float linear[256];  // of a byte, without the gamma of sRGB
} Lab;

static Lab lab_of(const Engine *e, const Op *op) {
  Lab lab = {.engine = e, .op = op};
  SMALL for (int i = 0; i < 256; i++) {
    double x = i / 255.0, base = (x + 0.055) / 1.055, square = base * base, root = 1;  // base^2.4 = base^2 * base^(2/5)
    SMALL for (int n = 0; n < 20; n++) root -= (root - square / (root * root * root * root)) / 5;
    lab.linear[i] = (float)(x <= 0.04045 ? x / 12.92 : square * root);
  }
  return lab;
}

// Of a number from 1e-6 to 10: a third of the exponent, then Newton.
static float cube_root(float x) {
  union { float number; uint32_t bits; } root = {.number = x};
  root.bits = root.bits / 3 + 0x2a517d47u;
  float t = root.number;
  SMALL for (int i = 0; i < 3; i++) t = (2 * t + x / (t * t)) * (1.0f / 3);
  return t;
}

// (L* + 16) / 116
static float level_of(const Lab *lab, const uint8_t *pixel) {
  float y = 0;
  SMALL for (int c = 0; c < 3; c++) y += LUMINANCE[c] * lab->linear[pixel[c]];
  return y > LINEAR_FROM * LINEAR_FROM * LINEAR_FROM ? cube_root(y) : y / SLOPE + 4.0f / 29;
}

static float part_of_white(float f) { return f > LINEAR_FROM ? f * f * f : SLOPE * (f - 4.0f / 29); }

// x^(1 / 2.4) = r * r^(1/4) with r the cube root
static uint8_t byte_of(float x) {
  float root = x > 0.0031308f ? cube_root(x < 1 ? x : 1) : 0;
  float y = root > 0 ? 1.055f * root * __builtin_sqrtf(__builtin_sqrtf(root)) - 0.055f : 12.92f * (x > 0 ? x : 0);
  return (uint8_t)__builtin_rintf(255 * (y < 1 ? y : 1));
}

static void lightness_row(const void *context, int y, int thread) {
  (void)thread;
  const Lab *lab = context;
  const Tensor *t = &lab->engine->tensors[lab->op->output];
  const uint8_t *from = lab->engine->input + (int64_t)y * 4 * t->width;
  float *to = t->data + y * t->row + lab->op->output_channel;
  for (int x = 0; x < t->width; x++, from += 4, to += t->pixel) {
    to[0] = 2.32f * level_of(lab, from) - 1.32f;  // L* / 50 - 1
    to[1] = to[2] = to[3] = 0;
  }
}

void run_lightness(const Engine *e, const Op *op) {
  Lab lab = lab_of(e, op);
  in_parallel(lightness_row, &lab, e->input_height);
}

static void lab_row(const void *context, int y, int thread) {
  (void)thread;
  const Lab *lab = context;
  const Tensor *t = &lab->engine->tensors[lab->op->input];
  int64_t start = (int64_t)y * 4 * t->width;
  const uint8_t *drawing = lab->engine->input + start;
  uint8_t *to = lab->engine->output + start;
  const float *from = t->data + y * t->row + lab->op->input_channel;
  for (int x = 0; x < t->width; x++, from += t->pixel, drawing += 4, to += 4) {
    float level = level_of(lab, drawing), white[3] = {
      part_of_white(level + 110.0f / 500 * from[0]), part_of_white(level), part_of_white(level - 110.0f / 200 * from[1]),
    };
    SMALL for (int c = 0; c < 3; c++)
      to[c] = byte_of(RGB_OF[c][0] * white[0] + RGB_OF[c][1] * white[1] + RGB_OF[c][2] * white[2]);
    to[3] = 255;
  }
}

void run_lab(const Engine *e, const Op *op) {
  Lab lab = lab_of(e, op);
  in_parallel(lab_row, &lab, e->output_height);
}
