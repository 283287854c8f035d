#include "mail/check_refs.h"
#include "mail/message.h"
#include "mail/queue.h"

void check_refs(struct str key, struct str value, void (*add)(void *, struct blob_id), void *ctx)
{
    struct key k;
    struct row row = { key, value };
    if (key_parse(key, &k) != OK) return;
    if (k.kind == KEY_MESSAGE) {
        struct message_row m;
        if (message_decode(&row, &m) == OK) add(ctx, blob_of_message(m.info.message));
    }
    if (k.kind == KEY_QUEUE_MESSAGE) add(ctx, blob_of_message(k.message));
}
