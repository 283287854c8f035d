/* Each request and reply of each verb, from any bytes: what is read can be written and reads the
 * same again. First byte of the input: which struct. */
#include "base/must.h"
#include "door/verbs.h"

/* What is written from what was read may differ from the input (numbers have long spellings), but
 * not from what is written after another reading. */
#define F(kind, name)
#define L(kind, name, max)
#define S(name, fields)                                                                            \
    static void try_##name(struct str in)                                                          \
    {                                                                                              \
        struct arena a = ARENA_INIT(256 << 20);                                                    \
        struct name x, y;                                                                          \
        if (name##_get(in, &a, &x) == OK) {                                                        \
            struct buf b = BUF_INIT(64 << 20), c = BUF_INIT(64 << 20);                             \
            name##_put(&b, &x);                                                                    \
            must(name##_get(buf_str(&b), &a, &y) == OK);                                           \
            name##_put(&c, &y);                                                                    \
            must(str_eq(buf_str(&b), buf_str(&c)));                                                \
            buf_free(&b);                                                                          \
            buf_free(&c);                                                                          \
        }                                                                                          \
        arena_free(&a);                                                                            \
    }
VERB_STRUCTS(S)
#undef S

#define S(name, fields) try_##name,
static void (*const tries[])(struct str in) = { VERB_STRUCTS(S) };
#undef S

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    tries[data[0] % (sizeof tries / sizeof tries[0])](str_of(data + 1, size - 1));
    return 0;
}
