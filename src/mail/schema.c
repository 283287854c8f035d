/* The one place that spells keys. Everything follows from one table, building and taking apart
 * alike, so that they cannot differ. */
#include "mail/schema.h"
#include "base/must.h"
#include "base/wire.h"

enum field {
    NONE,
    ACCOUNT,
    MESSAGE,
    MODSEQ,
    TIME,
    MAILBOX,
    UID,
    INDEX,
    SLOT,
    HOUR,
    CHUNK,
    SHARD,
    DIGEST,
    DOMAIN,    /* ends in NUL */
    LOCAL,     /* ends in NUL */
    HOP,       /* ends in NUL */
    NAME_LAST, /* the rest of the key, as the three below */
    LOCAL_LAST,
    DOMAIN_LAST,
};

static const char *const field_names[] = {
    [NONE] = NULL,
    [ACCOUNT] = "account",
    [MESSAGE] = "message",
    [MODSEQ] = "modseq",
    [TIME] = "time",
    [MAILBOX] = "mailbox",
    [UID] = "uid",
    [INDEX] = "index",
    [SLOT] = "slot",
    [HOUR] = "hour",
    [CHUNK] = "chunk",
    [SHARD] = "shard",
    [DIGEST] = "digest",
    [DOMAIN] = "domain NUL",
    [LOCAL] = "local NUL",
    [HOP] = "next-hop NUL",
    [NAME_LAST] = "name",
    [LOCAL_LAST] = "local",
    [DOMAIN_LAST] = "domain",
};

enum { FIELDS_MAX = 4 };

/* Owners: Z the store, D directory, A account, B blob, M message, R repeats, E refusals, Q queue.
 */
static const struct kind {
    const char *name;
    char owner;
    enum field owner_field;
    char space;
    enum field fields[FIELDS_MAX];
} kinds[KEY_KINDS] = {
    [KEY_VERSION] = { "version", 'Z', NONE, 'v', { NONE } },
    [KEY_GENERATION] = { "generation", 'D', NONE, 'g', { NONE } },
    [KEY_NEXT_ACCOUNT] = { "next-account", 'D', NONE, 'n', { NONE } },
    [KEY_DOMAIN] = { "domain", 'D', NONE, 'd', { DOMAIN_LAST } },
    [KEY_ADDRESS] = { "address", 'D', NONE, 'a', { DOMAIN, LOCAL_LAST } },
    [KEY_TARGETS] = { "targets", 'D', NONE, 't', { DOMAIN, LOCAL, CHUNK } },
    [KEY_ACCOUNT] = { "account", 'D', NONE, 'i', { ACCOUNT } },
    [KEY_CREDENTIALS] = { "credentials", 'D', NONE, 'c', { ACCOUNT } },
    [KEY_GONE_ACCOUNT] = { "gone-account", 'D', NONE, 'x', { ACCOUNT } },
    [KEY_GONE_DOMAIN] = { "gone-domain", 'D', NONE, 'y', { DOMAIN_LAST } },
    [KEY_STATE] = { "state", 'A', ACCOUNT, 's', { NONE } },
    [KEY_MAILBOX] = { "mailbox", 'A', ACCOUNT, 'b', { MAILBOX } },
    [KEY_MAILBOX_NAME] = { "mailbox-name", 'A', ACCOUNT, 'n', { NAME_LAST } },
    [KEY_GONE_MAILBOX] = { "gone-mailbox", 'A', ACCOUNT, 'x', { MAILBOX } },
    [KEY_MESSAGE] = { "message", 'A', ACCOUNT, 'm', { MAILBOX, UID } },
    [KEY_FIXED] = { "fixed", 'A', ACCOUNT, 'f', { MAILBOX, UID } },
    [KEY_CHANGE] = { "change", 'A', ACCOUNT, 'c', { MODSEQ } },
    [KEY_KEYWORDS] = { "keywords", 'A', ACCOUNT, 'k', { NONE } },
    [KEY_STRUCTURE] = { "structure", 'B', MESSAGE, 's', { CHUNK } },
    [KEY_INTAKE] = { "intake", 'M', MESSAGE, 'i', { NONE } },
    [KEY_INTAKE_ITEMS] = { "intake-items", 'M', MESSAGE, 'j', { CHUNK } },
    [KEY_EVENT] = { "event", 'M', MESSAGE, 'e', { TIME, INDEX } },
    [KEY_REPEAT] = { "repeat", 'R', NONE, 'd', { HOUR, DIGEST } },
    [KEY_REFUSAL] = { "refusal", 'E', NONE, 'r', { SLOT } },
    [KEY_QUEUE_MESSAGE] = { "queue-message", 'Q', SHARD, 'm', { MESSAGE } },
    [KEY_QUEUE_RCPT] = { "queue-rcpt", 'Q', SHARD, 'r', { MESSAGE, INDEX } },
    [KEY_QUEUE_HOP] = { "queue-hop", 'Q', SHARD, 'h', { NAME_LAST } },
    [KEY_QUEUE_HOP_DUE] = { "queue-hop-due", 'Q', SHARD, 'e', { TIME, NAME_LAST } },
    [KEY_QUEUE_DUE] = { "queue-due", 'Q', SHARD, 'd', { HOP, TIME, MESSAGE, INDEX } },
};

/* ---- building ---- */

static void put_name(struct buf *b, struct str s, bool last)
{
    must(str_find(s, 0) == STR_NOWHERE);
    buf_put(b, s);
    if (!last) buf_put_byte(b, 0);
}

static void put_field(struct buf *b, enum field f, const struct key *k)
{
    switch (f) {
    case NONE:
        return;
    case ACCOUNT:
        wire_put_u64(b, k->account);
        return;
    case MESSAGE:
        wire_put_u64(b, k->message);
        return;
    case MODSEQ:
        wire_put_u64(b, k->modseq);
        return;
    case TIME:
        must(k->time_us >= 0);
        wire_put_u64(b, (uint64_t)k->time_us);
        return;
    case MAILBOX:
        wire_put_u32(b, k->mailbox);
        return;
    case UID:
        wire_put_u32(b, k->uid);
        return;
    case INDEX:
        wire_put_u32(b, k->index);
        return;
    case SLOT:
        wire_put_u32(b, k->slot);
        return;
    case HOUR:
        wire_put_u32(b, k->hour);
        return;
    case CHUNK:
        wire_put_u16(b, k->chunk);
        return;
    case SHARD:
        wire_put_u8(b, k->shard);
        return;
    case DIGEST:
        must(k->digest.n == KEY_DIGEST_BYTES);
        buf_put(b, k->digest);
        return;
    case DOMAIN:
    case DOMAIN_LAST:
        put_name(b, k->domain, f == DOMAIN_LAST);
        return;
    case LOCAL:
    case LOCAL_LAST:
        put_name(b, k->local, f == LOCAL_LAST);
        return;
    case HOP:
    case NAME_LAST:
        put_name(b, k->name, f == NAME_LAST);
        return;
    }
    must(false);
}

/* Owner, and when `space` the space tag and the first `fields` fields. */
static void put_key(struct buf *b, const struct key *k, bool space, unsigned fields)
{
    must(k->kind < KEY_KINDS);
    const struct kind *kind = &kinds[k->kind];
    buf_put_byte(b, kind->owner);
    put_field(b, kind->owner_field, k);
    if (!space) return;
    buf_put_byte(b, kind->space);
    for (unsigned i = 0; i < fields && i < FIELDS_MAX; i++) {
        put_field(b, kind->fields[i], k);
    }
}

static struct str take(struct arena *a, struct buf *b)
{
    must(buf_check(b) == OK);
    struct str s = arena_str(a, buf_str(b));
    buf_free(b);
    return s;
}

struct str key_make(struct arena *a, const struct key *k)
{
    struct buf b = buf_new(ENGINE_KEY_MAX);
    put_key(&b, k, true, FIELDS_MAX);
    return take(a, &b);
}

/* The first key behind all keys that begin with what is in `b`. No owner tag is 0xff, so there is
 * always one. */
static void step_behind(struct buf *b)
{
    while ((unsigned char)b->p[b->n - 1] == 0xff) {
        buf_truncate(b, b->n - 1);
    }
    b->p[b->n - 1] = (char)((unsigned char)b->p[b->n - 1] + 1);
}

static struct key_range range_of(struct arena *a, const struct key *k, bool space, unsigned fields)
{
    struct key_range r;
    struct buf b = buf_new(ENGINE_KEY_MAX);
    put_key(&b, k, space, fields);
    must(buf_check(&b) == OK);
    r.from = arena_str(a, buf_str(&b));
    step_behind(&b);
    r.until = take(a, &b);
    return r;
}

struct key_range key_range(struct arena *a, const struct key *k, unsigned fields)
{
    return range_of(a, k, true, fields);
}

struct key_range key_owner_range(struct arena *a, const struct key *k)
{
    return range_of(a, k, false, 0);
}

struct key_range key_whole_range(void)
{
    return (struct key_range){ STR("\x00"), STR_NONE };
}

struct str key_after(struct arena *a, struct str key)
{
    struct buf b = buf_new(key.n + 1);
    buf_put(&b, key);
    buf_put_byte(&b, 0);
    return take(a, &b);
}

/* ---- taking apart ---- */

/* Of at most `max` bytes, without NUL: whatever is taken apart can be built again. */
static struct str get_name(struct wire *w, bool last, size_t max)
{
    size_t nul = str_find(w->left, 0);
    size_t n = last ? w->left.n : nul;
    if (last != (nul == STR_NOWHERE) || n > max) {
        w->bad = true;
        return STR_NONE;
    }
    struct str s = wire_get_bytes(w, n);
    if (!last) wire_get_u8(w);
    return s;
}

static void get_field(struct wire *w, enum field f, struct key *k)
{
    switch (f) {
    case NONE:
        return;
    case ACCOUNT:
        k->account = wire_get_u64(w);
        return;
    case MESSAGE:
        k->message = wire_get_u64(w);
        return;
    case MODSEQ:
        k->modseq = wire_get_u64(w);
        return;
    case TIME:
        k->time_us = (int64_t)wire_get_u64(w);
        if (k->time_us < 0) w->bad = true;
        return;
    case MAILBOX:
        k->mailbox = wire_get_u32(w);
        return;
    case UID:
        k->uid = wire_get_u32(w);
        return;
    case INDEX:
        k->index = wire_get_u32(w);
        return;
    case SLOT:
        k->slot = wire_get_u32(w);
        return;
    case HOUR:
        k->hour = wire_get_u32(w);
        return;
    case CHUNK:
        k->chunk = wire_get_u16(w);
        return;
    case SHARD:
        k->shard = wire_get_u8(w);
        return;
    case DIGEST:
        k->digest = wire_get_bytes(w, KEY_DIGEST_BYTES);
        return;
    case DOMAIN:
    case DOMAIN_LAST:
        k->domain = get_name(w, f == DOMAIN_LAST, KEY_DOMAIN_MAX);
        return;
    case LOCAL:
    case LOCAL_LAST:
        k->local = get_name(w, f == LOCAL_LAST, KEY_LOCAL_MAX);
        return;
    case HOP:
    case NAME_LAST:
        k->name = get_name(w, f == NAME_LAST,
                           k->kind == KEY_MAILBOX_NAME ? KEY_MAILBOX_NAME_MAX : KEY_NEXT_HOP_MAX);
        return;
    }
    must(false);
}

/* Where the space tag stands. */
static size_t space_at(const struct kind *row)
{
    if (row->owner_field == NONE) return 1;
    return row->owner_field == SHARD ? 2 : 9;
}

/* Both tags fit: cheap to ask before anything is taken apart. */
static bool tags_fit(struct str bytes, const struct kind *row)
{
    size_t at = space_at(row);
    return bytes.n > at && bytes.p[0] == row->owner && bytes.p[at] == row->space;
}

static enum err parse_as(struct str bytes, enum key_kind kind, struct key *out)
{
    const struct kind *row = &kinds[kind];
    if (!tags_fit(bytes, row)) return ERR_CORRUPT;
    struct wire w = wire_of(bytes);
    struct key k = { .kind = kind };

    wire_get_u8(&w);
    get_field(&w, row->owner_field, &k);
    wire_get_u8(&w);
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        get_field(&w, row->fields[i], &k);
    }
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *out = k;
    return OK;
}

enum err key_parse(struct str bytes, struct key *out)
{
    for (unsigned i = 0; i < KEY_KINDS; i++) {
        if (parse_as(bytes, (enum key_kind)i, out) == OK) return OK;
    }
    return ERR_CORRUPT;
}

bool key_is_of_account(const struct key *k)
{
    return kinds[k->kind].owner_field == ACCOUNT;
}

bool key_is_news(struct str key, uint64_t *account_out)
{
    struct key k;
    if (parse_as(key, KEY_STATE, &k) != OK) return false;
    *account_out = k.account;
    return true;
}

struct key_doc key_doc(enum key_kind kind)
{
    must(kind < KEY_KINDS);
    const struct kind *row = &kinds[kind];
    struct key_doc d = { .name = row->name,
                         .owner_field = field_names[row->owner_field],
                         .owner = row->owner,
                         .space = row->space };
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        d.fields[i] = field_names[row->fields[i]];
    }
    return d;
}

/* ---- blobs ---- */

struct blob_id blob_of_message(uint64_t message)
{
    struct blob_id id = { { 0 } };
    for (unsigned i = 0; i < 8; i++) {
        id.bytes[i] = (unsigned char)(message >> (8 * (7 - i)));
    }
    return id;
}

uint64_t message_of_blob(struct blob_id id)
{
    uint64_t message = 0;
    for (unsigned i = 0; i < 8; i++) {
        message = message << 8 | id.bytes[i];
    }
    return message;
}

/* ---- version ---- */

enum err schema_begin(struct txn *t)
{
    struct key k = { .kind = KEY_VERSION };
    struct str key = key_make(txn_arena(t), &k), value;
    enum err e = txn_get(t, key, &value);
    if (e == OK) {
        struct wire w = wire_of(value);
        uint32_t version = wire_get_u32(&w);
        if (wire_end(&w) != OK) return ERR_CORRUPT;
        return version == SCHEMA_VERSION ? OK : ERR_UNSUPPORTED;
    }
    if (e != ERR_NOT_FOUND) return e;
    struct buf b = buf_new(8);
    wire_put_u32(&b, SCHEMA_VERSION);
    e = txn_put(t, key, buf_str(&b));
    buf_free(&b);
    return e;
}
