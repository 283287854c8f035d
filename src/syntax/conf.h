/* The configuration file as lines and blocks, before anybody knows what they mean.
 *
 *     word word "quoted word"           # a comment goes to the end of the line
 *     word word { word word; word }     # a block belongs to the line it opens on
 *     include other.conf                # its lines stand here; path relative to this file
 *
 * A line ends with its line feed, with ';' or with the '}' of its block; a '\' as the last thing on
 * a line joins the next one to it. Words are anything but blanks, control characters and { } ; # ";
 * quoted words may hold everything with \" \\ \n \t \xHH. The text is UTF-8, columns count
 * characters from 1.
 *
 * Nothing stops at the first mistake: every fault is collected with its place, and the tree holds
 * what could be read, so that one pass reports all there is to report. */
#ifndef SYNTAX_CONF_H
#define SYNTAX_CONF_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    CONF_BYTES_MAX = 1 << 20, /* all files together, a file included twice counts twice */
    CONF_WORDS_MAX = 200000,  /* of all files together */
    CONF_FILES_MAX = 64,
    CONF_INCLUDE_DEPTH_MAX = 8,
    CONF_BLOCK_DEPTH_MAX = 8,
    CONF_LINE_WORDS_MAX = 1000,
    CONF_WORD_BYTES_MAX = 4096,
    CONF_FAULTS_MAX = 200, /* further ones are counted only */
};

/* Where something stands. Line 0: nowhere, it is the standard value. */
struct conf_at {
    struct str file;
    uint32_t line, column;
};

struct conf_word {
    struct str text; /* escapes undone */
    struct conf_at at;
    bool quoted; /* quoted words are never keywords */
};

struct conf_line {
    struct conf_line *next;
    struct conf_word *words; /* at least one */
    size_t n;
    bool has_block, bad;     /* bad: a fault was reported in it, its words are not to be trusted */
    struct conf_line *block; /* first line of its block, or null */
};

/* One file as it was read; the list in order of first reading is the whole source. */
struct conf_file {
    struct str name, bytes;
};

struct conf {
    struct conf_line *lines;
    struct conf_file *files; /* at most CONF_FILES_MAX */
    size_t file_count;
};

/* ---- faults ---- */

enum conf_severity { CONF_ERROR, CONF_WARNING };

struct conf_fault {
    struct conf_at at;
    enum conf_severity severity;
    struct str text; /* what is wrong */
    struct str hint; /* what to do, or empty */
};

struct conf_faults {
    struct arena arena;
    struct conf_fault *list; /* CONF_FAULTS_MAX of them, or null while there is none */
    size_t n, errors, warnings;
};

#define CONF_FAULTS_INIT                                                                           \
    {                                                                                              \
        .arena = ARENA_INIT(1 << 20)                                                               \
    }

/* Note a fault; text and place are copied, overlong text is cut. */
void conf_fault_add(struct conf_faults *f, enum conf_severity severity, const struct conf_at *at,
                    struct str text, struct str hint);

/* In the order of files (as in `c`), lines and columns. */
void conf_faults_sort(struct conf_faults *f, const struct conf *c);

/* "FILE:LINE:COLUMN: error: TEXT; HINT" without line feed. */
void conf_fault_put(struct buf *b, const struct conf_fault *fault);

/* "FILE:LINE", as rules appear in logs and replies; "standard" for line 0. */
void conf_at_put(struct buf *b, const struct conf_at *at);

void conf_faults_free(struct conf_faults *f);

/* ---- reading ---- */

/* Whoever may open files. `path` is as conf_path() made it; the bytes live in `a`. */
struct conf_reader {
    enum err (*read)(void *ctx, struct str path, struct arena *a, struct str *bytes_out);
    void *ctx;
};

/* Read the file `name` and all it includes into a tree that lives in `a` (about 20 MiB at the
 * limits above, plus the bytes read). Faults are added to `faults`; the tree is whole as far as it
 * could be read. Words are views into the files' bytes or copies in `a`. Cannot fail otherwise. */
void conf_parse(struct arena *a, struct str name, const struct conf_reader *reader,
                struct conf *out, struct conf_faults *faults);

/* `path` as seen from the file `from`: absolute ones as they are, others in the folder of `from`.
 */
struct str conf_path(struct arena *a, struct str from, struct str path);

/* A word as it would stand in the file: in quotes, with escapes, when it needs them. */
void conf_put_word(struct buf *b, struct str word);

/* The same, in quotes in any case. */
void conf_put_quoted(struct buf *b, struct str word);

#endif
