/* One walk through the head notes where each field that matters stands; decisions come after it. */
#include "syntax/mend.h"

#include "base/must.h"
#include "syntax/date.h"
#include "syntax/header.h"
#include "syntax/message_id.h"

enum role {
    ROLE_FROM,
    ROLE_SENDER,
    ROLE_REPLY_TO,
    ROLE_DATE,
    ROLE_SUBJECT,
    ROLE_MESSAGE_ID,
    ROLE_ONCE, /* those above may stand once */
    ROLE_RESENT_FROM = ROLE_ONCE,
    ROLE_RESENT_SENDER,
    ROLE_KEPT,
    ROLE_DROPPED = ROLE_KEPT, /* those from here on are not for other eyes */
    ROLE_BCC = ROLE_DROPPED,
    ROLE_RESENT_BCC,
    ROLE_RETURN_PATH,
    ROLE_COUNT,
};

static const struct str names[ROLE_COUNT] = {
    [ROLE_FROM] = STR_INIT("From"),
    [ROLE_SENDER] = STR_INIT("Sender"),
    [ROLE_REPLY_TO] = STR_INIT("Reply-To"),
    [ROLE_DATE] = STR_INIT("Date"),
    [ROLE_SUBJECT] = STR_INIT("Subject"),
    [ROLE_MESSAGE_ID] = STR_INIT("Message-ID"),
    [ROLE_RESENT_FROM] = STR_INIT("Resent-From"),
    [ROLE_RESENT_SENDER] = STR_INIT("Resent-Sender"),
    [ROLE_BCC] = STR_INIT("Bcc"),
    [ROLE_RESENT_BCC] = STR_INIT("Resent-Bcc"),
    [ROLE_RETURN_PATH] = STR_INIT("Return-Path"),
};

enum { AUTHORS_MAX = 100, DROPS_MAX = HEADER_FIELDS_MAX + 4, PREPEND_MAX = 4096 };

struct mender {
    struct arena *arena;
    const struct mend_rules *rules;
    struct header_field first[ROLE_COUNT]; /* the first field of each role */
    size_t count[ROLE_COUNT];
    size_t first_field; /* offset of the first field of all */
    struct mend mend;
    struct buf prepend;
};

static void drop(struct mender *m, size_t from, size_t end)
{
    must(m->mend.drop_count < DROPS_MAX);
    m->mend.drops[m->mend.drop_count++] = (struct mend_range){ .from = from, .end = end };
}

static void drop_field(struct mender *m, enum role role)
{
    if (m->count[role] > 0) drop(m, m->first[role].from, m->first[role].end);
}

static void note(struct mender *m, const struct header_field *field)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (!str_eq_nocase(field->name, names[role])) continue;
        if (m->count[role]++ == 0) m->first[role] = *field;
        if (role >= ROLE_DROPPED) drop(m, field->from, field->end);
        return;
    }
}

/* The "From " line (RFC 4155) that mail clients leave at the top when they take a message out of a
 * file ("From : x", which begins alike, is a field), and a first line that is folded: it would
 * become part of what is written before it. */
static void drop_first_line(struct mender *m, struct str head)
{
    bool folded = head.n > 0 && byte_is(head.p[0], BYTE_WSP);
    if ((folded || str_starts(head, STR("From "))) && m->first_field > 0) {
        drop(m, 0, header_line_end(head, 0));
    }
}

static enum mend_fault look(struct mender *m, struct str head, struct str *which_out)
{
    struct header_walk w = header_walk_of(head);
    struct header_field field;
    size_t end = 0;

    while (header_next(&w, &field)) {
        if (w.fields == 1) m->first_field = field.from;
        note(m, &field);
        end = field.end;
    }
    if (w.over) return MEND_TOO_LONG;
    m->mend.junk = w.junk;
    for (size_t i = 0; i < end && !m->mend.has_8bit; i++) {
        m->mend.has_8bit = byte_is(head.p[i], BYTE_HIGH);
    }
    for (int role = 0; role < ROLE_ONCE; role++) {
        if (m->count[role] < 2) continue;
        *which_out = names[role];
        return MEND_DOUBLED;
    }
    return MEND_FINE;
}

/* ---- who writes ---- */

static bool same_address(const struct address *at, struct str own, char detail_separator)
{
    struct buf b = BUF_INIT(at->local.n * 2 + at->domain.n + 3);
    address_put(&b, at->local, at->domain);
    bool same = str_eq_nocase(buf_str(&b), own);
    size_t cut = detail_separator != 0 ? str_find(at->local, detail_separator) : STR_NOWHERE;
    if (!same && cut != STR_NOWHERE && cut > 0) {
        buf_clear(&b);
        address_put(&b, str_part(at->local, 0, cut), at->domain);
        same = str_eq_nocase(buf_str(&b), own);
    }
    buf_free(&b);
    return same;
}

static bool is_own(const struct mend_rules *r, const struct address *at)
{
    bool own = same_address(at, r->login, r->detail_separator);
    for (size_t i = 0; i < r->own_count && !own; i++) {
        own = same_address(at, r->own[i], r->detail_separator);
    }
    return own;
}

/* How many mailboxes a list has; whether all of them, and one at least, are the login's. */
static size_t mailboxes(const struct mend_rules *r, const struct address_list *list, bool *own_out)
{
    size_t n = 0;
    bool own = !list->cut;
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i].kind != ADDRESS_MAILBOX) continue;
        n++;
        own = own && is_own(r, &list->at[i]);
    }
    *own_out = own && n > 0;
    return n;
}

static bool names_a_mailbox(const struct address_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct address *at = &list->at[i];
        if (at->kind == ADDRESS_MAILBOX && at->local.n > 0 && at->domain.n > 0) return true;
    }
    return false;
}

static enum mend_fault read_authors(struct mender *m, struct str *which_out)
{
    struct address_list from = { 0 };
    if (m->count[ROLE_FROM] == 0) {
        *which_out = names[ROLE_FROM];
        return MEND_NO_FROM;
    }
    for (int i = 0; i < 2; i++) {
        enum role role = i == 0 ? ROLE_FROM : ROLE_RESENT_FROM;
        if (m->count[role] == 0) continue;
        address_list_parse(m->arena, m->first[role].value, AUTHORS_MAX, &from);
        if (!names_a_mailbox(&from)) {
            *which_out = names[role];
            return MEND_BAD_FROM;
        }
    }
    m->mend.from = from;
    return MEND_FINE;
}

/* RFC 6409 8.1, RFC 5322 3.6.2. The field, if there is one, is dropped unless it names the login:
 * what is left is then never a lie of ours. */
static void mend_sender(struct mender *m)
{
    const struct mend_rules *r = m->rules;
    enum role role = m->count[ROLE_RESENT_FROM] > 0 ? ROLE_RESENT_SENDER : ROLE_SENDER;
    struct address_list sender = { 0 };
    bool sender_is_own = false;

    if (r->login.n == 0) return;
    size_t authors = mailboxes(r, &m->mend.from, &m->mend.author_is_own);
    if (m->count[role] > 0) {
        address_list_parse(m->arena, m->first[role].value, AUTHORS_MAX, &sender);
        size_t senders = mailboxes(r, &sender, &sender_is_own);
        if (senders == 1 && sender_is_own) return;
        drop_field(m, role);
    }
    if (m->mend.author_is_own && authors == 1) return;
    buf_put(&m->prepend, names[role]);
    buf_put_lit(&m->prepend, ": <");
    buf_put(&m->prepend, r->login);
    buf_put_lit(&m->prepend, ">\r\n");
    m->mend.added_sender = true;
}

/* ---- date and id ---- */

static void mend_date(struct mender *m)
{
    struct date date;
    if (m->count[ROLE_DATE] > 0 && date_parse(m->first[ROLE_DATE].value, &date) == OK) return;
    drop_field(m, ROLE_DATE);
    buf_put_lit(&m->prepend, "Date: ");
    date_put(&m->prepend, m->rules->time_s, m->rules->zone_minutes);
    buf_put_lit(&m->prepend, "\r\n");
    m->mend.added_date = true;
}

static void mend_message_id(struct mender *m)
{
    if (m->count[ROLE_MESSAGE_ID] > 0 && message_id_is_sound(m->first[ROLE_MESSAGE_ID].value)) {
        return;
    }
    drop_field(m, ROLE_MESSAGE_ID);
    buf_put_lit(&m->prepend, "Message-ID: <");
    buf_put(&m->prepend, m->rules->message_id);
    buf_put_lit(&m->prepend, ">\r\n");
    m->mend.added_message_id = true;
}

/* The fields to drop were noted in the order of the walk, up to four others behind them. */
static void sort_drops(struct mend *mend)
{
    for (size_t i = mend->drop_count > 4 ? mend->drop_count - 4 : 1; i < mend->drop_count; i++) {
        struct mend_range one = mend->drops[i];
        size_t at = i;
        for (; at > 0 && mend->drops[at - 1].from > one.from; at--) {
            mend->drops[at] = mend->drops[at - 1];
        }
        mend->drops[at] = one;
    }
}

enum mend_fault mend_head(struct arena *a, struct str head, const struct mend_rules *rules,
                          struct mend *mend_out, struct str *which_out)
{
    struct mender *m = ARENA_NEW(a, struct mender);
    m->arena = a;
    m->rules = rules;
    m->prepend = buf_new(PREPEND_MAX);
    m->mend.drops = ARENA_MANY(a, struct mend_range, DROPS_MAX);
    *which_out = STR_NONE;

    enum mend_fault fault = look(m, head, which_out);
    if (fault == MEND_FINE) fault = read_authors(m, which_out);
    if (fault == MEND_FINE) {
        mend_sender(m);
        mend_date(m);
        mend_message_id(m);
        drop_first_line(m, head);
        sort_drops(&m->mend);
        must(buf_check(&m->prepend) == OK);
        m->mend.prepend = arena_str(a, buf_str(&m->prepend));
        *mend_out = m->mend;
    }
    buf_free(&m->prepend);
    return fault;
}

struct str mend_fault_words(enum mend_fault fault)
{
    static const struct str words[] = {
#define X(name, text) [name] = STR_INIT(text),
        MEND_FAULTS(X)
#undef X
    };
    must(fault < MEND_FAULT_COUNT);
    return words[fault];
}
