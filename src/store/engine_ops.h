/* What an engine has to provide behind engine.h. An engine's struct begins with `struct engine`,
 * its stages with `struct stage`. */
#ifndef STORE_ENGINE_OPS_H
#define STORE_ENGINE_OPS_H

#include "store/engine.h"

struct engine_ops {
    const char *name;
    void (*submit)(struct engine *e, struct intent *i);
    void (*refresh)(struct engine *e, struct intent *i);
    enum err (*snapshot_begin)(struct engine *e, struct txn **t_out);
    void (*snapshot_end)(struct txn *t);
    enum err (*stage_new)(struct engine *e, struct stage **s_out);
    enum err (*stage_append)(struct engine *e, struct stage *s, struct str chunk);
    enum err (*stage_read)(struct engine *e, struct stage *s, uint64_t offset, size_t max_bytes,
                           struct buf *out);
    void (*stage_drop)(struct engine *e, struct stage *s);
    enum err (*blob_put)(struct txn *t, struct blob_id id, struct str head, struct str small,
                         struct stage *stage, uint32_t references);
    enum err (*blob_count)(struct txn *t, struct blob_id id, int32_t add);
    enum err (*blob_bytes)(struct txn *t, struct blob_id id, uint64_t *bytes_out);
    enum err (*blob_read)(struct txn *t, struct blob_id id, uint64_t offset, size_t max_bytes,
                          struct buf *out);
    void (*watch_set)(struct engine *e, engine_watch f, void *ctx);
    enum err (*check)(struct engine *e, const struct engine_check *how, struct engine_report *out);
    enum err (*backup)(struct engine *e, int folder_fd);
    enum err (*compact)(struct engine *e, size_t max_bytes, bool *more_out);
    void (*work)(struct engine *e, struct engine_work *w);
    void (*stats)(struct engine *e, struct engine_stats *out);
    void (*close)(struct engine *e);
};

struct engine {
    const struct engine_ops *ops;
};

/* Each engine's stage begins with its bytes, so that engine_stage_bytes needs no engine. */
struct stage {
    uint64_t bytes;
};

/* Do what `w` says on this thread and set its result. */
void engine_work_run(struct engine *e, struct engine_work *w);

#endif
