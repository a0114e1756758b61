// How enclosed each place of the drawing is by its lines: brushes of three sizes try to come in from the border.
#include "areas.h"
#include "simd.h"

enum {
  INK = 192,  // a pixel is of a line where one of its channels is below
  BRUSHES = 3,
  BITS = 64,
};
static const int SIDE[BRUSHES] = {1, 3, 6};  // places to each side of a brush's middle, growing

// A map has one bit for each place: `words` for each row, the first place lowest, and zeros behind its last place.
typedef uint64_t Word;
typedef struct {
  int height, width, words;
} Shape;

static Shape shape_of(int height, int width) { return (Shape){height, width, (width + BITS - 1) / BITS}; }
static int64_t words_in(Shape s) { return (int64_t)s.height * s.words; }
static int bit(const Word *row, int x) { return row[x / BITS] >> x % BITS & 1; }
static void set_bit(Word *row, int x) { row[x / BITS] |= (Word)1 << x % BITS; }

// Those of a row's k-th word that are places.
static Word places(Shape s, int k) { return ~(Word)0 >> (k < s.words - 1 ? 0 : s.words * BITS - s.width); }

// Sets the bits of a row's places of which some pixel of this row of pixels has ink.
static void mark_ink(const uint8_t *rgba, int pixels, int factor, Word *row) {
  Vec rgb = wasm_i32x4_splat(0xFFFFFF), ink = wasm_u8x16_splat(INK), none = wasm_i32x4_splat(0);
  int x = 0;
  for (; x + 4 <= pixels; x += 4) {
    Vec dark = wasm_v128_and(wasm_u8x16_lt(wasm_v128_load(rgba + 4 * x), ink), rgb);
    if (!wasm_v128_any_true(dark)) continue;
    int found = wasm_i32x4_bitmask(wasm_i32x4_ne(dark, none));
    for (int i = 0; i < 4; i++)
      if (found >> i & 1) set_bit(row, (x + i) / factor);
  }
  for (; x < pixels; x++)
    if (darkest(rgba + 4 * x) < INK) set_bit(row, x / factor);
}

// Adds the 8 places around each.
static void widen(Word *map, Shape s) {
  for (int y = 0; y < s.height; y++) {
    Word *row = map + y * s.words, left = 0;
    for (int k = 0; k < s.words; k++) {
      Word here = row[k], right = k + 1 < s.words ? row[k + 1] : 0;
      row[k] = (here | here << 1 | here >> 1 | left >> (BITS - 1) | right << (BITS - 1)) & places(s, k);
      left = here;
    }
  }
  for (int k = 0; k < s.words; k++) {
    Word above = 0;
    for (int y = 0; y < s.height; y++) {
      Word *row = map + y * s.words + k, here = *row;
      *row |= above | (y + 1 < s.height ? row[s.words] : 0);
      above = here;
    }
  }
}

// Goes on in a row from the places reached, as far as it is free.
static void go_sideways(Word *reached, const Word *free, int words) {
  Word last = 0;
  for (int k = 0; k < words; k++) {  // to the right: what is added to a run of ones carries up to its end
    Word from = (reached[k] | last) & free[k];
    reached[k] = from | (((free[k] + from) ^ free[k]) & free[k]);
    last = reached[k] >> (BITS - 1);
  }
  Word first = 0;
  for (int k = words - 1; k >= 0; k--) {  // to the left, twice as far at each step
    Word from = (reached[k] | first << (BITS - 1)) & free[k], run = free[k];
    for (int step = 1; step < BITS; step *= 2) {
      from |= from >> step & run;
      run &= run >> step;
    }
    reached[k] = from;
    first = from & 1;
  }
}

// Goes on from the row above or below. Returns whether that reached more.
static int go_on(Word *reached, const Word *from, const Word *free, int words) {
  Word more = 0;
  for (int k = 0; k < words; k++) {
    Word new = from[k] & free[k] & ~reached[k];
    reached[k] |= new;
    more |= new;
  }
  if (more) go_sideways(reached, free, words);
  return more != 0;
}

typedef struct {
  int count, *rows;  // rows that reached more since they were looked at
  uint8_t *waits;    // 1 for these
} Todo;

static void add_row(Todo *todo, int y) {
  if (todo->waits[y]) return;
  todo->waits[y] = 1;
  todo->rows[todo->count++] = y;
}

// All free places that hang together, sideways, up and down, with one at the border. Row by row in turns would take
// as many turns as a way winds up and down: 2.5 s instead of 0.09 in a maze of 1025x1025 pixels.
static void come_in(const Word *free, Word *reached, Todo todo, Shape s) {
  int words = s.words, last = s.height - 1;
  for (int y = last; y >= 0; y--) {
    Word *row = reached + y * words;
    for (int k = 0; k < words; k++) row[k] = y == 0 || y == last ? places(s, k) : 0;
    set_bit(row, 0);
    set_bit(row, s.width - 1);
    go_sideways(row, free + y * words, words);
    add_row(&todo, y);
  }
  while (todo.count) {
    int y = todo.rows[--todo.count], at = y * words;
    todo.waits[y] = 0;
    if (y > 0 && go_on(reached + at - words, reached + at, free + at - words, words)) add_row(&todo, y - 1);
    if (y < last && go_on(reached + at + words, reached + at, free + at + words, words)) add_row(&todo, y + 1);
  }
}

int64_t enclosed_bytes(int height, int width) {
  return (2 + BRUSHES) * (int64_t)sizeof(Word) * words_in(shape_of(height, width)) + 5 * (int64_t)height;
}

void run_enclosed(const Engine *e, const Op *op) {
  const Tensor *t = &e->tensors[op->output];
  int factor = op->shuffle;
  Shape s = shape_of(t->height, t->width);
  int64_t count = words_in(s);
  Word *lines = e->areas, *free = lines + count, *painted[BRUSHES];
  Todo todo = {.rows = (int *)(lines + (2 + BRUSHES) * count)};
  todo.waits = (uint8_t *)(todo.rows + s.height);
  for (int64_t i = 0; i < count; i++) lines[i] = 0;
  for (int y = 0; y < s.height; y++) todo.waits[y] = 0;
  for (int y = 0; y < e->input_height; y++)
    mark_ink(e->input + 4 * y * e->input_width, e->input_width, factor, lines + y / factor * s.words);
  for (int k = 0, side = 0; k < BRUSHES; k++) {
    for (; side < SIDE[k]; side++) widen(lines, s);
    for (int64_t i = 0; i < count; i++) free[i] = ~lines[i] & places(s, (int)(i % s.words));
    painted[k] = free + (k + 1) * count;
    come_in(free, painted[k], todo, s);
    for (int i = 0; i < side; i++) widen(painted[k], s);
  }
  float share[BRUSHES + 1];
  for (int n = 0; n <= BRUSHES; n++) share[n] = (float)(BRUSHES - n) / BRUSHES;
  for (int y = 0; y < s.height; y++) {
    float *to = t->data + y * t->row + op->output_channel;
    for (int x = 0; x < s.width; x++, to += t->pixel) {
      int n = 0;
      for (int k = 0; k < BRUSHES; k++) n += bit(painted[k] + y * s.words, x);
      store(to, wasm_v128_load32_zero(share + n));
    }
  }
}
