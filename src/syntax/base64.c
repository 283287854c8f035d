/* Both decoders reserve their upper bound once and write into it; the bound is 3/4 of the text,
 * rounded up, so the arithmetic cannot come out short whatever the text has in it. */
#include "syntax/base64.h"
#include "base/must.h"

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { NO_LETTER = 0xff };

/* Value of a letter, or NO_LETTER. */
static unsigned value_of(char c)
{
    if (c >= 'A' && c <= 'Z') return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9') return (unsigned)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NO_LETTER;
}

/* Bits come in by six and go out by eight. */
struct bits {
    uint32_t held;
    unsigned held_n;
    char *at;
    size_t n, max;
};

static void bits_add(struct bits *w, unsigned six)
{
    w->held = w->held << 6 | six;
    w->held_n += 6;
    if (w->held_n < 8) return;
    w->held_n -= 8;
    must(w->n < w->max);
    w->at[w->n++] = (char)(unsigned char)(w->held >> w->held_n);
    w->held &= (1u << w->held_n) - 1;
}

static struct str without_padding(struct str text)
{
    for (int i = 0; i < 2 && str_ends(text, STR("=")); i++) {
        text.n--;
    }
    return text;
}

enum err base64_decode(struct buf *b, struct str text)
{
    if (text.n % 4 != 0) return ERR_SYNTAX;
    struct bits w = { .max = text.n / 4 * 3 };
    w.at = buf_reserve(b, w.max);
    if (w.max > 0 && w.at == NULL) return ERR_LIMIT;

    text = without_padding(text);
    for (size_t i = 0; i < text.n; i++) {
        unsigned value = value_of(text.p[i]);
        if (value == NO_LETTER) return ERR_SYNTAX;
        bits_add(&w, value);
    }
    /* What is left over are the bits that do not make a byte; six of them are a letter too many. */
    if (w.held != 0 || w.held_n == 6) return ERR_SYNTAX;
    buf_commit(b, w.n);
    return OK;
}

enum err base64_decode_lenient(struct buf *b, struct str text, bool *clean_out)
{
    struct bits w = { .max = text.n / 4 * 3 + 3 };
    bool clean = true;
    size_t i = 0, letters_n = 0, padding = 0;

    w.at = buf_reserve(b, w.max);
    if (w.at == NULL) return ERR_LIMIT;
    for (; i < text.n && text.p[i] != '='; i++) {
        char c = text.p[i];
        unsigned value = value_of(c);
        if (value != NO_LETTER) {
            bits_add(&w, value);
            letters_n++;
        } else if (c != '\r' && c != '\n' && c != ' ' && c != '\t') {
            clean = false;
        }
    }
    struct str tail = str_trim(str_skip(text, i));
    while (padding < tail.n && tail.p[padding] == '=') {
        padding++;
    }
    if (padding < tail.n || (letters_n + padding) % 4 != 0 || padding > 2 || w.held != 0) {
        clean = false;
    }
    buf_commit(b, w.n);
    if (clean_out != NULL) *clean_out = clean;
    return OK;
}

void base64_put(struct buf *b, struct str bytes)
{
    char *at = buf_reserve(b, base64_length(bytes.n));
    if (at == NULL) return;
    size_t n = 0;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t held = (uint32_t)(unsigned char)bytes.p[i] << 16;
        if (left > 1) held |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
        if (left > 2) held |= (unsigned char)bytes.p[i + 2];
        at[n++] = letters[held >> 18];
        at[n++] = letters[held >> 12 & 63];
        at[n++] = left > 1 ? letters[held >> 6 & 63] : '=';
        at[n++] = left > 2 ? letters[held & 63] : '=';
    }
    buf_commit(b, n);
}
