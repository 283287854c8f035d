#include "proto/smtp/crowd.h"

#include "base/map.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

PARAM(smtp_connections_per_address, COUNT, 1, 1000000, 50,
      "connections that one address may have at once")
PARAM(smtp_connections_per_network, COUNT, 1, 1000000, 2000,
      "connections that one network (IPv4 /24, IPv6 /48) may have at once")
PARAM(smtp_connections_total, COUNT, 1, 10000000, 20000,
      "connections at once, of all edge processes together")

enum { SLOTS = 65536, IP4_BITS = 24, IP6_BITS = 48, IP6_HOST_BITS = 64 };

struct crowd_table {
    _Atomic uint32_t total;
    _Atomic uint16_t address[SLOTS], network[SLOTS];
};

struct crowd_shared {
    _Atomic uint64_t key; /* of the hash; set by the first to come */
    struct crowd_table tables[];
};

struct crowd {
    struct crowd_shared *shared;
    size_t processes, index, bytes;
};

size_t crowd_bytes(size_t processes)
{
    must(processes >= 1 && processes <= CROWD_PROCESSES_MAX);
    return sizeof(struct crowd_shared) + processes * sizeof(struct crowd_table);
}

enum err crowd_open(int fd, size_t index, size_t processes, struct crowd **crowd_out)
{
    if (fd >= 0 && (processes < 1 || processes > CROWD_PROCESSES_MAX || index >= processes))
        return ERR_INVALID;
    if (fd < 0) {
        index = 0;
        processes = 1;
    }
    size_t bytes = crowd_bytes(processes);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
    if (fd >= 0) close(fd);
    if (p == MAP_FAILED) return ERR_LIMIT;
    struct crowd *c = calloc(1, sizeof *c);
    must(c != NULL);
    *c = (struct crowd){ .shared = p, .processes = processes, .index = index, .bytes = bytes };
    memset(&c->shared->tables[index], 0, sizeof(struct crowd_table));
    uint64_t none = 0;
    atomic_compare_exchange_strong(&c->shared->key, &none, rand_u64() | 1);
    *crowd_out = c;
    return OK;
}

void crowd_close(struct crowd **c)
{
    if (*c == NULL) return;
    munmap((*c)->shared, (*c)->bytes);
    free(*c);
    *c = NULL;
}

static size_t slot_of(const struct crowd *c, const struct net_addr *peer, unsigned ip4_bits,
                      unsigned ip6_bits)
{
    struct net_addr net = net_network(peer, ip4_bits, ip6_bits);
    return (size_t)hash_siphash(atomic_load_explicit(&c->shared->key, memory_order_relaxed),
                                ip4_bits, str_of(net.ip, sizeof net.ip)) %
           SLOTS;
}

enum crowd_answer crowd_enter(struct crowd *c, const struct net_addr *peer, bool unlimited)
{
    uint64_t total = 0, of_address = 0, of_network = 0;
    size_t a = slot_of(c, peer, 32, IP6_HOST_BITS), n = slot_of(c, peer, IP4_BITS, IP6_BITS);
    for (size_t i = 0; i < c->processes; i++) {
        struct crowd_table *t = &c->shared->tables[i];
        total += atomic_load_explicit(&t->total, memory_order_relaxed);
        of_address += atomic_load_explicit(&t->address[a], memory_order_relaxed);
        of_network += atomic_load_explicit(&t->network[n], memory_order_relaxed);
    }
    if (total >= (uint64_t)smtp_connections_total) return CROWD_TOTAL_FULL;
    if (!unlimited && of_address >= (uint64_t)smtp_connections_per_address)
        return CROWD_ADDRESS_FULL;
    if (!unlimited && of_network >= (uint64_t)smtp_connections_per_network)
        return CROWD_NETWORK_FULL;
    struct crowd_table *mine = &c->shared->tables[c->index];
    /* Two processes may let one too many in between them; a limit of this kind does not mind. */
    atomic_fetch_add_explicit(&mine->total, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&mine->address[a], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&mine->network[n], 1, memory_order_relaxed);
    return CROWD_WELCOME;
}

void crowd_leave(struct crowd *c, const struct net_addr *peer)
{
    struct crowd_table *mine = &c->shared->tables[c->index];
    must(atomic_load_explicit(&mine->total, memory_order_relaxed) > 0);
    atomic_fetch_sub_explicit(&mine->total, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&mine->address[slot_of(c, peer, 32, IP6_HOST_BITS)], 1,
                              memory_order_relaxed);
    atomic_fetch_sub_explicit(&mine->network[slot_of(c, peer, IP4_BITS, IP6_BITS)], 1,
                              memory_order_relaxed);
}
