/* Scores are in thousandths of a failure. Entries stand in a map by key and in a list by last use;
 * the list's head is the first to be forgotten.
 *
 * Weak points: an account under attack from many addresses refuses its owner, too, at an address
 * that he has not used within auth_throttle_known_ms; and a restart forgets who attacked. */
#include "agent/auth/throttle.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/must.h"
#include "base/param.h"
#include "syntax/ip.h"

#include <stdlib.h>

PARAM(auth_throttle_half_life_ms, TIME_MS, 1000, 86400000, 900000,
      "time in which the count of failed logins of an address or account halves")
PARAM(auth_throttle_free, COUNT, 0, 1000, 3,
      "failed logins of an account (or of a pair that logged in before) that cost no delay")
PARAM(auth_throttle_refuse, COUNT, 1, 100000, 20,
      "failed logins of an account (or of a pair that logged in before) from which on logins are "
      "refused for now")
PARAM(auth_throttle_address_free, COUNT, 0, 1000, 10,
      "failed logins from an address that cost no delay")
PARAM(auth_throttle_address_refuse, COUNT, 1, 100000, 60,
      "failed logins from an address from which on logins are refused for now")
PARAM(auth_throttle_delay_ms, TIME_MS, 0, 60000, 500,
      "first delay of a login after failed ones; each further failure doubles it")
PARAM(auth_throttle_delay_max_ms, TIME_MS, 0, 60000, 8000, "longest delay of a login")
PARAM(auth_throttle_known_ms, TIME_MS, 0, 31536000000, 2592000000,
      "how long an address from which an account has logged in is remembered as its own")
PARAM(auth_throttle_max, COUNT, 16, 1000000, 100000,
      "entries in each of the tables of addresses, accounts and pairs")

enum { UNIT = 1000, TABLE_CEILING = 1000000, KEY_MAX = 2048, HALVINGS_MAX = 40 };

struct entry {
    struct list by_use;
    int64_t score, at_ms;
    int64_t known_until_ms; /* pairs only */
    size_t key_bytes;
    char key[];
};

struct table {
    struct map map;
    struct list by_use; /* longest unused first */
};

struct throttle {
    struct table addresses, accounts, pairs;
};

static void table_init(struct table *t)
{
    t->map = (struct map)MAP_INIT(TABLE_CEILING);
    list_init(&t->by_use);
}

static struct str key_of(const struct entry *e)
{
    return str_of(e->key, e->key_bytes);
}

static void table_drop(struct table *t, struct entry *e)
{
    map_del(&t->map, key_of(e));
    list_take(&e->by_use);
    free(e);
}

static void table_free(struct table *t)
{
    LIST_EACH(at, &t->by_use)
    {
        table_drop(t, LIST_OWNER(at, struct entry, by_use));
    }
    map_free(&t->map);
}

/* Score as of now. Between two halvings it falls in a straight line. */
static int64_t score_now(const struct entry *e)
{
    int64_t half = auth_throttle_half_life_ms, elapsed = clock_now() - e->at_ms;
    if (elapsed <= 0) return e->score;
    if (elapsed / half >= HALVINGS_MAX) return 0;
    int64_t score = e->score >> (elapsed / half);
    return score - score * (elapsed % half) / (2 * half);
}

static void entry_set(struct entry *e, int64_t score)
{
    e->score = score > 0 ? score : 0;
    e->at_ms = clock_now();
}

/* To be asked for is a use, so that an attack that goes on is not forgotten while it is refused. */
static struct entry *table_find(struct table *t, struct str key)
{
    struct entry *e = map_get(&t->map, key);
    if (e != NULL) {
        list_take(&e->by_use);
        list_put(&t->by_use, &e->by_use);
    }
    return e;
}

static struct entry *table_make(struct table *t, struct str key)
{
    struct entry *e = table_find(t, key);
    if (e != NULL) return e;
    while (t->map.members >= (size_t)auth_throttle_max) {
        table_drop(t, LIST_OWNER(t->by_use.next, struct entry, by_use));
    }
    e = calloc(1, sizeof *e + key.n);
    must(e != NULL);
    e->key_bytes = key.n;
    if (key.n > 0) memcpy(e->key, key.p, key.n);
    list_init(&e->by_use);
    list_put(&t->by_use, &e->by_use);
    must(map_put(&t->map, key, e) == OK);
    entry_set(e, 0);
    return e;
}

/* --- keys --- */

struct keys {
    struct buf address, account, pair;
};

/* IPv4 whole, IPv6 by /64: that is what one customer has. */
static void address_key(struct str ip, struct buf *out)
{
    struct ip_addr addr;
    if (ip_parse(ip, &addr) != OK) {
        buf_put_lower(out, str_part(ip, 0, KEY_MAX / 4));
        return;
    }
    struct ip_net net = ip_net_around(&addr, 32, 64);
    buf_put(out, str_of(net.base.bytes, sizeof net.base.bytes));
}

static struct keys keys_make(struct str account, struct str ip)
{
    struct keys k = { BUF_INIT(KEY_MAX), BUF_INIT(KEY_MAX), BUF_INIT(KEY_MAX) };
    address_key(ip, &k.address);
    buf_put_lower(&k.account, str_part(account, 0, KEY_MAX / 4));
    buf_put_byte(&k.pair, (char)k.address.n); /* so that no two pairs make the same text */
    buf_put(&k.pair, buf_str(&k.address));
    buf_put(&k.pair, buf_str(&k.account));
    must(!k.address.over && !k.account.over && !k.pair.over);
    return k;
}

static void keys_free(struct keys *k)
{
    buf_free(&k->address);
    buf_free(&k->account);
    buf_free(&k->pair);
}

/* --- judging --- */

/* What the score after this attempt says; the severer verdict stays. */
static void judge(const struct entry *e, int64_t free_count, int64_t refuse_count, const char *why,
                  struct throttle_verdict *out)
{
    int64_t failures = e != NULL ? (score_now(e) + UNIT / 2) / UNIT : 0; /* before this one */
    if (failures >= refuse_count) {
        out->refuse = true;
        out->why = why;
        out->wait_ms = 0;
        return;
    }
    if (out->refuse || failures < free_count) return;
    int64_t doublings = failures - free_count;
    int64_t wait_ms =
        doublings > 20 ? auth_throttle_delay_max_ms : auth_throttle_delay_ms << doublings;
    if (wait_ms > auth_throttle_delay_max_ms) wait_ms = auth_throttle_delay_max_ms;
    if (wait_ms <= out->wait_ms) return;
    out->wait_ms = wait_ms;
    out->why = why;
}

/* The pair's entry if it has logged in lately. */
static struct entry *known_pair(struct throttle *t, const struct keys *k)
{
    struct entry *e = table_find(&t->pairs, buf_str(&k->pair));
    return e != NULL && e->known_until_ms > clock_now() ? e : NULL;
}

static void charge(struct table *t, struct str key, int64_t by)
{
    /* Giving back to an entry that was forgotten meanwhile makes no new one. */
    struct entry *e = by > 0 ? table_make(t, key) : table_find(t, key);
    if (e != NULL) entry_set(e, score_now(e) + by);
}

void throttle_begin(struct throttle *t, struct str account, struct str ip,
                    struct throttle_verdict *out)
{
    struct keys k = keys_make(account, ip);
    struct entry *pair = known_pair(t, &k);

    *out = (struct throttle_verdict){ .pair = pair != NULL };
    if (pair != NULL) {
        judge(pair, auth_throttle_free, auth_throttle_refuse, "pair", out);
        if (!out->refuse) charge(&t->pairs, buf_str(&k.pair), UNIT);
    } else {
        judge(table_find(&t->addresses, buf_str(&k.address)), auth_throttle_address_free,
              auth_throttle_address_refuse, "address", out);
        judge(table_find(&t->accounts, buf_str(&k.account)), auth_throttle_free,
              auth_throttle_refuse, "account", out);
        if (!out->refuse) charge(&t->accounts, buf_str(&k.account), UNIT);
    }
    if (!out->refuse) charge(&t->addresses, buf_str(&k.address), UNIT);
    keys_free(&k);
}

void throttle_end(struct throttle *t, struct str account, struct str ip,
                  const struct throttle_verdict *verdict, enum throttle_end how)
{
    must(!verdict->refuse);
    if (how == THROTTLE_BAD) return; /* counted already */
    struct keys k = keys_make(account, ip);

    charge(&t->addresses, buf_str(&k.address), -UNIT);
    charge(verdict->pair ? &t->pairs : &t->accounts, buf_str(verdict->pair ? &k.pair : &k.account),
           -UNIT);
    if (how == THROTTLE_GOOD) {
        struct entry *pair = table_make(&t->pairs, buf_str(&k.pair));
        entry_set(pair, 0);
        pair->known_until_ms = clock_deadline(auth_throttle_known_ms);
    }
    keys_free(&k);
}

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    must(t != NULL);
    table_init(&t->addresses);
    table_init(&t->accounts);
    table_init(&t->pairs);
    return t;
}

void throttle_free(struct throttle **t)
{
    if (*t == NULL) return;
    table_free(&(*t)->addresses);
    table_free(&(*t)->accounts);
    table_free(&(*t)->pairs);
    free(*t);
    *t = NULL;
}

void throttle_sizes(const struct throttle *t, size_t *addresses_out, size_t *accounts_out,
                    size_t *pairs_out)
{
    *addresses_out = t->addresses.map.members;
    *accounts_out = t->accounts.map.members;
    *pairs_out = t->pairs.map.members;
}
