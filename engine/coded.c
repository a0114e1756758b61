// The reader of coded weights. Codes are written by asymmetric numeral systems (Duda 2013).
#include "coded.h"
#include "engine.h"

enum {
  BYTES, TABLES, CODES,
  HEAD = 3, ROWS = 6,  // bytes
  LANES = 4, SLOTS = 4096, LEAST = 65536,
  MOST_TABLES = 16, MOST_LEVEL = 127, MOST_CODES = 16384, MOST_SECTION = 65535,
};

struct Decoder {
  int waiting;      // bytes of a section that is not whole
  int tables;
  // For each slot, from the lowest bit on: 8 bits of the code, 12 of its slots less 1, 12 of those of them before.
  uint32_t table[MOST_TABLES][SLOTS];
  // A damaged one may be read beyond its end, by a word for each code.
  uint8_t section[HEAD + MOST_SECTION + 2 * MOST_CODES];
  uint8_t part[MOST_PART];
};

int64_t decoder_bytes(void) { return sizeof(Decoder); }
uint8_t *part_of(Decoder *d) { return d->part; }
void start_decoder(Decoder *d) { d->waiting = d->tables = 0; }

static uint32_t half(const uint8_t *from) { return from[0] | (uint32_t)from[1] << 8; }

// How many slots each code of a size has: the rule of docs/formats.md, in its order.
static void spans_of(int most, uint32_t steepness, uint32_t curvature, int *spans) {
  double shares[MOST_LEVEL + 1] = {1.0}, total = 1.0;
  double factor = 1.0 - steepness / 65536.0, bend = 1.0 - curvature / 65536.0;
  for (int k = 1; k <= most; k++, factor *= bend) {
    shares[k] = shares[k - 1] * factor;
    total += 2.0 * shares[k];
  }
  int spare = SLOTS - (2 * most + 1);
  spans[0] = SLOTS;
  for (int k = 1; k <= most; k++) {
    spans[k] = 1 + (int)(shares[k] / total * spare);
    spans[0] -= 2 * spans[k];
  }
}

static void make_table(uint32_t *table, int most, uint32_t steepness, uint32_t curvature) {
  int spans[MOST_LEVEL + 1];
  spans_of(most, steepness, curvature, spans);
  for (int code = -most; code <= most; code++) {
    uint32_t span = (uint32_t)spans[code < 0 ? -code : code];
    for (uint32_t i = 0; i < span; i++) *table++ = (uint32_t)(code & 255) | (span - 1) << 8 | i << 20;
  }
}

static int read_tables(Decoder *d, const uint8_t *from, int bytes) {
  int count = bytes / 4;
  if (bytes % 4 != 1 || count < 1 || count > MOST_TABLES || from[0] > MOST_LEVEL) return 0;
  for (int i = 0; i < count; i++) make_table(d->table[i], from[0], half(from + 1 + 4 * i), half(from + 3 + 4 * i));
  d->tables = count;
  return 1;
}

typedef struct { int rows, length, times; } Rows;

// Those of a section, if they fit into `room` bytes; else none.
static Rows rows_of(const uint8_t *from, int bytes, int room) {
  if (bytes < ROWS) return (Rows){0};
  Rows r = {(int)half(from), (int)half(from + 2), (int)half(from + 4)};
  return r.length && (int64_t)r.rows * r.length * r.times <= room ? r : (Rows){0};
}

// The row that was just written, once more and so on. Returns the end.
static uint8_t *repeat(uint8_t *row, int length, int times) {
  for (uint8_t *end = row + (int64_t)length * times, *to = row + length;; row++) {
    if (to == end) return end;
    *to++ = *row;
  }
}

static int read_bytes(const uint8_t *from, int bytes, uint8_t *to, int room) {
  Rows r = rows_of(from, bytes, room);
  if (!r.times || bytes != ROWS + r.rows * r.length) return 0;
  from += ROWS;
  for (int row = 0; row < r.rows; row++) {
    for (int i = 0; i < r.length; i++) to[i] = *from++;
    to = repeat(to, r.length, r.times);
  }
  return r.rows * r.length * r.times;
}

// One code of a lane.
static inline uint32_t step(uint32_t state, const uint32_t *table, uint8_t *to, const uint8_t **words) {
  uint32_t entry = table[state % SLOTS];
  *to = (uint8_t)entry;
  state = ((entry >> 8) % SLOTS + 1) * (state / SLOTS) + (entry >> 20);
  if (state >= LEAST) return state;
  state = state << 16 | half(*words);
  *words += 2;
  return state;
}

static int read_codes(const Decoder *d, const uint8_t *from, int bytes, uint8_t *to, int room) {
  Rows r = rows_of(from, bytes, room);
  int before = ROWS + (r.rows + 1) / 2 + 4 * LANES;
  if (!r.times || bytes < before || r.rows * r.length > MOST_CODES) return 0;
  const uint8_t *chosen = from + ROWS, *words = from + before, *end = from + bytes;
  uint32_t s[LANES];
  for (int i = 0; i < LANES; i++) s[i] = half(words - 4 * (LANES - i)) | half(words - 4 * (LANES - i) + 2) << 16;
  for (int row = 0; row < r.rows; row++) {
    int index = chosen[row / 2] >> 4 * (row % 2) & 15, i = 0;
    if (index >= d->tables) return 0;
    const uint32_t *table = d->table[index];
    uint32_t a = s[0], b = s[1], c = s[2], e = s[3];
    for (; i + LANES <= r.length; i += LANES) {
      a = step(a, table, to + i, &words);
      b = step(b, table, to + i + 1, &words);
      c = step(c, table, to + i + 2, &words);
      e = step(e, table, to + i + 3, &words);
    }
    s[0] = a, s[1] = b, s[2] = c, s[3] = e;
    for (int lane = 0; i < r.length; i++, lane++) s[lane] = step(s[lane], table, to + i, &words);
    to = repeat(to, r.length, r.times);
  }
  for (int i = 0; i < LANES; i++)
    if (s[i] != LEAST) return 0;
  return words == end ? r.rows * r.length * r.times : 0;
}

// A section that is whole. Returns the bytes that it made, or BAD_CODE.
static int read_section(Decoder *d, uint8_t *to, int room) {
  const uint8_t *from = d->section + HEAD;
  int bytes = d->waiting - HEAD, made = 0;
  switch (d->section[0]) {
    case BYTES: made = read_bytes(from, bytes, to, room); break;
    case TABLES: return read_tables(d, from, bytes) ? 0 : BAD_CODE;
    case CODES: made = read_codes(d, from, bytes, to, room); break;
  }
  return made ? made : BAD_CODE;
}

int decode_part(Decoder *d, int bytes, uint8_t *to, int made, int most) {
  for (const uint8_t *from = d->part, *end = from + bytes; from < end;) {
    int whole = d->waiting < HEAD ? HEAD : HEAD + (int)half(d->section + 1);
    int more = min(whole - d->waiting, (int)(end - from));
    __builtin_memcpy(d->section + d->waiting, from, (uint32_t)more);
    d->waiting += more;
    from += more;
    if (d->waiting < HEAD || d->waiting < HEAD + (int)half(d->section + 1)) continue;
    int came = read_section(d, to + made, most - made);
    if (came < 0) return came;
    made += came;
    d->waiting = 0;
  }
  return made;
}
