// One heap that only grows, used as a stack: plan, then weights, then the tensors of one input size.
#include <stddef.h>
#include "engine.h"

extern unsigned char __heap_base;
static uint32_t top;

enum { PAGE = 65536 };
static const int64_t LIMIT = (int64_t)PAGE * (MAX_PAGES - 1);  // addresses and offsets stay positive as int

static uint32_t heap_start(void) { return ((uint32_t)&__heap_base + 63) & ~63u; }

void *allocate(int64_t bytes) {
  if (top == 0) top = heap_start();
  int64_t end = ((int64_t)top + bytes + 63) & ~(int64_t)63;
  if (bytes < 0 || end > LIMIT) return NULL;
  int64_t have = (int64_t)__builtin_wasm_memory_size(0) * PAGE;
  if (end > have && __builtin_wasm_memory_grow(0, (size_t)((end - have + PAGE - 1) / PAGE)) == (size_t)-1) return NULL;
  void *at = (void *)top;
  top = (uint32_t)end;
  return at;
}

void *heap_top(void) { return (void *)(top ? top : heap_start()); }
void heap_rewind(void *to) { top = to ? (uint32_t)to : heap_start(); }
int heap_bytes(void) { return (int)top; }

// The compiler turns plain loops and assignments into calls of these; there is no C library.
void *memset(void *to, int value, size_t bytes) {
  volatile uint8_t *p = to;
  while (bytes--) *p++ = (uint8_t)value;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  volatile uint8_t *t = to;
  const uint8_t *f = from;
  if ((uintptr_t)to < (uintptr_t)from) {
    while (bytes--) *t++ = *f++;
  } else {
    while (bytes--) t[bytes] = f[bytes];
  }
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) { return memmove(to, from, bytes); }
