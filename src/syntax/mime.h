/* The parts of a message: a streaming parser that sees the message in chunks of any size and keeps
 * a tree of types and offsets, never the message.
 *
 * Never refuses and never recurses: what is broken is taken as the least surprising reader would
 * take it, and said so in `broken`. Memory is bounded by the limits below and one head.
 *
 * Source: RFC 2045, RFC 2046 5; RFC 2049; RFC 6532 3.7 (message/global) */
#ifndef SYNTAX_MIME_H
#define SYNTAX_MIME_H

#include "syntax/mime_field.h"

enum {
    MIME_DEPTH_MAX = 100,    /* open parts inside one another; deeper ones are not looked into */
    MIME_PARTS_MAX = 10000,  /* of a message; what follows is body of nobody */
    MIME_BOUNDARY_MAX = 250, /* bytes; RFC 2046 5.1.1 allows 70 */
    MIME_NO_PART = UINT32_MAX,
};

enum mime_kind {
    MIME_LEAF,      /* whatever its type says: nothing inside was looked at */
    MIME_MULTIPART, /* has parts, or none if the message is broken */
    MIME_MESSAGE, /* message/rfc822 or message/global: exactly one child, the message's own root */
};

/* Offsets count from the first byte of the message, lines are line ends plus a last line without
 * one. Indexes are places in mime_tree.parts, MIME_NO_PART for none. */
struct mime_part {
    struct str type, subtype; /* as spelled; "text", "plain" where the message does not say */
    struct mime_params params;
    struct str id, description, md5, location; /* empty: not there */
    struct str encoding;                       /* as spelled; empty: not there, which means 7bit */
    struct str disposition;                    /* empty: not there */
    struct mime_params disposition_params;
    struct str *languages;
    size_t language_count;
    uint64_t head_from, body_from, body_end; /* the line end before a boundary is the boundary's */
    uint64_t body_lines;
    uint64_t head_lines; /* with the empty one */
    uint32_t parent, first_child, next;
    uint16_t depth; /* of the root: 0 */
    enum mime_kind kind;
    void *extra; /* what the head hook left here */
};

struct mime_tree {
    struct mime_part *parts; /* in the order of the message; the root is 0 */
    uint32_t count;          /* at least 1 */
    uint64_t bytes, lines;   /* of the whole message */
    bool has_8bit, has_nul;  /* anywhere in it */
    bool broken;             /* a boundary missing or never closed, a type that is none … */
    bool cut;                /* a limit was reached; something was not looked at or not kept */
};

/* Called when the head of a part is complete, with its bytes (empty line included; cut at
 * HEADER_BYTES_MAX) and the part, whose fields are filled in and whose body is not known yet.
 * `is_message`: it is the head of a message, the root's or one inside a message part. */
typedef void mime_head_hook(void *ctx, struct mime_part *part, struct str head, bool is_message);

struct mime_frame;

/* The members are the parser's own. */
struct mime_parser {
    struct mime_keeper keeper;
    struct mime_tree tree;
    uint32_t part_room;
    struct mime_frame *stack;
    size_t open;       /* frames in use */
    size_t boundaries; /* frames among them whose boundary counts */
    uint32_t current;  /* part whose head or body is being read; MIME_NO_PART: between parts */
    bool in_head;
    struct buf head;     /* of the current part */
    size_t head_line_at; /* where in it the present line began */
    struct buf line;     /* beginning of a line that the last chunk did not end */
    uint64_t at;         /* offset of the next byte to come */
    uint64_t line_from;  /* offset where the present line began */
    uint32_t recent;     /* the last bytes seen, the latest lowest */
    uint32_t before;     /* the same, when the present line began */
    mime_head_hook *hook;
    void *ctx;
};

/* Begin. Results are kept in the arena; `hook` may be null. */
void mime_parser_init(struct mime_parser *p, struct arena *a, mime_head_hook *hook, void *ctx);

/* The next bytes of the message. */
void mime_parser_feed(struct mime_parser *p, struct str chunk);

/* The message is over; gives the tree, which lives as long as the arena, and frees the parser. */
void mime_parser_end(struct mime_parser *p, struct mime_tree *tree_out);

/* Give up in the middle. Accepts one that was ended. */
void mime_parser_free(struct mime_parser *p);

/* Is the part of this type ("text", "plain"; an empty subtype means any)? */
bool mime_part_is(const struct mime_part *part, struct str type, struct str subtype);

#endif
