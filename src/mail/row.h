/* Rows by their key: what every noun of mail/ reads and writes through. */
#ifndef MAIL_ROW_H
#define MAIL_ROW_H

#include "base/wire.h"
#include "mail/schema.h"

/* A value to be written. */
static inline struct buf row_buf(void)
{
    return buf_new(ENGINE_VALUE_MAX);
}

/* The value, in the transaction's arena. ERR_NOT_FOUND, and what txn_get says. */
enum err row_get(struct txn *t, const struct key *k, struct str *value_out);

/* True, false; or an error of the engine's. */
enum err row_exists(struct txn *t, const struct key *k, bool *exists_out);

/* Write, and give the buf's memory back, whatever happens. ERR_LIMIT when the value was too large.
 */
enum err row_put(struct txn *t, const struct key *k, struct buf *value);

/* Write these bytes. */
enum err row_put_str(struct txn *t, const struct key *k, struct str value);

enum err row_del(struct txn *t, const struct key *k);

/* Rows of k->kind that share the first `fields` fields with `k`, upwards, behind `after` (a whole
 * key; empty: from the first). `max_rows` at most 10000. */
enum err row_page(struct txn *t, const struct key *k, unsigned fields, struct str after,
                  size_t max_rows, struct rows *out);

/* Rows of a range, upwards, behind `after`. */
enum err row_range(struct txn *t, struct key_range r, struct str after, size_t max_rows,
                   struct rows *out);

/* Delete all rows of `rows`. */
enum err row_del_all(struct txn *t, const struct rows *rows);

/* One number as a value: counters. An absent row reads as 0. */
enum err row_get_u64(struct txn *t, const struct key *k, uint64_t *value_out);
enum err row_put_u64(struct txn *t, const struct key *k, uint64_t value);

#endif
