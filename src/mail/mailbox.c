#include "mail/mailbox.h"
#include "mail/changes.h"
#include "mail/message.h"
#include "base/must.h"
#include "base/param.h"

#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

PARAM(mailbox_count_max, COUNT, 10, 100000, 5000, "how many mailboxes an account may have")

/* ---- names ---- */

static bool is_control(ucs4_t c)
{
    /* Line and paragraph separators end lines for some clients (RFC 5198 2). */
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static bool text_is_clean(struct str s)
{
    struct str left = s;
    while (left.n > 0) {
        ucs4_t c;
        int n = u8_mbtouc_unsafe(&c, (const uint8_t *)left.p, left.n);
        if (is_control(c)) return false;
        left = str_skip(left, (size_t)n);
    }
    return true;
}

static bool levels_are_there(struct str name)
{
    struct str left = name, level;
    if (name.n == 0 || name.p[name.n - 1] == '/') return false;
    while (str_cut(&left, '/', &level)) {
        if (level.n == 0) return false;
    }
    return true;
}

/* The first level is INBOX in whatever case: written in capitals. */
static void put_name(struct buf *b, struct str name)
{
    static const struct str inbox = STR_INIT("INBOX");
    bool is_inbox = str_starts_nocase(name, inbox) && (name.n == inbox.n || name.p[inbox.n] == '/');
    if (is_inbox) buf_put(b, inbox);
    buf_put(b, is_inbox ? str_skip(name, inbox.n) : name);
}

enum err mailbox_name_normal(struct arena *a, struct str name, struct str *out)
{
    if (name.n == 0 || name.n > KEY_MAILBOX_NAME_MAX) return ERR_INVALID;
    if (u8_check((const uint8_t *)name.p, name.n) != NULL) return ERR_INVALID;
    if (!text_is_clean(name) || !levels_are_there(name)) return ERR_INVALID;

    size_t n = 0;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)name.p, name.n, NULL, &n);
    if (nfc == NULL) return ERR_INVALID;
    struct buf b = buf_new(KEY_MAILBOX_NAME_MAX);
    put_name(&b, str_of(nfc, n));
    enum err e = buf_check(&b) == OK ? OK : ERR_INVALID; /* NFC can be longer */
    if (e == OK) *out = arena_str(a, buf_str(&b));
    free(nfc);
    buf_free(&b);
    return e;
}

/* ---- rows ---- */

enum err mailbox_put(struct txn *t, uint64_t account, const struct mailbox_info *m)
{
    must(m->id > 0 && m->id <= UINT32_MAX && m->unseen <= m->messages && m->deleted <= m->messages);
    struct key k = { .kind = KEY_MAILBOX, .account = account, .mailbox = (uint32_t)m->id };
    struct buf b = row_buf();
    wire_put_vstr(&b, m->name);
    wire_put_u32(&b, m->uid_validity);
    wire_put_u32(&b, m->uid_next);
    wire_put_var(&b, m->messages);
    wire_put_var(&b, m->unseen);
    wire_put_var(&b, m->deleted);
    wire_put_var(&b, m->bytes);
    wire_put_var(&b, m->modseq);
    wire_put_var(&b, m->attributes);
    return row_put(t, &k, &b);
}

static enum err decode(uint64_t id, struct str value, struct mailbox_info *out)
{
    struct wire w = wire_of(value);
    struct mailbox_info m = { .id = id, .name = wire_get_vstr(&w) };
    m.uid_validity = wire_get_u32(&w);
    m.uid_next = wire_get_u32(&w);
    m.messages = wire_get_var(&w);
    m.unseen = wire_get_var(&w);
    m.deleted = wire_get_var(&w);
    m.bytes = wire_get_var(&w);
    m.modseq = wire_get_var(&w);
    m.attributes = (uint32_t)wire_get_var(&w);
    bool sane = m.unseen <= m.messages && m.deleted <= m.messages && m.uid_next > 0 &&
                m.name.n > 0 && m.name.n <= KEY_MAILBOX_NAME_MAX &&
                str_find(m.name, 0) == STR_NOWHERE;
    if (wire_end(&w) != OK || !sane) return ERR_CORRUPT;
    *out = m;
    return OK;
}

enum err mailbox_get(struct txn *t, uint64_t account, uint64_t mailbox, struct mailbox_info *out)
{
    if (mailbox == 0 || mailbox > UINT32_MAX) return ERR_NOT_FOUND;
    struct key k = { .kind = KEY_MAILBOX, .account = account, .mailbox = (uint32_t)mailbox };
    struct str value;
    enum err e = row_get(t, &k, &value);
    return e == OK ? decode(mailbox, value, out) : e;
}

/* `name` is in its one form. */
static enum err id_of(struct txn *t, uint64_t account, struct str name, uint64_t *id_out)
{
    struct key k = { .kind = KEY_MAILBOX_NAME, .account = account, .name = name };
    struct str value;
    if (str_eq(name, STR("INBOX"))) {
        *id_out = MAILBOX_INBOX; /* the usual case saves a look-up */
        return OK;
    }
    enum err e = row_get(t, &k, &value);
    if (e != OK) return e;
    struct wire w = wire_of(value);
    uint32_t id = wire_get_u32(&w);
    if (wire_end(&w) != OK) return ERR_CORRUPT;
    *id_out = id;
    return OK;
}

static enum err name_put(struct txn *t, uint64_t account, struct str name, uint64_t id)
{
    struct key k = { .kind = KEY_MAILBOX_NAME, .account = account, .name = name };
    struct buf b = row_buf();
    wire_put_u32(&b, (uint32_t)id);
    return row_put(t, &k, &b);
}

static enum err name_del(struct txn *t, uint64_t account, struct str name)
{
    struct key k = { .kind = KEY_MAILBOX_NAME, .account = account, .name = name };
    return row_del(t, &k);
}

enum err mailbox_find(struct txn *t, uint64_t account, struct str name, struct mailbox_info *out)
{
    struct str normal;
    uint64_t id = 0;
    enum err e = mailbox_name_normal(txn_arena(t), name, &normal);
    if (e != OK) return ERR_NOT_FOUND;
    e = id_of(t, account, normal, &id);
    return e == OK ? mailbox_get(t, account, id, out) : e;
}

enum err mailbox_list(struct txn *t, uint64_t account, uint64_t after, size_t max,
                      struct mailbox_info *out, size_t *n_out, bool *more_out)
{
    struct key k = { .kind = KEY_MAILBOX, .account = account, .mailbox = (uint32_t)after };
    struct rows rows;
    if (after > UINT32_MAX) return ERR_INVALID;
    enum err e = row_page(t, &k, 0, key_make(txn_arena(t), &k), max, &rows);
    if (e != OK) return e;
    for (size_t i = 0; i < rows.n; i++) {
        e = key_parse(rows.at[i].key, &k);
        if (e == OK) e = decode(k.mailbox, rows.at[i].value, &out[i]);
        if (e != OK) return e;
    }
    *n_out = rows.n;
    *more_out = rows.more;
    return OK;
}

/* ---- changes ---- */

/* Seconds since 1970 when that is above all earlier ones: unique within the account for ever, even
 * when an account was restored from a backup. */
static uint32_t next_uid_validity(struct account_state *s, int64_t now_us)
{
    uint64_t seconds = now_us > 0 ? (uint64_t)now_us / 1000000 : 0;
    uint64_t v = s->last_uid_validity + 1ull;
    if (seconds > v) v = seconds;
    if (v > UINT32_MAX) v = UINT32_MAX;
    s->last_uid_validity = (uint32_t)v;
    return (uint32_t)v;
}

bool mailbox_has_room(const struct account_state *s)
{
    return s->mailboxes < (uint64_t)mailbox_count_max && s->next_mailbox < UINT32_MAX;
}

enum err mailbox_make(struct txn *t, struct account_state *s, struct str name, uint32_t attributes,
                      int64_t now_us, struct mailbox_info *out)
{
    if (!mailbox_has_room(s)) return ERR_LIMIT;
    struct mailbox_info m = {
        .id = s->next_mailbox, .name = name, .uid_next = 1, .attributes = attributes
    };
    enum err e = change_put(t, s, CHANGE_MAILBOX_CREATED, m.id, 0, &m.modseq);
    if (e != OK) return e;
    s->next_mailbox++;
    s->mailboxes++;
    m.uid_validity = next_uid_validity(s, now_us);
    e = name_put(t, s->account, name, m.id);
    if (e == OK) e = mailbox_put(t, s->account, &m);
    if (e == OK) *out = m;
    return e;
}

static enum err name_is_free(struct txn *t, uint64_t account, struct str name)
{
    uint64_t id;
    enum err e = id_of(t, account, name, &id);
    if (e == OK) return ERR_EXISTS;
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err mailbox_create(struct txn *t, uint64_t account, struct str name, uint32_t attributes,
                        int64_t now_us, struct mailbox_info *out)
{
    struct account_state s;
    struct str normal;
    if ((attributes & ~(uint32_t)MAILBOX_ATTRIBUTES) != 0) return ERR_INVALID;
    enum err e = mailbox_name_normal(txn_arena(t), name, &normal);
    if (e == OK) e = account_state_get(t, account, &s);
    if (e == OK) e = name_is_free(t, account, normal);
    if (e == OK) e = mailbox_make(t, &s, normal, attributes, now_us, out);
    if (e == OK) e = account_state_put(t, &s);
    return e;
}

static enum err rename_one(struct txn *t, struct account_state *s, uint64_t id, struct str to)
{
    struct mailbox_info m;
    enum err e = mailbox_get(t, s->account, id, &m);
    if (e == ERR_NOT_FOUND) return ERR_CORRUPT; /* a name without its mailbox */
    if (e == OK) e = name_is_free(t, s->account, to);
    if (e == OK) e = name_del(t, s->account, m.name);
    if (e == OK) e = name_put(t, s->account, to, id);
    if (e == OK) e = change_put(t, s, CHANGE_MAILBOX_RENAMED, id, 0, &m.modseq);
    if (e != OK) return e;
    m.name = to;
    return mailbox_put(t, s->account, &m);
}

static struct str joined(struct arena *a, struct str head, struct str tail)
{
    struct buf b = buf_new(head.n + tail.n);
    buf_put(&b, head);
    buf_put(&b, tail);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

/* All names below `from`, before any of them is changed. */
static enum err names_below(struct txn *t, uint64_t account, struct str from, struct rows *out)
{
    struct arena *a = txn_arena(t);
    struct key first = { .kind = KEY_MAILBOX_NAME,
                         .account = account,
                         .name = joined(a, from, STR("/")) };
    struct key last = first;
    last.name = joined(a, from, STR("0")); /* the byte behind '/' */
    struct key_range r = { key_make(a, &first), key_make(a, &last) };
    enum err e = row_range(t, r, STR_NONE, MAILBOX_RENAME_MAX, out);
    if (e == OK && out->more) return ERR_LIMIT;
    return e;
}

static enum err rename_below(struct txn *t, struct account_state *s, struct str from, struct str to)
{
    struct rows below;
    enum err e = names_below(t, s->account, from, &below);
    for (size_t i = 0; e == OK && i < below.n; i++) {
        struct key k;
        e = key_parse(below.at[i].key, &k);
        if (e != OK) return e;
        struct wire w = wire_of(below.at[i].value);
        struct str name = joined(txn_arena(t), to, str_skip(k.name, from.n));
        if (name.n > KEY_MAILBOX_NAME_MAX) return ERR_INVALID;
        e = rename_one(t, s, wire_get_u32(&w), name);
    }
    return e;
}

static enum err rename_names(struct txn *t, struct str from, struct str to, struct str *from_out,
                             struct str *to_out)
{
    enum err e = mailbox_name_normal(txn_arena(t), to, to_out);
    if (e != OK) return e;
    if (mailbox_name_normal(txn_arena(t), from, from_out) != OK) return ERR_NOT_FOUND;
    if (str_eq(*from_out, STR("INBOX"))) return ERR_DENIED;
    struct str rest = str_skip(*to_out, from_out->n);
    bool into_itself = str_starts(*to_out, *from_out) && rest.n > 0 && rest.p[0] == '/';
    return into_itself ? ERR_INVALID : OK;
}

enum err mailbox_rename(struct txn *t, uint64_t account, struct str from, struct str to)
{
    struct account_state s;
    struct str old, new;
    uint64_t id;
    enum err e = rename_names(t, from, to, &old, &new);
    if (e == OK) e = account_state_get(t, account, &s);
    if (e == OK) e = id_of(t, account, old, &id);
    if (e == OK) e = rename_one(t, &s, id, new);
    if (e == OK) e = rename_below(t, &s, old, new);
    if (e == OK) e = account_state_put(t, &s);
    return e;
}

enum err mailbox_attributes_set(struct txn *t, uint64_t account, uint64_t mailbox,
                                uint32_t attributes)
{
    struct account_state s;
    struct mailbox_info m;
    if ((attributes & ~(uint32_t)MAILBOX_ATTRIBUTES) != 0) return ERR_INVALID;
    enum err e = account_state_get(t, account, &s);
    if (e == OK) e = mailbox_get(t, account, mailbox, &m);
    if (e != OK || m.attributes == attributes) return e;
    m.attributes = attributes;
    e = change_put(t, &s, CHANGE_MAILBOX_RENAMED, m.id, 0, &m.modseq);
    if (e == OK) e = mailbox_put(t, account, &m);
    if (e == OK) e = account_state_put(t, &s);
    return e;
}

enum err mailbox_delete(struct txn *t, uint64_t account, struct str name)
{
    struct account_state s;
    struct mailbox_info m;
    enum err e = account_state_get(t, account, &s);
    if (e == OK) e = mailbox_find(t, account, name, &m);
    if (e != OK) return e;
    if (m.id == MAILBOX_INBOX) return ERR_DENIED;

    struct key k = { .kind = KEY_MAILBOX, .account = account, .mailbox = (uint32_t)m.id };
    e = row_del(t, &k);
    if (e == OK) e = name_del(t, account, m.name);
    k.kind = KEY_GONE_MAILBOX;
    if (e == OK && m.messages > 0) e = row_put_str(t, &k, STR_NONE);
    if (e == OK) e = change_put(t, &s, CHANGE_MAILBOX_DELETED, m.id, 0, NULL);
    s.mailboxes -= s.mailboxes > 0; /* a damaged count must not stop the user */
    if (e == OK) e = account_state_put(t, &s);
    return e;
}

enum err mailbox_name_mend(struct txn *t, uint64_t account, const struct mailbox_info *m)
{
    struct mailbox_info other, mended = *m;
    uint64_t id = 0;
    enum err e = id_of(t, account, m->name, &id);
    if (e == ERR_NOT_FOUND) return name_put(t, account, m->name, m->id);
    if (e != OK || id == m->id) return e;
    e = mailbox_get(t, account, id, &other);
    bool taken = e == OK && str_eq(other.name, m->name);
    if (e != OK && e != ERR_NOT_FOUND) return e;
    if (!taken) return name_put(t, account, m->name, m->id);

    struct buf b = buf_new(KEY_MAILBOX_NAME_MAX);
    buf_put_lit(&b, "Recovered-");
    buf_put_u64(&b, m->id);
    buf_put_byte(&b, '-');
    buf_put_u64(&b, m->uid_validity);
    mended.name = arena_str(txn_arena(t), buf_str(&b));
    buf_free(&b);
    e = name_put(t, account, mended.name, m->id);
    return e == OK ? mailbox_put(t, account, &mended) : e;
}

/* ---- reaping ---- */

static enum err reap_one(struct txn *t, struct account_state *s, uint32_t mailbox, size_t max_rows,
                         bool *left_out)
{
    struct key k = { .kind = KEY_MESSAGE, .account = s->account, .mailbox = mailbox };
    struct rows rows;
    enum err e = row_page(t, &k, 1, STR_NONE, max_rows, &rows);
    if (e == OK) e = message_reap_rows(t, &rows);
    for (size_t i = 0; e == OK && i < rows.n; i++) {
        struct message_row m;
        e = message_decode(&rows.at[i], &m);
        if (e != OK) break;
        s->used_bytes -= s->used_bytes >= m.info.bytes ? m.info.bytes : s->used_bytes;
        s->used_messages -= s->used_messages > 0 ? 1 : 0;
    }
    if (e != OK) return e;
    *left_out = rows.more;
    if (!rows.more) {
        k.kind = KEY_GONE_MAILBOX;
        e = row_del(t, &k);
    }
    return e == OK ? account_state_put(t, s) : e;
}

enum err mailbox_reap(struct txn *t, uint64_t account, size_t max_rows, bool *more_out)
{
    struct account_state s;
    struct key k = { .kind = KEY_GONE_MAILBOX, .account = account };
    struct rows gone;
    bool left = false;
    enum err e = account_state_get(t, account, &s);
    if (e == OK) e = row_page(t, &k, 0, STR_NONE, 1, &gone);
    if (e == OK && gone.n > 0) {
        e = key_parse(gone.at[0].key, &k);
        if (e == OK) e = reap_one(t, &s, k.mailbox, max_rows, &left);
    }
    if (e == OK) *more_out = left || gone.more;
    return e;
}
