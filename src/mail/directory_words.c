#include "mail/directory_words.h"

static bool is_plain(char c)
{
    return (unsigned char)c > ' ' && c != '"' && c != '\\' && c != '#' && (unsigned char)c != 0x7f;
}

/* What stands behind the backslash for a byte, or 0. */
static char escape_of(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    default:
        return 0;
    }
}

static char unescape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        return 0;
    }
}

static void put_inside(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = escape_of(s.p[i]);
        if (c != 0) buf_put_byte(b, '\\');
        buf_put_byte(b, c != 0 ? c : s.p[i]);
    }
}

static bool all_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_plain(s.p[i])) return false;
    }
    return true;
}

void words_put_pair(struct buf *b, struct str name, struct str value)
{
    bool plain = all_plain(name) && all_plain(value) && name.n + value.n > 0;
    if (!plain) buf_put_byte(b, '"');
    put_inside(b, name);
    if (name.n > 0) buf_put_byte(b, '=');
    put_inside(b, value);
    if (!plain) buf_put_byte(b, '"');
}

void words_put(struct buf *b, struct str word)
{
    words_put_pair(b, STR_NONE, word);
}

bool words_is_pair(struct str word, struct str name, struct str *value_out)
{
    if (!str_starts(word, name) || word.n <= name.n || word.p[name.n] != '=') return false;
    *value_out = str_skip(word, name.n + 1);
    return true;
}

/* `*at` is behind the opening quote; afterwards behind the closing one. */
static enum err take_quoted(struct str line, size_t *at, struct buf *word)
{
    for (size_t i = *at; i < line.n; i++) {
        char c = line.p[i];
        if (c == '"') {
            *at = i + 1;
            return OK;
        }
        if (c == '\\') {
            c = ++i < line.n ? unescape(line.p[i]) : 0;
            if (c == 0) return ERR_SYNTAX;
        }
        buf_put_byte(word, c);
    }
    return ERR_SYNTAX;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One word may be made of plain and quoted parts. */
static enum err take_word(struct str line, size_t *at, struct buf *word)
{
    while (*at < line.n && !is_space(line.p[*at])) {
        char c = line.p[(*at)++];
        if (c == '"') {
            enum err e = take_quoted(line, at, word);
            if (e != OK) return e;
        } else if (!is_plain(c)) {
            return ERR_SYNTAX;
        } else {
            buf_put_byte(word, c);
        }
    }
    return OK;
}

enum err words_split(struct str line, struct arena *a, struct words *out)
{
    struct words w = { .at = NULL };
    size_t at = 0, room = 0;
    enum err e = OK;
    struct buf word = buf_new(line.n + 1);
    while (e == OK) {
        while (at < line.n && is_space(line.p[at])) at++;
        if (at == line.n || line.p[at] == '#') break;
        if (w.n == WORDS_MAX) e = ERR_LIMIT;
        if (w.n == room && e == OK) {
            size_t bigger = room > 0 ? 2 * room : 8;
            struct str *moved = ARENA_MANY(a, struct str, bigger);
            if (w.n > 0) memcpy(moved, w.at, w.n * sizeof *moved);
            w.at = moved;
            room = bigger;
        }
        buf_clear(&word);
        if (e == OK) e = take_word(line, &at, &word);
        if (e == OK) w.at[w.n++] = arena_str(a, buf_str(&word));
    }
    buf_free(&word);
    if (e == OK) *out = w;
    return e;
}
