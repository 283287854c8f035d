/* Records, their parts, operations and blob rows, as if the disk were hostile: whatever the bytes,
 * no view leaves them, and what was understood can be written again as the same bytes' meaning. */
#include "base/must.h"
#include "store/embedded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct str part, struct str all)
{
    must(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

static void try_blob_row(struct str bytes)
{
    struct blob_row row;
    struct extent x;
    if (blob_row_parse(bytes, &row) != OK) return;
    while (extent_next(&row, &x)) {
        within(x.sums, bytes);
        must(x.segment == 0 || x.sums.n == part_sum_count(x.bytes) * 8);
    }
}

static void try_operations(struct str bytes)
{
    struct wire w = wire_of(bytes);
    struct redo r, again;
    while (redo_next(&w, &r)) {
        within(r.key, bytes);
        within(r.value, bytes);
        struct buf b = BUF_INIT(1 << 20);
        redo_write(&b, &r);
        struct wire back = wire_of(buf_str(&b));
        must(redo_next(&back, &again) && str_eq(r.key, again.key) && str_eq(r.value, again.value));
        must(r.table == again.table && r.gone == again.gone);
        buf_free(&b);
        if (r.table == TABLE_BLOBS && !r.gone) try_blob_row(r.value);
    }
}

static void try_parts(struct str bytes)
{
    struct parts p = parts_begin(bytes, (uint32_t)bytes.n * 16);
    struct part part;
    while (parts_next(&p, &part)) {
        within(part.sums, bytes);
        must(part.at + part.bytes <= bytes.n * 16);
    }
    if (!p.wire.bad) try_operations(p.wire.left);
}

/* The payload of a transaction's record, as recovery takes it: twice, so that blobs' rows are also
 * replaced. */
static void try_apply(struct str payload)
{
    struct layer *layer = layer_new();
    struct embedded e = { .active = layer };
    struct view view = { .mem = { layer->mem }, .mem_count = 1, .seq = MEMTABLE_NEWEST };
    struct live live = { 0 };
    for (uint64_t seq = 1; seq <= 2; seq++) {
        struct apply a = { .e = &e, .at = { 2 * seq, 4096 }, .seq = seq, .live = &live };
        enum err r = apply_count_before(&view, payload, (uint32_t)payload.n, &live);
        if (r == OK) r = apply_rows(&a, payload, (uint32_t)payload.n);
        must(r == OK || r == ERR_CORRUPT);
    }
    live_free(&live);
    layer_free(&layer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_of(data, size);
    struct record r;
    if (size >= RECORD_HEADER_BYTES) {
        uint64_t salt = 0;
        for (size_t i = 8; i < 16; i++) {
            salt = salt << 8 | data[i];
        }
        if (record_parse(bytes, salt, &r) == OK)
            must(r.payload_bytes <= RECORD_PAYLOAD_MAX && r.data_bytes <= RECORD_DATA_MAX);
    }
    try_parts(bytes);
    try_operations(bytes);
    try_blob_row(bytes);
    try_apply(bytes);
    return 0;
}
