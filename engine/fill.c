// Flat colouring: what the drawing's lines enclose becomes one colour, and what they leave open a few.
#include "areas.h"
#include "classes.h"

enum {
  PALE = 24,        // open paper becomes white where all channels of the picture are nearer to white
  GREY = 192,       // a pixel is of a coloured stroke where it is not grey, or where all channels are below this
  SOLID = 7,        // and all of the stroke's own, not of its soft edge, with this many eighths of the strongest beside it
  BINS = 512,       // 8 of each channel
  APART = 96,       // colours of a picture that are nearer are shades of one
  STROKES_APART = 48,  // the same for strokes
  FEW = 256,        // pixels of 256x256: a colour of open paper has as many at least
  MOST_COLOURS = 11,  // 10 with a tenth of the pixels each, and white
};

typedef struct {
  int64_t count, sum[3];
} Bin;

typedef struct {
  int count, rgb[MOST_COLOURS][3];
} Colours;

// Its `pixels`, which do not touch a line unless all of its do, are in Fill's `order` from `begin` on. How many colours it
// got, and the first; its class, 0 without.
typedef struct {
  int begin, pixels, all_touch, colours, rgb[3], class;
} Area;

typedef struct {
  const Engine *engine;
  const Op *op;
  const uint8_t *palette;  // in classes
  const uint8_t *drawing;
  uint8_t *picture;
  int height, width;
  int *areas;          // as find_areas says; then the numbers of coloured open paper too
  int inner, all;      // one more than the number of the last enclosed area, of the last area
  int *order;          // pixels by area
  uint8_t *at_line;    // 1 for lines and all pixels that touch one, diagonally too, else 0
  uint8_t *known;      // 1 where the picture has its new colour
  Area *found;
  Bin *bins;
} Fill;

static int is_coloured(const uint8_t *rgba) { return !is_grey(rgba) || lightest(rgba) < GREY; }

static void mark_lines(const Fill *f) {
  for (int i = 0; i < f->height * f->width; i++) f->at_line[i] = f->known[i] = 0;
  for (int y = 0; y < f->height; y++)
    for (int x = 0; x < f->width; x++) {
      if (f->areas[1 + y * f->width + x] >= 0) continue;
      for (int v = max(y - 1, 0); v <= min(y + 1, f->height - 1); v++)
        for (int u = max(x - 1, 0); u <= min(x + 1, f->width - 1); u++) f->at_line[v * f->width + u] = 1;
    }
}

static void set_colour(const Fill *f, int i, const int *rgb) {
  for (int c = 0; c < 3; c++) f->picture[4 * i + c] = (uint8_t)rgb[c];
  f->known[i] = 1;
}

// Open paper off the lines: pale becomes white; the rest is numbered, what hangs together, like the enclosed areas.
static void number_open(Fill *f) {
  const int white[3] = {255, 255, 255};
  int *open = f->areas + 1 + f->height * f->width, pixels = f->height * f->width;
  for (int i = 0; i < pixels; i++) {
    int paper = f->areas[1 + i] == 0 && !f->at_line[i], pale = 255 - darkest(f->picture + 4 * i) < PALE;
    open[1 + i] = paper && !pale ? 0 : -1;
    if (paper && pale) set_colour(f, i, white);
  }
  f->all = number_areas(open, f->height, f->width, f->inner, 0);
  for (int i = 1; i <= pixels; i++)
    if (open[i] > 0) f->areas[i] = open[i];
}

// Does a pixel choose its area's colours?
static int chooses(const Fill *f, int i) { return !f->at_line[i] || f->found[f->areas[1 + i]].all_touch; }

// A class is chosen by pixels that touch lines where an area has no others.
static void sort_pixels(const Fill *f) {
  int pixels = f->height * f->width, begin = 0;
  for (int a = 1; a < f->all; a++) f->found[a] = (Area){.all_touch = in_classes(f->op)};
  for (int i = 0; i < pixels; i++)
    if (f->areas[1 + i] > 0 && !f->at_line[i]) f->found[f->areas[1 + i]].all_touch = 0;
  for (int i = 0; i < pixels; i++)
    if (f->areas[1 + i] > 0 && chooses(f, i)) f->found[f->areas[1 + i]].pixels++;
  for (int a = 1; a < f->all; a++) {
    f->found[a].begin = begin;
    begin += f->found[a].pixels;
    f->found[a].pixels = 0;
  }
  for (int i = 0; i < pixels; i++) {
    if (f->areas[1 + i] <= 0 || !chooses(f, i)) continue;
    Area *area = &f->found[f->areas[1 + i]];
    f->order[area->begin + area->pixels++] = i;
  }
}

static void add_pixel(Bin *bin, const uint8_t *rgba) {
  bin->count++;
  for (int c = 0; c < 3; c++) bin->sum[c] += rgba[c];
}

static void mean(const Bin *bin, int *rgb) {
  for (int c = 0; c < 3; c++) rgb[c] = (int)((2 * bin->sum[c] + bin->count) / (2 * bin->count));
}

static int squared_distance(const int *a, const int *b) {
  int sum = 0;
  for (int c = 0; c < 3; c++) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

// The colours of what is in the bins, which it empties: around the fullest bin all bins that are near make one, then
// around the fullest of the others. Those with less than a tenth of the pixels, or than `least`, are none.
static void find_colours(Bin *bins, int apart, int64_t least, Colours *to) {
  int64_t total = 0;
  for (int b = 0; b < BINS; b++) total += bins[b].count;
  for (int64_t left = total; left > 0;) {
    int fullest = 0, middle[3], other[3];
    for (int b = 1; b < BINS; b++)
      if (bins[b].count > bins[fullest].count) fullest = b;
    mean(&bins[fullest], middle);
    Bin near = {0};
    for (int b = 0; b < BINS; b++) {
      if (!bins[b].count) continue;
      mean(&bins[b], other);
      if (squared_distance(middle, other) > apart * apart) continue;
      near.count += bins[b].count;
      for (int c = 0; c < 3; c++) near.sum[c] += bins[b].sum[c];
      bins[b] = (Bin){0};
    }
    left -= near.count;
    if (near.count >= least && 10 * near.count >= total) mean(&near, to->rgb[to->count++]);
  }
}

static Bin *bin_of(const Fill *f, const uint8_t *rgba) {
  return &f->bins[(rgba[0] >> 5) * 64 + (rgba[1] >> 5) * 8 + (rgba[2] >> 5)];
}

// Is the pixel, off the lines, of a coloured stroke, and not of its soft edge? Grey ones are where all 9 pixels are dark:
// thinner, it is what is left of a line.
static int is_solid(const Fill *f, int i) {
  if (!is_coloured(f->drawing + 4 * i)) return 0;
  int y = i / f->width, x = i % f->width, strongest = 0, dark = 0;
  for (int v = max(y - 1, 0); v <= min(y + 1, f->height - 1); v++)
    for (int u = max(x - 1, 0); u <= min(x + 1, f->width - 1); u++) {
      int j = v * f->width + u;
      dark += lightest(f->drawing + 4 * j) < GREY;
      if (!f->at_line[j] && is_coloured(f->drawing + 4 * j)) strongest = max(strongest, 255 - darkest(f->drawing + 4 * j));
    }
  if (is_grey(f->drawing + 4 * i) && dark < 9) return 0;
  return 8 * (255 - darkest(f->drawing + 4 * i)) >= SOLID * strongest;
}

static void colours_of_strokes(const Fill *f, const Area *area, Colours *to) {
  for (int k = area->begin; k < area->begin + area->pixels; k++) {
    const uint8_t *rgba = f->drawing + 4 * f->order[k];
    if (is_solid(f, f->order[k])) add_pixel(bin_of(f, rgba), rgba);
  }
  find_colours(f->bins, STROKES_APART, 1, to);
}

// Do lines hold an open area: do at least as many sides of its pixels lie at lines as at other paper?
static int is_held_by_lines(const Fill *f, const Area *area) {
  int balance = 0, beside[4];
  for (int k = area->begin; k < area->begin + area->pixels; k++) {
    find_beside(f->order[k], f->height, f->width, beside);
    for (int n = 0; n < 4; n++)
      if (f->at_line[beside[n]]) balance++;
      else if (f->areas[1 + beside[n]] != f->areas[1 + f->order[k]]) balance--;
  }
  return balance >= 0;
}

// The classes of areas with smaller numbers that an area meets, as bits: of what lies next to its pixels, off the lines,
// to the left and right, above and below.
static uint64_t classes_near(const Fill *f, const Area *area) {
  uint64_t near = 0;
  for (int k = area->begin; k < area->begin + area->pixels; k++) {
    int i = f->order[k], number = f->areas[1 + i], beside[4], next[4];
    find_beside(i, f->height, f->width, beside);
    for (int n = 0; n < 4; n++) {
      int j = beside[n];
      for (int last = i; j != last && f->at_line[j]; j = next[n]) find_beside(last = j, f->height, f->width, next);
      int met = f->areas[1 + j];
      if (!f->at_line[j] && 0 < met && met < number) near |= (uint64_t)1 << f->found[met].class;
    }
  }
  return near;
}

__attribute__((minsize)) static void colour_of_class(const Fill *f, Area *area, Colours *to) {
  int64_t total[MAX_LABELS] = {0};
  uint32_t seed = f->engine->style->seed;
  add_costs(f->engine, f->op, f->order + area->begin, area->pixels, total);
  uint64_t near = seed && !area->all_touch && area < f->found + f->inner ? classes_near(f, area) : 0;
  area->class = draw_class(total, f->op->in_channels, area->pixels, seed, near);
  for (int c = 0; c < 3; c++) to->rgb[to->count][c] = f->palette[3 * area->class + c];
  to->count++;
}

// Those of the strokes, else of the picture if lines hold the area; and white, unless lines hold what has strokes or a
// class.
static void colours_of_open(const Fill *f, Area *area, Colours *to) {
  int64_t few = (int64_t)FEW * f->width * f->width / (256 * 256);
  colours_of_strokes(f, area, to);
  if (is_held_by_lines(f, area)) {
    if (!to->count && in_classes(f->op) && area->pixels >= few) colour_of_class(f, area, to);
    if (to->count) return;
    for (int k = area->begin; k < area->begin + area->pixels; k++) {
      const uint8_t *rgba = f->picture + 4 * f->order[k];
      add_pixel(bin_of(f, rgba), rgba);
    }
    find_colours(f->bins, APART, few, to);
  }
  for (int c = 0; c < 3; c++) to->rgb[to->count][c] = 255;
  to->count++;
}

// Those of the strokes, else that of its class, else the mean of the picture.
static void colours_of_enclosed(const Fill *f, Area *area, Colours *to) {
  if (!area->all_touch) colours_of_strokes(f, area, to);
  if (to->count) return;
  if (in_classes(f->op)) {
    colour_of_class(f, area, to);
    return;
  }
  Bin all = {0};
  for (int k = area->begin; k < area->begin + area->pixels; k++) add_pixel(&all, f->picture + 4 * f->order[k]);
  mean(&all, to->rgb[to->count++]);
}

static const int *nearest(const Colours *colours, const uint8_t *rgba) {
  int rgb[3] = {rgba[0], rgba[1], rgba[2]}, best = 0;
  for (int k = 1; k < colours->count; k++)
    if (squared_distance(rgb, colours->rgb[k]) < squared_distance(rgb, colours->rgb[best])) best = k;
  return colours->rgb[best];
}

static void colour_area(const Fill *f, int number) {
  Area *area = &f->found[number];
  Colours colours = {0};
  if (!area->pixels) return;
  if (number < f->inner) colours_of_enclosed(f, area, &colours);
  else colours_of_open(f, area, &colours);
  for (int k = area->begin; k < area->begin + area->pixels; k++)
    set_colour(f, f->order[k], nearest(&colours, f->picture + 4 * f->order[k]));
  area->colours = colours.count;
  for (int c = 0; c < 3; c++) area->rgb[c] = colours.rgb[0][c];
}

// The mean of the known pixels around that are off the lines or, for a line's pixel, only not of one. 0 if there are none.
static int colour_around(const Fill *f, int i, int rgb[3]) {
  int y = i / f->width, x = i % f->width, of_line = f->areas[1 + i] < 0;
  Bin around = {0};
  for (int v = max(y - 1, 0); v <= min(y + 1, f->height - 1); v++)
    for (int u = max(x - 1, 0); u <= min(x + 1, f->width - 1); u++) {
      int j = v * f->width + u, counts = of_line ? f->areas[1 + j] >= 0 : !f->at_line[j];
      if (counts && f->known[j]) add_pixel(&around, f->picture + 4 * j);
    }
  if (around.count) mean(&around, rgb);
  return around.count > 0;
}

// Pixels that touch a line, then those of lines.
static void colour_at_lines(const Fill *f) {
  int rgb[3], pixels = f->height * f->width;
  for (int i = 0; i < pixels; i++) {
    if (f->areas[1 + i] < 0 || !f->at_line[i]) continue;
    const Area *area = &f->found[f->areas[1 + i]];  // open ones have no such pixels
    int colours = f->areas[1 + i] > 0 ? area->colours : 0;
    if (colours != 1 && colour_around(f, i, rgb)) set_colour(f, i, rgb);
    else if (colours > 0) set_colour(f, i, area->rgb);
  }
  for (int i = 0; i < pixels; i++)
    if (f->areas[1 + i] < 0 && colour_around(f, i, rgb)) set_colour(f, i, rgb);
}

int64_t fill_bytes(int height, int width) {
  return 3 * 4 * ((int64_t)height * width + 1) + (int64_t)sizeof(Area) * MOST_AREAS + (int64_t)sizeof(Bin) * BINS;
}

// Lines, and what touches them, are as dark as in the drawing. Half a kilobyte less to download, and as fast (measured):
__attribute__((minsize)) void fill_areas(const Engine *e, const Op *op, const uint8_t *palette) {
  int height = e->output_height, width = e->output_width, pixels = height * width;
  Bin *bins = e->areas;
  Area *found = (Area *)(bins + BINS);
  int *areas = (int *)(found + MOST_AREAS), *order = areas + 1 + pixels;  // find_areas and number_open are done with it
  uint8_t *at_line = (uint8_t *)(order + 1 + pixels);
  Fill f = {e, op, palette, e->input, e->output, height, width, areas, 0, 0, order, at_line, at_line + pixels, found, bins};
  f.inner = find_areas(f.drawing, height, width, areas);
  mark_lines(&f);
  number_open(&f);
  sort_pixels(&f);
  for (int b = 0; b < BINS; b++) bins[b] = (Bin){0};
  for (int number = 1; number < f.all; number++) colour_area(&f, number);
  colour_at_lines(&f);
  for (int i = 0; i < pixels; i++) {
    if (!f.at_line[i] || (!f.known[i] && !in_classes(op))) continue;
    int light = lightest(f.drawing + 4 * i);
    for (int c = 0; c < 3; c++) f.picture[4 * i + c] = (uint8_t)((2 * f.picture[4 * i + c] * light + 255) / 510);
  }
}
