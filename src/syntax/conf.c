/* From words and marks to lines and blocks, with files inside files.
 *
 * No recursion: files being read and blocks being filled are two stacks of fixed depth. A block
 * must be closed in the file that opened it. Ceilings (bytes, words, files, depths) end the reading
 * with one fault, since nothing sensible can be said about the rest. */
#include "syntax/conf_lex.h"

struct frame {
    struct conf_lex lex;
    size_t block_depth;     /* blocks that were open when this file began */
    struct conf_token held; /* a '}' that waits until an include before it is read */
    bool holds;
};

struct open_block {
    struct conf_at at;
    struct conf_line **tail; /* where the line behind the block goes */
};

struct parse {
    struct arena *arena;
    const struct conf_reader *reader;
    struct conf *out;
    struct conf_faults *faults;
    struct frame frames[CONF_INCLUDE_DEPTH_MAX];
    size_t frame_count;
    struct open_block blocks[CONF_BLOCK_DEPTH_MAX];
    size_t block_depth;
    struct conf_line **tail;   /* where the next line goes */
    struct conf_line *nowhere; /* lines of a block that belongs to nothing */
    struct conf_word *words;   /* of the line at hand */
    size_t word_count, word_room;
    bool line_bad, line_over;
    size_t total_bytes, total_words;
    bool given_up;
};

static void fault(struct parse *p, const struct conf_at *at, struct str text, struct str hint)
{
    conf_fault_add(p->faults, CONF_ERROR, at, text, hint);
}

static void give_up(struct parse *p, const struct conf_at *at, struct str text)
{
    fault(p, at, text, STR("reading ends here"));
    p->given_up = true;
}

struct str conf_path(struct arena *a, struct str from, struct str path)
{
    size_t slash = str_rfind(from, '/');
    if (str_starts(path, STR("/")) || slash == STR_NOWHERE) return path;
    while (str_starts(path, STR("./"))) {
        path = str_skip(path, 2);
    }
    return ARENA_JOIN(a, str_part(from, 0, slash + 1), path);
}

/* ---- files ---- */

/* The bytes of `name`, read at most once. */
static enum err file_bytes(struct parse *p, struct str name, struct str *bytes_out)
{
    struct conf *c = p->out;

    for (size_t i = 0; i < c->file_count; i++) {
        if (!str_eq(c->files[i].name, name)) continue;
        *bytes_out = c->files[i].bytes;
        return OK;
    }
    if (c->file_count == CONF_FILES_MAX) return ERR_LIMIT;
    enum err e = p->reader->read(p->reader->ctx, name, p->arena, bytes_out);
    if (e != OK) return e;
    c->files[c->file_count++] = (struct conf_file){ .name = name, .bytes = *bytes_out };
    return OK;
}

/* Go on reading in the file `name`, which was asked for at `at`. */
static void enter_file(struct parse *p, struct str name, const struct conf_at *at)
{
    struct str bytes;
    enum err e = file_bytes(p, name, &bytes);

    if (e == ERR_LIMIT && p->out->file_count == CONF_FILES_MAX) {
        give_up(p, at, STR("more than 64 files"));
        return;
    }
    if (e != OK) {
        fault(p, at,
              ARENA_JOIN(p->arena, STR("cannot read "), name, STR(": "), str_c(err_words(e))),
              STR_NONE);
        return;
    }
    if (bytes.n > CONF_BYTES_MAX - p->total_bytes) {
        give_up(p, at, STR("more than 1 MiB of configuration"));
        return;
    }
    p->total_bytes += bytes.n;
    p->frames[p->frame_count++] =
        (struct frame){ .lex = conf_lex_of(name, bytes, p->arena, p->faults),
                        .block_depth = p->block_depth };
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return true;
    }
    return false;
}

/* `include PATH`, as the words at hand say. */
static void include(struct parse *p)
{
    const struct conf_word *path = &p->words[1];

    if (p->line_bad) return;
    if (p->word_count != 2 || path->text.n == 0 || has_control(path->text)) {
        fault(p, &p->words[p->word_count > 2 ? 2 : 0].at, STR("include takes one file name"),
              STR("write: include other.conf"));
        return;
    }
    if (str_find(path->text, '*') != STR_NOWHERE) {
        fault(p, &path->at, STR("include takes one file name, no pattern"),
              STR("write a line for each file"));
        return;
    }
    struct str name = conf_path(p->arena, path->at.file, path->text);
    for (size_t i = 0; i < p->frame_count; i++) {
        if (str_eq(p->frames[i].lex.here.file, name)) {
            fault(p, &path->at, ARENA_JOIN(p->arena, name, STR(" includes itself")),
                  STR("take this line out"));
            return;
        }
    }
    if (p->frame_count == CONF_INCLUDE_DEPTH_MAX) {
        fault(p, &path->at, STR("files include each other more than 8 deep"), STR_NONE);
        return;
    }
    enter_file(p, name, &path->at);
}

/* ---- lines ---- */

/* The words at hand become a line; null when there are none or they were an include. */
static struct conf_line *end_line(struct parse *p, bool has_block)
{
    struct conf_line *line = NULL;

    if (p->word_count > 0 && !p->words[0].quoted && str_eq(p->words[0].text, STR("include"))) {
        if (has_block) {
            fault(p, &p->words[0].at, STR("include takes no block"), STR_NONE);
        } else {
            include(p);
        }
    } else if (p->word_count > 0) {
        line = ARENA_NEW(p->arena, struct conf_line);
        line->words = ARENA_MANY(p->arena, struct conf_word, p->word_count);
        memcpy(line->words, p->words, p->word_count * sizeof *line->words);
        line->n = p->word_count;
        line->bad = p->line_bad;
        line->has_block = has_block;
        *p->tail = line;
        p->tail = &line->next;
    }
    p->word_count = 0;
    p->line_bad = p->line_over = false;
    return line;
}

static void keep_word(struct parse *p, const struct conf_word *w)
{
    enum { FIRST_ROOM = 16 };

    if (p->word_count == p->word_room) {
        size_t room = p->word_room > 0 ? 2 * p->word_room : FIRST_ROOM;
        struct conf_word *words = ARENA_MANY(p->arena, struct conf_word, room);
        if (p->word_count > 0) memcpy(words, p->words, p->word_count * sizeof *words);
        p->words = words;
        p->word_room = room;
    }
    p->words[p->word_count++] = *w;
}

static void on_word(struct parse *p, const struct conf_token *t)
{
    if (p->total_words++ == CONF_WORDS_MAX) {
        give_up(p, &t->word.at, STR("more than 200000 words of configuration"));
    } else if (p->word_count < CONF_LINE_WORDS_MAX) {
        keep_word(p, &t->word);
    } else if (!p->line_over) {
        fault(p, &t->word.at, STR("more than 1000 words on a line"),
              STR("write several lines of the same kind"));
        p->line_over = p->line_bad = true;
    }
}

static void on_open(struct parse *p, const struct conf_token *t)
{
    if (p->block_depth == CONF_BLOCK_DEPTH_MAX) {
        give_up(p, &t->word.at, STR("blocks inside blocks more than 8 deep"));
        return;
    }
    if (p->word_count == 0) {
        fault(p, &t->word.at, STR("'{' without a setting before it"),
              STR("put it on the line of the setting that the block belongs to"));
    }
    struct conf_line *line = end_line(p, true);
    p->blocks[p->block_depth++] = (struct open_block){ .at = t->word.at, .tail = p->tail };
    p->tail = line != NULL ? &line->block : &p->nowhere;
}

static void close_block(struct parse *p)
{
    p->tail = p->blocks[--p->block_depth].tail;
}

static void on_close(struct parse *p, struct frame *f, const struct conf_token *t)
{
    if (p->word_count > 0) {
        /* The line before it first; that may be an include, which is read before this '}'. */
        f->held = *t;
        f->holds = true;
        (void)end_line(p, false);
    } else if (p->block_depth == f->block_depth) {
        fault(p, &t->word.at, STR("'}' without a block to close"),
              STR("take it out, or look for the '{' that is missing above"));
    } else {
        close_block(p);
    }
}

static void on_end(struct parse *p, struct frame *f)
{
    if (p->word_count > 0) {
        (void)end_line(p, false);
        return; /* an include on the last line comes first; the end is seen again */
    }
    while (p->block_depth > f->block_depth) {
        fault(p, &p->blocks[p->block_depth - 1].at, STR("this block is never closed"),
              STR("a '}' is missing"));
        close_block(p);
    }
    p->frame_count--;
}

static void step(struct parse *p)
{
    struct frame *f = &p->frames[p->frame_count - 1];
    struct conf_token t = f->holds ? f->held : conf_lex_next(&f->lex);

    f->holds = false;
    p->line_bad |= t.bad;
    switch (t.kind) {
    case CONF_TOKEN_WORD:
        on_word(p, &t);
        break;
    case CONF_TOKEN_OPEN:
        on_open(p, &t);
        break;
    case CONF_TOKEN_CLOSE:
        on_close(p, f, &t);
        break;
    case CONF_TOKEN_BREAK:
        (void)end_line(p, false);
        break;
    case CONF_TOKEN_END:
        on_end(p, f);
        break;
    }
}

void conf_parse(struct arena *a, struct str name, const struct conf_reader *reader,
                struct conf *out, struct conf_faults *faults)
{
    struct parse *p = ARENA_NEW(a, struct parse);

    *out = (struct conf){ .files = ARENA_MANY(a, struct conf_file, CONF_FILES_MAX) };
    p->arena = a;
    p->reader = reader;
    p->out = out;
    p->faults = faults;
    p->tail = &out->lines;
    enter_file(p, name, &(struct conf_at){ .file = name });
    while (p->frame_count > 0 && !p->given_up) {
        step(p);
    }
}
