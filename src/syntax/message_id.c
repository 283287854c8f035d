#include "syntax/message_id.h"

bool message_id_next(struct scan *s, struct str *id_out)
{
    for (int c; (c = scan_get(s)) >= 0;) {
        if (c != '<') continue;
        struct str id = { .p = s->left.p };
        while (byte_is((char)(scan_peek(s) > 0 ? scan_peek(s) : 0), BYTE_VCHAR | BYTE_HIGH) &&
               scan_peek(s) != '<' && scan_peek(s) != '>') {
            scan_get(s);
            id.n++;
        }
        if (id.n > 0 && id.n <= MESSAGE_ID_MAX && scan_byte(s, '>')) {
            *id_out = id;
            return true;
        }
    }
    return false;
}

bool message_id_is_sound(struct str value)
{
    struct scan s = scan_of(str_trim(value));
    struct str id;
    return scan_peek(&s) == '<' && message_id_next(&s, &id) && s.left.n == 0 &&
           id.n + 2 == str_trim(value).n && str_find(id, '@') != STR_NOWHERE && id.p[0] != '@' &&
           !str_ends(id, STR("@"));
}
