/* One pass over the tokens. The words of an entry are collected twice: as a phrase (with the blanks
 * between them) and as a run, the longest string of words and dots at its end, because only a "@"
 * or "<" tells later which of both they were. */
#include "syntax/address_list.h"

#include "syntax/token.h"

struct parser {
    struct token_walk walk;
    struct token ahead;
    struct arena *arena;
    struct buf phrase, run, domain, route;
    size_t run_from;  /* where in `phrase` the run begins */
    bool run_is_open; /* the next word belongs to the run: it is empty or ends in a dot */
    bool in_group;
    size_t max, cap;
    struct address_list list;
};

static void advance(struct parser *p)
{
    token_next(&p->walk, &p->ahead);
}

static bool at_word(const struct parser *p)
{
    return p->ahead.kind == TOKEN_WORD || p->ahead.kind == TOKEN_QUOTED;
}

static bool at_end_of_entry(const struct parser *p)
{
    return p->ahead.kind == TOKEN_END || token_is(&p->ahead, ',') ||
           (token_is(&p->ahead, ';') && p->in_group);
}

static void emit(struct parser *p, const struct address *address)
{
    struct address_list *list = &p->list;
    if (list->count == p->max) {
        list->cut = true;
        return;
    }
    if (list->count == p->cap) {
        size_t cap = p->cap > 0 ? p->cap * 2 : 4;
        struct address *at = ARENA_MANY(p->arena, struct address, cap);
        if (list->count > 0) memcpy(at, list->at, list->count * sizeof *at);
        list->at = at;
        p->cap = cap;
    }
    list->at[list->count++] = *address;
}

/* The display name, or else the comment. */
static struct str name_of(struct parser *p, struct str phrase)
{
    phrase = str_trim(phrase);
    if (phrase.n > 0 || p->walk.comment.n == 0) return arena_str(p->arena, phrase);
    struct buf b = BUF_INIT(p->walk.comment.n);
    token_put_comment(&b, p->walk.comment);
    struct str name = arena_str(p->arena, str_trim(buf_str(&b)));
    buf_free(&b);
    return name;
}

static void emit_mailbox(struct parser *p, struct str phrase, struct str local)
{
    struct address address = {
        .kind = ADDRESS_MAILBOX,
        .name = name_of(p, phrase),
        .route = arena_str(p->arena, buf_str(&p->route)),
        .local = arena_str(p->arena, local),
        .domain = arena_str(p->arena, buf_str(&p->domain)),
    };
    if (address.local.n == 0 || address.domain.n == 0) p->list.broken = true;
    emit(p, &address);
}

/* ---- words ---- */

static void take_word(struct parser *p)
{
    if (p->phrase.n > 0 && p->ahead.spaced) buf_put_byte(&p->phrase, ' ');
    if (!p->run_is_open) {
        buf_clear(&p->run);
        p->run_from = p->phrase.n;
    }
    token_put(&p->phrase, &p->ahead);
    token_put(&p->run, &p->ahead);
    p->run_is_open = false;
    advance(p);
}

static void take_dot(struct parser *p)
{
    buf_put_byte(&p->phrase, '.');
    buf_put_byte(&p->run, '.');
    p->run_is_open = true;
    advance(p);
}

static void take_domain(struct parser *p)
{
    bool dot = true;
    buf_clear(&p->domain);
    if (p->ahead.kind == TOKEN_LITERAL) {
        /* Quoted pairs in a literal are obsolete and do not survive being written again. */
        if (str_find(p->ahead.raw, '\\') != STR_NOWHERE) p->list.broken = true;
        token_put(&p->domain, &p->ahead);
        advance(p);
        return;
    }
    while ((p->ahead.kind == TOKEN_WORD && dot) || (token_is(&p->ahead, '.') && p->domain.n > 0)) {
        dot = token_is(&p->ahead, '.');
        token_put(&p->domain, &p->ahead);
        advance(p);
    }
    if (dot) p->list.broken = true;
}

/* "@a,@b:" RFC 5322 4.4 */
static void take_route(struct parser *p)
{
    while (token_is(&p->ahead, '@') || token_is(&p->ahead, ',')) {
        if (token_is(&p->ahead, '@')) {
            advance(p);
            take_domain(p);
            if (p->route.n > 0) buf_put_byte(&p->route, ',');
            buf_put_byte(&p->route, '@');
            buf_put(&p->route, buf_str(&p->domain));
        } else {
            advance(p);
        }
    }
    buf_clear(&p->domain);
    if (token_is(&p->ahead, ':')) {
        advance(p);
    } else {
        p->list.broken = true;
    }
}

/* "<" was seen; what stood before it is the display name. */
static void take_angle(struct parser *p)
{
    bool word = false;
    advance(p);
    buf_clear(&p->run);
    buf_clear(&p->domain);
    if (token_is(&p->ahead, '@')) take_route(p);
    for (; at_word(p) || token_is(&p->ahead, '.'); advance(p)) {
        if (word && at_word(p)) {
            p->list.broken = true;
            buf_put_byte(&p->run, ' ');
        }
        word = at_word(p);
        token_put(&p->run, &p->ahead);
    }
    if (token_is(&p->ahead, '@')) {
        advance(p);
        take_domain(p);
    }
    while (!token_is(&p->ahead, '>') && !at_end_of_entry(p)) {
        p->list.broken = true;
        advance(p);
    }
    if (token_is(&p->ahead, '>')) {
        advance(p);
    } else {
        p->list.broken = true;
    }
}

/* ---- entries ---- */

static void skip_rest_of_entry(struct parser *p)
{
    while (!at_end_of_entry(p)) {
        p->list.broken = true;
        advance(p);
    }
}

static void finish_angle(struct parser *p)
{
    take_angle(p);
    skip_rest_of_entry(p);
    emit_mailbox(p, buf_str(&p->phrase), buf_str(&p->run));
}

/* "@" was seen behind a run of words. */
static void finish_bare(struct parser *p)
{
    advance(p);
    take_domain(p);
    if (token_is(&p->ahead, '<')) { /* ann@example.org <ann@example.org> */
        p->list.broken = true;
        buf_put_byte(&p->phrase, '@');
        buf_put(&p->phrase, buf_str(&p->domain));
        finish_angle(p);
        return;
    }
    skip_rest_of_entry(p);
    struct str before = str_part(buf_str(&p->phrase), 0, p->run_from);
    if (before.n > 0) p->list.broken = true;
    emit_mailbox(p, before, buf_str(&p->run));
}

static void begin_group(struct parser *p)
{
    struct address group = { .kind = ADDRESS_GROUP,
                             .name = arena_str(p->arena, str_trim(buf_str(&p->phrase))) };
    if (p->phrase.n == 0) p->list.broken = true;
    emit(p, &group);
    p->in_group = !p->list.cut;
    advance(p);
}

static void end_group(struct parser *p)
{
    struct address end = { .kind = ADDRESS_GROUP_END };
    p->in_group = false;
    if (p->list.count == p->max) { /* the end is worth more than the last member */
        p->list.cut = true;
        if (p->list.at[--p->list.count].kind == ADDRESS_GROUP) return;
    }
    emit(p, &end);
}

/* Words without an address: half an address, better shown than dropped. */
static void finish_words(struct parser *p)
{
    if (p->phrase.n > 0) emit_mailbox(p, STR_NONE, str_trim(buf_str(&p->phrase)));
}

/* From the first token of an entry to the one that separates it from the next. */
static void take_entry(struct parser *p)
{
    buf_clear(&p->phrase);
    buf_clear(&p->run);
    buf_clear(&p->domain);
    buf_clear(&p->route);
    p->run_from = 0;
    p->run_is_open = true;
    for (;;) {
        if (at_end_of_entry(p)) {
            finish_words(p);
            return;
        } else if (at_word(p)) {
            take_word(p);
        } else if (token_is(&p->ahead, '.')) {
            take_dot(p);
        } else if (token_is(&p->ahead, '<')) {
            finish_angle(p);
            return;
        } else if (token_is(&p->ahead, '@')) {
            finish_bare(p);
            return;
        } else if (token_is(&p->ahead, ':') && !p->in_group) {
            begin_group(p);
            return;
        } else {
            p->list.broken = true;
            advance(p);
        }
    }
}

static void take_separator(struct parser *p)
{
    p->walk.comment = STR_NONE;
    if (token_is(&p->ahead, ';') && p->in_group) {
        end_group(p);
        advance(p);
    } else if (token_is(&p->ahead, ',')) {
        advance(p);
    }
}

void address_list_parse(struct arena *a, struct str value, size_t max,
                        struct address_list *list_out)
{
    size_t room = value.n + 1; /* what is collected is never longer than what was read */
    struct parser p = { .walk = token_walk_of(value, BYTE_ATEXT),
                        .arena = a,
                        .phrase = BUF_INIT(room),
                        .run = BUF_INIT(room),
                        .domain = BUF_INIT(room),
                        .route = BUF_INIT(2 * room), /* commas that were missing */
                        .max = max < ADDRESS_LIST_MAX ? max : ADDRESS_LIST_MAX };

    for (advance(&p); p.ahead.kind != TOKEN_END && !p.list.cut;) {
        take_entry(&p);
        take_separator(&p);
    }
    if (p.in_group) {
        p.list.broken = p.list.broken || !p.list.cut;
        end_group(&p);
    }
    if (p.walk.broken) p.list.broken = true;
    *list_out = p.list;
    buf_free(&p.phrase);
    buf_free(&p.run);
    buf_free(&p.domain);
    buf_free(&p.route);
}

/* ---- writing ---- */

static bool is_dot_atom(struct str s)
{
    struct str atom;
    if (s.n == 0 || str_ends(s, STR("."))) return false;
    while (str_cut(&s, '.', &atom)) {
        if (atom.n == 0 || !str_all(atom, BYTE_ATEXT)) return false;
    }
    return true;
}

static void put_safe(struct buf *b, struct str s, bool quoted)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (quoted && (c == '"' || c == '\\')) buf_put_byte(b, '\\');
        buf_put_byte(b, byte_is(c, BYTE_CONTROL) ? '?' : c);
    }
}

void address_put(struct buf *b, struct str local, struct str domain)
{
    bool quoted = !is_dot_atom(local);
    if (quoted) buf_put_byte(b, '"');
    put_safe(b, local, quoted);
    if (quoted) buf_put_byte(b, '"');
    if (domain.n == 0) return;
    buf_put_byte(b, '@');
    put_safe(b, domain, false);
}
