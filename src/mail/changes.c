#include "mail/changes.h"
#include "base/must.h"

enum err change_put(struct txn *t, struct account_state *s, enum change_kind kind, uint64_t mailbox,
                    uint32_t uid, uint64_t *modseq_out)
{
    must(mailbox <= UINT32_MAX && kind < CHANGE_KINDS);
    struct key k = { .kind = KEY_CHANGE, .account = s->account, .modseq = s->modseq + 1 };
    struct buf b = row_buf();
    wire_put_u8(&b, (uint8_t)kind);
    wire_put_u32(&b, (uint32_t)mailbox);
    wire_put_var(&b, uid);
    enum err e = row_put(t, &k, &b);
    if (e != OK) return e;
    s->modseq++;
    if (modseq_out != NULL) *modseq_out = s->modseq;
    return OK;
}

static enum err decode(const struct row *row, struct change *out)
{
    struct key k;
    enum err e = key_parse(row->key, &k);
    if (e != OK) return e;
    struct wire w = wire_of(row->value);
    uint8_t kind = wire_get_u8(&w);
    struct change c = { .modseq = k.modseq, .mailbox = wire_get_u32(&w) };
    uint64_t uid = wire_get_var(&w);
    if (wire_end(&w) != OK || kind >= CHANGE_KINDS || uid > UINT32_MAX) return ERR_CORRUPT;
    c.kind = (enum change_kind)kind;
    c.uid = (uint32_t)uid;
    *out = c;
    return OK;
}

enum err changes_since(struct txn *t, uint64_t account, uint64_t modseq, size_t max,
                       struct change *out, size_t *n_out, bool *more_out)
{
    struct account_state s;
    enum err e = account_state_get(t, account, &s);
    if (e != OK) return e;
    if (modseq < s.changes_floor) return ERR_RANGE;

    struct key k = { .kind = KEY_CHANGE, .account = account, .modseq = modseq };
    struct rows rows;
    e = row_page(t, &k, 0, key_make(txn_arena(t), &k), max, &rows);
    if (e != OK) return e;
    for (size_t i = 0; i < rows.n; i++) {
        e = decode(&rows.at[i], &out[i]);
        if (e != OK) return e;
    }
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}

/* From the log's first row on, whatever its number: a repair may have left gaps. */
enum err changes_trim(struct txn *t, uint64_t account, uint64_t keep, size_t max_rows,
                      bool *more_out)
{
    struct account_state s;
    struct rows rows;
    enum err e = account_state_get(t, account, &s);
    if (e != OK) return e;
    *more_out = false;
    if (s.modseq - s.changes_floor <= keep) return OK;

    struct key first = { .kind = KEY_CHANGE, .account = account };
    struct key kept = { .kind = KEY_CHANGE, .account = account, .modseq = s.modseq - keep + 1 };
    struct key_range r = { key_make(txn_arena(t), &first), key_make(txn_arena(t), &kept) };
    e = row_range(t, r, STR_NONE, max_rows, &rows);
    if (e == OK) e = row_del_all(t, &rows);
    if (e != OK) return e;
    s.changes_floor = s.modseq - keep;
    if (rows.more) { /* at least the last one that went */
        struct key last;
        e = key_parse(rows.at[rows.n - 1].key, &last);
        if (e != OK) return e;
        s.changes_floor = last.modseq;
    }
    *more_out = rows.more;
    return account_state_put(t, &s);
}
