/* Repeated intakes: a client that lost our last reply sends the message again (RFC 1047). What was
 * taken in within the window is known by its digest and is answered with the earlier message. */
#ifndef MAIL_REPEAT_H
#define MAIL_REPEAT_H

#include "mail/row.h"

/* The earlier message of this digest (KEY_DIGEST_BYTES) within the window before `now_us`.
 * ERR_NOT_FOUND. */
enum err repeat_find(struct txn *t, struct str digest, int64_t now_us, uint64_t *message_out);
enum err repeat_put(struct txn *t, struct str digest, int64_t now_us, uint64_t message);

/* Whether anything is older than the window; remove a slice of that. */
enum err repeat_is_old(struct txn *t, int64_t now_us, bool *old_out);
enum err repeat_expire(struct txn *t, int64_t now_us, size_t max_rows, bool *more_out);

#endif
