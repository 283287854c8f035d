/* Mailboxes as Maildir++ folders. A file's name begins with what the store knows of the message
 * (date, id, UID), so that a second export into the same folder finds what is there already and
 * only follows the flags. */
#include "tool/export.h"

#include "base/log.h"
#include "base/map.h"
#include "base/must.h"
#include "tool/file.h"
#include "tool/maildir_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 100 * 1000 * 1000, LIST_MAX_BYTES = 512 * 1024 * 1024, GUID_BYTES = 16 };
#define OUR_MARK ".postrider"
enum { PIECE_BYTES = 256 * 1024, NAME_MAX_BYTES = 4096 };

/* One folder under way. */
struct maildir_export {
    struct exporting *export;
    const struct mailbox_info *mailbox;
    struct maildir_folder folder; /* as it was found */
    struct map present;           /* beginning of a name -> struct maildir_file */
    struct buf uids;              /* lines of the new dovecot-uidlist */
    unsigned keyword_count;
    uint64_t written, kept, keywords_left;

    /* The file that is being written. */
    int fd;
    bool as_is;
    struct maildir_line_ends ends;
    struct buf out;
    uint64_t file_bytes;
};

static enum err why(struct maildir_export *x, struct str path)
{
    return file_why(x->export->command, path, errno);
}

/* ---- one message's bytes ---- */

static enum err put_file(struct maildir_export *x, struct str bytes)
{
    x->file_bytes += bytes.n;
    return file_write_all(x->fd, bytes);
}

static enum err take_piece(void *ctx, struct str bytes)
{
    struct maildir_export *x = ctx;
    enum err e = OK;
    if (x->as_is) return put_file(x, bytes);
    while (e == OK && bytes.n > 0) {
        struct str part = str_part(bytes, 0, PIECE_BYTES);
        buf_clear(&x->out);
        maildir_to_file(&x->ends, part, &x->out);
        bytes = str_skip(bytes, part.n);
        e = put_file(x, buf_str(&x->out));
    }
    return e;
}

static enum err write_once(struct maildir_export *x, const struct export_one *m, bool as_is)
{
    x->as_is = as_is;
    x->ends = (struct maildir_line_ends){ 0 };
    x->file_bytes = 0;
    if (ftruncate(x->fd, 0) != 0 || lseek(x->fd, 0, SEEK_SET) != 0) return ERR_IO;
    enum err e = export_bytes(x->export, m, take_piece, x);
    buf_clear(&x->out);
    if (e == OK && !as_is) maildir_to_file_end(&x->ends, &x->out);
    return e == OK ? put_file(x, buf_str(&x->out)) : e;
}

static enum err write_text(struct maildir_export *x, const struct export_one *m)
{
    enum err e = write_once(x, m, false);
    if (e == OK && x->ends.altered) e = write_once(x, m, true);
    int64_t us = m->info.received_us % 1000000, s = m->info.received_us / 1000000;
    struct timespec times[] = { { .tv_nsec = UTIME_NOW },
                                { .tv_sec = us < 0 ? s - 1 : s,
                                  .tv_nsec = (us < 0 ? us + 1000000 : us) * 1000 } };
    if (e == OK && futimens(x->fd, times) != 0) e = err_from_errno(errno);
    return e;
}

/* ---- names ---- */

/* The part of a name that says which message it is. */
static void put_beginning(struct buf *b, const struct message_info *m)
{
    buf_put_i64(b, m->received_us / 1000000);
    buf_put_lit(b, ".M");
    buf_put_hex_u64(b, m->message, 16);
    buf_put_byte(b, 'U');
    buf_put_u64(b, m->uid);
    buf_put_lit(b, OUR_MARK);
}

static unsigned flags_of(uint32_t flags)
{
    return (flags & MESSAGE_SEEN ? MAILDIR_SEEN : 0) |
           (flags & MESSAGE_ANSWERED ? MAILDIR_REPLIED : 0) |
           (flags & MESSAGE_FLAGGED ? MAILDIR_FLAGGED : 0) |
           (flags & MESSAGE_DELETED ? MAILDIR_TRASHED : 0) |
           (flags & MESSAGE_DRAFT ? MAILDIR_DRAFT : 0);
}

/* The letter of a keyword, a new one if there is one left; MAILDIR_KEYWORD_MAX: none is. */
static unsigned letter_of(struct maildir_export *x, struct str word)
{
    unsigned i = 0;
    while (i < MAILDIR_KEYWORD_MAX && x->folder.keywords[i].n > 0 &&
           !str_eq_nocase(x->folder.keywords[i], word)) {
        i++;
    }
    if (i < MAILDIR_KEYWORD_MAX && x->folder.keywords[i].n == 0)
        x->folder.keywords[i] = arena_str(&x->folder.arena, word);
    return i;
}

static uint32_t letters_of(struct maildir_export *x, struct str keywords)
{
    uint32_t letters = 0;
    struct str word;
    while (str_cut(&keywords, ' ', &word)) {
        if (word.n == 0) continue;
        unsigned i = letter_of(x, word);
        if (i < MAILDIR_KEYWORD_MAX) {
            letters |= 1u << i;
        } else {
            x->keywords_left++;
        }
    }
    return letters;
}

/* ---- one message ---- */

/* It is there: only its flags may be others. */
static enum err follow_flags(struct maildir_export *x, const struct export_one *m,
                             const struct maildir_file *f)
{
    struct arena a = ARENA_INIT(0);
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    maildir_put_name(&name, f->parts.base, flags_of(m->info.flags), letters_of(x, m->keywords));
    struct str folder = x->folder.path;
    struct str old = ARENA_JOIN(&a, folder, f->in_new ? STR("/new/") : STR("/cur/"), f->name);
    struct str now = ARENA_JOIN(&a, folder, STR("/cur/"), buf_str(&name));
    enum err e = OK;
    if (!str_eq(old, now) && rename(arena_c(&a, old), arena_c(&a, now)) != 0) e = why(x, old);
    maildir_put_uid(&x->uids, m->info.uid, f->parts.base);
    x->kept++;
    buf_free(&name);
    arena_free(&a);
    return e;
}

static void put_name(struct maildir_export *x, const struct export_one *m, struct str beginning,
                     struct buf *name)
{
    struct buf base = BUF_INIT(NAME_MAX_BYTES);
    buf_put(&base, beginning);
    buf_put_lit(&base, ",S=");
    buf_put_u64(&base, x->file_bytes);
    buf_put_lit(&base, ",W=");
    buf_put_u64(&base, m->info.bytes);
    maildir_put_name(name, buf_str(&base), flags_of(m->info.flags), letters_of(x, m->keywords));
    maildir_put_uid(&x->uids, m->info.uid, buf_str(&base));
    buf_free(&base);
}

static enum err write_file(struct maildir_export *x, const struct export_one *m,
                           struct str beginning)
{
    struct arena a = ARENA_INIT(0);
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct str fresh = ARENA_JOIN(&a, x->folder.path, STR("/tmp/"), beginning);
    const char *fresh_name = arena_c(&a, fresh);
    x->fd = open(fresh_name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (x->fd < 0) return why(x, fresh);
    enum err e = write_text(x, m);
    if (close(x->fd) != 0 && e == OK) e = why(x, fresh);
    if (e == OK) {
        put_name(x, m, beginning, &name);
        struct str place = ARENA_JOIN(&a, x->folder.path, STR("/cur/"), buf_str(&name));
        if (rename(fresh_name, arena_c(&a, place)) != 0) e = why(x, place);
    }
    if (e == OK) x->written++;
    if (e != OK) (void)unlink(fresh_name);
    buf_free(&name);
    arena_free(&a);
    return e;
}

static enum err take_message(void *ctx, const struct export_one *m)
{
    struct maildir_export *x = ctx;
    struct buf beginning = BUF_INIT(NAME_MAX_BYTES);
    put_beginning(&beginning, &m->info);
    const struct maildir_file *f = map_get(&x->present, buf_str(&beginning));
    enum err e = f != NULL ? follow_flags(x, m, f) : write_file(x, m, buf_str(&beginning));
    buf_free(&beginning);
    return e;
}

/* ---- notes beside them ---- */

/* A small file, moved into its place when it is whole. */
static enum err write_note(struct maildir_export *x, struct str name, struct str text)
{
    struct arena a = ARENA_INIT(0);
    struct str path = ARENA_JOIN(&a, x->folder.path, STR("/"), name);
    struct str fresh = ARENA_JOIN(&a, path, STR(".new"));
    const char *fresh_name = arena_c(&a, fresh);
    enum err e = OK;
    int fd = open(fresh_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) e = why(x, fresh);
    if (e == OK) e = file_write_all(fd, text);
    if (fd >= 0 && close(fd) != 0 && e == OK) e = why(x, fresh);
    if (e == OK && rename(fresh_name, arena_c(&a, path)) != 0) e = why(x, path);
    arena_free(&a);
    return e;
}

/* A number of the mailbox's own that is the same at every export. */
static void make_guid(const struct maildir_export *x, unsigned char *guid)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buf b = BUF_INIT(NAME_MAX_BYTES);
    buf_put(&b, command_arg(x->export->command, 0));
    buf_put_byte(&b, '\n');
    buf_put(&b, x->mailbox->name);
    buf_put_byte(&b, '\n');
    buf_put_u64(&b, x->mailbox->uid_validity);
    must(EVP_Digest(b.p, b.n, digest, NULL, EVP_sha256(), NULL) == 1);
    memcpy(guid, digest, GUID_BYTES);
    buf_free(&b);
}

static enum err write_notes(struct maildir_export *x)
{
    struct buf b = BUF_INIT(LIST_MAX_BYTES);
    unsigned char guid[GUID_BYTES];
    struct maildir_uidlist list = { .version = 3,
                                    .uid_validity = x->mailbox->uid_validity,
                                    .uid_next = x->mailbox->uid_next };
    enum err e = OK;
    for (unsigned i = 0; i < MAILDIR_KEYWORD_MAX; i++) {
        if (x->folder.keywords[i].n > 0) maildir_put_keyword(&b, i, x->folder.keywords[i]);
    }
    if (b.n > 0) e = write_note(x, STR("dovecot-keywords"), buf_str(&b));
    buf_clear(&b);
    make_guid(x, guid);
    maildir_put_uidlist(&b, &list, str_of(guid, sizeof guid));
    buf_put(&b, buf_str(&x->uids));
    if (e == OK) e = buf_check(&b);
    if (e == OK) e = write_note(x, STR("dovecot-uidlist"), buf_str(&b));
    buf_free(&b);
    return e;
}

/* ---- one folder ---- */

static enum err make_folders(struct command *c, struct str path, bool marker)
{
    static const struct str names[] = { STR_INIT(""), STR_INIT("/cur"), STR_INIT("/new"),
                                        STR_INIT("/tmp") };
    struct arena *a = &c->arena;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str folder = ARENA_JOIN(a, path, names[i]);
        if (mkdir(arena_c(a, folder), 0700) != 0 && errno != EEXIST)
            return file_why(c, folder, errno);
    }
    if (!marker) return OK;
    struct str mark = ARENA_JOIN(a, path, STR("/maildirfolder"));
    int fd = open(arena_c(a, mark), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return file_why(c, mark, errno);
    close(fd);
    return OK;
}

/* What is there has to be an earlier export of the same mailbox. */
static enum err look_at_present(struct maildir_export *x)
{
    struct command *c = x->export->command;
    const struct maildir_folder *f = &x->folder;
    bool ours = f->has_list && f->list.uid_validity == x->mailbox->uid_validity;
    for (size_t i = 0; ours && i < f->file_count; i++) {
        ours = str_find_str(f->files[i].parts.base, STR(OUR_MARK)) != STR_NOWHERE;
    }
    if (ours || (f->file_count == 0 && !f->has_list)) return OK;
    buf_put(&c->why, f->path);
    buf_put_lit(&c->why, " has other mail than an export of the mailbox ");
    buf_put_json(&c->why, x->mailbox->name);
    buf_put_lit(&c->why, " already: name another folder");
    return ERR_EXISTS;
}

static enum err index_present(struct maildir_export *x)
{
    enum err e = OK;
    for (size_t i = 0; e == OK && i < x->folder.file_count; i++) {
        struct maildir_file *f = &x->folder.files[i];
        e = map_put(&x->present, str_part(f->parts.base, 0, str_find(f->parts.base, ',')), f);
    }
    return e;
}

static void tell(struct maildir_export *x)
{
    struct buf *b = &x->export->command->why;
    if (x->keywords_left == 0) return;
    buf_put_lit(b, "a Maildir has room for 26 keywords: ");
    buf_put_u64(b, x->keywords_left);
    buf_put_lit(b, " further ones were left out in ");
    buf_put_json(b, x->mailbox->name);
    buf_put_byte(b, '\n');
}

/* Is the folder free for the mailbox? Nothing is written yet. */
static enum err check_folder(struct exporting *ex, struct str path,
                             const struct mailbox_info *mailbox)
{
    struct maildir_export x = { .export = ex, .mailbox = mailbox };
    struct arena a = ARENA_INIT(0);
    bool there = access(arena_c(&a, ARENA_JOIN(&a, path, STR("/cur"))), F_OK) == 0;
    enum err e = OK;
    if (there) {
        e = maildir_folder_read(ex->command, path, &x.folder);
        if (e == OK) e = look_at_present(&x);
        maildir_folder_free(&x.folder);
    }
    arena_free(&a);
    return e;
}

static enum err export_folder(struct exporting *ex, struct str path,
                              const struct mailbox_info *mailbox)
{
    struct maildir_export x = { .export = ex,
                                .mailbox = mailbox,
                                .present = MAP_INIT(FILES_MAX),
                                .uids = BUF_INIT(LIST_MAX_BYTES),
                                .out = BUF_INIT(2 * PIECE_BYTES + 2) };
    enum err e = make_folders(ex->command, path, !str_eq(path, ex->folder));
    if (e == OK) e = maildir_folder_read(ex->command, path, &x.folder);
    if (e == OK) e = index_present(&x);
    if (e == OK) e = export_each(ex, mailbox->id, true, take_message, &x);
    if (e == OK) e = write_notes(&x);
    if (e == OK) export_add_row(ex, mailbox->name, x.written, x.kept);
    if (e == OK) tell(&x);
    maildir_folder_free(&x.folder);
    map_free(&x.present);
    buf_free(&x.uids);
    buf_free(&x.out);
    return e;
}

/* ---- all of them ---- */

static enum err write_subscriptions(struct exporting *ex, struct str folder)
{
    struct buf b = BUF_INIT(64 * 1024 * 1024);
    struct maildir_export x = { .export = ex, .folder = { .path = folder } };
    for (size_t i = 0; i < ex->mailbox_count; i++) {
        struct buf name = BUF_INIT(NAME_MAX_BYTES);
        if ((ex->mailboxes[i].attributes & MAILBOX_SUBSCRIBED) == 0) continue;
        maildir_put_folder(&name, ex->mailboxes[i].name);
        buf_put(&b, str_skip(buf_str(&name), 1)); /* without the dot before it */
        buf_put_byte(&b, '\n');
        buf_free(&name);
    }
    enum err e = write_note(&x, STR("subscriptions"), buf_str(&b));
    buf_free(&b);
    return e;
}

/* Everything on the disk; one call for all files. */
static enum err sync_folder(struct command *c, struct str folder)
{
    int fd = open(arena_c(&c->arena, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_why(c, folder, errno);
    enum err e = syncfs(fd) == 0 ? OK : file_why(c, folder, errno);
    close(fd);
    return e;
}

static enum err each_folder(struct exporting *ex, struct str folder,
                            enum err (*f)(struct exporting *, struct str,
                                          const struct mailbox_info *))
{
    struct command *c = ex->command;
    enum err e = OK;
    for (size_t i = 0; e == OK && i < ex->mailbox_count; i++) {
        const struct mailbox_info *m = &ex->mailboxes[i];
        struct buf path = BUF_INIT(NAME_MAX_BYTES);
        buf_put(&path, folder);
        if (!str_eq(m->name, STR("INBOX"))) {
            buf_put_byte(&path, '/');
            maildir_put_folder(&path, m->name);
        }
        e = buf_check(&path);
        if (e == OK) e = f(ex, arena_str(&c->arena, buf_str(&path)), m);
        buf_free(&path);
    }
    return e;
}

enum err export_maildir(struct exporting *ex, struct str folder, const struct mailbox_info *only)
{
    enum err e;
    ex->folder = folder;
    if (only != NULL) {
        e = check_folder(ex, folder, only);
        if (e == OK) e = export_folder(ex, folder, only);
    } else {
        e = each_folder(ex, folder, check_folder);
        if (e == OK) e = each_folder(ex, folder, export_folder);
        if (e == OK) e = write_subscriptions(ex, folder);
    }
    return e == OK ? sync_folder(ex->command, folder) : e;
}
