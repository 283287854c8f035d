#include "tool/maildir_folder.h"

#include "base/map.h"
#include "base/must.h"
#include "tool/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LIST_BYTES_MAX = 512 * 1024 * 1024, FILES_MAX = 100 * 1000 * 1000 };

void str_list_add(struct arena *a, struct str_list *l, struct str s)
{
    if (l->n == l->room) {
        size_t room = l->room > 0 ? l->room * 2 : 64;
        struct str *more = ARENA_MANY(a, struct str, room);
        for (size_t i = 0; i < l->n; i++) {
            more[i] = l->at[i];
        }
        l->at = more;
        l->room = room;
    }
    l->at[l->n++] = arena_str(a, s);
}

/* Names in a folder but those that begin with a dot (or, with `dots`, only those). ERR_NOT_FOUND
 * says nothing. */
static enum err names_in(struct command *c, struct arena *a, struct str path, bool dots,
                         struct str_list *out)
{
    DIR *d = opendir(arena_c(a, path));
    if (d == NULL) return errno == ENOENT ? ERR_NOT_FOUND : file_why(c, path, errno);
    errno = 0;
    for (struct dirent *x; (x = readdir(d)) != NULL; errno = 0) {
        struct str name = str_c(x->d_name);
        bool dot = str_starts(name, STR("."));
        if (str_eq(name, STR(".")) || str_eq(name, STR("..")) || dot != dots) continue;
        str_list_add(a, out, name);
    }
    enum err e = errno == 0 ? OK : file_why(c, path, errno);
    (void)closedir(d);
    return e;
}

/* ---- notes ---- */

/* The whole of a small file in the folder; ERR_NOT_FOUND says nothing. */
static enum err read_note(struct command *c, struct maildir_folder *f, struct str name,
                          struct buf *out)
{
    struct stat st;
    struct str path = ARENA_JOIN(&f->arena, f->path, STR("/"), name);
    if (stat(arena_c(&f->arena, path), &st) != 0)
        return errno == ENOENT ? ERR_NOT_FOUND : file_why(c, path, errno);
    return file_read(c, path, out);
}

static enum err bad_note(struct command *c, struct maildir_folder *f, const char *name)
{
    buf_put(&c->why, f->path);
    buf_put_byte(&c->why, '/');
    buf_put(&c->why, str_c(name));
    buf_put_lit(&c->why, " cannot be read as what it should be");
    return ERR_CORRUPT;
}

static enum err read_keywords(struct command *c, struct maildir_folder *f)
{
    struct buf b = BUF_INIT(1024 * 1024);
    enum err e = read_note(c, f, STR("dovecot-keywords"), &b);
    struct str left = buf_str(&b), line;
    while (e == OK && str_cut(&left, '\n', &line)) {
        unsigned index;
        struct str name;
        if (maildir_keyword_parse(line, &index, &name) == OK)
            f->keywords[index] = arena_str(&f->arena, name);
    }
    buf_free(&b);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* UIDs by base; the values are the numbers themselves. */
static enum err read_uidlist(struct command *c, struct maildir_folder *f, struct map *uids)
{
    struct buf b = BUF_INIT(LIST_BYTES_MAX);
    enum err e = read_note(c, f, STR("dovecot-uidlist"), &b);
    struct str left = buf_str(&b), line, base;
    if (e == OK && (!str_cut(&left, '\n', &line) || maildir_uidlist_parse(line, &f->list) != OK))
        e = bad_note(c, f, "dovecot-uidlist");
    f->has_list = e == OK;
    while (e == OK && str_cut(&left, '\n', &line)) {
        uint32_t uid;
        if (maildir_uid_parse(&f->list, line, &uid, &base) == OK)
            e = map_put(uids, base, (void *)(uintptr_t)uid);
    }
    buf_free(&b);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- files ---- */

static void add_files(struct maildir_folder *f, const struct str_list *names, bool in_new,
                      const struct map *uids)
{
    for (size_t i = 0; i < names->n; i++) {
        struct maildir_file *x = &f->files[f->file_count];
        *x = (struct maildir_file){ .name = names->at[i], .in_new = in_new };
        if (maildir_name_parse(x->name, &x->parts) != OK) continue;
        x->uid = (uint32_t)(uintptr_t)map_get(uids, x->parts.base);
        f->file_count++;
    }
}

static uint64_t time_of(struct str name)
{
    size_t n = 0;
    uint64_t value = 0;
    while (n < name.n && byte_is_digit(name.p[n])) {
        n++;
    }
    return str_to_u64(str_part(name, 0, n), UINT64_MAX, &value) == OK ? value : 0;
}

static int order(const void *a, const void *b)
{
    const struct maildir_file *x = a, *y = b;
    uint32_t x_uid = x->uid - 1, y_uid = y->uid - 1; /* 0 comes last */
    if (x_uid != y_uid) return x_uid < y_uid ? -1 : 1;
    uint64_t x_time = time_of(x->name), y_time = time_of(y->name);
    if (x_time != y_time) return x_time < y_time ? -1 : 1;
    return str_cmp(x->name, y->name);
}

static enum err list_files(struct command *c, struct maildir_folder *f, const struct map *uids)
{
    struct str_list in_new = { 0 }, in_cur = { 0 };
    struct arena *a = &f->arena;
    enum err e = names_in(c, a, ARENA_JOIN(a, f->path, STR("/cur")), false, &in_cur);
    if (e == ERR_NOT_FOUND) {
        buf_put(&c->why, f->path);
        buf_put_lit(&c->why, " is no Maildir: there is no folder cur in it");
    }
    if (e != OK) return e;
    e = names_in(c, a, ARENA_JOIN(a, f->path, STR("/new")), false, &in_new);
    if (e == ERR_NOT_FOUND) e = OK;
    if (e != OK) return e;
    f->files = ARENA_MANY(a, struct maildir_file, in_new.n + in_cur.n + 1);
    add_files(f, &in_cur, false, uids);
    add_files(f, &in_new, true, uids);
    if (f->file_count > 0) qsort(f->files, f->file_count, sizeof *f->files, order);
    return OK;
}

enum err maildir_folder_read(struct command *c, struct str path, struct maildir_folder *out)
{
    struct map uids = MAP_INIT(FILES_MAX);
    *out = (struct maildir_folder){ .arena = ARENA_INIT(SIZE_MAX), .path = path };
    enum err e = read_uidlist(c, out, &uids);
    if (e == OK) e = read_keywords(c, out);
    if (e == OK) e = list_files(c, out, &uids);
    map_free(&uids);
    if (e != OK) maildir_folder_free(out);
    return e;
}

void maildir_folder_free(struct maildir_folder *f)
{
    arena_free(&f->arena);
    f->files = NULL;
    f->file_count = 0;
}

static int name_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

enum err maildir_folders(struct command *c, struct str path, struct str **names_out, size_t *n_out)
{
    struct str_list all = { 0 }, kept = { 0 };
    struct arena *a = &c->arena;
    enum err e = names_in(c, a, path, true, &all);
    if (e == ERR_NOT_FOUND) e = file_why(c, path, ENOENT);
    for (size_t i = 0; e == OK && i < all.n; i++) {
        struct stat st;
        struct str cur = ARENA_JOIN(a, path, STR("/"), all.at[i], STR("/cur"));
        if (stat(arena_c(a, cur), &st) == 0 && S_ISDIR(st.st_mode))
            str_list_add(a, &kept, all.at[i]);
    }
    if (e != OK) return e;
    if (kept.n > 0) qsort(kept.at, kept.n, sizeof *kept.at, name_order);
    *names_out = kept.at;
    *n_out = kept.n;
    return OK;
}
