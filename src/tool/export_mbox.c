/* A mailbox as an mbox file. It is written beside its place and moved there when it is whole. */
#include "tool/export.h"

#include "syntax/header.h"
#include "syntax/mbox.h"
#include "tool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { OUT_MAX = 4 * 1024 * 1024, OUT_FLUSH = 256 * 1024, HEAD_BYTES = 8 * 1024 };

struct mbox_export {
    struct exporting *export;
    const struct mailbox_info *mailbox;
    int fd;
    struct buf out;
    struct mbox_writer writer;
    bool plain;
    off_t begun_at; /* where the message at hand begins; -1: this is no file */
    uint64_t written, altered;
};

static enum err flush(struct mbox_export *m)
{
    enum err e = file_write_all(m->fd, buf_str(&m->out));
    if (e == ERR_CLOSED) e = ERR_IO; /* a pipe that nobody reads */
    if (e != OK) buf_put_lit(&m->export->command->why, "the mbox file cannot be written");
    buf_clear(&m->out);
    return e;
}

static enum err take_piece(void *ctx, struct str bytes)
{
    struct mbox_export *m = ctx;
    enum err e = OK;
    while (e == OK && bytes.n > 0) {
        struct str part = str_part(bytes, 0, OUT_FLUSH);
        mbox_put_text(&m->writer, part, &m->out);
        bytes = str_skip(bytes, part.n);
        if (m->out.n >= OUT_FLUSH) e = flush(m);
    }
    return e;
}

/* Whom the From_ line names: the sender that was kept at the final delivery. Empty: nobody. */
static struct str sender_of(struct exporting *ex, const struct export_one *m, struct arena *a)
{
    struct header_field f;
    struct str head;
    if (export_beginning(ex, m, HEAD_BYTES, a, &head) != OK)
        return STR_NONE; /* told with its bytes */
    if (!header_find(head, STR("Return-Path"), &f)) return STR_NONE;
    struct str path = str_trim(f.value);
    if (path.n < 2 || path.p[0] != '<' || path.p[path.n - 1] != '>') return STR_NONE;
    return str_part(path, 1, path.n - 2);
}

static void put_meta(struct mbox_export *m, const struct export_one *x)
{
    struct arena a = ARENA_INIT(0);
    struct mbox_meta meta = { .uid = x->info.uid,
                              .uid_validity = m->mailbox->uid_validity,
                              .uid_last = m->mailbox->uid_next - 1,
                              .flags = MBOX_OLD,
                              .keywords = ARENA_MANY(&a, struct str, MBOX_KEYWORDS_MAX) };
    uint32_t f = x->info.flags;
    struct str left = x->keywords, word;
    meta.flags |= (f & MESSAGE_SEEN ? MBOX_SEEN : 0) | (f & MESSAGE_ANSWERED ? MBOX_ANSWERED : 0) |
                  (f & MESSAGE_FLAGGED ? MBOX_FLAGGED : 0) |
                  (f & MESSAGE_DELETED ? MBOX_DELETED : 0) | (f & MESSAGE_DRAFT ? MBOX_DRAFT : 0);
    while (meta.keyword_count < MBOX_KEYWORDS_MAX && str_cut(&left, ' ', &word)) {
        if (word.n > 0) meta.keywords[meta.keyword_count++] = word;
    }
    mbox_meta_put(&m->out, &meta, m->written == 0);
    arena_free(&a);
}

/* A message that turned out to be damaged in its middle goes out again. */
static enum err take_back(struct mbox_export *m)
{
    buf_clear(&m->out);
    if (m->begun_at < 0 || ftruncate(m->fd, m->begun_at) != 0 ||
        lseek(m->fd, m->begun_at, SEEK_SET) < 0) {
        buf_put_lit(&m->export->command->why, "a damaged message ended the export in its middle");
        return ERR_IO;
    }
    return ERR_CORRUPT;
}

static enum err take_message(void *ctx, const struct export_one *x)
{
    struct mbox_export *m = ctx;
    enum err e = flush(m);
    if (e != OK) return e;
    m->begun_at = lseek(m->fd, 0, SEEK_CUR);
    m->writer = (struct mbox_writer){ 0 };
    struct arena a = ARENA_INIT(0);
    mbox_put_from(&m->out, sender_of(m->export, x, &a), x->info.received_us / 1000000);
    arena_free(&a);
    if (!m->plain) put_meta(m, x);
    e = export_bytes(m->export, x, take_piece, m);
    if (e == ERR_CORRUPT || e == ERR_NOT_FOUND) return take_back(m);
    mbox_put_end(&m->writer, &m->out);
    m->written++;
    m->altered += m->writer.altered;
    return e;
}

static enum err write_all(struct exporting *ex, int fd, const struct mailbox_info *mailbox,
                          bool plain)
{
    struct mbox_export m = {
        .export = ex, .mailbox = mailbox, .fd = fd, .plain = plain, .out = BUF_INIT(OUT_MAX)
    };
    enum err e = export_each(ex, mailbox->id, true, take_message, &m);
    if (e == OK) e = flush(&m);
    if (e == OK) export_add_row(ex, mailbox->name, m.written, 0);
    if (e == OK && m.altered > 0) {
        buf_put_u64(&ex->command->why, m.altered);
        buf_put_lit(&ex->command->why,
                    " messages have line feeds of their own, which a mbox file cannot tell from "
                    "line ends\n");
    }
    buf_free(&m.out);
    return e;
}

/* The other mailboxes, which are not in the file. */
static void tell_others(struct exporting *ex, const struct mailbox_info *mailbox)
{
    uint64_t n = 0;
    for (size_t i = 0; i < ex->mailbox_count; i++) {
        n += &ex->mailboxes[i] != mailbox && ex->mailboxes[i].messages > 0;
    }
    if (n == 0) return;
    buf_put_u64(&ex->command->why, n);
    buf_put_lit(&ex->command->why,
                " other mailboxes have messages: a mbox file holds one mailbox\n");
}

enum err export_mbox(struct exporting *ex, struct str path, const struct mailbox_info *mailbox,
                     bool plain)
{
    struct command *c = ex->command;
    if (str_eq(path, STR("-"))) return write_all(ex, STDOUT_FILENO, mailbox, plain);
    const char *name = arena_c(&c->arena, path);
    struct str fresh = ARENA_JOIN(&c->arena, path, STR(".new"));
    const char *fresh_name = arena_c(&c->arena, fresh);
    if (access(name, F_OK) == 0) return file_why(c, path, EEXIST);
    int fd = open(fresh_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return file_why(c, fresh, errno);
    enum err e = write_all(ex, fd, mailbox, plain);
    if (e == OK && fsync(fd) != 0) e = file_why(c, fresh, errno);
    if (close(fd) != 0 && e == OK) e = file_why(c, fresh, errno);
    if (e == OK && link(fresh_name, name) != 0) e = file_why(c, path, errno);
    (void)unlink(fresh_name);
    if (e == OK) tell_others(ex, mailbox);
    return e;
}
