#include "agent/auth/recall.h"
#include "agent/auth/secret.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

PARAM(auth_recall_ms, TIME_MS, 0, 3600000, 300000,
      "how long a verified password is recognised without verifying it again; 0: never")
PARAM(auth_recall_max, COUNT, 1, 1000000, 10000, "how many verified passwords are remembered")

enum { TAG_BYTES = 32, RECALL_CEILING = 1000000 };

struct mark {
    struct list by_age;
    unsigned char tag[TAG_BYTES];
    int64_t until_ms;
};

void recall_init(struct recall *r)
{
    r->marks = (struct map)MAP_INIT(RECALL_CEILING);
    list_init(&r->by_age);
    rand_bytes(r->key, sizeof r->key);
}

static void drop(struct recall *r, struct mark *m)
{
    map_del(&r->marks, str_of(m->tag, TAG_BYTES));
    list_take(&m->by_age);
    free(m);
}

void recall_free(struct recall *r)
{
    LIST_EACH(at, &r->by_age)
    {
        drop(r, LIST_OWNER(at, struct mark, by_age));
    }
    map_free(&r->marks);
    secret_wipe(r->key, sizeof r->key);
}

/* The hash comes first and has no NUL, so that no two pairs make the same text. */
static void make_tag(const struct recall *r, struct str hash, struct str password,
                     unsigned char tag[TAG_BYTES])
{
    struct buf text = BUF_INIT(65536);
    unsigned n = 0;
    must(buf_reserve(&text, hash.n + 1 + password.n) != NULL);
    buf_put(&text, hash);
    buf_put_byte(&text, '\0');
    buf_put(&text, password);
    must(HMAC(EVP_sha256(), r->key, sizeof r->key, (const unsigned char *)text.p, text.n, tag,
              &n) != NULL &&
         n == TAG_BYTES);
    secret_buf_free(&text);
}

bool recall_has(struct recall *r, struct str hash, struct str password)
{
    unsigned char tag[TAG_BYTES];
    if (auth_recall_ms == 0 || r->marks.members == 0) return false;
    make_tag(r, hash, password, tag);
    struct mark *m = map_get(&r->marks, str_of(tag, TAG_BYTES));
    if (m == NULL) return false;
    if (m->until_ms > clock_now()) return true;
    drop(r, m);
    return false;
}

void recall_put(struct recall *r, struct str hash, struct str password)
{
    if (auth_recall_ms == 0) return;
    struct mark *m = calloc(1, sizeof *m);
    must(m != NULL);
    make_tag(r, hash, password, m->tag);
    struct mark *old = map_get(&r->marks, str_of(m->tag, TAG_BYTES));
    if (old != NULL) drop(r, old);
    while (r->marks.members >= (size_t)auth_recall_max) {
        drop(r, LIST_OWNER(r->by_age.next, struct mark, by_age));
    }
    m->until_ms = clock_deadline(auth_recall_ms);
    list_init(&m->by_age);
    list_put(&r->by_age, &m->by_age);
    must(map_put(&r->marks, str_of(m->tag, TAG_BYTES), m) == OK);
}
