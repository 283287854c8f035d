/* Hot backup: a copy of the tree, then of the segments up to the last group that was synced by
 * then. The copy's mark lies before that, so opening the copy replays the rest. While it runs no
 * segment is given up. */
#include "store/embedded.h"
#include "base/must.h"
#include "sys/os.h"

#include <fcntl.h>
#include <stdlib.h>

enum { COPY_BYTES = 1 << 20, FILE_MODE = 0600, FOLDER_MODE = 0700 };

static bool all_zero(const char *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Bytes [0, n) of one file into the other; runs of zeros stay holes. */
static enum err copy_bytes(int from, int to, uint64_t n)
{
    char *piece = malloc(COPY_BYTES);
    must(piece != NULL);
    enum err e = OK;
    for (uint64_t at = 0; e == OK && at < n;) {
        size_t want = n - at < COPY_BYTES ? (size_t)(n - at) : COPY_BYTES, got = 0;
        e = os_read_upto(from, piece, want, at, &got);
        if (e == OK && got == 0) break;
        if (e == OK && !all_zero(piece, got)) e = os_write_str(to, str_of(piece, got), at);
        at += got;
    }
    free(piece);
    if (e == OK && os->ftruncate(to, (off_t)n) != 0) e = os_error();
    if (e == OK && os->fsync(to) != 0) e = ERR_IO;
    return e;
}

static enum err copy_segment(struct embedded *e, struct segment *g, uint64_t bytes, int folder)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, g->id);
    int from;
    enum err r = segment_hold(e->segments, g, &from);
    if (r != OK) return r;
    int to = os->openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
    r = to >= 0 ? copy_bytes(from, to, bytes) : os_error();
    if (to >= 0) os->close(to);
    segment_release(e->segments, g);
    return r;
}

/* Everything before `end`. Segments that are there now stay there: no one is given up. */
static enum err copy_segments(struct embedded *e, struct place end, int folder)
{
    enum err r = OK;
    struct segment *g = segment_after(e->segments, 0);
    for (; r == OK && g != NULL; g = segment_after(e->segments, g->id)) {
        bool cold = segment_is_cold(g->id);
        if (!cold && g->id > end.segment) continue;
        r = copy_segment(e, g, g->id == end.segment ? end.offset : g->file_bytes, folder);
    }
    return r;
}

static enum err copy_rows(struct embedded *e, int folder)
{
    int fd = os->openat(folder, "rows.mdb.part", O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
    if (fd < 0) return os_error();
    enum err r = rows_copy(e->rows, fd);
    if (r == OK && os->fsync(fd) != 0) r = ERR_IO;
    os->close(fd);
    return r;
}

static enum err log_folder(int folder, int *fd_out)
{
    if (os->mkdirat(folder, "log", FOLDER_MODE) != 0) return os_error();
    int fd = os->openat(folder, "log", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) return os_error();
    *fd_out = fd;
    return OK;
}

/* A folder with a tree under its name is a store: that name comes last. */
static enum err finish(int folder, int log)
{
    if (os->fsync(log) != 0) return ERR_IO;
    if (os->renameat(folder, "rows.mdb.part", folder, "rows.mdb") != 0) return os_error();
    return os->fsync(folder) == 0 ? OK : ERR_IO;
}

static void hold_segments(struct embedded *e, bool hold)
{
    /* Whoever is giving up segments right now comes to its end first. */
    pthread_mutex_lock(&e->give_up_lock);
    pthread_mutex_lock(&e->view_lock);
    e->backups = hold ? e->backups + 1 : e->backups - 1;
    pthread_mutex_unlock(&e->view_lock);
    pthread_mutex_unlock(&e->give_up_lock);
    if (!hold) supplier_wake(e, true);
}

static struct place synced_end(struct embedded *e)
{
    pthread_mutex_lock(&e->view_lock);
    struct place end = e->active->mark.at;
    pthread_mutex_unlock(&e->view_lock);
    return end;
}

enum err embedded_backup(struct engine *engine, int folder_fd)
{
    struct embedded *e = embedded_of(engine);
    int log = -1;
    /* What the tree has need not be replayed from the copy; without it the copy is as good. */
    enum err r = flush_wait(e);
    if (r == ERR_BROKEN) return r;
    hold_segments(e, true);
    r = log_folder(folder_fd, &log);
    if (r == OK) r = copy_rows(e, folder_fd);
    if (r == OK) r = copy_segments(e, synced_end(e), log);
    if (r == OK) r = finish(folder_fd, log);
    if (log >= 0) os->close(log);
    hold_segments(e, false);
    return r;
}
