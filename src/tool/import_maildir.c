/* Maildir++ in. The inbox is the folder itself, each ".A.B" in it the mailbox A/B. */
#include "tool/import.h"

#include "tool/file.h"
#include "tool/maildir_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, NAME_MAX_BYTES = 4096 };

/* ---- facts ---- */

static uint32_t flags_of(unsigned flags)
{
    static const struct {
        unsigned maildir;
        uint32_t ours;
    } pairs[] = { { MAILDIR_SEEN, MESSAGE_SEEN },
                  { MAILDIR_REPLIED, MESSAGE_ANSWERED },
                  { MAILDIR_FLAGGED, MESSAGE_FLAGGED },
                  { MAILDIR_TRASHED, MESSAGE_DELETED },
                  { MAILDIR_DRAFT, MESSAGE_DRAFT } };
    uint32_t ours = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if ((flags & pairs[i].maildir) != 0) ours |= pairs[i].ours;
    }
    return ours;
}

static void put_keywords(struct buf *b, const struct maildir_folder *f,
                         const struct maildir_name *name)
{
    if ((name->flags & MAILDIR_PASSED) != 0) buf_put_lit(b, "$Forwarded ");
    for (unsigned i = 0; i < MAILDIR_KEYWORD_MAX; i++) {
        if ((name->keywords & 1u << i) == 0 || f->keywords[i].n == 0) continue;
        buf_put(b, f->keywords[i]);
        buf_put_byte(b, ' ');
    }
}

/* ---- one file ---- */

static enum err read_text(struct import *im, int fd, struct str path, bool as_is)
{
    struct buf piece = BUF_INIT(READ_BYTES), text = BUF_INIT(2 * READ_BYTES + 1);
    struct maildir_line_ends ends = { 0 };
    enum err e = OK;
    for (;;) {
        buf_clear(&piece);
        ssize_t n = read(fd, buf_reserve(&piece, READ_BYTES), READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) e = file_why(im->command, path, errno);
        if (n <= 0) break;
        buf_commit(&piece, (size_t)n);
        buf_clear(&text);
        if (!as_is) maildir_from_file(&ends, buf_str(&piece), &text);
        e = import_message_bytes(im, as_is ? buf_str(&piece) : buf_str(&text));
        if (e != OK) break;
    }
    buf_free(&piece);
    buf_free(&text);
    return e;
}

/* ERR_NOT_FOUND: it has gone, or has got other flags; ERR_INVALID: it is empty. */
static enum err take_file(struct import *im, const struct maildir_folder *f,
                          const struct maildir_file *x)
{
    struct arena a = ARENA_INIT(0);
    struct buf keywords = BUF_INIT(NAME_MAX_BYTES);
    struct str path = ARENA_JOIN(&a, f->path, x->in_new ? STR("/new/") : STR("/cur/"), x->name);
    struct stat st = { 0 };
    enum err e = OK;
    int fd = open(arena_c(&a, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) e = errno == ENOENT ? ERR_NOT_FOUND : file_why(im->command, path, errno);
    if (e == OK && fstat(fd, &st) != 0) e = file_why(im->command, path, errno);
    if (e == OK && (!S_ISREG(st.st_mode) || st.st_size == 0)) e = ERR_INVALID;
    if (e == OK) {
        /* A file whose two sizes are the same has the text as it is, line ends and all. */
        bool as_is = x->parts.has_sizes && x->parts.file_bytes == x->parts.wire_bytes &&
                     x->parts.file_bytes == (uint64_t)st.st_size;
        struct import_facts facts = { .uid = x->uid,
                                      .flags = flags_of(x->parts.flags),
                                      .received_us = st.st_mtim.tv_sec * 1000000ll +
                                                     st.st_mtim.tv_nsec / 1000 };
        put_keywords(&keywords, f, &x->parts);
        facts.keywords = buf_str(&keywords);
        import_message_begin(im);
        e = read_text(im, fd, path, as_is);
        if (e == OK) e = import_message_end(im, &facts);
    }
    if (fd >= 0) close(fd);
    buf_free(&keywords);
    arena_free(&a);
    return e;
}

/* ---- one folder ---- */

struct taking {
    struct import *import;
    uint64_t gone, empty;
    struct str_list subscribed; /* mailboxes of the file subscriptions */
    bool has_subscriptions;
};

static enum err take_folder(struct taking *t, struct str path, struct str mailbox)
{
    struct import *im = t->import;
    struct maildir_folder f;
    bool subscribed = !t->has_subscriptions || str_eq(mailbox, STR("INBOX"));
    for (size_t i = 0; !subscribed && i < t->subscribed.n; i++) {
        subscribed = str_eq(t->subscribed.at[i], mailbox);
    }
    enum err e = maildir_folder_read(im->command, path, &f);
    if (e != OK) return e;
    e = import_open(im, mailbox, f.has_list ? f.list.uid_validity : 0,
                    subscribed ? MAILBOX_SUBSCRIBED : 0);
    for (size_t i = 0; e == OK && i < f.file_count; i++) {
        e = take_file(im, &f, &f.files[i]);
        if (e == ERR_NOT_FOUND) t->gone++;
        if (e == ERR_INVALID) t->empty++;
        if (e == ERR_NOT_FOUND || e == ERR_INVALID) e = OK;
    }
    if (e == OK) e = import_close(im, f.has_list ? f.list.uid_next : 0);
    maildir_folder_free(&f);
    return e;
}

/* ---- all of them ---- */

static enum err read_subscriptions(struct taking *t, struct str folder)
{
    struct command *c = t->import->command;
    struct buf b = BUF_INIT(8 * 1024 * 1024), name = BUF_INIT(NAME_MAX_BYTES);
    struct str path = ARENA_JOIN(&c->arena, folder, STR("/subscriptions")), left, line;
    unsigned version = 1;
    if (access(arena_c(&c->arena, path), F_OK) != 0) return OK;
    enum err e = file_read(c, path, &b);
    left = buf_str(&b);
    while (e == OK && str_cut(&left, '\n', &line)) {
        buf_clear(&name);
        if (maildir_subscription_parse(line, &version, &name) == OK)
            str_list_add(&c->arena, &t->subscribed, buf_str(&name));
    }
    t->has_subscriptions = e == OK;
    buf_free(&b);
    buf_free(&name);
    return e;
}

static void tell(const struct taking *t)
{
    struct command *c = t->import->command;
    if (t->empty > 0) {
        buf_put_u64(&c->why, t->empty);
        buf_put_lit(&c->why, " files were empty or no files and have been passed over\n");
    }
    if (t->gone > 0) {
        buf_put_u64(&c->why, t->gone);
        buf_put_lit(&c->why, " files were moved meanwhile: import again to get them\n");
    }
}

enum err import_maildir(struct import *im, struct str folder, struct str mailbox)
{
    struct command *c = im->command;
    struct taking t = { .import = im };
    struct str *names = NULL;
    size_t n = 0;
    enum err e = read_subscriptions(&t, folder);
    if (e == OK) e = maildir_folders(c, folder, &names, &n);
    if (e == OK) e = take_folder(&t, folder, mailbox.n > 0 ? mailbox : STR("INBOX"));
    for (size_t i = 0; e == OK && i < n; i++) {
        struct buf name = BUF_INIT(NAME_MAX_BYTES);
        struct str path = ARENA_JOIN(&c->arena, folder, STR("/"), names[i]);
        if (mailbox.n > 0) {
            buf_put(&name, mailbox);
            buf_put_byte(&name, '/');
        }
        if (maildir_folder_parse(names[i], &name) == OK) {
            e = take_folder(&t, path, arena_str(&c->arena, buf_str(&name)));
        } else {
            buf_put(&c->why, path);
            buf_put_lit(&c->why, " is not the name of a mailbox");
            e = ERR_INVALID;
        }
        buf_free(&name);
    }
    if (e == OK) tell(&t);
    return e == OK && t.gone > 0 ? ERR_AGAIN : e;
}
