// Threads without a library. One thread, the host's, calls run() and hands out the chunks of each operation; helpers
// sit in help() for ever. All share this memory. A chunk is claimed by adding one to a counter, so fast threads do
// more of them, and a helper that comes late or never changes nothing but the time.
//
// Helpers spin for some tens of microseconds between two operations (2000 rounds were too few: 2 threads gave 1.05x
// instead of 1.7x on the built-in net), then sleep: an idle page uses no processor.
#include "parallel.h"
#include <stdint.h>
#include "engine.h"

enum { CHUNKS_PER_THREAD = 3 };

#ifdef __wasm_atomics__

enum { STACK_BYTES = 65536, SPIN = 50000, TIMED_OUT = 2 };
// A claimed chunk takes milliseconds. When none ends for this long, the thread that has it is gone.
static const int64_t PATIENCE_NS = 5000000000;

static struct {
  _Atomic int stopped;     // a helper failed, or the host is done with them all
  _Atomic int done;        // chunks of the present call that are finished
  _Atomic int calls;       // counts up with every call: what idle helpers wait on
  _Atomic int sleeping;    // helpers that need a wake-up
  // Both halves in one word, so that a claim is never weighed against another call's count: chunks of this call in
  // the upper half, the next unclaimed one in the lower half.
  _Atomic uint64_t tickets;
  Chunk *chunk;            // valid for whoever holds a claimed chunk: the call can not end before it is done
  const void *context;
} pool;

static int thread_count = 1;
static _Alignas(64) uint8_t stacks[MAX_THREADS][STACK_BYTES];

static int sleep_while(_Atomic int *word, int value, int64_t ns) {
  return __builtin_wasm_memory_atomic_wait32((int *)word, value, ns);
}
static void wake(_Atomic int *word) { __builtin_wasm_memory_atomic_notify((int *)word, MAX_THREADS); }

// For the host: a helper has failed, or all may go home.
__attribute__((export_name("stop"))) int stop(void) {
  pool.stopped = 1;
  pool.calls++;  // else a helper that has looked at `stopped` but does not sleep yet would sleep for ever
  wake(&pool.done);
  wake(&pool.calls);
  return DONE;
}

static int unclaimed(uint64_t tickets) { return (uint32_t)tickets < tickets >> 32; }

static void work(int thread) {
  while (unclaimed(pool.tickets)) {
    uint64_t ticket = pool.tickets++;
    if (!unclaimed(ticket)) return;
    pool.chunk(pool.context, (int)(uint32_t)ticket, thread);
    if (++pool.done == (int)(ticket >> 32)) wake(&pool.done);
  }
}

static void wait_for_work(void) {
  for (int i = 0; i < SPIN; i++)
    if (unclaimed(pool.tickets)) return;
  int calls = pool.calls;
  pool.sleeping++;
  if (!unclaimed(pool.tickets) && !pool.stopped) sleep_while(&pool.calls, calls, -1);
  pool.sleeping--;
}

static void wait_for_others(int count) {
  for (int i = 0; i < SPIN && pool.done != count; i++) {}
  for (int done; (done = pool.done) != count && !pool.stopped;)
    if (sleep_while(&pool.done, done, PATIENCE_NS) == TIMED_OUT && pool.done == done) stop();
}

void in_parallel(Chunk *chunk, const void *context, int count) {
  if (thread_count == 1 || count == 1) {
    for (int i = 0; i < count; i++) chunk(context, i, 0);
    return;
  }
  pool.chunk = chunk;
  pool.context = context;
  pool.done = 0;
  pool.tickets = (uint64_t)count << 32;
  pool.calls++;
  if (pool.sleeping) wake(&pool.calls);
  work(0);
  wait_for_others(count);
}

int set_threads(int count) {
  pool.stopped = 0;
  pool.tickets = 0;
  return thread_count = max(1, min(count, MAX_THREADS));
}

int threads(void) { return thread_count; }
int thread_lost(void) { return pool.stopped; }

// For the host of a helper: the end of its stack, to be set before it calls help(), which returns after stop().
__attribute__((export_name("stack"))) intptr_t stack(int thread) {
  return thread < 1 || thread >= MAX_THREADS ? BAD_PLAN : (intptr_t)&stacks[thread][STACK_BYTES];
}

__attribute__((export_name("help"))) void help(int thread) {
  while (!pool.stopped) {
    wait_for_work();
    work(thread);
  }
}

#else

void in_parallel(Chunk *chunk, const void *context, int count) {
  for (int i = 0; i < count; i++) chunk(context, i, 0);
}

int set_threads(int count) { (void)count; return 1; }
int threads(void) { return 1; }
int thread_lost(void) { return 0; }

#endif

int chunks_suffice(int count) { return threads() == 1 || count >= CHUNKS_PER_THREAD * threads(); }

int quads_in_part(int quads, int blocks) {
  int parts = chunks_suffice(blocks) ? 1 : (CHUNKS_PER_THREAD * threads() + blocks - 1) / blocks;
  return max(2, round_up((quads + parts - 1) / parts, 2));
}
