/* The MIME parser walks; each head of a message that it meets is read here. A field is parsed in an
 * arena of its own and only what is kept is copied out, so that a head of 10 MiB leaves no more
 * behind than the allowance of the message permits. */
#include "syntax/structure.h"

#include "syntax/header.h"
#include "syntax/message_id.h"

const struct structure_envelope *structure_envelope_of(const struct mime_part *part)
{
    return part->extra;
}

/* ---- keeping ---- */

static struct str keep(struct structure_builder *b, struct str s)
{
    size_t max = b->text_left_bytes < MIME_VALUE_MAX ? b->text_left_bytes : MIME_VALUE_MAX;
    if (s.n > max) {
        b->structure.truncated = true;
        s.n = max;
    }
    b->text_left_bytes -= s.n;
    return arena_str(b->arena, s);
}

static struct str looked_at(struct structure_builder *b, struct str value)
{
    if (value.n > STRUCTURE_FIELD_MAX) b->structure.truncated = true;
    return str_part(value, 0, STRUCTURE_FIELD_MAX);
}

static struct str keep_text(struct structure_builder *b, struct str value)
{
    struct arena scratch = ARENA_INIT(0);
    struct str text = keep(b, header_unfold(&scratch, looked_at(b, value)));
    arena_free(&scratch);
    return text;
}

/* An address that is longer than any can be is left out: cut, it would be another one. */
static bool keep_address(struct structure_builder *b, const struct address *from,
                         struct address *to)
{
    const size_t longest = 1000;
    if (from->local.n > longest || from->domain.n > longest || from->route.n > longest) {
        return false;
    }
    if (b->addresses_left == 0 || b->text_left_bytes < 4 * longest) return false;
    b->addresses_left--;
    *to = (struct address){ .kind = from->kind,
                            .name = keep(b, from->name),
                            .route = keep(b, from->route),
                            .local = keep(b, from->local),
                            .domain = keep(b, from->domain) };
    return true;
}

/* Where a field was not looked at to its end, its last address is a piece of one. */
static size_t fragment_of(const struct address_list *list, bool cut)
{
    for (size_t i = list->count; cut && i > 0; i--) {
        if (list->at[i - 1].kind == ADDRESS_MAILBOX) return i - 1;
    }
    return SIZE_MAX;
}

/* A list goes on where one of the same name stopped: several To fields are one list. Groups that
 * lose members stay balanced, since markers are never left out alone. */
static void keep_addresses(struct structure_builder *b, struct str value, struct address_list *list)
{
    struct arena scratch = ARENA_INIT(0);
    struct address_list parsed;
    struct str seen = looked_at(b, value);

    address_list_parse(&scratch, seen, STRUCTURE_ADDRESSES_MAX, &parsed);
    size_t room = STRUCTURE_ADDRESSES_MAX - list->count;
    struct address *at = ARENA_MANY(b->arena, struct address, list->count + parsed.count);
    if (list->count > 0) memcpy(at, list->at, list->count * sizeof *at);
    list->at = at;
    size_t group = 0; /* 1: inside one that was kept */
    size_t fragment = fragment_of(&parsed, seen.n < value.n);
    for (size_t i = 0; i < parsed.count; i++) {
        const struct address *from = &parsed.at[i];
        bool is_end = from->kind == ADDRESS_GROUP_END;
        bool fits = room > group + (from->kind == ADDRESS_GROUP);
        if (i == fragment) continue;
        if (is_end ? group == 0 : !fits || !keep_address(b, from, &at[list->count])) {
            b->structure.truncated = true;
            continue;
        }
        if (is_end) at[list->count] = (struct address){ .kind = ADDRESS_GROUP_END };
        if (from->kind != ADDRESS_MAILBOX) group = !is_end;
        list->count++;
        room--;
    }
    if (parsed.cut) b->structure.truncated = true;
    arena_free(&scratch);
}

/* ---- references ---- */

/* The first identifier and the last ones are what threads hang on. */
static void keep_references(struct structure_builder *b, struct str value, size_t max)
{
    struct arena scratch = ARENA_INIT(0);
    struct str *ids = ARENA_MANY(&scratch, struct str, max), id;
    struct scan s = scan_of(looked_at(b, value));
    size_t seen = 0;

    for (; message_id_next(&s, &id); seen++) {
        /* Place 0 stays; the others go round. */
        ids[seen < max ? seen : 1 + (seen - max) % (max - 1)] = id;
    }
    size_t count = seen < max ? seen : max;
    size_t oldest = seen <= max ? 1 : 1 + (seen - max) % (max - 1);
    if (count > 0) b->structure.references = ARENA_MANY(b->arena, struct str, count);
    for (size_t i = 0; i < count; i++) {
        size_t from = i == 0 ? 0 : 1 + (oldest - 1 + i - 1) % (max - 1);
        b->structure.references[i] = keep(b, ids[from]);
    }
    b->structure.reference_count = count;
    arena_free(&scratch);
}

/* RFC 5256 3: without References, the first identifier of In-Reply-To. */
static void find_references(struct structure_builder *b, struct str head)
{
    struct header_field field;
    struct str id;
    if (header_find(head, STR("References"), &field)) {
        keep_references(b, field.value, STRUCTURE_REFERENCES_MAX);
    }
    if (b->structure.reference_count > 0 || !header_find(head, STR("In-Reply-To"), &field)) return;
    struct scan s = scan_of(looked_at(b, field.value));
    if (!message_id_next(&s, &id)) return;
    b->structure.references = ARENA_NEW(b->arena, struct str);
    b->structure.references[0] = keep(b, id);
    b->structure.reference_count = 1;
}

/* ---- heads ---- */

static void read_text(struct structure_builder *b, struct str value, bool *has, struct str *text)
{
    if (*has) return; /* the first one counts */
    *has = true;
    *text = keep_text(b, value);
}

static void read_field(struct structure_builder *b, struct structure_envelope *e,
                       const struct header_field *f)
{
    const struct {
        struct str name;
        bool *has;
        struct str *text;
    } texts[] = {
        { STR("Date"), &e->has_date, &e->date },
        { STR("Subject"), &e->has_subject, &e->subject },
        { STR("In-Reply-To"), &e->has_in_reply_to, &e->in_reply_to },
        { STR("Message-ID"), &e->has_message_id, &e->message_id },
    };
    const struct {
        struct str name;
        struct address_list *list;
        bool many;
    } lists[] = {
        { STR("From"), &e->from, false },
        { STR("Sender"), &e->sender, false },
        { STR("Reply-To"), &e->reply_to, false },
        { STR("To"), &e->to, true },
        { STR("Cc"), &e->cc, true },
        { STR("Bcc"), &e->bcc, true },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!str_eq_nocase(f->name, texts[i].name)) continue;
        read_text(b, f->value, texts[i].has, texts[i].text);
        return;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (!str_eq_nocase(f->name, lists[i].name)) continue;
        if (lists[i].many || lists[i].list->count == 0) keep_addresses(b, f->value, lists[i].list);
        return;
    }
}

static void read_head(void *ctx, struct mime_part *part, struct str head, bool is_message)
{
    struct structure_builder *b = ctx;
    struct header_walk w = header_walk_of(head);
    struct header_field field;

    if (!is_message) return;
    struct structure_envelope *e = ARENA_NEW(b->arena, struct structure_envelope);
    while (header_next(&w, &field)) {
        read_field(b, e, &field);
    }
    if (e->sender.count == 0) e->sender = e->from;
    if (e->reply_to.count == 0) e->reply_to = e->from;
    part->extra = e;
    if (part->parent != MIME_NO_PART) return;
    b->structure.has_date = e->has_date && date_parse(e->date, &b->structure.date) == OK;
    find_references(b, head);
}

/* ---- the message ---- */

void structure_begin(struct structure_builder *b, struct arena *a)
{
    *b = (struct structure_builder){ .arena = a,
                                     .text_left_bytes = STRUCTURE_TEXT_TOTAL_MAX,
                                     .addresses_left = STRUCTURE_ADDRESSES_TOTAL_MAX };
    mime_parser_init(&b->parser, a, read_head, b);
}

void structure_feed(struct structure_builder *b, struct str chunk)
{
    mime_parser_feed(&b->parser, chunk);
}

void structure_end(struct structure_builder *b, struct structure *structure_out)
{
    mime_parser_end(&b->parser, &b->structure.tree);
    if (b->structure.tree.cut) b->structure.truncated = true;
    *structure_out = b->structure;
}

void structure_free(struct structure_builder *b)
{
    mime_parser_free(&b->parser);
}
