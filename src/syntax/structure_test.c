#include "base/unit.h"

#include "base/clock.h"
#include "syntax/structure.h"

/* ---- a structure as text ---- */

static void put_list(struct buf *b, const char *name, const struct address_list *list)
{
    if (list->count == 0) return;
    buf_put(b, str_c(name));
    for (size_t i = 0; i < list->count; i++) {
        const struct address *at = &list->at[i];
        buf_put_byte(b, ' ');
        if (at->kind == ADDRESS_GROUP_END) {
            buf_put_byte(b, ';');
            continue;
        }
        buf_put(b, at->name);
        if (at->kind == ADDRESS_GROUP) {
            buf_put_byte(b, ':');
            continue;
        }
        buf_put_byte(b, '<');
        buf_put(b, at->route);
        address_put(b, at->local, at->domain);
        buf_put_byte(b, '>');
    }
    buf_put_byte(b, '\n');
}

static void put_text(struct buf *b, const char *name, bool has, struct str s)
{
    if (!has) return;
    buf_put(b, str_c(name));
    buf_put_byte(b, ' ');
    buf_put(b, s);
    buf_put_byte(b, '\n');
}

static void put_params(struct buf *b, const struct mime_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        buf_put_byte(b, ' ');
        buf_put(b, params->at[i].name);
        buf_put(b, params->at[i].extended ? STR("*=") : STR("="));
        buf_put(b, params->at[i].value);
    }
}

static void put_part(struct buf *b, const struct mime_part *part)
{
    const uint64_t numbers[] = { part->depth,    part->head_from,  part->body_from,
                                 part->body_end, part->body_lines, part->head_lines };
    buf_put(b, part->type);
    buf_put_byte(b, '/');
    buf_put(b, part->subtype);
    put_params(b, &part->params);
    for (size_t i = 0; i < UNIT_COUNT(numbers); i++) {
        buf_put_byte(b, i == 0 ? '|' : ',');
        buf_put_u64(b, numbers[i]);
    }
    buf_put_byte(b, '\n');
    put_text(b, "id", part->id.n > 0, part->id);
    put_text(b, "description", part->description.n > 0, part->description);
    put_text(b, "encoding", part->encoding.n > 0, part->encoding);
    put_text(b, "md5", part->md5.n > 0, part->md5);
    put_text(b, "location", part->location.n > 0, part->location);
    if (part->disposition.n > 0) {
        buf_put(b, part->disposition);
        put_params(b, &part->disposition_params);
        buf_put_byte(b, '\n');
    }
    for (size_t i = 0; i < part->language_count; i++) {
        put_text(b, "language", true, part->languages[i]);
    }
}

static void put_envelope(struct buf *b, const struct structure_envelope *e)
{
    put_text(b, "date", e->has_date, e->date);
    put_text(b, "subject", e->has_subject, e->subject);
    put_list(b, "from", &e->from);
    put_list(b, "sender", &e->sender);
    put_list(b, "reply-to", &e->reply_to);
    put_list(b, "to", &e->to);
    put_list(b, "cc", &e->cc);
    put_list(b, "bcc", &e->bcc);
    put_text(b, "in-reply-to", e->has_in_reply_to, e->in_reply_to);
    put_text(b, "message-id", e->has_message_id, e->message_id);
}

static void put_structure(struct buf *b, const struct structure *s)
{
    buf_put_u64(b, s->tree.bytes);
    buf_put_byte(b, ',');
    buf_put_u64(b, s->tree.lines);
    buf_put(b, s->tree.has_8bit ? STR(" 8bit") : STR(""));
    buf_put(b, s->tree.has_nul ? STR(" nul") : STR(""));
    buf_put(b, s->tree.broken ? STR(" broken") : STR(""));
    buf_put(b, s->truncated ? STR(" truncated") : STR(""));
    if (s->has_date) {
        buf_put_byte(b, ' ');
        date_put(b, s->date.time_s, s->date.zone_minutes);
    }
    buf_put_byte(b, '\n');
    for (size_t i = 0; i < s->reference_count; i++) {
        put_text(b, "reference", true, s->references[i]);
    }
    for (uint32_t i = 0; i < s->tree.count; i++) {
        const struct structure_envelope *e = structure_envelope_of(&s->tree.parts[i]);
        put_part(b, &s->tree.parts[i]);
        if (e != NULL) put_envelope(b, e);
    }
}

static void compute(struct arena *a, struct str message, size_t chunk, struct structure *s)
{
    struct structure_builder b;
    structure_begin(&b, a);
    for (struct str left = message; left.n > 0; left = str_skip(left, chunk)) {
        structure_feed(&b, str_part(left, 0, chunk));
    }
    structure_end(&b, s);
}

/* ---- what is kept ---- */

static const struct {
    const char *name;
    struct str message, want;
} cases[] = {
    { "an ordinary message",
      STR_INIT("Date: Sat, 21 Nov 2026 22:00:00 +0100\r\n"
               "Subject: =?utf-8?q?x?=\r\n folded\r\n"
               "From: Ann <ann@example.org>\r\nTo: bob@x, \"C, D\" <c@y>\r\nTo: third@z\r\n"
               "Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\nReferences: <a@x>\r\n <b@x> <0@x>\r\n"
               "\r\nbody\r\n"),
      STR_INIT("219,12 Sat, 21 Nov 2026 22:00:00 +0100\n"
               "reference a@x\nreference b@x\nreference 0@x\n"
               "text/plain|0,0,213,219,1,11\n"
               "date Sat, 21 Nov 2026 22:00:00 +0100\nsubject =?utf-8?q?x?= folded\n"
               "from Ann<ann@example.org>\nsender Ann<ann@example.org>\n"
               "reply-to Ann<ann@example.org>\nto <bob@x> C, D<c@y> <third@z>\n"
               "in-reply-to <0@x>\nmessage-id <1@x>\n") },
    { "nothing", STR_INIT(""), STR_INIT("0,0\ntext/plain|0,0,0,0,0,0\n") },
    { "empty fields are there",
      STR_INIT(
          "Date:\r\nSubject: \r\nFrom:\r\nTo: undisclosed-recipients:;\r\nMessage-ID:\r\n\r\n"),
      STR_INIT("70,6\ntext/plain|0,0,70,70,0,6\ndate \nsubject \nto undisclosed-recipients: ;\n"
               "message-id \n") },
    { "sender and reply-to",
      STR_INIT("From: a@x\r\nSender: b@x\r\nReply-To: c@x, d@x\r\n"
               "Cc: <@r,@s:e@x>\r\nBcc: G: f@x;\r\n\r\n"),
      STR_INIT("77,6\ntext/plain|0,0,77,77,0,6\nfrom <a@x>\nsender <b@x>\nreply-to <c@x> <d@x>\n"
               "cc <@r,@se@x>\nbcc G: <f@x> ;\n") },
    { "in-reply-to alone", STR_INIT("In-Reply-To: <a@x> <b@x>\r\nReferences: nothing\r\n\r\n"),
      STR_INIT("49,3\nreference a@x\ntext/plain|0,0,49,49,0,3\nin-reply-to <a@x> <b@x>\n") },
    { "parts with everything",
      STR_INIT(
          "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8; name*=utf-8''%C3%BC\r\n"
          "Content-ID: <i>\r\nContent-Description: d\r\nContent-MD5: m\r\n"
          "Content-Location: l\r\nContent-Language: de, en\r\n"
          "Content-Transfer-Encoding: 8bit\r\n"
          "Content-Disposition: attachment; filename=f\r\n\r\n\xc3\xbc\r\n--b\r\n"
          "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: i@x\r\n\r\nx\r\n--b--\r\n"),
      STR_INIT("376,21 8bit\nmultipart/mixed boundary=b|0,0,45,376,19,2\n"
               "text/plain charset=utf-8 name*=utf-8''%C3%BC|1,50,296,298,1,9\n"
               "id <i>\ndescription d\nencoding 8bit\nmd5 m\nlocation l\nattachment filename=f\n"
               "language de\nlanguage en\nmessage/rfc822|1,305,337,367,4,2\n"
               "text/plain|2,337,366,367,1,3\n"
               "subject inner\nfrom <i@x>\nsender <i@x>\nreply-to <i@x>\n") },
};

static void structures_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        unit_case(cases[i].name);
        for (size_t chunk = 1; chunk < 600; chunk += 37) {
            struct arena a = ARENA_INIT(0);
            struct buf b = BUF_INIT(10000), record = BUF_INIT(STRUCTURE_RECORD_MAX);
            struct structure s, again;
            compute(&a, cases[i].message, chunk, &s);
            put_structure(&b, &s);
            assert_str(buf_str(&b), cases[i].want);
            structure_encode(&s, &record);
            assert_int_equal(structure_decode(&a, buf_str(&record), &again), OK);
            buf_clear(&b);
            put_structure(&b, &again);
            assert_str(buf_str(&b), cases[i].want);
            buf_free(&b);
            buf_free(&record);
            arena_free(&a);
        }
    }
}

static void an_ordinary_record_is_small(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    compute(&a, cases[0].message, 100, &s);
    structure_encode(&s, &record);
    assert_true(record.n < 220);
    buf_free(&record);
    arena_free(&a);
}

/* ---- limits ---- */

static void check_fits(struct arena *a, struct str message, struct structure *again,
                       struct buf *record)
{
    struct structure s;
    compute(a, message, 1 << 16, &s);
    structure_encode(&s, record);
    assert_false(record->over);
    assert_true(record->n <= STRUCTURE_RECORD_MAX);
    assert_int_equal(structure_decode(a, buf_str(record), again), OK);
    assert_int_equal(again->tree.bytes, message.n);
}

static void long_lists_are_cut(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(8 << 20), record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    buf_put_lit(&b, "Subject: many\r\nFrom: ann@example.org\r\nTo: G: ");
    for (int i = 0; i < 100000; i++) {
        buf_put_lit(&b, "Somebody With A Name <somebody@example.org>,\r\n ");
    }
    buf_put_lit(&b, ";\r\nCc: last@example.org\r\n\r\n");
    int64_t from = clock_now();
    check_fits(&a, buf_str(&b), &s, &record);
    assert_true(clock_now() - from < 2000);
    const struct structure_envelope *e = structure_envelope_of(&s.tree.parts[0]);
    assert_true(s.truncated);
    assert_str(e->subject, STR("many"));
    assert_true(e->to.count > 100 && e->to.count <= STRUCTURE_ADDRESSES_MAX);
    assert_int_equal(e->to.at[0].kind, ADDRESS_GROUP);
    assert_int_equal(e->to.at[e->to.count - 1].kind, ADDRESS_GROUP_END);
    assert_str(e->to.at[e->to.count - 2].domain, STR("example.org"));
    assert_str(e->cc.at[0].local, STR("last"));
    buf_free(&b);
    buf_free(&record);
    arena_free(&a);
}

static void many_parts_are_cut_at_the_end(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(8 << 20), record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    buf_put_lit(&b, "Content-Type: multipart/mixed; boundary=b\r\nSubject: x\r\n\r\n");
    for (int i = 0; i < 9000; i++) {
        buf_put_lit(&b, "--b\r\nContent-Type: message/rfc822; name=\"a name\"\r\n\r\n"
                        "From: ann@example.org\r\nTo: bob@example.org\r\n\r\nx\r\n");
    }
    buf_put_lit(&b, "--b--\r\n");
    check_fits(&a, buf_str(&b), &s, &record);
    assert_true(s.truncated && s.tree.cut);
    assert_true(s.tree.count > 500);
    assert_true(record.n > STRUCTURE_RECORD_MAX - 200);
    assert_int_equal(s.tree.parts[0].body_end, b.n);
    buf_free(&b);
    buf_free(&record);
    arena_free(&a);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(8 << 20), record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    buf_put_lit(&b, "Subject: ");
    for (int i = 0; i < 3000; i++) {
        buf_put_lit(&b, "\xc3\xbc");
    }
    buf_put_lit(&b, "\r\nReferences:");
    for (int i = 0; i < 3000; i++) {
        buf_put_lit(&b, " <");
        buf_put_u64(&b, (uint64_t)i);
        buf_put_lit(&b, "@an.example.org>");
    }
    buf_put_lit(&b, "\r\nFrom: ");
    for (int i = 0; i < 1000; i++) {
        buf_put_lit(&b, "someone.with.a.long.name@a.long.domain.example.org, ");
    }
    buf_put_lit(&b, "\r\n\r\n");
    check_fits(&a, buf_str(&b), &s, &record);
    const struct structure_envelope *e = structure_envelope_of(&s.tree.parts[0]);
    assert_true(s.truncated);
    assert_int_equal(e->subject.n, 1000);
    assert_true(e->from.count >= 200 && e->from.at == e->sender.at);
    assert_int_equal(s.reference_count, 100);
    assert_str(s.references[0], STR("0@an.example.org"));
    assert_str(s.references[99], STR("2999@an.example.org"));
    assert_str(s.references[1], STR("2901@an.example.org"));
    buf_free(&b);
    buf_free(&record);
    arena_free(&a);
}

static void an_address_is_kept_whole_or_not_at_all(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1 << 20), record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    buf_put_lit(&b, "To: a@x, ");
    for (int i = 0; i < 2000; i++) {
        buf_put_byte(&b, 'l');
    }
    buf_put_lit(&b, "@x, b@x\r\nCc: ");
    for (int i = 0; i < 2 * STRUCTURE_FIELD_MAX / 16; i++) {
        buf_put_lit(&b, "someone@x.test, "); /* 16 bytes: the last one looked at is cut */
        if (i == 0) buf_put_lit(&b, "x@y, ");
    }
    buf_put_lit(&b, "\r\n\r\n");
    check_fits(&a, buf_str(&b), &s, &record);
    const struct structure_envelope *e = structure_envelope_of(&s.tree.parts[0]);
    assert_true(s.truncated);
    assert_int_equal(e->to.count, 2);
    assert_str(e->to.at[1].local, STR("b"));
    assert_str(e->cc.at[e->cc.count - 1].domain, STR("x.test"));
    buf_free(&b);
    buf_free(&record);
    arena_free(&a);
}

static void a_builder_may_be_given_up(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct structure_builder b;
    (void)state;
    structure_begin(&b, &a);
    structure_feed(&b, STR("Subject: x\r\nTo"));
    structure_free(&b);
    arena_free(&a);
}

/* Everything at once that a sender can make long, and a head of many megabytes. */
static void the_worst_still_fits(void **state)
{
    static const struct str fields[] = {
        STR_INIT("Date"),
        STR_INIT("Subject"),
        STR_INIT("From"),
        STR_INIT("Sender"),
        STR_INIT("Reply-To"),
        STR_INIT("To"),
        STR_INIT("Cc"),
        STR_INIT("Bcc"),
        STR_INIT("In-Reply-To"),
        STR_INIT("Message-ID"),
        STR_INIT("References"),
        STR_INIT("Content-Description"),
        STR_INIT("Content-ID"),
        STR_INIT("Content-MD5"),
        STR_INIT("Content-Location"),
        STR_INIT("Content-Language"),
        STR_INIT("Content-Transfer-Encoding"),
    };
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(9 << 20), record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct structure s;
    (void)state;
    for (size_t f = 0; f < UNIT_COUNT(fields); f++) {
        buf_put(&b, fields[f]);
        buf_put_lit(&b, ": ");
        for (int i = 0; i < 2000; i++) {
            buf_put_lit(&b,
                        "\"A long name of somebody that goes on and on and on and on and on and on"
                        " and on and on and on\"<abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
                        "yzabcdefghijklmnopqrstuvwxyz@abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqr"
                        "stuvwxyz.abcdefghijklmnopqrstuvwxyz.example>,\r\n ");
        }
        buf_put_lit(&b, "\r\n");
    }
    buf_put_lit(&b, "Content-Type: message/rfc822");
    for (int i = 0; i < 200; i++) {
        buf_put_lit(
            &b, "; some_quite_long_name_of_a_parameter=\"with a value of some length as well\"");
    }
    buf_put_lit(&b, "\r\n\r\n");
    check_fits(&a, buf_str(&b), &s, &record);
    assert_true(s.truncated);
    assert_true(s.tree.count >= 1);
    buf_free(&b);
    buf_free(&record);
    arena_free(&a);
}

/* ---- hostile records ---- */

static void damaged_records_are_refused_or_read_safely(void **state)
{
    struct buf record = BUF_INIT(STRUCTURE_RECORD_MAX);
    struct arena a = ARENA_INIT(0);
    struct structure s;
    (void)state;
    compute(&a, cases[5].message, 100, &s);
    structure_encode(&s, &record);
    for (size_t cut = 0; cut < record.n; cut++) {
        assert_int_not_equal(structure_decode(&a, str_part(buf_str(&record), 0, cut), &s), OK);
    }
    for (size_t at = 0; at < record.n; at++) {
        char kept = record.p[at];
        for (int bit = 0; bit < 8; bit++) {
            struct arena one = ARENA_INIT(0);
            record.p[at] = (char)(kept ^ (1 << bit));
            enum err e = structure_decode(&one, buf_str(&record), &s);
            assert_true(e == OK || e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
            for (uint32_t i = 0; e == OK && i < s.tree.count; i++) {
                assert_true(s.tree.parts[i].body_end <= s.tree.bytes);
            }
            arena_free(&one);
        }
        record.p[at] = kept;
    }
    record.p[0] = 2;
    assert_int_equal(structure_decode(&a, buf_str(&record), &s), ERR_UNSUPPORTED);
    record.p[0] = 0;
    assert_int_equal(structure_decode(&a, buf_str(&record), &s), ERR_CORRUPT);
    buf_free(&record);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structures_are_kept),
        cmocka_unit_test(an_ordinary_record_is_small),
        cmocka_unit_test(long_lists_are_cut),
        cmocka_unit_test(many_parts_are_cut_at_the_end),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(an_address_is_kept_whole_or_not_at_all),
        cmocka_unit_test(a_builder_may_be_given_up),
        cmocka_unit_test(the_worst_still_fits),
        cmocka_unit_test(damaged_records_are_refused_or_read_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
