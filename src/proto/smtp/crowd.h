/* The crowd: how many connections come from where, counted across all edge processes.
 *
 * Shared memory with one table of counters for each process; a process writes its own table only
 * and sums over all, so a process that dies takes its counts along. A slot is the keyed hash of an
 * address or a network; two that share a slot share a limit, which is rare (65,536 slots) and errs
 * on the side of refusing. */
#ifndef PROTO_SMTP_CROWD_H
#define PROTO_SMTP_CROWD_H

#include "sys/net.h"

struct crowd;

enum { CROWD_PROCESSES_MAX = 64 };

/* Bytes of shared memory to be made (zeroed) by whoever starts the processes. */
size_t crowd_bytes(size_t processes);

/* Map the shared memory behind `fd` (closed here) as process `index` of `processes`; its own table
 * is emptied. A negative `fd` makes a crowd of this process alone. ERR_LIMIT, ERR_INVALID. */
enum err crowd_open(int fd, size_t index, size_t processes, struct crowd **crowd_out);

enum crowd_answer { CROWD_WELCOME, CROWD_ADDRESS_FULL, CROWD_NETWORK_FULL, CROWD_TOTAL_FULL };

/* Count a connection in, unless a limit says no (smtp_connections_*). `unlimited`: only the total
 * counts. */
enum crowd_answer crowd_enter(struct crowd *c, const struct net_addr *peer, bool unlimited);

/* Count it out again; only after CROWD_WELCOME. */
void crowd_leave(struct crowd *c, const struct net_addr *peer);

void crowd_close(struct crowd **c);

#endif
