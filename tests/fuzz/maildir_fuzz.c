/* Names of files and folders, lines of uidlist, keywords and subscriptions: what is taken can be
 * written and means the same. */
#include "base/must.h"
#include "syntax/maildir.h"
#include "syntax/mutf7.h"
#include "syntax/utf8.h"

enum { ROOM = 1 << 20 };

static void names(struct str in)
{
    struct maildir_name m, again;
    struct buf b = BUF_INIT(ROOM);
    if (maildir_name_parse(in, &m) == OK) {
        maildir_put_name(&b, m.base, m.flags, m.keywords);
        must(maildir_name_parse(buf_str(&b), &again) == OK && str_eq(m.base, again.base));
        must(m.flags == again.flags && m.keywords == again.keywords);
    }
    buf_free(&b);
}

static void folders(struct str in)
{
    struct buf mailbox = BUF_INIT(ROOM), folder = BUF_INIT(ROOM), again = BUF_INIT(ROOM);
    if (maildir_folder_parse(in, &mailbox) == OK) {
        must(utf8_valid(buf_str(&mailbox)));
        maildir_put_folder(&folder, buf_str(&mailbox));
        must(maildir_folder_parse(buf_str(&folder), &again) == OK);
        must(str_eq(buf_str(&mailbox), buf_str(&again)));
    }
    buf_free(&mailbox);
    buf_free(&folder);
    buf_free(&again);
}

static void utf7(struct str in)
{
    struct buf b = BUF_INIT(ROOM), back = BUF_INIT(ROOM);
    mutf7_put(&b, in, STR("./"));
    must(utf8_is_ascii(buf_str(&b)) && str_find(buf_str(&b), '.') == STR_NOWHERE);
    must(mutf7_decode(&back, buf_str(&b)) == OK && utf8_valid(buf_str(&back)));
    if (utf8_valid(in)) must(str_eq(buf_str(&back), in));
    buf_clear(&back);
    if (mutf7_decode(&back, in) == OK) must(utf8_valid(buf_str(&back)));
    buf_free(&b);
    buf_free(&back);
}

static void lines(struct str in)
{
    struct maildir_uidlist l = { .version = 3 };
    unsigned index, version = 1;
    uint32_t uid;
    struct str line, base, name;
    struct buf mailbox = BUF_INIT(ROOM);
    for (bool first = true; str_cut(&in, '\n', &line); first = false) {
        if (first && maildir_uidlist_parse(line, &l) != OK) l.version = 3;
        if (maildir_uid_parse(&l, line, &uid, &base) == OK) must(uid > 0 && base.n > 0);
        if (maildir_keyword_parse(line, &index, &name) == OK)
            must(index < MAILDIR_KEYWORD_MAX && name.n > 0);
        buf_clear(&mailbox);
        if (maildir_subscription_parse(line, &version, &mailbox) != OK) must(mailbox.n == 0);
    }
    buf_free(&mailbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    if (size > 1 << 15) return 0;
    names(in);
    folders(in);
    utf7(in);
    lines(in);
    return 0;
}
