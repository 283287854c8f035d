/* As a file: where it is cut into pieces makes no difference. As a text: through the writer and the
 * reader it comes back byte for byte, unless the writer says that it will not. */
#include "base/must.h"
#include "syntax/mbox.h"

enum { ROOM = 1 << 22 };

/* Messages one after the other, '\001' and the From_ line before each. */
static void read_all(struct str file, size_t piece_bytes, struct buf *out)
{
    struct mbox_reader r;
    enum mbox_event event = MBOX_MORE;
    mbox_reader_init(&r);
    for (bool end = false; !end || event == MBOX_BEGIN;) {
        struct str piece = str_part(file, 0, piece_bytes);
        file = str_skip(file, piece.n);
        end = piece.n == 0;
        do {
            struct buf text = BUF_INIT(mbox_text_room(piece.n));
            event = end ? mbox_finish(&r, &text) : mbox_next(&r, &piece, &text);
            must(buf_check(&text) == OK && (event == MBOX_BEGIN || piece.n == 0));
            buf_put(out, buf_str(&text));
            buf_free(&text);
            if (event != MBOX_BEGIN) continue;
            buf_put_byte(out, 1);
            buf_put(out, buf_str(&r.from));
        } while (event == MBOX_BEGIN);
    }
    mbox_reader_free(&r);
}

static void round_trip(struct str text, size_t piece_bytes)
{
    struct buf file = BUF_INIT(ROOM), out = BUF_INIT(ROOM);
    struct mbox_writer w = { 0 };
    mbox_put_from(&file, STR("a@b"), 0);
    static const struct str from = STR_INIT("From a@b Thu Jan  1 00:00:00 1970");
    struct str left = text;
    while (left.n > 0) {
        mbox_put_text(&w, str_part(left, 0, piece_bytes), &file);
        left = str_skip(left, piece_bytes);
    }
    mbox_put_end(&w, &file);
    mbox_put_from(&file, STR("a@b"), 0);
    read_all(buf_str(&file), piece_bytes, &out);
    if (!w.altered) {
        size_t head = from.n + 1;
        must(out.n == 2 * head + text.n);
        must(str_eq(str_part(buf_str(&out), 1, from.n), from));
        must(str_eq(str_part(buf_str(&out), head, text.n), text));
        must(str_eq(str_skip(buf_str(&out), head + text.n + 1), from));
    }
    buf_free(&file);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct buf whole = BUF_INIT(ROOM), cut = BUF_INIT(ROOM);
    struct arena a = ARENA_INIT(0);
    struct mbox_meta meta;
    struct mbox_range *drops;
    size_t n, at = 0, piece_bytes = size > 0 ? 1 + data[0] % 19 : 1;
    if (size > 1 << 18) return 0;
    read_all(in, size + 1, &whole);
    read_all(in, piece_bytes, &cut);
    must(str_eq(buf_str(&whole), buf_str(&cut)));
    round_trip(in, piece_bytes);
    mbox_meta_take(&a, in, &meta, &drops, &n);
    for (size_t i = 0; i < n; i++) {
        must(drops[i].from >= at && drops[i].end > drops[i].from && drops[i].end <= size);
        at = drops[i].end;
    }
    buf_free(&whole);
    buf_free(&cut);
    arena_free(&a);
    return 0;
}
