// A picture as classes, each with a colour of a palette: logits of each pixel, the class of an area.
#pragma once
#include "engine.h"

// The most probable class of each pixel, as the picture's bytes.
void show_classes(const Engine *e, const Op *op, const uint8_t *palette);

// Adds to `total` what each class costs some pixels; their numbers rise.
void add_costs(const Engine *e, const Op *op, const int *pixels, int count, int64_t total[MAX_LABELS]);

// The class of an area of so many pixels, by the seed. `near`: bits of its neighbours' classes.
int draw_class(const int64_t *total, int classes, int pixels, uint32_t seed, uint64_t near);
