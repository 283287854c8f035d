#include "base/unit.h"

#include "syntax/header.h"
#include "syntax/trace.h"

#define FULL_HEAD                                                                                  \
    "Received: from mail.example.net (mail.example.net [192.0.2.1])\r\n\tby mx.example.org"
#define DATE ";\r\n\tSat, 21 Nov 2026 22:00:00 +0000\r\n"

static const struct {
    const char *name;
    struct trace trace;
    struct str want;
} cases[] = {
    { "everything",
      { .protocol = TRACE_ESMTP,
        .tls = true,
        .auth = true,
        .helo = STR_INIT("mail.example.net"),
        .client_name = STR_INIT("mail.example.net"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx.example.org"),
        .id = STR_INIT("00000000000081c2"),
        .tls_cipher = STR_INIT("TLS_AES_256_GCM_SHA384"),
        .tls_version = STR_INIT("TLSv1.3"),
        .recipient = STR_INIT("ann@example.org"),
        .time_s = 1795298400 },
      STR_INIT(FULL_HEAD " with ESMTPSA id 00000000000081c2\r\n"
                         "\tfor <ann@example.org> tls TLS_AES_256_GCM_SHA384 (TLSv1.3)" DATE) },
    { "no reverse name",
      { .protocol = TRACE_SMTP,
        .helo = STR_INIT("x"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT("Received: from x ([192.0.2.1])\r\n\tby mx with SMTP" DATE) },
    { "IPv6",
      { .protocol = TRACE_LMTP,
        .helo = STR_INIT("[IPv6:2001:db8::1]"),
        .client_ip = STR_INIT("2001:db8::1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT(
          "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n\tby mx with LMTP" DATE) },
    { "handed over on this machine",
      { .protocol = TRACE_LOCAL, .by = STR_INIT("mx"), .id = STR_INIT("01"), .time_s = 1795298400 },
      STR_INIT("Received: by mx id 01" DATE) },
    { "a HELO that would add a header",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("x\r\nBcc: y"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT(
          "Received: from [192.0.2.1] (HELO x??Bcc: y) ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
    { "a HELO that would end the comment",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("a) by b; \\"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT("Received: from [192.0.2.1] (HELO a? by b? ?) ([192.0.2.1])\r\n\tby mx with "
               "ESMTP" DATE) },
    { "an 8-bit HELO",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("m\xc3\xbc"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT("Received: from [192.0.2.1] (HELO m?\?) ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
    { "an 8-bit HELO where UTF-8 is agreed",
      { .protocol = TRACE_ESMTP,
        .utf8 = true,
        .helo = STR_INIT("m\xc3\xbc"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT("Received: from m\xc3\xbc ([192.0.2.1])\r\n\tby mx with UTF8SMTP" DATE) },
    { "no HELO",
      { .protocol = TRACE_ESMTP,
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .time_s = 1795298400 },
      STR_INIT("Received: from [192.0.2.1] ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
    { "a recipient in quotes",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("x"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .recipient = STR_INIT("\"a > \\\"b\"@example.org"),
        .time_s = 1795298400 },
      STR_INIT("Received: from x ([192.0.2.1])\r\n\tby mx with ESMTP for <\"a > "
               "\\\"b\"@example.org>" DATE) },
    { "a recipient that would end the path is left out",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("x"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .recipient = STR_INIT("a> (b"),
        .time_s = 1795298400 },
      STR_INIT("Received: from x ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
    { "a recipient with an open quote is left out",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("x"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .recipient = STR_INIT("\"a\\"),
        .time_s = 1795298400 },
      STR_INIT("Received: from x ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
    { "a recipient with NUL is left out",
      { .protocol = TRACE_ESMTP,
        .helo = STR_INIT("x"),
        .client_ip = STR_INIT("192.0.2.1"),
        .by = STR_INIT("mx"),
        .recipient = STR_INIT("\"\\\0\"@x"),
        .time_s = 1795298400 },
      STR_INIT("Received: from x ([192.0.2.1])\r\n\tby mx with ESMTP" DATE) },
};

static void received_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cases); i++) {
        struct buf b = BUF_INIT(4096);
        unit_case(cases[i].name);
        trace_put_received(&b, &cases[i].trace);
        assert_int_equal(buf_check(&b), OK);
        assert_str(buf_str(&b), cases[i].want);
        buf_free(&b);
    }
}

static void long_values_are_folded_between_words(void **state)
{
    char name[255];
    struct trace t = { .protocol = TRACE_ESMTP,
                       .tls = true,
                       .by = STR("mx.example.org"),
                       .client_ip = STR("192.0.2.1"),
                       .id = STR("0123456789abcdef"),
                       .tls_cipher = STR("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
                       .tls_version = STR("TLSv1.2"),
                       .time_s = 1795298400 };
    (void)state;
    memset(name, 'a', sizeof name);
    for (size_t n = 1; n <= sizeof name; n++) {
        struct buf b = BUF_INIT(4096);
        struct str left, line;
        t.helo = t.client_name = t.recipient = str_of(name, n);
        trace_put_received(&b, &t);
        assert_int_equal(buf_check(&b), OK);
        assert_int_equal(trace_hops(buf_str(&b)), 1);
        for (left = buf_str(&b); str_cut(&left, '\n', &line);) {
            size_t columns = line.n - 1 + (line.p[0] == '\t' ? 7 : 0);
            assert_true(columns < 78 || (n > 20 && columns < 300));
            assert_true(str_ends(line, STR("\r")));
        }
        buf_free(&b);
    }
}

static void protocols_have_their_names(void **state)
{
    static const struct {
        struct trace t;
        struct str want;
    } names[] = {
        { { .protocol = TRACE_LOCAL, .tls = true }, STR_INIT("") },
        { { .protocol = TRACE_SMTP }, STR_INIT("SMTP") },
        { { .protocol = TRACE_ESMTP }, STR_INIT("ESMTP") },
        { { .protocol = TRACE_ESMTP, .auth = true }, STR_INIT("ESMTPA") },
        { { .protocol = TRACE_ESMTP, .tls = true }, STR_INIT("ESMTPS") },
        { { .protocol = TRACE_ESMTP, .tls = true, .auth = true }, STR_INIT("ESMTPSA") },
        { { .protocol = TRACE_ESMTP, .tls = true, .auth = true, .utf8 = true },
          STR_INIT("UTF8SMTPSA") },
        { { .protocol = TRACE_LMTP, .tls = true }, STR_INIT("LMTPS") },
        { { .protocol = TRACE_LMTP, .utf8 = true }, STR_INIT("UTF8LMTP") },
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(names); i++) {
        assert_str(trace_with(&names[i].t), names[i].want);
    }
}

static void prefix_lines_are_written(void **state)
{
    struct buf b = BUF_INIT(1000);
    (void)state;
    trace_put_return_path(&b, STR("ann@example.org"));
    trace_put_return_path(&b, STR_NONE);
    trace_put_delivered_to(&b, STR("bob@example.org\r\nX: y"));
    assert_str(buf_str(&b), STR("Return-Path: <ann@example.org>\r\nReturn-Path: <>\r\n"
                                "Delivered-To: bob@example.org??X: y\r\n"));
    buf_free(&b);
}

static void hops_are_counted(void **state)
{
    struct str head = STR("Received: a\r\nDelivered-To: Ann@Example.org \r\nRECEIVED: b\r\n"
                          "X-Received: c\r\n\r\nReceived: body\r\nDelivered-To: bob@x\r\n");
    (void)state;
    assert_int_equal(trace_hops(head), 2);
    assert_int_equal(trace_hops(STR("")), 0);
    assert_true(trace_was_delivered_to(head, STR("ann@example.org")));
    assert_false(trace_was_delivered_to(head, STR("bob@x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_is_written),
        cmocka_unit_test(long_values_are_folded_between_words),
        cmocka_unit_test(protocols_have_their_names),
        cmocka_unit_test(prefix_lines_are_written),
        cmocka_unit_test(hops_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
