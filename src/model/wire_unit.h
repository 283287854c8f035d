/* What the tests of wire forms share: what was put comes back the same, and a form that lost its
 * end or got something behind it is refused. Tests only. */
#ifndef MODEL_WIRE_UNIT_H
#define MODEL_WIRE_UNIT_H

#include "base/unit.h"

#include "base/arena.h"
#include "base/wire.h"

/* Read `bytes`; into `again` (may be null) goes what is written from what was read. OK or
 * ERR_CORRUPT. */
typedef enum err (*unit_read)(struct str bytes, struct arena *a, struct buf *again);

static inline void unit_wire(struct str form, unit_read read)
{
    struct arena a = ARENA_INIT(0);
    struct buf again = buf_new(8 << 20), longer = buf_new(8 << 20);
    assert_int_equal(read(form, &a, &again), OK);
    assert_str(buf_str(&again), form);
    for (size_t n = 0; n < form.n; n++) {
        arena_free(&a);
        assert_int_equal(read(str_part(form, 0, n), &a, NULL), ERR_CORRUPT);
    }
    buf_put(&longer, form);
    buf_put_byte(&longer, 0);
    assert_int_equal(read(buf_str(&longer), &a, NULL), ERR_CORRUPT);
    buf_free(&longer);
    buf_free(&again);
    arena_free(&a);
}

/* A reader for a noun; with (w, out) or (w, a, out). */
#define UNIT_READ(noun, get_call)                                                                  \
    static enum err read_##noun(struct str bytes, struct arena *a, struct buf *again)              \
    {                                                                                              \
        struct wire w = wire_of(bytes);                                                            \
        struct noun x;                                                                             \
        (void)a;                                                                                   \
        get_call;                                                                                  \
        if (wire_end(&w) != OK) return ERR_CORRUPT;                                                \
        if (again != NULL) noun##_put(again, &x);                                                  \
        return OK;                                                                                 \
    }

#endif
