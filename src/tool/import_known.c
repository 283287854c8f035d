/* What the mailbox had before the import: a map from date and size to the UIDs that have them. Only
 * where both are the same, bytes are fetched and compared by their digest. */
#include "tool/import.h"

#include "base/map.h"
#include "base/must.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { KNOWN_MAX = 100 * 1000 * 1000, DIGEST_BYTES = 32, READ_BYTES = 1024 * 1024 };

struct known {
    struct known *next; /* with the same key */
    uint32_t uid;
    bool matched;
};

struct import_known {
    struct map map;
    struct arena arena;
};

struct key {
    int64_t received_s;
    uint64_t bytes;
};

static struct key key_of(int64_t received_us, uint64_t bytes)
{
    int64_t s = received_us / 1000000 - (received_us % 1000000 < 0);
    return (struct key){ s, bytes };
}

static void add(struct import_known *k, const struct message_info *m)
{
    struct key key = key_of(m->received_us, m->bytes);
    struct str bytes = str_of(&key, sizeof key);
    struct known *x = ARENA_NEW(&k->arena, struct known), *first = map_get(&k->map, bytes);
    *x = (struct known){ .uid = m->uid };
    if (first != NULL) {
        x->next = first->next; /* the first one keeps its place in the map */
        first->next = x;
    } else {
        enum err e = map_put(&k->map, bytes, x);
        must(e == OK);
    }
}

static enum err read_page(struct import *im, struct import_known *k, uint32_t *after, bool *more)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(VERB_SMALL);
    struct str reply;
    struct export_page_rep rep;
    struct export_page_req in = { .account = im->account,
                                  .mailbox = im->mailbox.id,
                                  .after_uid = *after };
    export_page_req_put(&b, &in);
    enum err e = command_ask(im->command, VERB_export_page, &b, &a, &reply);
    if (e == OK) e = export_page_rep_get(reply, &a, &rep);
    for (size_t i = 0; e == OK && i < rep.messages_count; i++) {
        add(k, &rep.messages[i]);
        *after = rep.messages[i].uid;
    }
    if (e == OK) *more = rep.more;
    buf_free(&b);
    arena_free(&a);
    return e;
}

enum err import_known_read(struct import *im, struct import_known **known_out)
{
    uint32_t after = 0;
    bool more = true;
    enum err e = OK;
    *known_out = NULL;
    if (im->mailbox.messages == 0) return OK;
    struct import_known *k = calloc(1, sizeof *k);
    must(k != NULL);
    k->map = (struct map)MAP_INIT(KNOWN_MAX);
    k->arena = (struct arena)ARENA_INIT(SIZE_MAX);
    while (e == OK && more) {
        e = read_page(im, k, &after, &more);
    }
    *known_out = k;
    return e;
}

/* Digest of a message of the mailbox. */
static enum err digest_of(struct import *im, uint32_t uid, unsigned char *digest)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    must(md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    enum err e = OK;
    size_t n = 1;
    for (uint64_t at = 0; e == OK && n > 0; at += n) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(VERB_SMALL);
        struct str reply;
        struct bytes_rep rep;
        struct export_read_req in = { .account = im->account,
                                      .mailbox = im->mailbox.id,
                                      .uid = uid,
                                      .offset = at,
                                      .max_bytes = READ_BYTES };
        export_read_req_put(&b, &in);
        e = command_ask(im->command, VERB_export_read, &b, &a, &reply);
        if (e == OK) e = bytes_rep_get(reply, &a, &rep);
        n = e == OK ? rep.bytes.n : 0;
        if (n > 0) must(EVP_DigestUpdate(md, rep.bytes.p, n) == 1);
        buf_free(&b);
        arena_free(&a);
        if (n < READ_BYTES) break;
    }
    must(EVP_DigestFinal_ex(md, digest, NULL) == 1);
    EVP_MD_CTX_free(md);
    return e;
}

enum err import_known_match(struct import *im, int64_t received_us, uint64_t bytes,
                            struct str digest, bool *match_out)
{
    struct key key = key_of(received_us, bytes);
    *match_out = false;
    if (im->known == NULL) return OK;
    for (struct known *k = map_get(&im->known->map, str_of(&key, sizeof key)); k != NULL;
         k = k->next) {
        unsigned char have[DIGEST_BYTES];
        if (k->matched) continue;
        enum err e = digest_of(im, k->uid, have);
        if (e == ERR_NOT_FOUND || e == ERR_CORRUPT) continue; /* expunged, or worth another copy */
        if (e != OK) return e;
        if (!str_eq(str_of(have, sizeof have), digest)) continue;
        k->matched = true;
        *match_out = true;
        return OK;
    }
    return OK;
}

void import_known_free(struct import_known **known)
{
    if (*known == NULL) return;
    map_free(&(*known)->map);
    arena_free(&(*known)->arena);
    free(*known);
    *known = NULL;
}
