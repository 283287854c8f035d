/* Recovery: from the mark in the tree to the end of the log (docs/crash.md, parts 3 and 4).
 *
 * What was read as whole may be in the kernel's memory only (the process was killed before its sync
 * came back). It counts as done from here on, so it is synced before anything builds on it. */
#include "store/embedded.h"
#include "base/must.h"
#include "store/scan.h"
#include "sys/os.h"

#include <fcntl.h>
#include <stdlib.h>

enum { TORN_KEEP_BYTES = 32 << 20, TORN_FILES = 16, TORN_NAME_BYTES = 64 };

struct recovery {
    struct embedded *e;
    struct embedded_opening *how;
    struct scan scan;
    struct look look;
    struct segment *in; /* where we are; null: before the first segment */
    struct place at;
    uint64_t group;    /* of the last whole record */
    uint64_t torn_end; /* how far bytes of the last segment look like records */
    bool trust_end;    /* the mark says: closed cleanly, the log ends here */
};

/* ---- one record ---- */

static enum err look_again(struct recovery *r)
{
    look_drop(r->e, &r->look);
    enum err e = look_take(r->e, &r->look);
    r->look.view.seq = MEMTABLE_NEWEST;
    return e;
}

/* A long replay goes to the tree in pieces. */
static enum err flush_if_large(struct recovery *r)
{
    struct embedded *e = r->e;
    if (memtable_bytes(e->active->mem) < e->c.memory_bytes) return OK;
    enum err err = flush_layer(e, e->active, &e->active->mark);
    if (err == ERR_FULL) return OK; /* stay in memory for now */
    if (err != OK) return err;
    look_drop(e, &r->look);
    struct layer *done = e->active;
    e->tree_mark = done->mark;
    e->tree_seq = e->last_seq;
    e->active = layer_new();
    e->active->mark = done->mark;
    layer_free(&done);
    return look_again(r);
}

static enum err replay(struct recovery *r, const struct scanned *s)
{
    struct embedded *e = r->e;
    struct layer *l = e->active;
    struct live live = { 0 };
    struct apply a = { .e = e, .at = r->at, .seq = ++e->last_seq, .live = &live };
    enum err err = apply_count_before(&r->look.view, s->payload, s->record.data_bytes, &live);
    if (err == OK) err = apply_rows(&a, s->payload, s->record.data_bytes);
    for (size_t i = 0; err == OK && i < live.n; i++) {
        segments_live(e->segments, live.at[i].segment, live.at[i].bytes, live.at[i].end, a.seq);
    }
    live_merge(&l->live, &live);
    live_free(&live);
    if (err != OK) return err;
    l->log_bytes += s->bytes;
    l->last_seq = a.seq;
    l->mark =
        (struct rows_mark){ { r->at.segment, r->at.offset + s->bytes }, s->record.group, false };
    r->how->replayed_records++;
    return flush_if_large(r);
}

static enum err take_record(struct recovery *r, const struct scanned *s)
{
    enum err e = s->record.type == RECORD_TXN ? replay(r, s) : OK;
    if (s->record.type == RECORD_COPY) e = ERR_CORRUPT; /* not in a log */
    if (e != OK) return e;
    r->group = s->record.group;
    r->at.offset += s->bytes;
    return OK;
}

/* ---- from segment to segment ---- */

static void enter(struct recovery *r, struct segment *g, uint64_t offset)
{
    r->in = g;
    r->at = (struct place){ g->id, offset };
    r->torn_end = offset;
}

static struct segment *log_after(struct recovery *r, uint64_t id)
{
    struct segment *g = segment_after(r->e->segments, id);
    while (g != NULL && segment_is_cold(g->id)) {
        g = segment_after(r->e->segments, g->id);
    }
    return g;
}

/* The segment that goes on where we are. */
static enum err next_segment(struct recovery *r, bool *found_out)
{
    *found_out = false;
    for (struct segment *g = log_after(r, r->at.segment); g != NULL; g = log_after(r, g->id)) {
        struct scan_open open;
        enum err e = scan_open(&r->scan, g, &open);
        if (e == ERR_CORRUPT) continue;
        if (e != OK) return e;
        if (open.before.segment != r->at.segment || open.before.offset != r->at.offset ||
            open.group < r->group)
            continue;
        r->group = open.group;
        enter(r, g, open.next_at);
        r->trust_end = false;
        *found_out = true;
        return OK;
    }
    return OK;
}

/* ---- the end, or damage? ---- */

struct proof {
    uint64_t group; /* of a whole record behind the place, the highest; 0: none */
    struct segment *in;
    uint64_t at; /* the first whole record behind the place, to step to */
};

static enum err prove_in(struct recovery *r, struct segment *g, uint64_t at, struct proof *p)
{
    enum err e;
    while ((e = scan_ahead(&r->scan, g, at, &at)) == OK) {
        struct scanned s;
        e = scan_record(&r->scan, g, at, r->group, &s);
        if (e == OK) {
            if (p->in == NULL) *p = (struct proof){ .in = g, .at = at };
            if (s.record.group > p->group) p->group = s.record.group;
        } else if (e != ERR_CORRUPT) {
            return e;
        }
        if (g == r->in) r->torn_end = at + (e == OK ? s.bytes : RECORD_HEADER_BYTES);
        at += e == OK ? s.bytes : RECORD_HEADER_BYTES;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Record n proves that everything up to n - 2 was on the disk. If the failing record's own number
 * cannot be read, it is at most two above the last whole one's: every number has a record, but each
 * opening of the store leaves one out. */
static enum err is_damage(struct recovery *r, struct proof *p, bool *damage_out)
{
    struct record failing;
    uint64_t from = r->at.offset;
    bool known = r->in != NULL && scan_header(&r->scan, r->in, from, &failing) == OK &&
                 failing.group >= r->group;
    if (known) r->torn_end = from + RECORD_HEADER_BYTES;
    *p = (struct proof){ 0 };
    enum err e = OK;
    if (r->in != NULL && !r->trust_end) e = prove_in(r, r->in, from + 8, p);
    for (struct segment *g = log_after(r, r->at.segment); e == OK && g != NULL;
         g = log_after(r, g->id)) {
        e = prove_in(r, g, SEGMENT_FIRST_RECORD, p);
    }
    *damage_out = p->group >= (known ? failing.group + 2 : r->group + 4);
    return e;
}

/* With `salvage`: go on at the first whole record behind the damage. */
static enum err step_over(struct recovery *r, const struct proof *p)
{
    struct recovery was = *r;
    r->how->damaged_records++;
    if (p->in != was.in) {
        struct scan_open open;
        enter(r, p->in, p->at);
        r->trust_end = false;
        if (p->at == SEGMENT_FIRST_RECORD && scan_open(&r->scan, p->in, &open) == OK)
            r->at.offset = open.next_at;
        return OK;
    }
    r->at.offset = p->at;
    return OK;
}

/* Nothing whole here and no segment goes on. True: that is the end. */
static enum err at_end(struct recovery *r, bool *end_out)
{
    struct proof p;
    bool damage;
    enum err e = is_damage(r, &p, &damage);
    *end_out = !damage;
    if (e != OK || !damage) return e;
    r->how->damage_segment = r->at.segment;
    r->how->damage_offset = r->at.offset;
    return r->e->c.salvage ? step_over(r, &p) : ERR_CORRUPT;
}

static enum err walk(struct recovery *r)
{
    for (bool end = false; !end;) {
        struct scanned s;
        enum err e = r->in == NULL || r->trust_end
                         ? ERR_CORRUPT
                         : scan_record(&r->scan, r->in, r->at.offset, r->group, &s);
        if (e == OK) {
            e = take_record(r, &s);
        } else if (e == ERR_CORRUPT) {
            bool found;
            e = next_segment(r, &found);
            if (e == OK && !found) e = at_end(r, &end);
        }
        if (e != OK) return e;
    }
    return OK;
}

/* ---- after it ---- */

static enum err sync_walked(struct recovery *r, uint64_t from)
{
    struct embedded *e = r->e;
    struct segment *g = segment_find(e->segments, from);
    if (g == NULL) g = log_after(r, from);
    for (; g != NULL && g->id <= r->at.segment; g = log_after(r, g->id)) {
        int fd;
        enum err err = segment_hold(e->segments, g, &fd);
        if (err != OK) return err;
        bool good = os->fdatasync(fd) == 0;
        segment_release(e->segments, g);
        if (!good) return ERR_IO;
    }
    return OK;
}

struct torn_names {
    size_t n;
    char first[TORN_NAME_BYTES];
};

static void torn_count(void *ctx, const char *name)
{
    struct torn_names *t = ctx;
    size_t n = strlen(name);
    if (n >= TORN_NAME_BYTES || name[0] == '.') return;
    if (t->n == 0 || str_cmp(str_c(name), str_c(t->first)) < 0) memcpy(t->first, name, n + 1);
    t->n++;
}

/* Copy the tail into torn/. For the curious: what goes wrong here stops nothing. */
static void keep_aside(struct recovery *r, uint64_t bytes)
{
    struct embedded *e = r->e;
    if (os->mkdirat(e->folder_fd, "torn", 0700) != 0 && os_error() != ERR_EXISTS) return;
    int folder = os->openat(e->folder_fd, "torn", O_RDONLY | O_DIRECTORY, 0);
    if (folder < 0) return;
    struct torn_names names = { 0 };
    if (os->list(folder, torn_count, &names) == 0 && names.n >= TORN_FILES)
        os->unlinkat(folder, names.first, 0);
    struct buf name = BUF_INIT(TORN_NAME_BYTES);
    buf_put_hex_u64(&name, r->at.segment, 16);
    buf_put_byte(&name, '-');
    buf_put_hex_u64(&name, r->at.offset, 8);
    buf_put_byte(&name, 0);
    if (bytes > TORN_KEEP_BYTES) bytes = TORN_KEEP_BYTES;
    char *copy = malloc(bytes);
    must(copy != NULL);
    int fd = os->openat(folder, name.p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
        if (segments_read(e->segments, r->at.segment, copy, bytes, r->at.offset) == OK)
            err_ignore(os_write_str(fd, str_of(copy, bytes), 0));
        os->close(fd);
    }
    free(copy);
    buf_free(&name);
    os->close(folder);
}

/* Cut what is behind the end; remove segments behind it. */
static enum err cut(struct recovery *r)
{
    struct embedded *e = r->e;
    if (r->in != NULL && !r->trust_end && r->torn_end > r->at.offset) {
        uint64_t bytes = r->torn_end < r->in->file_bytes ? r->torn_end : r->in->file_bytes;
        r->how->torn_bytes = bytes - r->at.offset;
        keep_aside(r, r->how->torn_bytes);
    }
    if (r->in != NULL && r->in->file_bytes > r->at.offset) {
        enum err err = segment_cut(e->segments, r->in, r->at.offset);
        if (err != OK) return err;
    }
    struct segment *g;
    while ((g = log_after(r, r->at.segment)) != NULL) {
        enum err err = segment_remove(e->segments, g);
        if (err != OK) return err;
    }
    return OK;
}

/* Where to begin: the mark, or the begin of the log for a tree that is new (or lost). */
static enum err begin(struct recovery *r, const struct rows_mark *mark)
{
    r->at = mark->at;
    r->group = mark->group;
    r->trust_end = mark->clean;
    if (mark->at.segment == 0) return OK;
    r->in = segment_find(r->e->segments, mark->at.segment);
    bool good = r->in != NULL && r->in->file_bytes >= mark->at.offset;
    if (good) {
        r->torn_end = mark->at.offset;
        return OK;
    }
    r->how->damage_segment = mark->at.segment;
    r->how->damage_offset = mark->at.offset;
    r->how->damaged_records++;
    r->in = NULL;
    return r->e->c.salvage ? OK : ERR_CORRUPT;
}

enum err recover(struct embedded *e, struct embedded_opening *how, struct place *end_out,
                 uint64_t *group_out)
{
    struct recovery r = { .e = e, .how = how };
    struct rows_mark mark = e->tree_mark;
    scan_init(&r.scan, e->segments);
    enum err err = begin(&r, &mark);
    if (err == OK) err = look_again(&r);
    if (err == OK) err = walk(&r);
    if (err == OK) err = sync_walked(&r, mark.at.segment);
    if (err == OK) err = cut(&r);
    look_drop(e, &r.look);
    scan_free(&r.scan);
    if (err != OK) return err;
    *end_out = r.at;
    *group_out = r.group + 2; /* so that whatever comes proves that all this was synced */
    return OK;
}
