#include "tool/import.h"

#include "base/log.h"
#include "base/must.h"
#include "tool/print.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum {
    FIRST_MAX = VERB_BODY,         /* bytes of a message that travels in a frame */
    CHUNK_BYTES = 1024 * 1024,     /* of a stage */
    BATCH_BYTES = 2 * 1024 * 1024, /* contents and structures of a batch: fits a request */
    DIGEST_BYTES = 32,
};

static enum err ask(struct import *im, enum verb verb, struct buf *b, struct arena *a,
                    struct str *reply_out)
{
    enum err e = command_ask(im->command, verb, b, a, reply_out);
    buf_free(b);
    return e;
}

/* ---- batches ---- */

static void batch_clear(struct import_batch *b)
{
    arena_free(&b->arena);
    *b = (struct import_batch){ .arena = ARENA_INIT(0) };
}

static enum err batch_send(struct import *im)
{
    struct buf b = BUF_INIT(VERB_PLAN);
    struct import_commit_req in = { .account = im->account,
                                    .mailbox = im->mailbox.id,
                                    .messages = im->sending->messages,
                                    .messages_count = im->sending->count };
    import_commit_req_put(&b, &in);
    return ask(im, VERB_import_commit, &b, NULL, NULL);
}

static void sender_life(void *arg)
{
    struct import *im = arg;
    enum err e = batch_send(im);
    if (e == OK) {
        im->imported += im->sending->count;
    } else if (im->failed == OK) {
        im->failed = e;
    }
    batch_clear(im->sending);
    im->busy = false;
    waitline_wake_all(&im->sent);
}

static enum err wait_sent(struct import *im)
{
    while (im->busy) {
        err_ignore(waitline_wait(&im->sent, CLOCK_NEVER)); /* the batch speaks of our memory */
    }
    return im->failed;
}

/* Let the filled batch go; the one before it has to be through. */
static enum err send_off(struct import *im)
{
    enum err e = wait_sent(im);
    if (e != OK || im->filling->count == 0) return e;
    struct import_batch *filled = im->filling;
    im->filling = im->sending;
    im->sending = filled;
    im->busy = true;
    fiber_spawn("import", sender_life, im);
    fiber_yield(); /* its request leaves now, and we go on reading files meanwhile */
    return OK;
}

static enum err send_all(struct import *im)
{
    enum err e = send_off(im);
    return e == OK ? wait_sent(im) : e;
}

/* ---- one message ---- */

void import_message_begin(struct import *im)
{
    struct import_current *m = &im->current;
    *m = (struct import_current){ .open = true,
                                  .arena = ARENA_INIT(0),
                                  .first = BUF_INIT(FIRST_MAX),
                                  .chunk = BUF_INIT(CHUNK_BYTES) };
    structure_begin(&m->structure, &m->arena);
    if (im->known != NULL) {
        m->digest = EVP_MD_CTX_new();
        must(m->digest != NULL && EVP_DigestInit_ex(m->digest, EVP_sha256(), NULL) == 1);
    }
}

static void forget(struct import *im)
{
    struct import_current *m = &im->current;
    EVP_MD_CTX_free(m->digest);
    m->digest = NULL;
    buf_free(&m->first);
    buf_free(&m->chunk);
    arena_free(&m->arena);
    m->stage = 0;
    m->open = false;
}

static enum err stage_open(struct import *im)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(64);
    struct str reply;
    struct stage_rep rep;
    enum err e = ask(im, VERB_stage_open, &b, &a, &reply);
    if (e == OK) e = stage_rep_get(reply, &a, &rep);
    if (e == OK) im->current.stage = rep.stage;
    arena_free(&a);
    return e;
}

static enum err stage_send(struct import *im)
{
    struct import_current *m = &im->current;
    struct buf b = BUF_INIT(VERB_CHUNK);
    struct stage_append_req in = { .stage = m->stage, .bytes = buf_str(&m->chunk) };
    stage_append_req_put(&b, &in);
    enum err e = ask(im, VERB_stage_append, &b, NULL, NULL);
    buf_clear(&m->chunk);
    return e;
}

static void stage_drop(struct import *im)
{
    struct buf b = BUF_INIT(64);
    struct stage_rep in = { .stage = im->current.stage };
    if (im->current.stage == 0) return;
    stage_rep_put(&b, &in);
    err_ignore(ask(im, VERB_stage_drop, &b, NULL, NULL)); /* it goes with the door at the latest */
    im->current.stage = 0;
}

/* Bytes of a large message: chunk by chunk to the depot. */
static enum err stage_bytes(struct import *im, struct str bytes)
{
    struct import_current *m = &im->current;
    enum err e = OK;
    while (e == OK && bytes.n > 0) {
        struct str part = str_part(bytes, 0, CHUNK_BYTES - m->chunk.n);
        buf_put(&m->chunk, part);
        bytes = str_skip(bytes, part.n);
        if (m->chunk.n == CHUNK_BYTES) e = stage_send(im);
    }
    return e;
}

enum err import_message_bytes(struct import *im, struct str bytes)
{
    struct import_current *m = &im->current;
    enum err e = OK;
    structure_feed(&m->structure, bytes);
    if (m->digest != NULL) must(EVP_DigestUpdate(m->digest, bytes.p, bytes.n) == 1);
    m->bytes += bytes.n;
    if (m->stage == 0 && m->first.n + bytes.n <= FIRST_MAX) {
        buf_put(&m->first, bytes);
        return OK;
    }
    if (m->stage == 0) {
        e = stage_open(im);
        if (e == OK) e = stage_bytes(im, buf_str(&m->first));
        buf_free(&m->first);
    }
    return e == OK ? stage_bytes(im, bytes) : e;
}

/* Has the mailbox got it already? */
static enum err is_present(struct import *im, const struct import_facts *f, bool *present_out)
{
    struct import_current *m = &im->current;
    unsigned char digest[DIGEST_BYTES];
    *present_out = false;
    if (m->digest == NULL) return OK;
    must(EVP_DigestFinal_ex(m->digest, digest, NULL) == 1);
    return import_known_match(im, f->received_us, m->bytes, str_of(digest, sizeof digest),
                              present_out);
}

static struct str record_of(struct import *im, struct arena *a)
{
    struct buf record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure found;
    structure_end(&im->current.structure, &found);
    structure_encode(&found, &record);
    struct str kept = arena_str(a, buf_str(&record));
    buf_free(&record);
    return kept;
}

static enum err add_to_batch(struct import *im, const struct import_facts *f)
{
    struct import_current *m = &im->current;
    enum err e = m->stage != 0 && m->chunk.n > 0 ? stage_send(im) : OK;
    size_t most = m->first.n + STRUCTURE_RECORD_MAX + f->keywords.n + 64;
    if (e == OK &&
        (im->filling->count == IMPORT_MESSAGES_MAX || im->filling->bytes + most > BATCH_BYTES))
        e = send_off(im);
    if (e != OK) return e;
    struct import_batch *b = im->filling;
    struct message_import *x = &b->messages[b->count++];
    *x = (struct message_import){ .uid = im->same_uids ? f->uid : 0,
                                  .flags = f->flags,
                                  .keywords = arena_str(&b->arena, f->keywords),
                                  .received_us = f->received_us,
                                  .structure = record_of(im, &b->arena),
                                  .content = arena_str(&b->arena, buf_str(&m->first)),
                                  .stage = m->stage };
    b->bytes += x->content.n + x->structure.n + x->keywords.n + 64;
    m->stage = 0; /* the batch's now */
    return OK;
}

static void message_drop(struct import *im)
{
    if (!im->current.open) return;
    structure_free(&im->current.structure);
    stage_drop(im);
    forget(im);
}

enum err import_message_end(struct import *im, const struct import_facts *f)
{
    bool present = false;
    enum err e = im->current.bytes > 0 ? is_present(im, f, &present) : ERR_INVALID;
    if (e == OK && present) im->present++;
    if (e == OK && !present && (e = add_to_batch(im, f)) == OK) {
        forget(im);
    } else {
        message_drop(im);
    }
    return e;
}

/* ---- mailboxes ---- */

enum err import_begin(struct import *im, struct command *c, struct str account)
{
    struct buf b = BUF_INIT(VERB_SMALL);
    struct transfer_mailboxes_req in = { .account = account };
    struct transfer_mailboxes_rep rep;
    struct str reply;
    *im = (struct import){ .command = c };
    waitline_init(&im->sent);
    im->filling = calloc(1, sizeof *im->filling);
    im->sending = calloc(1, sizeof *im->sending);
    must(im->filling != NULL && im->sending != NULL);
    batch_clear(im->filling);
    batch_clear(im->sending);
    transfer_mailboxes_req_put(&b, &in);
    enum err e = ask(im, VERB_transfer_mailboxes, &b, &c->arena, &reply);
    if (e == OK) e = transfer_mailboxes_rep_get(reply, &c->arena, &rep);
    if (e == OK) im->account = rep.account;
    if (e == ERR_NOT_FOUND) {
        buf_put_lit(&c->why, "there is no such account: ");
        buf_put(&c->why, account);
    }
    return e;
}

static enum err ask_mailbox(struct import *im, const struct transfer_mailbox_req *in)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct mailbox_open_rep rep;
    transfer_mailbox_req_put(&b, in);
    enum err e = ask(im, VERB_transfer_mailbox, &b, &a, &reply);
    if (e == OK) e = mailbox_open_rep_get(reply, &a, &rep);
    if (e == OK) {
        im->mailbox = rep.mailbox;
        im->mailbox.name = arena_str(&im->command->arena, rep.mailbox.name);
    } else {
        buf_put_lit(&im->command->why, "mailbox ");
        buf_put_json(&im->command->why, in->name);
        buf_put_lit(&im->command->why, ": ");
        buf_put(&im->command->why, str_c(err_words(e)));
    }
    arena_free(&a);
    return e;
}

enum err import_open(struct import *im, struct str name, uint32_t uid_validity, uint32_t attributes)
{
    struct transfer_mailbox_req in = {
        .account = im->account, .name = name, .uid_validity = uid_validity, .attributes = attributes
    };
    must(im->mailbox.id == 0);
    enum err e = ask_mailbox(im, &in);
    if (e == OK) im->same_uids = uid_validity != 0 && im->mailbox.uid_validity == uid_validity;
    if (e == OK) e = import_known_read(im, &im->known);
    return e;
}

static void add_row(struct import *im)
{
    struct arena *a = &im->command->arena;
    uint64_t numbers[] = { im->imported, im->present };
    if (im->row_count + 3 > im->row_room) {
        size_t room = im->row_room > 0 ? im->row_room * 2 : 30;
        struct str *more = ARENA_MANY(a, struct str, room);
        for (size_t i = 0; i < im->row_count; i++) {
            more[i] = im->rows[i];
        }
        im->rows = more;
        im->row_room = room;
    }
    im->rows[im->row_count++] = im->mailbox.name;
    for (size_t i = 0; i < 2; i++) {
        struct buf b = BUF_INIT(32);
        buf_put_u64(&b, numbers[i]);
        im->rows[im->row_count++] = arena_str(a, buf_str(&b));
        buf_free(&b);
    }
}

enum err import_close(struct import *im, uint32_t uid_next)
{
    enum err e = send_all(im);
    if (e == OK && im->same_uids && uid_next > 0) {
        struct transfer_mailbox_req in = { .account = im->account,
                                           .name = im->mailbox.name,
                                           .uid_validity = im->mailbox.uid_validity,
                                           .uid_next = uid_next };
        e = ask_mailbox(im, &in);
    }
    add_row(im);
    import_known_free(&im->known);
    im->mailbox = (struct mailbox_info){ 0 };
    im->imported = im->present = 0;
    im->same_uids = false;
    return e;
}

void import_end(struct import *im)
{
    err_ignore(wait_sent(im)); /* was told before */
    message_drop(im);
    if (im->filling != NULL) {
        arena_free(&im->filling->arena);
        arena_free(&im->sending->arena);
    }
    free(im->filling);
    free(im->sending);
    import_known_free(&im->known);
}
