/* Parameters are read into a table of pieces first, put together afterwards. Both are bounded by
 * MIME_PARAMS_MAX, so that looking for the next piece by walking the table is cheap enough. */
#include "syntax/mime_field.h"

#include "syntax/header.h"
#include "syntax/token.h"

struct mime_keeper mime_keeper_of(struct arena *a)
{
    return (struct mime_keeper){ .arena = a,
                                 .text_left_bytes = MIME_TEXT_TOTAL_MAX,
                                 .params_left = MIME_PARAMS_TOTAL_MAX };
}

struct str mime_keep(struct mime_keeper *k, struct str s)
{
    size_t max = k->text_left_bytes < MIME_VALUE_MAX ? k->text_left_bytes : MIME_VALUE_MAX;
    if (s.n > max) {
        k->cut = true;
        s.n = max;
    }
    k->text_left_bytes -= s.n;
    return arena_str(k->arena, s);
}

/* ---- pieces ---- */

struct piece {
    struct str name;
    int section; /* number behind the "*"; -1: none */
    bool extended, used;
    struct str value; /* in the scratch buf, by offset, since that one moves while it grows */
    size_t value_at;
};

struct pieces {
    struct piece *at;
    size_t count;
    struct buf text;
};

/* name, name*, name*1, name*1* : RFC 2231 7 */
static void split_name(struct piece *piece, struct str name)
{
    uint64_t section;
    size_t star = str_find(name, '*');

    piece->section = -1;
    piece->name = name;
    if (star == STR_NOWHERE || star == 0) return;
    struct str rest = str_skip(name, star + 1);
    if (rest.n > 0 && str_ends(rest, STR("*"))) {
        piece->extended = true;
        rest.n--;
    }
    if (rest.n == 0) {
        piece->extended = true;
    } else if (str_to_u64(rest, MIME_PARAMS_MAX, &section) == OK) {
        piece->section = (int)section;
    } else {
        piece->extended = false; /* a star in a name: nothing of RFC 2231 */
        return;
    }
    piece->name = str_part(name, 0, star);
}

/* What stands behind the "=". Words run on to the next blank, or, where the world forgets the
 * quotes around file names, to the semicolon. */
static void take_value(struct token_walk *w, struct token *t, struct pieces *p,
                       const struct piece *piece)
{
    bool blanks =
        str_eq_nocase(piece->name, STR("name")) || str_eq_nocase(piece->name, STR("filename"));
    if (t->kind == TOKEN_QUOTED) {
        token_put(&p->text, t);
        token_next(w, t);
        return;
    }
    for (bool first = true; t->kind != TOKEN_END && !token_is(t, ';'); token_next(w, t)) {
        if (t->spaced && !first) {
            if (!blanks) return;
            buf_put_byte(&p->text, ' ');
        }
        buf_put(&p->text, t->raw);
        first = false;
    }
}

static void take_piece(struct token_walk *w, struct token *t, struct pieces *p)
{
    struct piece piece = { .value_at = p->text.n };

    if (t->kind != TOKEN_WORD) return;
    split_name(&piece, t->raw);
    token_next(w, t);
    if (!token_is(t, '=')) return;
    token_next(w, t);
    take_value(w, t, p, &piece);
    piece.value.n = p->text.n - piece.value_at;
    p->at[p->count++] = piece;
}

static void take_pieces(struct mime_keeper *k, struct token_walk *w, struct token *t,
                        struct pieces *p)
{
    while (t->kind != TOKEN_END) {
        if (!token_is(t, ';')) {
            token_next(w, t);
            continue;
        }
        token_next(w, t);
        if (p->count == MIME_PARAMS_MAX) {
            k->cut = true;
            break;
        }
        take_piece(w, t, p);
    }
    for (size_t i = 0; i < p->count; i++) {
        p->at[i].value = str_part(buf_str(&p->text), p->at[i].value_at, p->at[i].value.n);
    }
}

/* ---- putting pieces together ---- */

static bool is_attribute_byte(char c)
{
    return byte_is(c, BYTE_TOKEN) && !byte_is(c, BYTE_HIGH) && c != '*' && c != '\'' && c != '%';
}

static void put_percent(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_attribute_byte(s.p[i])) {
            buf_put_byte(b, s.p[i]);
        } else {
            buf_put_byte(b, '%');
            buf_put_hex(b, str_part(s, i, 1));
        }
    }
}

static struct piece *find_section(struct pieces *p, struct str name, int section)
{
    for (size_t i = 0; i < p->count; i++) {
        struct piece *piece = &p->at[i];
        if (piece->section == section && !piece->used && str_eq_nocase(piece->name, name)) {
            return piece;
        }
    }
    return NULL;
}

/* All pieces that follow `first`, which is number 0. */
static void join(struct pieces *p, struct piece *first, struct buf *b, bool *extended_out)
{
    bool extended = first->extended;
    struct piece *next;
    for (int n = 1; (next = find_section(p, first->name, n)) != NULL; n++) {
        extended = extended || next->extended;
    }
    if (extended && !first->extended) buf_put_lit(b, "''");
    for (int n = 0; (next = find_section(p, first->name, n)) != NULL; n++) {
        next->used = true;
        if (extended && !next->extended) {
            put_percent(b, next->value);
        } else {
            buf_put(b, next->value);
        }
    }
    *extended_out = extended;
}

static void keep_param(struct mime_keeper *k, struct mime_params *params, struct str name,
                       struct str value, bool extended)
{
    if (k->params_left == 0) {
        k->cut = true;
        return;
    }
    k->params_left--;
    params->at[params->count++] = (struct mime_param){ .name = mime_keep(k, name),
                                                       .value = mime_keep(k, value),
                                                       .extended = extended };
}

/* "" and "a'b" have no place for a charset: they are plain in spite of the star. */
static bool has_charset(struct str value)
{
    size_t quote = str_find(value, '\'');
    return quote != STR_NOWHERE && str_find(str_skip(value, quote + 1), '\'') != STR_NOWHERE;
}

static void keep_params(struct mime_keeper *k, struct pieces *p, struct mime_params *params_out)
{
    struct mime_params params = { 0 };
    struct buf joined = BUF_INIT(p->text.n * 3 + 2);

    size_t room = p->count < k->params_left ? p->count : k->params_left;

    if (room > 0) params.at = ARENA_MANY(k->arena, struct mime_param, room);
    for (size_t i = 0; i < p->count; i++) {
        struct piece *piece = &p->at[i];
        if (piece->section < 0) {
            keep_param(k, &params, piece->name, piece->value,
                       piece->extended && has_charset(piece->value));
        } else if (piece->section == 0 && !piece->used) {
            bool extended;
            buf_clear(&joined);
            join(p, piece, &joined, &extended);
            keep_param(k, &params, piece->name, buf_str(&joined),
                       extended && has_charset(buf_str(&joined)));
        }
    }
    buf_free(&joined);
    *params_out = params;
}

/* From where the walk stands: skips to the first semicolon. */
static void parse_params(struct mime_keeper *k, struct token_walk *w, struct token *t,
                         struct mime_params *params_out)
{
    struct arena scratch = ARENA_INIT(0);
    struct pieces p = { .at = ARENA_MANY(&scratch, struct piece, MIME_PARAMS_MAX),
                        .text = BUF_INIT(HEADER_BYTES_MAX) };
    take_pieces(k, w, t, &p);
    keep_params(k, &p, params_out);
    buf_free(&p.text);
    arena_free(&scratch);
}

/* ---- fields ---- */

enum err mime_type_parse(struct mime_keeper *k, struct str value, struct str *type_out,
                         struct str *subtype_out, struct mime_params *params_out)
{
    struct token_walk w = token_walk_of(value, BYTE_TOKEN);
    struct token type, t;

    token_next(&w, &type);
    token_next(&w, &t);
    if (type.kind != TOKEN_WORD || !token_is(&t, '/')) return ERR_SYNTAX;
    token_next(&w, &t);
    if (t.kind != TOKEN_WORD) return ERR_SYNTAX;
    *type_out = mime_keep(k, type.raw);
    *subtype_out = mime_keep(k, t.raw);
    parse_params(k, &w, &t, params_out);
    return OK;
}

enum err mime_disposition_parse(struct mime_keeper *k, struct str value, struct str *word_out,
                                struct mime_params *params_out)
{
    struct token_walk w = token_walk_of(value, BYTE_TOKEN);
    struct token t;

    token_next(&w, &t);
    if (t.kind != TOKEN_WORD) return ERR_SYNTAX;
    *word_out = mime_keep(k, t.raw);
    parse_params(k, &w, &t, params_out);
    return OK;
}

struct str mime_word_parse(struct mime_keeper *k, struct str value)
{
    struct token_walk w = token_walk_of(value, BYTE_TOKEN);
    struct token t;
    token_next(&w, &t);
    return t.kind == TOKEN_WORD ? mime_keep(k, t.raw) : STR_NONE;
}

size_t mime_languages_parse(struct mime_keeper *k, struct str value, struct str **tags_out)
{
    struct token_walk w = token_walk_of(value, BYTE_TOKEN);
    struct token t;
    size_t count = 0;
    struct str *tags = ARENA_MANY(k->arena, struct str, MIME_LANGUAGES_MAX);

    while (token_next(&w, &t)) {
        if (t.kind != TOKEN_WORD) continue;
        if (count == MIME_LANGUAGES_MAX) {
            k->cut = true;
            break;
        }
        tags[count++] = mime_keep(k, t.raw);
    }
    *tags_out = tags;
    return count;
}

struct str mime_text_parse(struct mime_keeper *k, struct str value)
{
    struct arena scratch = ARENA_INIT(0);
    struct str text = mime_keep(k, header_unfold(&scratch, value));
    arena_free(&scratch);
    return text;
}

const struct mime_param *mime_param_find(const struct mime_params *params, struct str name)
{
    const struct mime_param *found = NULL;
    for (size_t i = 0; i < params->count; i++) {
        const struct mime_param *param = &params->at[i];
        if (!str_eq_nocase(param->name, name)) continue;
        if (found == NULL || (param->extended && !found->extended)) found = param;
    }
    return found;
}

static void put_unpercent(struct buf *b, struct str s)
{
    struct scan scan = scan_of(s);
    for (int c; (c = scan_get(&scan)) >= 0;) {
        struct str hex = str_part(scan.left, 0, 2);
        if (c == '%' && hex.n == 2 && byte_hex(hex.p[0]) >= 0 && byte_hex(hex.p[1]) >= 0) {
            c = byte_hex(hex.p[0]) * 16 + byte_hex(hex.p[1]);
            scan_take(&scan, 2);
        }
        buf_put_byte(b, (char)c);
    }
}

void mime_param_put(struct buf *b, const struct mime_param *param, struct str *charset_out)
{
    struct str text = param->value, language;
    *charset_out = STR_NONE;
    if (!param->extended) {
        buf_put(b, text);
        return;
    }
    str_cut(&text, '\'', charset_out);
    str_cut(&text, '\'', &language);
    put_unpercent(b, text);
}
