/* The text of a message as it will be stored: trace header, mended head, content; and its digest.
 */
#ifndef AGENT_INTAKE_TEXT_H
#define AGENT_INTAKE_TEXT_H

#include "door/verbs.h"
#include "model/config.h"

struct intake_in {
    const struct config *config;
    const struct peer *peer;
    const struct envelope *envelope;
    uint64_t message;
    int64_t begun_us;
    struct str content;    /* all of it, or its first part when the rest is staged */
    bool staged;           /* more follows behind `content` */
    bool eight_bit;        /* there is an octet above 127 in the whole content */
    const struct str *own; /* submission: further addresses of the login */
    size_t own_count;
};

struct intake_text {
    struct str trace;   /* Received: ... and lines added by mending */
    struct str content; /* `content` of the input without what mending took out */
    uint8_t digest[PLAN_DIGEST_BYTES];
    bool repeatable; /* has a Message-ID of the sender's own: its digest says that it is the same
                        message */
};

/* Make it, or refuse with an outcome (then `out` is not touched and the result is ERR_DENIED).
 * `wrong_out` gets facts for explain. The digest is over client, envelope and `content`. */
enum err intake_text_make(const struct intake_in *in, uint64_t total_bytes, struct arena *a,
                          struct intake_text *out, struct outcome *refused_out);

/* The address of the only author in From, when there is exactly one. */
bool intake_author(struct arena *a, struct str content, struct str *address_out);

/* Mix what is staged behind the first part into the digest: `digest` of the first part, `staged` of
 * all staged bytes. */
void intake_digest_mix(uint8_t *digest, const uint8_t *staged);

/* "Return-Path: <...>", "Delivered-To: ..." of one recipient. */
struct str intake_prefix(struct arena *a, const struct envelope *e, struct str delivered_to);

#endif
