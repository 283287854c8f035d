/* Structure records that the recipients of a message share: kept once beside its blob, in chunks,
 * and gone with the blob's last reference. */
#ifndef MAIL_STRUCTURE_H
#define MAIL_STRUCTURE_H

#include "mail/row.h"

enum {
    STRUCTURE_MAX = 512 * 1024,  /* a larger record is not kept: readers look into the body */
    STRUCTURE_INLINE_MAX = 1536, /* a larger one would get a page of the tree to itself */
    STRUCTURE_COPIES_MAX = 1024, /* bytes that all further copies may cost */
    STRUCTURE_CHUNK = 32 * 1024,
};

/* Whether a record goes into rows of its own: it is large, or many share it. */
bool structure_is_shared(size_t bytes, size_t copies);

/* Write the record (1..STRUCTURE_MAX bytes). */
enum err structure_put(struct txn *t, uint64_t message, struct str record);

/* The record, in the arena. ERR_CORRUPT: it is not there. */
enum err structure_get(struct txn *t, uint64_t message, struct str *record_out);

enum err structure_del(struct txn *t, uint64_t message);

#endif
