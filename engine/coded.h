// Coded weights (docs/formats.md): sections, each a kind, the bytes that follow, and these.
#pragma once
#include <stdint.h>

enum { MOST_PART = 65536 };  // bytes that the host gives at a time

typedef struct Decoder Decoder;

int64_t decoder_bytes(void);
void start_decoder(Decoder *d);
uint8_t *part_of(Decoder *d);  // where the host writes the next bytes

// The next `bytes` of the file: whole sections among what has come are decoded, to `to`, of which `made` of `most` bytes
// are there. Returns how many are there then, or BAD_CODE.
int decode_part(Decoder *d, int bytes, uint8_t *to, int made, int most);
