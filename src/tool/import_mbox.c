/* A mbox file in. The head of each message waits until it is whole, so that fields of mail readers
 * can be taken out of it. */
#include "tool/import.h"

#include "syntax/header.h"
#include "syntax/mbox.h"
#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, HEAD_MAX = 256 * 1024 };

struct mbox_import {
    struct import *import;
    struct str path, mailbox;
    bool plain;
    struct arena arena; /* of the message at hand */
    struct buf head;    /* held back until it is whole */
    bool in_message, head_done;
    struct mbox_meta meta;
    int64_t received_us;
    uint32_t uid_last;
    uint64_t empty;
};

static enum err say_no_mbox(struct mbox_import *m)
{
    struct buf *why = &m->import->command->why;
    buf_put(why, m->path);
    buf_put_lit(why, " is no mbox file: it does not begin with a From_ line");
    return ERR_INVALID;
}

/* The head is known: the mailbox is opened by the first one, which may have UIDVALIDITY. */
static enum err head_over(struct mbox_import *m)
{
    struct import *im = m->import;
    struct mbox_range *drops = NULL;
    size_t n = 0, at = 0;
    enum err e = OK;
    struct str head = buf_str(&m->head);
    if (!m->plain) mbox_meta_take(&m->arena, head, &m->meta, &drops, &n);
    if (im->mailbox.id == 0) {
        m->uid_last = m->meta.uid_last;
        e = import_open(im, m->mailbox, m->meta.uid_validity, MAILBOX_SUBSCRIBED);
    }
    if (e == OK) import_message_begin(im);
    m->head_done = e == OK;
    for (size_t i = 0; e == OK && i < n; i++) {
        if (drops[i].from > at)
            e = import_message_bytes(im, str_part(head, at, drops[i].from - at));
        at = drops[i].end;
    }
    if (e == OK && at < head.n) e = import_message_bytes(im, str_skip(head, at));
    return e;
}

static enum err take_text(struct mbox_import *m, struct str text)
{
    if (m->head_done) return import_message_bytes(m->import, text);
    buf_put(&m->head, text);
    bool whole = m->head.n > HEAD_MAX || header_bytes(buf_str(&m->head)) != STR_NOWHERE;
    return whole ? head_over(m) : OK;
}

static uint32_t flags_of(unsigned flags)
{
    return (flags & MBOX_SEEN ? MESSAGE_SEEN : 0) | (flags & MBOX_ANSWERED ? MESSAGE_ANSWERED : 0) |
           (flags & MBOX_FLAGGED ? MESSAGE_FLAGGED : 0) |
           (flags & MBOX_DELETED ? MESSAGE_DELETED : 0) | (flags & MBOX_DRAFT ? MESSAGE_DRAFT : 0);
}

static enum err message_over(struct mbox_import *m)
{
    struct buf keywords = BUF_INIT(64 * 1024);
    if (!m->in_message) return OK;
    m->in_message = false;
    enum err e = m->head_done ? OK : head_over(m);
    for (size_t i = 0; i < m->meta.keyword_count; i++) {
        buf_put(&keywords, m->meta.keywords[i]);
        buf_put_byte(&keywords, ' ');
    }
    struct import_facts facts = { .uid = m->meta.uid,
                                  .flags = flags_of(m->meta.flags),
                                  .keywords = buf_str(&keywords),
                                  .received_us = m->received_us };
    if (e == OK) {
        e = import_message_end(m->import, &facts);
        if (e == ERR_INVALID) m->empty++;
        if (e == ERR_INVALID) e = OK;
    }
    buf_free(&keywords);
    buf_clear(&m->head);
    arena_free(&m->arena);
    return e;
}

static enum err message_begins(struct mbox_import *m, struct str from)
{
    struct str sender;
    int64_t time_s;
    enum err e = mbox_from_parse(from, &sender, &time_s);
    if (e != OK) return e; /* the reader has parsed it before */
    m->received_us = time_s * 1000000;
    m->meta = (struct mbox_meta){ 0 };
    m->in_message = true;
    m->head_done = false;
    return OK;
}

/* What the reader makes of a piece of the file, or of its end. */
static enum err take_piece(struct mbox_import *m, struct mbox_reader *r, struct str piece, bool end)
{
    struct buf text = BUF_INIT(mbox_text_room(READ_BYTES));
    enum mbox_event event;
    enum err e = OK;
    do {
        bool before = !r->in_message;
        buf_clear(&text);
        event = end ? mbox_finish(r, &text) : mbox_next(r, &piece, &text);
        if (before && str_trim(buf_str(&text)).n > 0) {
            e = say_no_mbox(m);
        } else if (!before && text.n > 0) {
            e = take_text(m, buf_str(&text));
        }
        if (e == OK && event == MBOX_BEGIN) e = message_over(m);
        if (e == OK && event == MBOX_BEGIN) e = message_begins(m, buf_str(&r->from));
    } while (e == OK && event == MBOX_BEGIN);
    buf_free(&text);
    return e;
}

static enum err take_file(struct mbox_import *m, int fd)
{
    struct buf piece = BUF_INIT(READ_BYTES);
    struct mbox_reader r;
    enum err e = OK;
    mbox_reader_init(&r);
    for (bool end = false; e == OK && !end;) {
        buf_clear(&piece);
        ssize_t n = read(fd, buf_reserve(&piece, READ_BYTES), READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            e = file_why(m->import->command, m->path, errno);
            break;
        }
        end = n == 0;
        buf_commit(&piece, (size_t)n);
        e = take_piece(m, &r, buf_str(&piece), end);
    }
    if (e == OK) e = message_over(m);
    mbox_reader_free(&r);
    buf_free(&piece);
    return e;
}

enum err import_mbox(struct import *im, struct str path, struct str mailbox, bool plain)
{
    struct mbox_import m = { .import = im,
                             .path = path,
                             .mailbox = mailbox.n > 0 ? mailbox : STR("INBOX"),
                             .plain = plain,
                             .arena = ARENA_INIT(0),
                             .head = BUF_INIT(HEAD_MAX + mbox_text_room(READ_BYTES)) };
    bool is_stdin = str_eq(path, STR("-"));
    int fd =
        is_stdin ? STDIN_FILENO : open(arena_c(&im->command->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_why(im->command, path, errno);
    enum err e = take_file(&m, fd);
    if (e == OK && im->mailbox.id == 0) e = import_open(im, m.mailbox, 0, MAILBOX_SUBSCRIBED);
    if (e == OK) e = import_close(im, m.uid_last < UINT32_MAX ? m.uid_last + 1 : 0);
    if (e == OK && m.empty > 0) {
        buf_put_u64(&im->command->why, m.empty);
        buf_put_lit(&im->command->why, " messages were empty and have been passed over\n");
    }
    buf_free(&m.head);
    arena_free(&m.arena);
    if (!is_stdin) close(fd);
    return e;
}
