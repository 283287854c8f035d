#include "syntax/maildir.h"

#include "base/must.h"
#include "syntax/mutf7.h"
#include "syntax/utf8.h"

static const struct {
    char letter;
    unsigned flag;
} letters[] = {
    { 'D', MAILDIR_DRAFT },   { 'F', MAILDIR_FLAGGED }, { 'P', MAILDIR_PASSED },
    { 'R', MAILDIR_REPLIED }, { 'S', MAILDIR_SEEN },    { 'T', MAILDIR_TRASHED },
};
enum { LETTER_COUNT = sizeof letters / sizeof letters[0] };

/* ---- messages ---- */

/* ",S=123" somewhere in the base. */
static bool size_of(struct str base, struct str tag, uint64_t *bytes_out)
{
    size_t at = str_find_str(base, tag);
    if (at == STR_NOWHERE) return false;
    struct scan s = scan_of(str_skip(base, at + tag.n));
    return str_to_u64(scan_while(&s, BYTE_DIGIT), INT64_MAX, bytes_out) == OK;
}

static void take_flags(struct str info, struct maildir_name *m)
{
    struct scan s = scan_of(info);
    for (int c; (c = scan_get(&s)) >= 0;) {
        if (c >= 'a' && c <= 'z') m->keywords |= 1u << (c - 'a');
        for (size_t i = 0; i < LETTER_COUNT; i++) {
            if (c == letters[i].letter) m->flags |= letters[i].flag;
        }
    }
}

enum err maildir_name_parse(struct str name, struct maildir_name *out)
{
    size_t colon = str_find(name, ':');
    struct maildir_name m = { .base = str_part(name, 0, colon) };
    if (m.base.n == 0 || str_starts(name, STR(".")) || str_find(name, '/') != STR_NOWHERE)
        return ERR_SYNTAX;
    for (struct scan s = scan_of(name); !scan_end(&s); scan_get(&s)) {
        if (scan_is(&s, BYTE_CONTROL)) return ERR_SYNTAX;
    }
    struct str info = colon != STR_NOWHERE ? str_skip(name, colon + 1) : STR_NONE;
    if (str_starts(info, STR("2,"))) take_flags(str_skip(info, 2), &m);
    m.has_sizes =
        size_of(m.base, STR(",S="), &m.file_bytes) && size_of(m.base, STR(",W="), &m.wire_bytes);
    *out = m;
    return OK;
}

void maildir_put_name(struct buf *b, struct str base, unsigned flags, uint32_t keywords)
{
    buf_put(b, base);
    buf_put_lit(b, ":2,");
    for (size_t i = 0; i < LETTER_COUNT; i++) {
        if ((flags & letters[i].flag) != 0) buf_put_byte(b, letters[i].letter);
    }
    for (unsigned i = 0; i < MAILDIR_KEYWORD_MAX; i++) {
        if ((keywords & 1u << i) != 0) buf_put_byte(b, (char)('a' + i));
    }
}

/* ---- line ends ---- */

void maildir_to_file(struct maildir_line_ends *s, struct str piece, struct buf *file)
{
    for (struct scan in = scan_of(piece); !scan_end(&in);) {
        struct str part = scan_until(&in, '\n');
        bool ends = scan_get(&in) == '\n';
        if (part.n > 0) {
            bool cr = str_ends(part, STR("\r"));
            if (s->cr) buf_put_byte(file, '\r');
            /* Is the CR that waits now behind another one? */
            s->cr_cr = cr && (part.n > 1 ? part.p[part.n - 2] == '\r' : s->cr);
            s->cr = cr;
            buf_put(file, str_part(part, 0, part.n - (size_t)cr));
        }
        if (!ends) return;
        if (!s->cr) s->altered = true;
        buf_put(file, s->cr_cr ? STR("\r\n") : STR("\n"));
        s->cr = s->cr_cr = false;
    }
}

void maildir_to_file_end(struct maildir_line_ends *s, struct buf *file)
{
    if (s->cr) buf_put_byte(file, '\r');
    s->cr = s->cr_cr = false;
}

void maildir_from_file(struct maildir_line_ends *s, struct str piece, struct buf *text)
{
    for (struct scan in = scan_of(piece); !scan_end(&in);) {
        struct str part = scan_until(&in, '\n');
        bool ends = scan_get(&in) == '\n';
        buf_put(text, part);
        if (part.n > 0) s->cr = str_ends(part, STR("\r"));
        if (!ends) return;
        buf_put(text, s->cr ? STR("\n") : STR("\r\n"));
        s->cr = false;
    }
}

/* ---- folders ---- */

void maildir_put_folder(struct buf *b, struct str mailbox)
{
    for (struct str level; str_cut(&mailbox, '/', &level);) {
        buf_put_byte(b, '.');
        mutf7_put(b, level, STR("./"));
    }
}

/* One level; a slash in it would be two of ours. */
static enum err level_parse(struct str level, struct buf *mailbox)
{
    size_t from = mailbox->n;
    if (level.n == 0) return ERR_SYNTAX;
    if (mutf7_decode(mailbox, level) != OK) {
        if (!utf8_valid(level)) return ERR_SYNTAX;
        buf_put(mailbox, level);
    }
    bool slash = str_find(str_skip(buf_str(mailbox), from), '/') != STR_NOWHERE;
    return slash ? ERR_SYNTAX : buf_check(mailbox);
}

/* Levels between `separator`. What was appended is cut off again on failure. */
static enum err levels_parse(struct str text, char separator, struct buf *mailbox)
{
    size_t before = mailbox->n;
    enum err e = text.n > 0 && text.p[text.n - 1] != separator ? OK : ERR_SYNTAX;
    for (struct str level; e == OK && str_cut(&text, separator, &level);) {
        if (mailbox->n > before) buf_put_byte(mailbox, '/');
        e = level_parse(level, mailbox);
    }
    if (e != OK) buf_truncate(mailbox, before);
    return e;
}

enum err maildir_folder_parse(struct str folder, struct buf *mailbox)
{
    if (!str_starts(folder, STR("."))) return ERR_SYNTAX;
    return levels_parse(str_skip(folder, 1), '.', mailbox);
}

/* ---- dovecot-uidlist ---- */

enum err maildir_uidlist_parse(struct str line, struct maildir_uidlist *out)
{
    struct scan s = scan_of(line);
    struct str version = scan_word(&s);
    struct maildir_uidlist l = { .version = str_eq(version, STR("1")) ? 1 : 3 };
    uint64_t validity = 0, next = 0;
    if (l.version == 1) {
        if (str_to_u64(scan_word(&s), UINT32_MAX, &validity) != OK ||
            str_to_u64(scan_word(&s), UINT32_MAX, &next) != OK)
            return ERR_SYNTAX;
    } else if (str_eq(version, STR("3"))) {
        for (struct str word; (word = scan_word(&s)).n > 0;) {
            uint64_t *to = word.p[0] == 'V' ? &validity : word.p[0] == 'N' ? &next : NULL;
            if (to != NULL && str_to_u64(str_skip(word, 1), UINT32_MAX, to) != OK)
                return ERR_SYNTAX;
        }
    } else {
        return version.n > 0 && str_all(version, BYTE_DIGIT) ? ERR_UNSUPPORTED : ERR_SYNTAX;
    }
    if (validity == 0 || next == 0) return ERR_SYNTAX;
    l.uid_validity = (uint32_t)validity;
    l.uid_next = (uint32_t)next;
    *out = l;
    return OK;
}

enum err maildir_uid_parse(const struct maildir_uidlist *list, struct str line, uint32_t *uid_out,
                           struct str *base_out)
{
    struct scan s = scan_of(line);
    struct maildir_name name;
    uint64_t uid;
    if (str_to_u64(scan_word(&s), UINT32_MAX, &uid) != OK || uid == 0) return ERR_SYNTAX;
    struct str file = s.left;
    if (list->version == 1) {
        if (!scan_byte(&s, ' ')) return ERR_SYNTAX;
        file = s.left;
    } else {
        size_t at = str_find_str(file, STR(" :"));
        if (at == STR_NOWHERE) return ERR_SYNTAX;
        file = str_skip(file, at + 2);
    }
    if (maildir_name_parse(file, &name) != OK) return ERR_SYNTAX;
    *uid_out = (uint32_t)uid;
    *base_out = name.base;
    return OK;
}

void maildir_put_uidlist(struct buf *b, const struct maildir_uidlist *list, struct str guid)
{
    buf_put_lit(b, "3 V");
    buf_put_u64(b, list->uid_validity);
    buf_put_lit(b, " N");
    buf_put_u64(b, list->uid_next);
    buf_put_lit(b, " G");
    buf_put_hex(b, guid);
    buf_put_byte(b, '\n');
}

void maildir_put_uid(struct buf *b, uint32_t uid, struct str base)
{
    buf_put_u64(b, uid);
    buf_put_lit(b, " :");
    buf_put(b, base);
    buf_put_byte(b, '\n');
}

/* ---- dovecot-keywords ---- */

enum err maildir_keyword_parse(struct str line, unsigned *index_out, struct str *name_out)
{
    struct scan s = scan_of(line);
    uint64_t index;
    if (str_to_u64(scan_word(&s), MAILDIR_KEYWORD_MAX - 1, &index) != OK) return ERR_SYNTAX;
    if (!scan_byte(&s, ' ') || scan_end(&s)) return ERR_SYNTAX;
    *index_out = (unsigned)index;
    *name_out = s.left;
    return OK;
}

void maildir_put_keyword(struct buf *b, unsigned index, struct str name)
{
    must(index < MAILDIR_KEYWORD_MAX);
    buf_put_u64(b, index);
    buf_put_byte(b, ' ');
    buf_put(b, name);
    buf_put_byte(b, '\n');
}

/* ---- subscriptions ---- */

enum err maildir_subscription_parse(struct str line, unsigned *version, struct buf *mailbox)
{
    if (line.n == 0) return ERR_NOT_FOUND;
    if (str_starts(line, STR("V\t"))) {
        if (!str_eq(line, STR("V\t2"))) return ERR_UNSUPPORTED;
        *version = 2;
        return ERR_NOT_FOUND;
    }
    return levels_parse(line, *version == 2 ? '\t' : '.', mailbox);
}
