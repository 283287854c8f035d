/* Randomness from the kernel, buffered; a test may own it by a seed. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/* Fill `n` bytes, fit for keys and nonces. Ends the process if the kernel gives none. */
void rand_bytes(void *p, size_t n);

uint64_t rand_u64(void);

/* Uniform in [0, n); `n` above 0. */
uint64_t rand_below(uint64_t n);

/* Tests: repeatable bytes from now on; seed 0 goes back to the kernel. */
void rand_test_seed(uint64_t seed);

#endif
