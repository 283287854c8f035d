/* The part of engine_check() that is the same for all engines: rows readable, counts right, each
 * blob's bytes as they were written. A blob's row begins with its count, 32 bits. */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/engine.h"

/* Adds to `out`. ERR_CORRUPT when something is wrong; ERR_IO and others when it could not look. */
enum err check_all(struct engine *e, const struct engine_check *how, struct engine_report *out);

/* One line for the caller: the words, then (if not empty) the bytes in hexadecimal. */
void check_say(const struct engine_check *how, struct str words, struct str bytes);

#endif
