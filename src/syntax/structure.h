/* The compact record of a message, computed once at intake: what IMAP lists (ENVELOPE,
 * BODYSTRUCTURE, sizes, offsets of parts) and what threads are made of, so that listing opens no
 * body.
 *
 *     struct structure_builder b;
 *     structure_begin(&b, &arena);
 *     ... structure_feed(&b, chunk) ...
 *     structure_end(&b, &structure);
 *     structure_encode(&structure, &record);          at most STRUCTURE_RECORD_MAX bytes, always
 *     structure_decode(&arena, record, &structure);   from the row, which is not trusted
 *
 * Size of the message: tree.bytes; of its head: tree.parts[0].body_from (head_from of the root is
 * 0). Offsets are those of the bytes that were fed. Lines that a mailbox row serves before them
 * (its prefix) belong to the root's head: whoever lists adds their length to every offset and size.
 *
 * Source: RFC 9051 7.5.2, RFC 5256 2.2 and 3 (references) */
#ifndef SYNTAX_STRUCTURE_H
#define SYNTAX_STRUCTURE_H

#include "syntax/address_list.h"
#include "syntax/date.h"
#include "syntax/mime.h"

enum {
    STRUCTURE_RECORD_MAX = 48 * 1024,
    STRUCTURE_ADDRESSES_MAX = 1000,     /* kept of one field */
    STRUCTURE_REFERENCES_MAX = 200,     /* the first and the last ones are kept */
    STRUCTURE_FIELD_MAX = 64 * 1024,    /* bytes of a field that are looked at */
    STRUCTURE_TEXT_TOTAL_MAX = 1 << 20, /* bytes kept of all envelopes of a message */
    STRUCTURE_ADDRESSES_TOTAL_MAX = 10000,
};

/* The envelope as IMAP understands it. Texts are unfolded; encoded words and bytes outside of ASCII
 * are as the message has them. Address lists: see address_list.h; `cut` and `broken` of them are
 * not kept in the record. `sender` and `reply_to` are `from` where the message has none. */
struct structure_envelope {
    bool has_date, has_subject, has_in_reply_to, has_message_id; /* "" is not NIL */
    struct str date, subject, in_reply_to, message_id;
    struct address_list from, sender, reply_to, to, cc, bcc;
};

struct structure {
    struct mime_tree tree;
    bool has_date; /* the Date field could be parsed */
    struct date date;
    struct str *references; /* without brackets, oldest first; the first of In-Reply-To if there is
                               no References field with an identifier in it */
    size_t reference_count;
    bool truncated; /* the record leaves out what the message has: whoever must be exact opens it */
};

/* Envelope of a part that is the root of a message (part 0, or the child of a MIME_MESSAGE, which a
 * truncated record may be without); else null. */
const struct structure_envelope *structure_envelope_of(const struct mime_part *part);

/* ---- computing it ---- */

struct structure_builder {
    struct mime_parser parser;
    struct structure structure;
    struct arena *arena;
    size_t text_left_bytes, addresses_left;
};

/* Begin; results live as long as the arena. */
void structure_begin(struct structure_builder *b, struct arena *a);

/* The next bytes of the message, in pieces of any size. */
void structure_feed(struct structure_builder *b, struct str chunk);

/* The message is over; the builder is freed. Never fails: what is broken is described as far as it
 * goes. */
void structure_end(struct structure_builder *b, struct structure *structure_out);

/* Give up in the middle. */
void structure_free(struct structure_builder *b);

/* ---- the record ---- */

/* Append the record, at most STRUCTURE_RECORD_MAX bytes. A message that has more to tell is told in
 * less: first texts and lists are shortened, then parts are left out from the end; `truncated` is
 * then set in the record. */
void structure_encode(const struct structure *s, struct buf *record);

/* Read a record back. Views point into `record`, the rest lives in the arena.
 *
 * ERR_CORRUPT      not a record, or one with impossible numbers in it
 * ERR_UNSUPPORTED  of a later version */
enum err structure_decode(struct arena *a, struct str record, struct structure *structure_out);

#endif
