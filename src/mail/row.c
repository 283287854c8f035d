#include "mail/row.h"

enum err row_get(struct txn *t, const struct key *k, struct str *value_out)
{
    return txn_get(t, key_make(txn_arena(t), k), value_out);
}

enum err row_exists(struct txn *t, const struct key *k, bool *exists_out)
{
    struct str value;
    enum err e = row_get(t, k, &value);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    *exists_out = e == OK;
    return OK;
}

enum err row_put(struct txn *t, const struct key *k, struct buf *value)
{
    enum err e = buf_check(value);
    if (e == OK) e = row_put_str(t, k, buf_str(value));
    buf_free(value);
    return e;
}

enum err row_put_str(struct txn *t, const struct key *k, struct str value)
{
    return txn_put(t, key_make(txn_arena(t), k), value);
}

enum err row_del(struct txn *t, const struct key *k)
{
    return txn_del(t, key_make(txn_arena(t), k));
}

enum err row_range(struct txn *t, struct key_range r, struct str after, size_t max_rows,
                   struct rows *out)
{
    struct str from = after.n > 0 ? key_after(txn_arena(t), after) : r.from;
    if (r.until.n > 0 && str_cmp(from, r.until) >= 0) {
        *out = (struct rows){ 0 };
        return OK;
    }
    return txn_range(t, from, r.until, RANGE_UP, max_rows, out);
}

enum err row_page(struct txn *t, const struct key *k, unsigned fields, struct str after,
                  size_t max_rows, struct rows *out)
{
    return row_range(t, key_range(txn_arena(t), k, fields), after, max_rows, out);
}

enum err row_del_all(struct txn *t, const struct rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        enum err e = txn_del(t, rows->at[i].key);
        if (e != OK) return e;
    }
    return OK;
}

enum err row_get_u64(struct txn *t, const struct key *k, uint64_t *value_out)
{
    struct str value;
    enum err e = row_get(t, k, &value);
    if (e == ERR_NOT_FOUND) {
        *value_out = 0;
        return OK;
    }
    if (e != OK) return e;
    struct wire w = wire_of(value);
    uint64_t v = wire_get_u64(&w);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *value_out = v;
    return OK;
}

enum err row_put_u64(struct txn *t, const struct key *k, uint64_t value)
{
    struct buf b = row_buf();
    wire_put_u64(&b, value);
    return row_put(t, k, &b);
}
