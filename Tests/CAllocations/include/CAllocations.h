// Counts what this thread asks of malloc. Linked into the benchmarks and the tests, never into the product.

#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Allocations this thread has made so far: malloc, calloc, realloc and the aligned ones, each call counted once.
uint64_t allocations_of_this_thread(void);

/// Whether anything is counted: not under a sanitizer, which brings an allocator of its own.
bool allocations_are_counted(void);
