/* Rows lie in hours, so that looking is a get for each hour of the window and forgetting deletes
 * from the front; digests within an hour lie in no order. */
#include "mail/repeat.h"
#include "base/param.h"

PARAM(intake_repeat_window_ms, TIME_MS, 0, 86400000, 7200000,
      "how long a message that is sent again after a lost reply is recognised (RFC 1047); 0: never")

static const int64_t hour_us = 3600ll * 1000 * 1000;

static uint32_t hour_of(int64_t time_us)
{
    return time_us > 0 ? (uint32_t)(time_us / hour_us) : 0;
}

static int64_t window_begin(int64_t now_us)
{
    return now_us - intake_repeat_window_ms * 1000;
}

static enum err find_in(struct txn *t, struct key *k, int64_t since_us, uint64_t *message_out)
{
    struct str value;
    enum err e = row_get(t, k, &value);
    if (e != OK) return e;
    struct wire w = wire_of(value);
    uint64_t message = wire_get_u64(&w);
    int64_t time_us = (int64_t)wire_get_u64(&w);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    if (time_us < since_us) return ERR_NOT_FOUND;
    *message_out = message;
    return OK;
}

enum err repeat_find(struct txn *t, struct str digest, int64_t now_us, uint64_t *message_out)
{
    if (intake_repeat_window_ms == 0) return ERR_NOT_FOUND;
    int64_t since_us = window_begin(now_us);
    struct key k = { .kind = KEY_REPEAT, .hour = hour_of(now_us), .digest = digest };
    for (;;) {
        enum err e = find_in(t, &k, since_us, message_out);
        if (e != ERR_NOT_FOUND) return e;
        if (k.hour <= hour_of(since_us)) return ERR_NOT_FOUND;
        k.hour--;
    }
}

enum err repeat_put(struct txn *t, struct str digest, int64_t now_us, uint64_t message)
{
    if (intake_repeat_window_ms == 0) return OK;
    struct key k = { .kind = KEY_REPEAT, .hour = hour_of(now_us), .digest = digest };
    struct buf b = row_buf();
    wire_put_u64(&b, message);
    wire_put_u64(&b, (uint64_t)now_us);
    return row_put(t, &k, &b);
}

static enum err old_rows(struct txn *t, int64_t now_us, size_t max_rows, struct rows *out)
{
    struct arena *a = txn_arena(t);
    struct key k = { .kind = KEY_REPEAT, .hour = hour_of(window_begin(now_us)) };
    struct key_range whole = key_range(a, &k, 0), kept = key_range(a, &k, 1);
    return row_range(t, (struct key_range){ whole.from, kept.from }, STR_NONE, max_rows, out);
}

enum err repeat_is_old(struct txn *t, int64_t now_us, bool *old_out)
{
    struct rows rows;
    enum err e = old_rows(t, now_us, 1, &rows);
    if (e == OK) *old_out = rows.n > 0;
    return e;
}

enum err repeat_expire(struct txn *t, int64_t now_us, size_t max_rows, bool *more_out)
{
    struct rows rows;
    enum err e = old_rows(t, now_us, max_rows, &rows);
    if (e == OK) e = row_del_all(t, &rows);
    if (e == OK) *more_out = rows.more;
    return e;
}
