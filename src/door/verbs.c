/* The wire forms of all verbs, made from the field lists in verbs.h. */
#include "door/verbs.h"

#include "base/must.h"

/* Lists of macros, a row a line. */
/* clang-format off */

static const struct verb_row rows[VERB_COUNT] = {
    [VERB_NONE] = { "none", 0, false, 0, 0, "" },
#define X(name, callers, account, request, reply, doc) [VERB_##name] = { #name, callers, account, request, reply, doc },
    VERB_LIST(X)
#undef X
};

const struct verb_row *verb_row(enum verb v)
{
    must(v < VERB_COUNT);
    return &rows[v];
}

/* One put and one get for each kind of field; the gets share one shape, so that the lists below can name them. */
#define PUT_BY_VALUE(kind, put)                                                                    \
    static void put_##kind(struct buf *b, const wire_t_##kind *v) { put(b, *v); }
#define PUT_BY_REF(kind)                                                                           \
    static void put_##kind(struct buf *b, const wire_t_##kind *v) { kind##_put(b, v); }
#define GET_BY_REF(kind)                                                                           \
    static void get_##kind(struct wire *w, struct arena *a, wire_t_##kind *v) { (void)a; kind##_get(w, v); }
#define GET_WITH_ARENA(kind)                                                                       \
    static void get_##kind(struct wire *w, struct arena *a, wire_t_##kind *v) { kind##_get(w, a, v); }
#define GET_BY_VALUE(kind, get)                                                                    \
    static void get_##kind(struct wire *w, struct arena *a, wire_t_##kind *v) { (void)a; *v = get(w); }

static void put_i64(struct buf *b, const int64_t *v)
{
    wire_put_u64(b, (uint64_t)*v);
}
static void get_i64(struct wire *w, struct arena *a, int64_t *v)
{
    (void)a;
    *v = (int64_t)wire_get_u64(w);
}
static void put_flag(struct buf *b, const bool *v)
{
    wire_put_u8(b, *v);
}
static void get_flag(struct wire *w, struct arena *a, bool *v)
{
    (void)a;
    *v = wire_get_u8(w) != 0;
}
PUT_BY_VALUE(str, wire_put_str)
GET_BY_VALUE(str, wire_get_str)
PUT_BY_VALUE(u8, wire_put_u8)
GET_BY_VALUE(u8, wire_get_u8)
PUT_BY_VALUE(u32, wire_put_u32)
GET_BY_VALUE(u32, wire_get_u32)
PUT_BY_VALUE(u64, wire_put_u64)
GET_BY_VALUE(u64, wire_get_u64)
PUT_BY_REF(peer)
GET_BY_REF(peer)
PUT_BY_REF(envelope)
GET_WITH_ARENA(envelope)
PUT_BY_REF(outcome)
GET_BY_REF(outcome)
PUT_BY_REF(account)
GET_BY_REF(account)
PUT_BY_REF(directory_answer)
GET_WITH_ARENA(directory_answer)
PUT_BY_REF(refusal)
GET_WITH_ARENA(refusal)
PUT_BY_REF(mailbox_info)
GET_BY_REF(mailbox_info)
PUT_BY_REF(message_info)
GET_BY_REF(message_info)
PUT_BY_REF(message_import)
GET_BY_REF(message_import)

#define F(kind, name) put_##kind(b, &v->name);
#define L(kind, name, max)                                                                         \
    must(v->name##_count <= (max));                                                                \
    wire_put_u32(b, (uint32_t)v->name##_count);                                                    \
    for (size_t i = 0; i < v->name##_count; i++) { put_##kind(b, &v->name[i]); }
#define S(name, fields)                                                                            \
    void name##_put(struct buf *b, const struct name *v) { fields }
VERB_STRUCTS(S)
#undef F
#undef L
#undef S

#define F(kind, name) get_##kind(&w, a, &out->name);
#define L(kind, name, max)                                                                         \
    out->name##_count = wire_get_u32(&w);                                                          \
    if (out->name##_count > (max)) w.bad = true;                                                   \
    if (w.bad) out->name##_count = 0;                                                              \
    out->name = ARENA_MANY(a, wire_t_##kind, out->name##_count);                                   \
    for (size_t i = 0; i < out->name##_count; i++) { get_##kind(&w, a, &out->name[i]); }
#define S(name, fields)                                                                            \
    enum err name##_get(struct str bytes, struct arena *a, struct name *out)                       \
    {                                                                                              \
        struct wire w = wire_of(bytes);                                                            \
        *out = (struct name){ 0 };                                                                 \
        fields return wire_end(&w);                                                                \
    }
VERB_STRUCTS(S)
#undef F
#undef L
#undef S
