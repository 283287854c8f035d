/* Flags. NOMETASYNC: the last commit's meta page may be lost in a power cut, never the one before
 * it; the log is kept for both. No WRITEMAP (a stray pointer of ours must not reach the file),
 * never NOSYNC. NOTLS: readers belong to whoever holds them, not to threads. */
#include "store/rows_lmdb.h"
#include "base/must.h"
#include "base/wire.h"
#include "sys/os.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    READERS_MAX = 1024,
    SPARE_READERS_MAX = 16,
    MAP_BYTES_MIN = 1 << 20,
    FILE_MODE = 0600,
    MARK_BYTES = 25,
};

static const char *const table_names[TABLE_COUNT] = { "rows", "blobs", "stages", "segments" };

struct rows_db {
    MDB_env *env;
    int fd; /* the same file, for setting room aside */
    MDB_dbi tables[TABLE_COUNT], meta;
    pthread_mutex_t lock;
    struct rows_reader *spare; /* readers that are at rest, to be used again */
    size_t spare_count;
};

struct rows_reader {
    struct rows_db *db;
    MDB_txn *txn;
    struct rows_reader *next;
};

struct base_cursor {
    MDB_cursor *c;
};

static enum err error_of(int code)
{
    switch (code) {
    case MDB_SUCCESS:
        return OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
        return ERR_FULL;
    case MDB_READERS_FULL:
        return ERR_LIMIT;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return ERR_CORRUPT;
    default:
        return code > 0 ? err_from_errno(code) : ERR_IO;
    }
}

/* LMDB's values have no const; it does not write to what it is given. */
static MDB_val val(struct str s)
{
    MDB_val v = { .mv_size = s.n };
    memcpy(&v.mv_data, &s.p, sizeof s.p);
    return v;
}

static struct str str_of_val(const MDB_val *v)
{
    return str_of(v->mv_data, v->mv_size);
}

/* ---- opening ---- */

static int env_try(const char *path, uint64_t map_bytes, MDB_env **out)
{
    MDB_env *env;
    int code = mdb_env_create(&env);
    if (code != 0) return code;
    code = mdb_env_set_mapsize(env, map_bytes);
    if (code == 0) code = mdb_env_set_maxdbs(env, TABLE_COUNT + 1);
    if (code == 0) code = mdb_env_set_maxreaders(env, READERS_MAX);
    if (code == 0)
        code = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOMETASYNC | MDB_NOTLS, FILE_MODE);
    if (code != 0) {
        mdb_env_close(env);
        return code;
    }
    must(mdb_env_get_maxkeysize(env) >= ENGINE_KEY_MAX);
    *out = env;
    return 0;
}

static int tables_open(struct rows_db *r)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(r->env, NULL, 0, &txn);
    if (code != 0) return code;
    for (size_t i = 0; code == 0 && i < TABLE_COUNT; i++) {
        code = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &r->tables[i]);
    }
    if (code == 0) code = mdb_dbi_open(txn, "meta", MDB_CREATE, &r->meta);
    if (code == 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return code;
}

enum err rows_open(const char *path, uint64_t map_bytes, struct rows_db **out)
{
    struct rows_db *r = calloc(1, sizeof *r);
    must(r != NULL);
    pthread_mutex_init(&r->lock, NULL);
    r->fd = -1;
    int code = ENOMEM;
    for (; code == ENOMEM && map_bytes >= MAP_BYTES_MIN; map_bytes /= 2) {
        code = env_try(path, map_bytes & ~(uint64_t)(MAP_BYTES_MIN - 1), &r->env);
    }
    if (code == 0) code = tables_open(r);
    enum err e = error_of(code);
    if (e == OK && (r->fd = os->openat(AT_FDCWD, path, O_RDWR, 0)) < 0) e = os_error();
    if (e != OK) {
        rows_close(&r);
        return e;
    }
    /* Slots of readers that were killed. */
    int dead;
    mdb_reader_check(r->env, &dead);
    *out = r;
    return OK;
}

void rows_close(struct rows_db **r)
{
    if (*r == NULL) return;
    while ((*r)->spare != NULL) {
        struct rows_reader *reader = (*r)->spare;
        (*r)->spare = reader->next;
        mdb_txn_abort(reader->txn);
        free(reader);
    }
    if ((*r)->env != NULL) mdb_env_close((*r)->env);
    if ((*r)->fd >= 0) os->close((*r)->fd);
    pthread_mutex_destroy(&(*r)->lock);
    free(*r);
    *r = NULL;
}

/* ---- the mark ---- */

static const struct str mark_key = STR_INIT("position");

static int mark_put(struct rows_db *r, MDB_txn *txn, const struct rows_mark *mark)
{
    struct buf b = BUF_INIT(MARK_BYTES);
    wire_put_u64(&b, mark->at.segment);
    wire_put_u64(&b, mark->at.offset);
    wire_put_u64(&b, mark->group);
    wire_put_u8(&b, mark->clean);
    must(!b.over);
    MDB_val key = val(mark_key), value = val(buf_str(&b));
    int code = mdb_put(txn, r->meta, &key, &value, 0);
    buf_free(&b);
    return code;
}

static enum err mark_parse(struct str bytes, struct rows_mark *out)
{
    struct wire w = wire_of(bytes);
    struct rows_mark m = { 0 };
    m.at.segment = wire_get_u64(&w);
    m.at.offset = wire_get_u64(&w);
    m.group = wire_get_u64(&w);
    m.clean = wire_get_u8(&w) != 0;
    enum err e = wire_end(&w);
    if (e == OK) *out = m;
    return e;
}

enum err rows_mark_get(struct rows_db *r, struct rows_mark *out)
{
    struct rows_reader *reader;
    enum err e = rows_reader_begin(r, &reader);
    if (e != OK) return e;
    MDB_val key = val(mark_key), value;
    e = error_of(mdb_get(reader->txn, r->meta, &key, &value));
    if (e == OK) {
        e = mark_parse(str_of_val(&value), out);
    } else if (e == ERR_NOT_FOUND) {
        *out = (struct rows_mark){ 0 };
        e = OK;
    }
    rows_reader_end(&reader);
    return e;
}

/* ---- reading ---- */

static struct rows_reader *spare_take(struct rows_db *r)
{
    pthread_mutex_lock(&r->lock);
    struct rows_reader *reader = r->spare;
    if (reader != NULL) {
        r->spare = reader->next;
        r->spare_count--;
    }
    pthread_mutex_unlock(&r->lock);
    return reader;
}

enum err rows_reader_begin(struct rows_db *r, struct rows_reader **out)
{
    struct rows_reader *reader = spare_take(r);
    int code;
    if (reader != NULL) {
        code = mdb_txn_renew(reader->txn);
        if (code != 0) mdb_txn_abort(reader->txn);
    } else {
        reader = calloc(1, sizeof *reader);
        must(reader != NULL);
        reader->db = r;
        code = mdb_txn_begin(r->env, NULL, MDB_RDONLY, &reader->txn);
    }
    if (code != 0) {
        free(reader);
        return error_of(code);
    }
    *out = reader;
    return OK;
}

void rows_reader_end(struct rows_reader **reader)
{
    struct rows_reader *old = *reader;
    if (old == NULL) return;
    *reader = NULL;
    struct rows_db *r = old->db;
    mdb_txn_reset(old->txn);
    pthread_mutex_lock(&r->lock);
    bool keep = r->spare_count < SPARE_READERS_MAX;
    if (keep) {
        old->next = r->spare;
        r->spare = old;
        r->spare_count++;
    }
    pthread_mutex_unlock(&r->lock);
    if (keep) return;
    mdb_txn_abort(old->txn);
    free(old);
}

static enum err base_get(void *base, enum table table, struct str key, struct str *value_out)
{
    struct rows_reader *reader = base;
    if (key.n == 0 || key.n > ENGINE_KEY_MAX) return ERR_NOT_FOUND;
    MDB_val k = val(key), v;
    enum err e = error_of(mdb_get(reader->txn, reader->db->tables[table], &k, &v));
    if (e == OK) *value_out = str_of_val(&v);
    return e;
}

static enum err base_open(void *base, enum table table, struct base_cursor **c_out)
{
    struct rows_reader *reader = base;
    struct base_cursor *c = calloc(1, sizeof *c);
    must(c != NULL);
    int code = mdb_cursor_open(reader->txn, reader->db->tables[table], &c->c);
    if (code != 0) {
        free(c);
        return error_of(code);
    }
    *c_out = c;
    return OK;
}

static enum err move(struct base_cursor *c, MDB_val *key, MDB_cursor_op op, struct row *row_out)
{
    MDB_val value;
    enum err e = error_of(mdb_cursor_get(c->c, key, &value, op));
    if (e == OK) *row_out = (struct row){ str_of_val(key), str_of_val(&value) };
    return e;
}

/* A bound may be longer than any key: cut to the longest key, it is still right going up if the
 * rows that equal the cut bound are stepped over, which are below the whole one. */
static enum err seek_up(struct base_cursor *c, struct str from, struct row *row_out)
{
    MDB_val key = val(str_part(from, 0, ENGINE_KEY_MAX));
    enum err e = move(c, &key, from.n > 0 ? MDB_SET_RANGE : MDB_FIRST, row_out);
    if (e == OK && from.n > ENGINE_KEY_MAX && str_cmp(row_out->key, from) < 0)
        e = move(c, &key, MDB_NEXT, row_out);
    return e;
}

static enum err base_seek(struct base_cursor *c, enum range_order order, struct str key,
                          struct row *row_out)
{
    MDB_val k;
    if (order == RANGE_UP) return seek_up(c, key, row_out);
    if (key.n == 0) return move(c, &k, MDB_LAST, row_out);
    enum err e = seek_up(c, key, row_out);
    if (e == ERR_NOT_FOUND) return move(c, &k, MDB_LAST, row_out);
    return e == OK ? move(c, &k, MDB_PREV, row_out) : e;
}

static enum err base_step(struct base_cursor *c, enum range_order order, struct row *row_out)
{
    MDB_val k;
    return move(c, &k, order == RANGE_UP ? MDB_NEXT : MDB_PREV, row_out);
}

static void base_close(struct base_cursor *c)
{
    mdb_cursor_close(c->c);
    free(c);
}

const struct base_ops rows_base_ops = {
    .get = base_get,
    .open = base_open,
    .seek = base_seek,
    .step = base_step,
    .close = base_close,
};

/* ---- writing ---- */

enum err rows_reserve(struct rows_db *r, uint64_t bytes)
{
    MDB_envinfo info;
    MDB_stat stat;
    mdb_env_info(r->env, &info);
    mdb_env_stat(r->env, &stat);
    uint64_t end = (info.me_last_pgno + 1) * stat.ms_psize;
    if (os->fallocate(r->fd, 0, (off_t)end, (off_t)bytes) == 0) return OK;
    enum err e = os_error();
    return e == ERR_FULL || e == ERR_IO ? e : OK;
}

static int put_one(struct rows_db *r, MDB_txn *txn, enum table table, const struct mem_found *row)
{
    MDB_val key = val(row->key), value = val(row->value);
    if (!row->gone) return mdb_put(txn, r->tables[table], &key, &value, 0);
    int code = mdb_del(txn, r->tables[table], &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int put_table(struct rows_db *r, MDB_txn *txn, const struct memtable *m, enum table table,
                     uint64_t *bytes)
{
    int code = 0;
    const struct mem_node *n = memtable_first(m, table, STR_NONE);
    for (; code == 0 && n != NULL; n = memtable_next(n)) {
        struct mem_found row;
        if (!memtable_at(n, MEMTABLE_NEWEST, &row)) continue;
        code = put_one(r, txn, table, &row);
        *bytes += row.key.n + row.value.n;
    }
    return code;
}

static int put_all(struct rows_db *r, MDB_txn *txn, const struct memtable *m,
                   const struct rows_extra *extra, size_t extra_count, uint64_t *bytes)
{
    int code = 0;
    for (enum table table = 0; code == 0 && table < TABLE_COUNT; table++) {
        code = put_table(r, txn, m, table, bytes);
    }
    for (size_t i = 0; code == 0 && i < extra_count; i++) {
        const struct mem_found row = { .gone = extra[i].gone,
                                       .key = str_of(extra[i].key, sizeof extra[i].key),
                                       .value = str_of(extra[i].value, sizeof extra[i].value) };
        code = put_one(r, txn, extra[i].table, &row);
    }
    return code;
}

enum err rows_commit(struct rows_db *r, const struct memtable *m, const struct rows_extra *extra,
                     size_t extra_count, const struct rows_mark *mark, uint64_t *bytes_out)
{
    MDB_txn *txn;
    uint64_t bytes = 0;
    int code = mdb_txn_begin(r->env, NULL, 0, &txn);
    if (code != 0) return error_of(code);
    code = put_all(r, txn, m, extra, extra_count, &bytes);
    if (code == 0) code = mark_put(r, txn, mark);
    if (code != 0) {
        mdb_txn_abort(txn);
        return error_of(code);
    }
    code = mdb_txn_commit(txn);
    if (code == 0) *bytes_out = bytes;
    return error_of(code);
}

enum err rows_sync(struct rows_db *r)
{
    return error_of(mdb_env_sync(r->env, 1));
}

enum err rows_copy(struct rows_db *r, int fd)
{
    return error_of(mdb_env_copyfd(r->env, fd));
}
