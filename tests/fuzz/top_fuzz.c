/* POP3 TOP and message identifiers: what is cut out is a beginning of the message, the same for all
 * chunkings, and agrees with the head as the header walk sees it. */
#include "base/must.h"
#include "syntax/header.h"
#include "syntax/message_id.h"
#include "syntax/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t top_bytes(struct str message, uint32_t lines, size_t chunk, bool *done_out)
{
    struct top t = top_of(lines);
    size_t n = 0;
    for (; message.n > 0 && !t.done; message = str_skip(message, chunk)) {
        struct str piece = str_part(message, 0, chunk), wanted = top_take(&t, piece);
        must(wanted.n == piece.n || t.done);
        n += wanted.n;
    }
    *done_out = t.done;
    return n;
}

static void check_ids(struct str value)
{
    struct scan s = scan_of(value);
    struct str id;
    size_t n = 0;
    for (; message_id_next(&s, &id); n++) {
        must(id.n > 0 && id.n <= MESSAGE_ID_MAX && str_all(id, BYTE_VCHAR | BYTE_HIGH));
    }
    must(!message_id_is_sound(value) || n == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = str_of(data, size);
    uint32_t lines = size > 0 ? data[size - 1] % 8 : 0;
    bool whole_done, pieces_done, head_done;
    size_t whole = top_bytes(message, lines, size + 1, &whole_done);

    must(whole <= size && whole == top_bytes(message, lines, lines + 1, &pieces_done));
    must(whole_done == pieces_done);
    size_t head = top_bytes(message, 0, 5, &head_done);
    must(head_done == (header_bytes(message) != STR_NOWHERE));
    must(head == (head_done ? header_bytes(message) : size) && head <= whole);
    check_ids(message);
    return 0;
}
