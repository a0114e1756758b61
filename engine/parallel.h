// The work of one operation in chunks that threads take one by one. Without threads it is a loop.
#pragma once

// Does chunk `index`; `thread` (0 is the host's own) says whose scratch memory to use. A chunk writes what no other
// chunk of the same call reads or writes.
typedef void Chunk(const void *context, int index, int thread);

void in_parallel(Chunk *chunk, const void *context, int count);

int set_threads(int count);   // for the calls that follow; returns how many there are now, at most MAX_THREADS
int threads(void);
int chunks_suffice(int count);  // so many keep all threads busy until the end
// Into how many quads of output channels each block of pixels is cut: all, when there are blocks enough; else an even
// number that gives every thread a few chunks.
int quads_in_part(int quads, int blocks);

int thread_lost(void);        // a helper stopped in the middle: what was computed since then is worthless
