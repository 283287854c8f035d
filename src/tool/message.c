#include "tool/message.h"

#include "syntax/encoded_word.h"
#include "syntax/structure.h"
#include "tool/print.h"

enum { LINE_MAX_BYTES = 1024 * 1024 };

/* ---- lines ---- */

struct lines {
    struct arena *arena;
    struct str *cells;
    size_t n, room;
    uint64_t prefix_bytes;
};

static void add(struct lines *l, struct str what, struct str value)
{
    if (l->n + 2 > l->room) {
        size_t room = l->room > 0 ? l->room * 2 : 64;
        struct str *more = ARENA_MANY(l->arena, struct str, room);
        for (size_t i = 0; i < l->n; i++) {
            more[i] = l->cells[i];
        }
        l->cells = more;
        l->room = room;
    }
    l->cells[l->n++] = arena_str(l->arena, what);
    l->cells[l->n++] = arena_str(l->arena, value);
}

static void add_text(struct lines *l, struct str what, bool has, struct str raw)
{
    if (has) add(l, what, encoded_word_decode(l->arena, raw));
}

/* "1.2: subject" of a message inside; the outer one's lines have no number. */
static struct str in_part(struct lines *l, struct str number, struct str what)
{
    return number.n == 0 ? what : ARENA_JOIN(l->arena, number, STR(": "), what);
}

/* ---- envelope ---- */

static void put_address(struct lines *l, struct buf *b, const struct address *x)
{
    struct str name = encoded_word_decode(l->arena, x->name);
    if (x->kind == ADDRESS_GROUP_END) {
        buf_put_lit(b, ";");
        return;
    }
    buf_put(b, name);
    if (x->kind == ADDRESS_GROUP) {
        buf_put_lit(b, ":");
        return;
    }
    if (name.n > 0) buf_put_byte(b, ' ');
    buf_put_byte(b, '<');
    address_put(b, x->local, x->domain);
    buf_put_byte(b, '>');
}

static void add_list(struct lines *l, struct str what, const struct address_list *list)
{
    struct buf b = BUF_INIT(LINE_MAX_BYTES);
    if (list->count == 0) return;
    for (size_t i = 0; i < list->count; i++) {
        enum address_kind kind = list->at[i].kind;
        enum address_kind before = i > 0 ? list->at[i - 1].kind : ADDRESS_GROUP;
        if (i > 0 && kind != ADDRESS_GROUP_END)
            buf_put(&b, before == ADDRESS_GROUP ? STR(" ") : STR(", "));
        put_address(l, &b, &list->at[i]);
    }
    add(l, what, buf_str(&b));
    buf_free(&b);
}

static void add_envelope(struct lines *l, struct str number, const struct structure_envelope *e)
{
    add_text(l, in_part(l, number, STR("date")), e->has_date, e->date);
    add_text(l, in_part(l, number, STR("subject")), e->has_subject, e->subject);
    add_list(l, in_part(l, number, STR("from")), &e->from);
    add_list(l, in_part(l, number, STR("sender")), &e->sender);
    add_list(l, in_part(l, number, STR("reply-to")), &e->reply_to);
    add_list(l, in_part(l, number, STR("to")), &e->to);
    add_list(l, in_part(l, number, STR("cc")), &e->cc);
    add_list(l, in_part(l, number, STR("bcc")), &e->bcc);
    add_text(l, in_part(l, number, STR("message-id")), e->has_message_id, e->message_id);
    add_text(l, in_part(l, number, STR("in-reply-to")), e->has_in_reply_to, e->in_reply_to);
}

/* ---- parts ---- */

static void put_u64(struct buf *b, struct str before, uint64_t value, struct str behind)
{
    buf_put(b, before);
    buf_put_u64(b, value);
    buf_put(b, behind);
}

static void put_params(struct buf *b, const struct mime_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        struct str charset;
        buf_put_lit(b, "; ");
        buf_put_lower(b, params->at[i].name);
        buf_put_byte(b, '=');
        mime_param_put(b, &params->at[i], &charset);
    }
}

static void add_part(struct lines *l, struct str number, const struct mime_part *p)
{
    struct buf b = BUF_INIT(LINE_MAX_BYTES);
    uint64_t bytes = p->body_end - p->body_from;
    buf_put_lower(&b, p->type);
    buf_put_byte(&b, '/');
    buf_put_lower(&b, p->subtype);
    put_params(&b, &p->params);
    if (p->encoding.n > 0) {
        buf_put_lit(&b, "; encoding ");
        buf_put_lower(&b, p->encoding);
    }
    put_u64(&b, STR("; "), bytes, STR(" bytes"));
    put_u64(&b, STR(" at "), p->body_from + l->prefix_bytes, STR_NONE);
    put_u64(&b, STR(", "), p->body_lines, STR(" lines"));
    if (p->disposition.n > 0) {
        buf_put_lit(&b, "; ");
        buf_put_lower(&b, p->disposition);
        put_params(&b, &p->disposition_params);
    }
    add(l, ARENA_JOIN(l->arena, STR("part "), number), buf_str(&b));
    buf_free(&b);
}

/* Numbers as IMAP has them (RFC 9051 6.4.5.1): places among siblings; a message's own root has
 * none, unless the message is one part only, which is part 1. A multipart root is written as 0
 * here. */
struct numbering {
    struct str shown, below; /* of the part, and what its children's begin with */
    uint32_t children;       /* counted so far */
};

static struct str dotted(struct arena *a, struct str head, uint64_t place)
{
    struct buf b = BUF_INIT(4096);
    buf_put(&b, head);
    if (b.n > 0) buf_put_byte(&b, '.');
    buf_put_u64(&b, place);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static void number(struct arena *a, const struct mime_tree *t, uint32_t at, struct numbering *all)
{
    const struct mime_part *p = &t->parts[at];
    bool is_inner = p->parent < at; /* else the root */
    bool is_root = !is_inner || t->parts[p->parent].kind == MIME_MESSAGE;
    struct str head = is_inner ? all[p->parent].below : STR_NONE;
    if (is_root && p->kind == MIME_MULTIPART) {
        all[at].shown = dotted(a, head, 0);
        all[at].below = head;
    } else {
        all[at].shown = dotted(a, head, is_inner ? ++all[p->parent].children : 1);
        all[at].below = all[at].shown;
    }
}

static void add_tree(struct lines *l, const struct structure *s)
{
    const struct mime_tree *t = &s->tree;
    struct numbering *numbers = ARENA_MANY(l->arena, struct numbering, t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct mime_part *p = &t->parts[i];
        const struct structure_envelope *e = structure_envelope_of(p);
        number(l->arena, t, i, numbers);
        add_part(l, numbers[i].shown, p);
        if (e != NULL && p->parent < i) add_envelope(l, numbers[p->parent].shown, e);
    }
}

static void add_references(struct lines *l, const struct structure *s)
{
    struct buf b = BUF_INIT(LINE_MAX_BYTES);
    for (size_t i = 0; i < s->reference_count; i++) {
        buf_put(&b, i > 0 ? STR(" <") : STR("<"));
        buf_put(&b, s->references[i]);
        buf_put_byte(&b, '>');
    }
    if (b.n > 0) add(l, STR("references"), buf_str(&b));
    buf_free(&b);
}

enum err message_structure_lines(struct arena *a, struct str record, uint64_t prefix_bytes,
                                 struct str **cells_out, size_t *n_out)
{
    struct structure s;
    struct lines l = { .arena = a, .prefix_bytes = prefix_bytes };
    enum err e = structure_decode(a, record, &s);
    if (e != OK) return e;
    const struct structure_envelope *envelope = structure_envelope_of(&s.tree.parts[0]);
    if (envelope != NULL) add_envelope(&l, STR_NONE, envelope);
    add_references(&l, &s);
    add_tree(&l, &s);
    if (s.tree.broken) add(&l, STR("structure"), STR("broken: some of it is a guess"));
    if (s.truncated) add(&l, STR("structure"), STR("shortened: the message has more to tell"));
    *cells_out = l.cells;
    *n_out = l.n;
    return OK;
}

/* ---- the commands ---- */

struct showing {
    struct printer *printer;
    struct buf record;
    uint64_t prefix_bytes;
};

static enum err show_page(void *ctx, const struct admin_rep *rep)
{
    struct showing *s = ctx;
    struct admin_rep rows = *rep;
    for (size_t i = 0; i + 1 < rep->cells_count; i += 2) {
        if (str_eq(rep->cells[i], STR("prefix-bytes")))
            err_ignore(str_to_u64(rep->cells[i + 1], UINT64_MAX, &s->prefix_bytes)); /* else 0 */
    }
    rows.data = STR_NONE;
    buf_put(&s->record, rep->data);
    printer_page(s->printer, &rows);
    return OK;
}

int tool_message_show(struct command *c)
{
    struct printer p;
    struct showing s = { .printer = &p, .record = BUF_INIT(VERB_PAGE) };
    struct admin_rep rep = { .columns = (struct str[]){ STR("what"), STR("value") },
                             .columns_count = 2 };
    printer_begin(&p, c->json);
    enum err e = command_ask_admin(c, c->words, c->word_count, STR_NONE, show_page, &s);
    if (e == OK && s.record.n > 0) {
        e = message_structure_lines(&c->arena, buf_str(&s.record), s.prefix_bytes, &rep.cells,
                                    &rep.cells_count);
        if (e == OK) printer_page(&p, &rep);
        if (e != OK) buf_put_lit(&c->why, "its structure record cannot be read");
    }
    if (e != OK) printer_message(&p, c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e)), true);
    printer_end(&p);
    buf_free(&s.record);
    return command_exit_code(e);
}

static enum err bytes_page(void *ctx, const struct admin_rep *rep)
{
    printer_data(ctx, rep->data);
    return OK;
}

int tool_message_export(struct command *c)
{
    struct printer p;
    printer_begin_as(&p, c->json, PRINT_BYTES);
    enum err e = command_ask_admin(c, c->words, c->word_count, STR_NONE, bytes_page, &p);
    if (e != OK) printer_message(&p, c->why.n > 0 ? buf_str(&c->why) : str_c(err_words(e)), true);
    printer_end(&p);
    return command_exit_code(e);
}
