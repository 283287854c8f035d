#include "mail/structure.h"
#include "base/must.h"

enum { CHUNKS_MAX = STRUCTURE_MAX / STRUCTURE_CHUNK };

bool structure_is_shared(size_t bytes, size_t copies)
{
    if (bytes > STRUCTURE_INLINE_MAX) return true;
    return copies > 1 && bytes * (copies - 1) > STRUCTURE_COPIES_MAX;
}

enum err structure_put(struct txn *t, uint64_t message, struct str record)
{
    struct key k = { .kind = KEY_STRUCTURE, .message = message };
    must(record.n > 0 && record.n <= STRUCTURE_MAX);
    for (struct str left = record; left.n > 0; left = str_skip(left, STRUCTURE_CHUNK)) {
        enum err e = row_put_str(t, &k, str_part(left, 0, STRUCTURE_CHUNK));
        if (e != OK) return e;
        k.chunk++;
    }
    return OK;
}

enum err structure_get(struct txn *t, uint64_t message, struct str *record_out)
{
    struct key k = { .kind = KEY_STRUCTURE, .message = message };
    struct rows rows;
    enum err e = row_page(t, &k, 0, STR_NONE, CHUNKS_MAX, &rows);
    if (e != OK) return e;
    if (rows.n == 0 || rows.more) return ERR_CORRUPT;
    if (rows.n == 1) {
        *record_out = rows.at[0].value;
        return OK;
    }
    struct buf b = buf_new(STRUCTURE_MAX);
    for (size_t i = 0; i < rows.n; i++) {
        buf_put(&b, rows.at[i].value);
    }
    e = buf_check(&b) == OK ? OK : ERR_CORRUPT;
    if (e == OK) *record_out = arena_str(txn_arena(t), buf_str(&b));
    buf_free(&b);
    return e;
}

enum err structure_del(struct txn *t, uint64_t message)
{
    struct key k = { .kind = KEY_STRUCTURE, .message = message };
    struct rows rows;
    enum err e = row_page(t, &k, 0, STR_NONE, CHUNKS_MAX, &rows);
    return e == OK ? row_del_all(t, &rows) : e;
}
