// Included before each file of the engine: WebAssembly's waiting and waking, for a host.
#pragma once
#include <stdint.h>

#define __wasm_atomics__
#define __builtin_wasm_memory_atomic_wait32 wait_on
#define __builtin_wasm_memory_atomic_notify wake_up

int wait_on(int *word, int value, int64_t ns);
int wake_up(int *word, unsigned count);
