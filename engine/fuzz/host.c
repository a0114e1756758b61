// In place of memory.c: a heap in which every block is one of malloc's, so that AddressSanitizer sees what runs over
// its end or uses it when it is gone. And waiting on a word, by Linux's futex.
#include "host.h"
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "../engine.h"

enum { MOST_BLOCKS = 3 * MAX_COUNT, PAGE = 65536 };
static const int64_t LIMIT = (int64_t)PAGE * (MAX_PAGES - 1);
static const int64_t HUGE = 1 << 26;  // such blocks have addresses, but no memory: fuzz.c runs no plan with one

static struct {
  void *at;
  int64_t bytes;
} blocks[MOST_BLOCKS];
static int count;
static int64_t used;

static void *reserve(int64_t bytes) {
  if (bytes > HUGE) return mmap(0, (size_t)bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  void *at = 0;
  return posix_memalign(&at, 64, (size_t)bytes) ? 0 : at;
}

void *allocate(int64_t bytes) {
  int64_t rounded = (bytes + 63) & ~(int64_t)63;
  if (bytes < 0 || used + rounded > LIMIT) return 0;
  if (count == MOST_BLOCKS) abort();
  blocks[count].at = reserve(bytes);
  blocks[count].bytes = bytes;
  used += rounded;
  return blocks[count++].at;
}

void *heap_top(void) { return &blocks[count]; }

void heap_rewind(void *top) {
  while (&blocks[count] != (top ? top : (void *)blocks)) {
    count--;
    used -= (blocks[count].bytes + 63) & ~(int64_t)63;
    if (blocks[count].bytes > HUGE) munmap(blocks[count].at, (size_t)blocks[count].bytes);
    else free(blocks[count].at);
  }
}

int heap_bytes(void) { return (int)used; }

// 0: woken; 1: the word had another value; 2: the time is over; as the instruction says.
int wait_on(int *word, int value, int64_t ns) {
  struct timespec patience = {ns / 1000000000, ns % 1000000000};
  if (!syscall(SYS_futex, word, FUTEX_WAIT, value, ns < 0 ? 0 : &patience, 0, 0)) return 0;
  return errno == ETIMEDOUT ? 2 : errno == EAGAIN;
}

int wake_up(int *word, unsigned count) { return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, 0, 0, 0); }
