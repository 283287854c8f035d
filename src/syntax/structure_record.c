/* Layout of the record, version 1; numbers are of variable length unless said otherwise:
 *
 *   u8 version, flags, bytes, lines,
 *   [date: u64 time, u16 zone, u8 known], references: count, texts
 *   parts: depth + 1, ... until a 0
 *   a part: kind, head_from since the last part's, head bytes, body bytes, body lines, head lines,
 *           type, subtype, params, u8 which of the optional fields, those fields, [envelope]
 *
 * Texts are length and bytes. Encoding tries the levels below one after the other until the record
 * fits; the last one leaves out parts from the end. Decoding believes nothing: each count is held
 * against the bytes that are left, the tree is built anew from the depths, and every offset is
 * checked against its neighbours. */
#include "syntax/structure.h"

#include "base/must.h"
#include "base/wire.h"

enum { RECORD_VERSION = 1 };

enum record_flag {
    FLAG_8BIT = 1,
    FLAG_NUL = 2,
    FLAG_BROKEN = 4,
    FLAG_CUT = 8,
    FLAG_TRUNCATED = 16,
    FLAG_DATE = 32,
};

enum part_field {
    FIELD_ID = 1,
    FIELD_DESCRIPTION = 2,
    FIELD_ENCODING = 4,
    FIELD_DISPOSITION = 8,
    FIELD_LANGUAGES = 16,
    FIELD_MD5 = 32,
    FIELD_LOCATION = 64,
    FIELD_ENVELOPE = 128,
};

enum envelope_field {
    ENVELOPE_DATE = 1,
    ENVELOPE_SUBJECT = 2,
    ENVELOPE_IN_REPLY_TO = 4,
    ENVELOPE_MESSAGE_ID = 8,
    ENVELOPE_SENDER = 16,
    ENVELOPE_REPLY_TO = 32,
};

static const struct level {
    size_t text_bytes, addresses, references, params;
} levels[] = {
    { SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX },
    { 1000, 200, 100, 30 },
    { 250, 50, 50, 10 },
    { 100, 10, 20, 4 },
};

struct writer {
    struct buf *b;
    const struct level *level;
    bool truncated;
};

/* ---- writing ---- */

/* Cut texts end where a character ends. */
static void put_text(struct writer *w, struct str s)
{
    if (s.n > w->level->text_bytes) {
        s.n = w->level->text_bytes;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80) {
            s.n--;
        }
        w->truncated = true;
    }
    wire_put_vstr(w->b, s);
}

static void put_params(struct writer *w, const struct mime_params *params)
{
    size_t n = params->count;
    if (n > w->level->params) {
        n = w->level->params;
        w->truncated = true;
    }
    wire_put_var(w->b, n);
    for (size_t i = 0; i < n; i++) {
        wire_put_u8(w->b, params->at[i].extended);
        put_text(w, params->at[i].name);
        put_text(w, params->at[i].value);
    }
}

static bool fits(const struct writer *w, const struct address *at)
{
    size_t max = w->level->text_bytes;
    return at->local.n <= max && at->domain.n <= max && at->route.n <= max;
}

/* How many entries from the front are written; a group that is cut is still ended. */
static void put_addresses(struct writer *w, const struct address_list *list)
{
    size_t written = 0, in_group = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct address *at = &list->at[i];
        bool is_end = at->kind == ADDRESS_GROUP_END;
        bool wanted =
            is_end ? in_group > 0
                   : written + in_group + (at->kind == ADDRESS_GROUP) < w->level->addresses &&
                         fits(w, at);
        if (!wanted) {
            w->truncated = true;
            continue;
        }
        wire_put_u8(w->b, (uint8_t)(at->kind + 1));
        if (at->kind != ADDRESS_MAILBOX) in_group = !is_end;
        written++;
        if (is_end) continue;
        put_text(w, at->name);
        if (at->kind == ADDRESS_GROUP) continue;
        put_text(w, at->route);
        put_text(w, at->local);
        put_text(w, at->domain);
    }
    wire_put_u8(w->b, 0);
}

static bool is_own(const struct address_list *list, const struct address_list *from)
{
    return list->count > 0 && list->at != from->at;
}

static void put_envelope(struct writer *w, const struct structure_envelope *e)
{
    bool sender = is_own(&e->sender, &e->from), reply_to = is_own(&e->reply_to, &e->from);
    wire_put_u8(w->b,
                (uint8_t)((e->has_date ? ENVELOPE_DATE : 0) |
                          (e->has_subject ? ENVELOPE_SUBJECT : 0) |
                          (e->has_in_reply_to ? ENVELOPE_IN_REPLY_TO : 0) |
                          (e->has_message_id ? ENVELOPE_MESSAGE_ID : 0) |
                          (sender ? ENVELOPE_SENDER : 0) | (reply_to ? ENVELOPE_REPLY_TO : 0)));
    if (e->has_date) put_text(w, e->date);
    if (e->has_subject) put_text(w, e->subject);
    if (e->has_in_reply_to) put_text(w, e->in_reply_to);
    if (e->has_message_id) put_text(w, e->message_id);
    put_addresses(w, &e->from);
    if (sender) put_addresses(w, &e->sender);
    if (reply_to) put_addresses(w, &e->reply_to);
    put_addresses(w, &e->to);
    put_addresses(w, &e->cc);
    put_addresses(w, &e->bcc);
}

static void put_languages(struct writer *w, const struct mime_part *part)
{
    wire_put_var(w->b, part->language_count);
    for (size_t i = 0; i < part->language_count; i++) {
        put_text(w, part->languages[i]);
    }
}

static void put_optional_fields(struct writer *w, const struct mime_part *part)
{
    const struct structure_envelope *e = structure_envelope_of(part);
    wire_put_u8(w->b, (uint8_t)((part->id.n > 0 ? FIELD_ID : 0) |
                                (part->description.n > 0 ? FIELD_DESCRIPTION : 0) |
                                (part->encoding.n > 0 ? FIELD_ENCODING : 0) |
                                (part->disposition.n > 0 ? FIELD_DISPOSITION : 0) |
                                (part->language_count > 0 ? FIELD_LANGUAGES : 0) |
                                (part->md5.n > 0 ? FIELD_MD5 : 0) |
                                (part->location.n > 0 ? FIELD_LOCATION : 0) |
                                (e != NULL ? FIELD_ENVELOPE : 0)));
    if (part->id.n > 0) put_text(w, part->id);
    if (part->description.n > 0) put_text(w, part->description);
    if (part->encoding.n > 0) put_text(w, part->encoding);
    if (part->disposition.n > 0) {
        put_text(w, part->disposition);
        put_params(w, &part->disposition_params);
    }
    if (part->language_count > 0) put_languages(w, part);
    if (part->md5.n > 0) put_text(w, part->md5);
    if (part->location.n > 0) put_text(w, part->location);
    if (e != NULL) put_envelope(w, e);
}

static void put_part(struct writer *w, const struct mime_part *part, uint64_t last_head_from)
{
    wire_put_var(w->b, (uint64_t)part->depth + 1);
    wire_put_var(w->b, (uint64_t)part->kind);
    wire_put_var(w->b, part->head_from - last_head_from);
    wire_put_var(w->b, part->body_from - part->head_from);
    wire_put_var(w->b, part->body_end - part->body_from);
    wire_put_var(w->b, part->body_lines);
    wire_put_var(w->b, part->head_lines);
    put_text(w, part->type);
    put_text(w, part->subtype);
    put_params(w, &part->params);
    put_optional_fields(w, part);
}

/* Without parts, as many as fit with room for what ends them. */
static void put_parts(struct writer *w, const struct mime_tree *tree, bool must_fit)
{
    uint64_t last_head_from = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        size_t before = w->b->n;
        put_part(w, &tree->parts[i], last_head_from);
        if (must_fit && (w->b->over || w->b->n + 1 > w->b->max_bytes)) {
            w->b->over = false;
            buf_truncate(w->b, before);
            w->truncated = true;
            break;
        }
        last_head_from = tree->parts[i].head_from;
    }
    wire_put_var(w->b, 0);
}

/* Of the references that are too many, those in the middle go; a long one goes whole. Threads hang
 * on what is left, so that the record does not count as truncated. */
static bool is_wanted(const struct writer *w, const struct structure *s, size_t i)
{
    size_t n = s->reference_count, max = w->level->references;
    return (n <= max || i == 0 || i > n - max) && s->references[i].n <= w->level->text_bytes;
}

static void put_references(struct writer *w, const struct structure *s)
{
    size_t wanted = 0;
    for (size_t i = 0; i < s->reference_count; i++) {
        wanted += is_wanted(w, s, i);
    }
    wire_put_var(w->b, wanted);
    for (size_t i = 0; i < s->reference_count; i++) {
        if (is_wanted(w, s, i)) wire_put_vstr(w->b, s->references[i]);
    }
}

static void put_record(struct writer *w, const struct structure *s, bool must_fit)
{
    const struct mime_tree *tree = &s->tree;
    wire_put_u8(w->b, RECORD_VERSION);
    size_t flags_at = w->b->n;
    wire_put_u8(w->b, 0); /* known at the end */
    wire_put_var(w->b, tree->bytes);
    wire_put_var(w->b, tree->lines);
    if (s->has_date) {
        wire_put_u64(w->b, (uint64_t)s->date.time_s);
        wire_put_u16(w->b, (uint16_t)s->date.zone_minutes);
        wire_put_u8(w->b, s->date.zone_known);
    }
    put_references(w, s);
    put_parts(w, tree, must_fit);
    if (w->b->n > flags_at) {
        w->b->p[flags_at] =
            (char)((tree->has_8bit ? FLAG_8BIT : 0) | (tree->has_nul ? FLAG_NUL : 0) |
                   (tree->broken ? FLAG_BROKEN : 0) | (tree->cut ? FLAG_CUT : 0) |
                   (s->truncated || w->truncated ? FLAG_TRUNCATED : 0) |
                   (s->has_date ? FLAG_DATE : 0));
    }
}

void structure_encode(const struct structure *s, struct buf *record)
{
    enum { LEVELS = sizeof levels / sizeof levels[0] };
    struct buf b = BUF_INIT(STRUCTURE_RECORD_MAX);

    for (size_t i = 0; i < LEVELS; i++) {
        struct writer w = { .b = &b, .level = &levels[i] };
        buf_clear(&b);
        put_record(&w, s, i == LEVELS - 1);
        if (!b.over) break;
    }
    must(!b.over);
    buf_put(record, buf_str(&b));
    buf_free(&b);
}

/* ---- reading ---- */

struct reader {
    struct wire w;
    struct arena *arena;
    struct structure s;
    uint32_t room;
};

/* A count of things that take at least a byte each. */
static size_t get_count(struct reader *r)
{
    uint64_t n = wire_get_var(&r->w);
    if (n > r->w.left.n) r->w.bad = true;
    return r->w.bad ? 0 : (size_t)n;
}

static void get_params(struct reader *r, struct mime_params *params)
{
    size_t n = get_count(r);
    if (n > MIME_PARAMS_MAX) r->w.bad = true;
    if (r->w.bad || n == 0) return;
    params->at = ARENA_MANY(r->arena, struct mime_param, n);
    for (params->count = 0; params->count < n && !r->w.bad; params->count++) {
        struct mime_param *param = &params->at[params->count];
        param->extended = wire_get_u8(&r->w) != 0;
        param->name = wire_get_vstr(&r->w);
        param->value = wire_get_vstr(&r->w);
    }
}

static void grow_addresses(struct reader *r, struct address_list *list, size_t *room)
{
    if (list->count < *room) return;
    *room = *room > 0 ? *room * 2 : 2;
    struct address *at = ARENA_MANY(r->arena, struct address, *room);
    if (list->count > 0) memcpy(at, list->at, list->count * sizeof *at);
    list->at = at;
}

static void get_addresses(struct reader *r, struct address_list *list)
{
    size_t room = 0;
    bool in_group = false;
    for (;;) {
        unsigned kind = wire_get_u8(&r->w);
        if (r->w.bad || kind == 0) break;
        struct address at = { .kind = (enum address_kind)(kind - 1) };
        if (kind - 1 > ADDRESS_GROUP_END || list->count == STRUCTURE_ADDRESSES_MAX ||
            (at.kind != ADDRESS_MAILBOX && in_group == (at.kind == ADDRESS_GROUP))) {
            r->w.bad = true;
            return;
        }
        if (at.kind != ADDRESS_GROUP_END) at.name = wire_get_vstr(&r->w);
        if (at.kind == ADDRESS_MAILBOX) {
            at.route = wire_get_vstr(&r->w);
            at.local = wire_get_vstr(&r->w);
            at.domain = wire_get_vstr(&r->w);
        } else {
            in_group = at.kind == ADDRESS_GROUP;
        }
        grow_addresses(r, list, &room);
        list->at[list->count++] = at;
    }
    if (in_group) r->w.bad = true;
}

static struct structure_envelope *get_envelope(struct reader *r)
{
    struct structure_envelope *e = ARENA_NEW(r->arena, struct structure_envelope);
    unsigned which = wire_get_u8(&r->w);
    e->has_date = which & ENVELOPE_DATE;
    e->has_subject = which & ENVELOPE_SUBJECT;
    e->has_in_reply_to = which & ENVELOPE_IN_REPLY_TO;
    e->has_message_id = which & ENVELOPE_MESSAGE_ID;
    if (e->has_date) e->date = wire_get_vstr(&r->w);
    if (e->has_subject) e->subject = wire_get_vstr(&r->w);
    if (e->has_in_reply_to) e->in_reply_to = wire_get_vstr(&r->w);
    if (e->has_message_id) e->message_id = wire_get_vstr(&r->w);
    get_addresses(r, &e->from);
    if (which & ENVELOPE_SENDER) get_addresses(r, &e->sender);
    if (which & ENVELOPE_REPLY_TO) get_addresses(r, &e->reply_to);
    get_addresses(r, &e->to);
    get_addresses(r, &e->cc);
    get_addresses(r, &e->bcc);
    if (e->sender.count == 0) e->sender = e->from;
    if (e->reply_to.count == 0) e->reply_to = e->from;
    return e;
}

static void get_languages(struct reader *r, struct mime_part *part)
{
    part->language_count = get_count(r);
    if (part->language_count > MIME_LANGUAGES_MAX) r->w.bad = true;
    if (r->w.bad) part->language_count = 0;
    part->languages = ARENA_MANY(r->arena, struct str, part->language_count);
    for (size_t i = 0; i < part->language_count; i++) {
        part->languages[i] = wire_get_vstr(&r->w);
    }
}

static void get_optional_fields(struct reader *r, struct mime_part *part)
{
    unsigned which = wire_get_u8(&r->w);
    if (which & FIELD_ID) part->id = wire_get_vstr(&r->w);
    if (which & FIELD_DESCRIPTION) part->description = wire_get_vstr(&r->w);
    if (which & FIELD_ENCODING) part->encoding = wire_get_vstr(&r->w);
    if (which & FIELD_DISPOSITION) {
        part->disposition = wire_get_vstr(&r->w);
        get_params(r, &part->disposition_params);
    }
    if (which & FIELD_LANGUAGES) get_languages(r, part);
    if (which & FIELD_MD5) part->md5 = wire_get_vstr(&r->w);
    if (which & FIELD_LOCATION) part->location = wire_get_vstr(&r->w);
    if (which & FIELD_ENVELOPE) part->extra = get_envelope(r);
}

/* from + length, at most the size of the message. */
static uint64_t get_offset(struct reader *r, uint64_t from)
{
    uint64_t length = wire_get_var(&r->w), to;
    if (__builtin_add_overflow(from, length, &to) || to > r->s.tree.bytes) r->w.bad = true;
    return r->w.bad ? from : to;
}

static void get_part(struct reader *r, struct mime_part *part, uint64_t last_head_from)
{
    uint64_t kind = wire_get_var(&r->w);
    if (kind > MIME_MESSAGE) r->w.bad = true;
    part->kind = r->w.bad ? MIME_LEAF : (enum mime_kind)kind;
    part->head_from = get_offset(r, last_head_from);
    part->body_from = get_offset(r, part->head_from);
    part->body_end = get_offset(r, part->body_from);
    part->body_lines = wire_get_var(&r->w);
    part->head_lines = wire_get_var(&r->w);
    part->type = wire_get_vstr(&r->w);
    part->subtype = wire_get_vstr(&r->w);
    get_params(r, &part->params);
    get_optional_fields(r, part);
    if (part->type.n == 0 || part->subtype.n == 0) r->w.bad = true;
}

static struct mime_part *add_part(struct reader *r)
{
    struct mime_tree *tree = &r->s.tree;
    if (tree->count == r->room) {
        r->room = r->room > 0 ? r->room * 2 : 4;
        struct mime_part *parts = ARENA_MANY(r->arena, struct mime_part, r->room);
        if (tree->count > 0) memcpy(parts, tree->parts, tree->count * sizeof *parts);
        tree->parts = parts;
    }
    return &tree->parts[tree->count++];
}

/* `latest`: for each depth, the part that was seen last. False: no such place in the tree. */
static bool link_part(struct reader *r, uint32_t index, uint64_t depth, uint32_t *latest)
{
    struct mime_part *parts = r->s.tree.parts, *part = &parts[index];
    part->depth = (uint16_t)depth;
    part->parent = part->first_child = part->next = MIME_NO_PART;
    if (depth > 0) {
        struct mime_part *parent = &parts[latest[depth - 1]];
        part->parent = latest[depth - 1];
        if (parent->kind == MIME_LEAF) return false;
        if (parent->first_child == MIME_NO_PART) {
            parent->first_child = index;
        } else {
            if (parent->kind == MIME_MESSAGE) return false;
            parts[latest[depth]].next = index;
        }
    }
    latest[depth] = index;
    return true;
}

static void get_parts(struct reader *r)
{
    uint32_t latest[MIME_DEPTH_MAX] = { 0 };
    uint64_t last_head_from = 0, last_depth = 0;
    for (;;) {
        uint64_t depth = wire_get_var(&r->w);
        uint32_t index = r->s.tree.count;
        if (r->w.bad || depth == 0) return;
        depth--;
        if (index == MIME_PARTS_MAX || depth >= MIME_DEPTH_MAX || (index == 0) != (depth == 0) ||
            depth > last_depth + 1) {
            r->w.bad = true;
            return;
        }
        struct mime_part *part = add_part(r);
        get_part(r, part, last_head_from);
        if (r->w.bad) return;
        if (!link_part(r, index, depth, latest)) {
            r->w.bad = true;
            return;
        }
        bool is_root = depth == 0 || r->s.tree.parts[part->parent].kind == MIME_MESSAGE;
        if (is_root != (part->extra != NULL)) r->w.bad = true;
        last_head_from = part->head_from;
        last_depth = depth;
    }
}

static void get_references(struct reader *r)
{
    size_t n = get_count(r);
    if (n > STRUCTURE_REFERENCES_MAX) r->w.bad = true;
    if (r->w.bad || n == 0) return;
    r->s.references = ARENA_MANY(r->arena, struct str, n);
    r->s.reference_count = n;
    for (size_t i = 0; i < n; i++) {
        r->s.references[i] = wire_get_vstr(&r->w);
    }
}

enum err structure_decode(struct arena *a, struct str record, struct structure *structure_out)
{
    struct reader r = { .w = wire_of(record), .arena = a };
    unsigned version = wire_get_u8(&r.w);
    if (record.n > STRUCTURE_RECORD_MAX || version == 0) return ERR_CORRUPT;
    if (version > RECORD_VERSION) return ERR_UNSUPPORTED;

    unsigned flags = wire_get_u8(&r.w);
    r.s.tree.has_8bit = flags & FLAG_8BIT;
    r.s.tree.has_nul = flags & FLAG_NUL;
    r.s.tree.broken = flags & FLAG_BROKEN;
    r.s.tree.cut = flags & FLAG_CUT;
    r.s.truncated = flags & FLAG_TRUNCATED;
    r.s.has_date = flags & FLAG_DATE;
    r.s.tree.bytes = wire_get_var(&r.w);
    r.s.tree.lines = wire_get_var(&r.w);
    if (r.s.has_date) {
        r.s.date.time_s = (int64_t)wire_get_u64(&r.w);
        r.s.date.zone_minutes = (int16_t)wire_get_u16(&r.w);
        r.s.date.zone_known = wire_get_u8(&r.w) != 0;
    }
    get_references(&r);
    get_parts(&r);
    if (wire_end(&r.w) != OK || r.s.tree.count == 0) return ERR_CORRUPT;
    *structure_out = r.s;
    return OK;
}
