/* Handling of bytes that nobody else may learn: comparing and wiping. */
#ifndef AGENT_AUTH_SECRET_H
#define AGENT_AUTH_SECRET_H

#include "base/buf.h"

/* Equality in a time that depends on the lengths only. */
bool secret_eq(struct str a, struct str b);

/* Overwrite `n` bytes in a way that the compiler may not leave out. */
void secret_wipe(void *p, size_t n);

/* Overwrite everything that `b` ever held in its present memory, then buf_free(). Reserve what will
 * be needed before the secret goes in: growing leaves the old memory behind unwiped (unless
 * secret_wipe_freed() is on). */
void secret_buf_free(struct buf *b);

/* Have the allocator overwrite all memory that is given back, from now on, in the whole process.
 * For role authd: the libraries that handle passwords for us keep copies that we cannot reach. */
void secret_wipe_freed(void);

#endif
