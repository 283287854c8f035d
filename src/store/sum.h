/* The checksum of everything the store writes: XXH3, 64 bits, seed 0. */
#ifndef STORE_SUM_H
#define STORE_SUM_H

#include <xxhash.h>

#include "base/str.h"

static inline uint64_t sum_of(struct str bytes)
{
    return XXH3_64bits(bytes.p, bytes.n);
}

#endif
