#include "base/unit.h"

#include "syntax/smtp_command.h"

static const struct smtp_syntax strict = { .offered = SMTP_PARAMETER_ALL };
static const struct smtp_syntax utf8 = { .offered = SMTP_PARAMETER_ALL, .utf8 = true };
static const struct smtp_syntax poor = { .offered = SMTP_PARAMETER_SIZE };
static const struct smtp_syntax mild = {
    .offered = SMTP_PARAMETER_ALL,
    .tolerate = SMTP_TOLERATE_SPACE | SMTP_TOLERATE_BRACKETS | SMTP_TOLERATE_HELLO |
                SMTP_TOLERATE_LONG_LOCAL | SMTP_TOLERATE_UNDERSCORE,
};

#define LOCAL65 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"
#define X50     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Which verb, what is wrong, and where. */
static const struct {
    const char *name;
    struct str line;
    enum smtp_verb verb;
    enum smtp_fault_kind fault;
    size_t at;
    const struct smtp_syntax *syntax; /* null: strict */
} lines[] = {
    { "EHLO", STR_INIT("EHLO mail.example.org"), SMTP_VERB_EHLO, 0 },
    { "in small letters", STR_INIT("ehlo mail.example.org"), SMTP_VERB_EHLO, 0 },
    { "HELO", STR_INIT("HELO localhost"), SMTP_VERB_HELO, 0 },
    { "LHLO with a literal", STR_INIT("LHLO [127.0.0.1]"), SMTP_VERB_LHLO, 0 },
    { "EHLO with an IPv6 literal", STR_INIT("EHLO [IPv6:::1]"), SMTP_VERB_EHLO, 0 },
    { "EHLO without a name", STR_INIT("EHLO"), SMTP_VERB_EHLO, SMTP_FAULT_ARGUMENT_MISSING, 4 },
    { "EHLO with spaces only", STR_INIT("EHLO   "), SMTP_VERB_EHLO, SMTP_FAULT_ARGUMENT_MISSING,
      4 },
    { "EHLO with two names", STR_INIT("EHLO a b"), SMTP_VERB_EHLO, SMTP_FAULT_ARGUMENT_EXTRA, 6 },
    { "EHLO with an underscore", STR_INIT("EHLO my_pc"), SMTP_VERB_EHLO, SMTP_FAULT_HELLO, 5 },
    { "EHLO with an underscore, tolerated", STR_INIT("EHLO my_pc"), SMTP_VERB_EHLO, 0, 0, &mild },
    { "EHLO with a bad literal", STR_INIT("EHLO [fe80::1]x"), SMTP_VERB_EHLO, SMTP_FAULT_HELLO, 5 },
    { "EHLO with a bad literal, tolerated", STR_INIT("EHLO [1.2.3]"), SMTP_VERB_EHLO, 0, 0, &mild },
    { "EHLO with UTF-8", STR_INIT("EHLO b\xc3\xbc.de"), SMTP_VERB_EHLO, SMTP_FAULT_NOT_ASCII, 6,
      &mild },
    { "space at the end", STR_INIT("QUIT \t "), SMTP_VERB_QUIT, 0 },
    { "QUIT with an argument", STR_INIT("QUIT now"), SMTP_VERB_QUIT, SMTP_FAULT_ARGUMENT_EXTRA, 5 },
    { "DATA", STR_INIT("DATA"), SMTP_VERB_DATA, 0 },
    { "RSET with an argument", STR_INIT("RSET x"), SMTP_VERB_RSET, SMTP_FAULT_ARGUMENT_EXTRA, 5 },
    { "STARTTLS with an argument", STR_INIT("STARTTLS x"), SMTP_VERB_STARTTLS,
      SMTP_FAULT_ARGUMENT_EXTRA, 9 },
    { "NOOP with an argument", STR_INIT("NOOP whatever this is"), SMTP_VERB_NOOP, 0 },
    { "HELP", STR_INIT("HELP mail"), SMTP_VERB_HELP, 0 },
    { "unknown", STR_INIT("FOO bar"), SMTP_VERB_UNKNOWN, SMTP_FAULT_VERB, 4 },
    { "verb and no more", STR_INIT("MAILFROM:<a@b>"), SMTP_VERB_UNKNOWN, SMTP_FAULT_VERB, 14 },
    { "empty", STR_INIT(""), SMTP_VERB_UNKNOWN, SMTP_FAULT_VERB, 0 },
    { "space at the front", STR_INIT(" QUIT"), SMTP_VERB_UNKNOWN, SMTP_FAULT_VERB, 1 },
    { "HTTP", STR_INIT("GET / HTTP/1.1"), SMTP_VERB_FOREIGN, SMTP_FAULT_VERB, 4 },
    { "HTTP POST", STR_INIT("POST /"), SMTP_VERB_FOREIGN, SMTP_FAULT_VERB, 5 },
    { "obsolete", STR_INIT("SOML FROM:<a@b>"), SMTP_VERB_SOML, 0 },
    { "NUL in an argument", STR_INIT("NOOP a\0b"), SMTP_VERB_NOOP, SMTP_FAULT_CONTROL, 6 },
    { "tab before an argument", STR_INIT("NOOP \ta"), SMTP_VERB_NOOP, SMTP_FAULT_CONTROL, 5 },
    { "line feed", STR_INIT("RCPT TO:<a@b>\nDATA"), SMTP_VERB_RCPT, SMTP_FAULT_CONTROL, 13 },
    { "carriage return", STR_INIT("RCPT TO:<a@b>\rDATA"), SMTP_VERB_RCPT, SMTP_FAULT_CONTROL, 13 },

    { "MAIL", STR_INIT("MAIL FROM:<a@b>"), SMTP_VERB_MAIL, 0 },
    { "MAIL in small letters", STR_INIT("mail from:<a@b>"), SMTP_VERB_MAIL, 0 },
    { "MAIL with the null path", STR_INIT("MAIL FROM:<>"), SMTP_VERB_MAIL, 0 },
    { "MAIL with postmaster alone", STR_INIT("MAIL FROM:<postmaster>"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER, 21 },
    { "MAIL without FROM", STR_INIT("MAIL <a@b>"), SMTP_VERB_MAIL, SMTP_FAULT_FROM, 5 },
    { "MAIL without anything", STR_INIT("MAIL"), SMTP_VERB_MAIL, SMTP_FAULT_FROM, 4 },
    { "MAIL TO", STR_INIT("MAIL TO:<a@b>"), SMTP_VERB_MAIL, SMTP_FAULT_FROM, 5 },
    { "MAIL without a path", STR_INIT("MAIL FROM:"), SMTP_VERB_MAIL, SMTP_FAULT_SENDER, 10 },
    { "MAIL with a bad domain", STR_INIT("MAIL FROM:<a@b..c>"), SMTP_VERB_MAIL, SMTP_FAULT_SENDER,
      13 },
    { "MAIL with a space", STR_INIT("MAIL FROM: <a@b>"), SMTP_VERB_MAIL, SMTP_FAULT_SPACE, 10 },
    { "MAIL with a space, tolerated", STR_INIT("MAIL FROM: <a@b>"), SMTP_VERB_MAIL, 0, 0, &mild },
    { "MAIL with a space before the colon", STR_INIT("MAIL FROM :<a@b>"), SMTP_VERB_MAIL,
      SMTP_FAULT_FROM, 5, &mild },
    { "MAIL without brackets", STR_INIT("MAIL FROM:a@b"), SMTP_VERB_MAIL, SMTP_FAULT_SENDER, 10 },
    { "MAIL without brackets, tolerated", STR_INIT("MAIL FROM:a@b SIZE=1"), SMTP_VERB_MAIL, 0, 0,
      &mild },
    { "MAIL with no path and tolerance", STR_INIT("MAIL FROM: SIZE=1"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER, 17, &mild },
    { "MAIL with a long local part", STR_INIT("MAIL FROM:<" LOCAL65 "@a>"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER, 75 },
    { "MAIL with a long local part, tolerated", STR_INIT("MAIL FROM:<" LOCAL65 "@a>"),
      SMTP_VERB_MAIL, 0, 0, &mild },
    { "MAIL with something behind the path", STR_INIT("MAIL FROM:<a@b>SIZE=1"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER, 15 },
    { "MAIL with UTF-8, declared", STR_INIT("MAIL FROM:<\xc3\xbc@b> SMTPUTF8"), SMTP_VERB_MAIL, 0 },
    { "MAIL with UTF-8, undeclared", STR_INIT("MAIL FROM:<\xc3\xbc@b>"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER_UTF8, 10 },
    { "MAIL with a U-label, undeclared", STR_INIT("MAIL FROM:<a@\xc3\xbc.de> SIZE=1"),
      SMTP_VERB_MAIL, SMTP_FAULT_SENDER_UTF8, 10 },
    { "MAIL with UTF-8, not offered", STR_INIT("MAIL FROM:<\xc3\xbc@b> SMTPUTF8"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER_UTF8, 11, &poor },
    { "MAIL with bad UTF-8", STR_INIT("MAIL FROM:<\xc3@b> SMTPUTF8"), SMTP_VERB_MAIL,
      SMTP_FAULT_SENDER, 11 },

    { "all parameters",
      STR_INIT("MAIL FROM:<a@b> SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=<> "
               "MT-PRIORITY=-3 HOLDFOR=60 BY=120;RT REQUIRETLS"),
      SMTP_VERB_MAIL, 0 },
    { "parameters in small letters", STR_INIT("MAIL FROM:<a@b> size=1 body=7bit ret=full"),
      SMTP_VERB_MAIL, 0 },
    { "parameters with many spaces", STR_INIT("MAIL FROM:<a@b>   SIZE=1   RET=FULL"),
      SMTP_VERB_MAIL, 0 },
    { "unknown parameter", STR_INIT("MAIL FROM:<a@b> SIZE=1 FOO=1"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_UNKNOWN, 23 },
    { "parameter that is not offered", STR_INIT("MAIL FROM:<a@b> RET=FULL"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_UNKNOWN, 16, &poor },
    { "parameter of RCPT at MAIL", STR_INIT("MAIL FROM:<a@b> NOTIFY=NEVER"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_UNKNOWN, 16 },
    { "parameter twice", STR_INIT("MAIL FROM:<a@b> SIZE=1 size=2"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_TWICE, 23 },
    { "parameter without a value", STR_INIT("MAIL FROM:<a@b> SIZE"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "parameter with an empty value", STR_INIT("MAIL FROM:<a@b> SIZE="), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER, 21 },
    { "parameter with a value too many", STR_INIT("MAIL FROM:<a@b> SMTPUTF8=1"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "parameter without a name", STR_INIT("MAIL FROM:<a@b> =1"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER, 17 },
    { "parameter with a hyphen first", STR_INIT("MAIL FROM:<a@b> -A=1"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER, 19 },
    { "parameter with two equal signs", STR_INIT("MAIL FROM:<a@b> SIZE=1=2"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER, 22 },
    { "SIZE with a sign", STR_INIT("MAIL FROM:<a@b> SIZE=-1"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "SIZE of 21 digits", STR_INIT("MAIL FROM:<a@b> SIZE=100000000000000000000"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "BODY of a foreign kind", STR_INIT("MAIL FROM:<a@b> BODY=9BIT"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "RET of a foreign kind", STR_INIT("MAIL FROM:<a@b> RET=BODY"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "ENVID of 100", STR_INIT("MAIL FROM:<a@b> ENVID=" X50 X50), SMTP_VERB_MAIL, 0 },
    { "ENVID of 101", STR_INIT("MAIL FROM:<a@b> ENVID=" X50 X50 "x"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "ENVID with a line break in xtext", STR_INIT("MAIL FROM:<a@b> ENVID=a+0D+0Ab"),
      SMTP_VERB_MAIL, SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "ENVID with broken xtext", STR_INIT("MAIL FROM:<a@b> ENVID=a+4"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "AUTH with UTF-8", STR_INIT("MAIL FROM:<a@b> AUTH=\xc3\xbc"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "value that is not UTF-8", STR_INIT("MAIL FROM:<a@b> AUTH=\xff"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER, 22 },
    { "MT-PRIORITY of 10", STR_INIT("MAIL FROM:<a@b> MT-PRIORITY=10"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "MT-PRIORITY of -0", STR_INIT("MAIL FROM:<a@b> MT-PRIORITY=-0"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "HOLDFOR of 0", STR_INIT("MAIL FROM:<a@b> HOLDFOR=0"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "HOLDFOR of 10 digits", STR_INIT("MAIL FROM:<a@b> HOLDFOR=1000000000"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "HOLDUNTIL of no date", STR_INIT("MAIL FROM:<a@b> HOLDUNTIL=2026-02-30T00:00:00Z"),
      SMTP_VERB_MAIL, SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "HOLDFOR and HOLDUNTIL", STR_INIT("MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-02-03T00:00:00Z"),
      SMTP_VERB_MAIL, SMTP_FAULT_PARAMETER_CONFLICT, 56 },
    { "BY in the past with return", STR_INIT("MAIL FROM:<a@b> BY=-5;R"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "BY in the past with notice", STR_INIT("MAIL FROM:<a@b> BY=-5;N"), SMTP_VERB_MAIL, 0 },
    { "BY with a plus", STR_INIT("MAIL FROM:<a@b> BY=+5;NT"), SMTP_VERB_MAIL, 0 },
    { "BY with both signs", STR_INIT("MAIL FROM:<a@b> BY=+-5;N"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },
    { "BY without a mode", STR_INIT("MAIL FROM:<a@b> BY=5"), SMTP_VERB_MAIL,
      SMTP_FAULT_PARAMETER_VALUE, 16 },

    { "RCPT", STR_INIT("RCPT TO:<a@b>"), SMTP_VERB_RCPT, 0 },
    { "RCPT with postmaster alone", STR_INIT("RCPT TO:<Postmaster>"), SMTP_VERB_RCPT, 0 },
    { "RCPT with the null path", STR_INIT("RCPT TO:<>"), SMTP_VERB_RCPT, SMTP_FAULT_RECIPIENT, 10 },
    { "RCPT FROM", STR_INIT("RCPT FROM:<a@b>"), SMTP_VERB_RCPT, SMTP_FAULT_TO, 5 },
    { "RCPT with a bad path", STR_INIT("RCPT TO:<a..b@c>"), SMTP_VERB_RCPT, SMTP_FAULT_RECIPIENT,
      11 },
    { "RCPT with UTF-8 in an ASCII transaction", STR_INIT("RCPT TO:<\xc3\xbc@b>"), SMTP_VERB_RCPT,
      SMTP_FAULT_RECIPIENT_UTF8, 9 },
    { "RCPT with UTF-8", STR_INIT("RCPT TO:<\xc3\xbc@b>"), SMTP_VERB_RCPT, 0, 0, &utf8 },
    { "RCPT with DSN", STR_INIT("RCPT TO:<a@b> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b"),
      SMTP_VERB_RCPT, 0 },
    { "NOTIFY with NEVER and another", STR_INIT("RCPT TO:<a@b> NOTIFY=NEVER,DELAY"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "NOTIFY with a comma too many", STR_INIT("RCPT TO:<a@b> NOTIFY=DELAY,"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "ORCPT without a type", STR_INIT("RCPT TO:<a@b> ORCPT=a@b"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "ORCPT without an address", STR_INIT("RCPT TO:<a@b> ORCPT=rfc822;"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "ORCPT with control bytes", STR_INIT("RCPT TO:<a@b> ORCPT=rfc822;a+00"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "ORCPT in raw UTF-8 where it may not", STR_INIT("RCPT TO:<a@b> ORCPT=utf-8;\xc3\xbc@b"),
      SMTP_VERB_RCPT, SMTP_FAULT_PARAMETER_VALUE, 14 },
    { "ORCPT in raw UTF-8", STR_INIT("RCPT TO:<a@b> ORCPT=utf-8;\xc3\xbc@b"), SMTP_VERB_RCPT, 0, 0,
      &utf8 },
    { "SIZE at RCPT", STR_INIT("RCPT TO:<a@b> SIZE=1"), SMTP_VERB_RCPT,
      SMTP_FAULT_PARAMETER_UNKNOWN, 14 },

    { "BDAT", STR_INIT("BDAT 1000"), SMTP_VERB_BDAT, 0 },
    { "BDAT LAST", STR_INIT("BDAT 0 last"), SMTP_VERB_BDAT, 0 },
    { "BDAT without a size", STR_INIT("BDAT"), SMTP_VERB_BDAT, SMTP_FAULT_ARGUMENT_MISSING, 4 },
    { "BDAT LAST without a size", STR_INIT("BDAT LAST"), SMTP_VERB_BDAT, SMTP_FAULT_CHUNK, 5 },
    { "BDAT with a sign", STR_INIT("BDAT -1"), SMTP_VERB_BDAT, SMTP_FAULT_CHUNK, 5 },
    { "BDAT beyond numbers", STR_INIT("BDAT 9223372036854775808"), SMTP_VERB_BDAT, SMTP_FAULT_CHUNK,
      5 },
    { "BDAT with a unit", STR_INIT("BDAT 10K"), SMTP_VERB_BDAT, SMTP_FAULT_CHUNK, 7 },
    { "BDAT with more behind LAST", STR_INIT("BDAT 10 LAST x"), SMTP_VERB_BDAT,
      SMTP_FAULT_ARGUMENT_EXTRA, 12 },
    { "BDAT with another word", STR_INIT("BDAT 10 FIRST"), SMTP_VERB_BDAT,
      SMTP_FAULT_ARGUMENT_EXTRA, 8 },

    { "VRFY", STR_INIT("VRFY ann"), SMTP_VERB_VRFY, 0 },
    { "VRFY without a name", STR_INIT("VRFY"), SMTP_VERB_VRFY, SMTP_FAULT_ARGUMENT_MISSING, 4 },
    { "VRFY with UTF-8", STR_INIT("VRFY \xc3\xbc"), SMTP_VERB_VRFY, SMTP_FAULT_NOT_ASCII, 5 },
    { "EXPN with UTF-8, declared", STR_INIT("EXPN \xc3\xbc smtputf8"), SMTP_VERB_EXPN, 0 },
    { "AUTH", STR_INIT("AUTH plain AGFubgBzZWNyZXQ="), SMTP_VERB_AUTH, 0 },
    { "AUTH without a mechanism", STR_INIT("AUTH"), SMTP_VERB_AUTH, SMTP_FAULT_ARGUMENT_MISSING,
      4 },
    { "AUTH with a bad mechanism", STR_INIT("AUTH PL@IN"), SMTP_VERB_AUTH, SMTP_FAULT_MECHANISM,
      5 },
    { "AUTH with three words", STR_INIT("AUTH PLAIN a b"), SMTP_VERB_AUTH, SMTP_FAULT_MECHANISM,
      5 },
    { "ETRN", STR_INIT("ETRN example.org"), SMTP_VERB_ETRN, 0 },
    { "ETRN without a name", STR_INIT("ETRN"), SMTP_VERB_ETRN, SMTP_FAULT_ARGUMENT_MISSING, 4 },
    { "XCLIENT", STR_INIT("XCLIENT ADDR=1.2.3.4"), SMTP_VERB_XCLIENT, 0 },
};

static void faults_are_named_and_placed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(lines); i++) {
        struct arena a = ARENA_INIT(0);
        struct smtp_command c;
        unit_case(lines[i].name);
        const struct smtp_syntax *syntax = lines[i].syntax != NULL ? lines[i].syntax : &strict;
        enum err e = smtp_command_parse(lines[i].line, syntax, &a, &c);
        assert_string_equal(smtp_fault_row(c.fault.kind)->words,
                            smtp_fault_row(lines[i].fault)->words);
        assert_int_equal(c.fault.kind, lines[i].fault);
        assert_int_equal(e, lines[i].fault == SMTP_FINE ? OK : ERR_SYNTAX);
        assert_int_equal(c.verb, lines[i].verb);
        assert_int_equal(c.fault.at, lines[i].at);
        arena_free(&a);
    }
}

static void mail_parameters_are_read(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct smtp_command c;
    assert_int_equal(
        smtp_command_parse(STR("MAIL FROM:<@r:A@B> SIZE=99999999999999999999 BODY=BINARYMIME "
                               "RET=HDRS ENVID=q+20r AUTH=e+3Dmc2@example.com MT-PRIORITY=-3 "
                               "HOLDUNTIL=1970-01-02T00:00:01+01:00 BY=-20;NT REQUIRETLS"),
                           &strict, &a, &c),
        OK);
    const struct smtp_mail *m = &c.mail;
    assert_str(m->from.address.local, STR("A"));
    assert_str(m->from.address.domain, STR("b"));
    assert_str(m->from.route, STR("@r"));
    assert_true(m->size_bytes == UINT64_MAX);
    assert_int_equal(m->body, SMTP_BODY_BINARYMIME);
    assert_int_equal(m->ret, SMTP_RET_HDRS);
    assert_str(m->envid, STR("q r"));
    assert_str(m->auth, STR("e=mc2@example.com"));
    assert_int_equal(m->mt_priority, -3);
    assert_int_equal(m->hold_until_s, 86400 + 1 - 3600);
    assert_int_equal(m->by_s, -20);
    assert_false(m->by_return);
    assert_true(m->by_trace);
    assert_true((m->given & SMTP_PARAMETER_REQUIRETLS) != 0);
    assert_false((m->given & SMTP_PARAMETER_SMTPUTF8) != 0);

    struct buf b = BUF_INIT(1000);
    smtp_mail_put_parameters(&b, m);
    assert_str(buf_str(&b), STR(" SIZE=18446744073709551615 BODY=BINARYMIME RET=HDRS ENVID=q+20r "
                                "AUTH=e+3Dmc2@example.com MT-PRIORITY=-3 BY=-20;NT REQUIRETLS"));
    buf_free(&b);
    arena_free(&a);
}

static void rcpt_parameters_are_read(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1000);
    struct smtp_command c;
    assert_int_equal(smtp_command_parse(STR("RCPT TO:<a@b> NOTIFY=delay,success,failure "
                                            "ORCPT=utf-8;j\\x{f6}rg\\x{2b}@b"),
                                        &strict, &a, &c),
                     OK);
    assert_int_equal(c.rcpt.notify, SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_DELAY);
    assert_str(c.rcpt.orcpt_type, STR("utf-8"));
    assert_str(c.rcpt.orcpt, STR("j\xc3\xb6rg+@b"));
    smtp_rcpt_put_parameters(&b, &c.rcpt);
    assert_str(buf_str(&b), STR(" NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=utf-8;j\\x{F6}rg\\x{2B}@b"));
    buf_clear(&b);
    assert_int_equal(smtp_command_parse(STR("RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;Bob+2B@b"),
                                        &strict, &a, &c),
                     OK);
    smtp_rcpt_put_parameters(&b, &c.rcpt);
    assert_str(buf_str(&b), STR(" NOTIFY=NEVER ORCPT=rfc822;Bob+2B@b"));
    buf_free(&b);
    arena_free(&a);
}

static void other_arguments_are_read(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct smtp_command c;
    assert_int_equal(smtp_command_parse(STR("EHLO Mail.Example.ORG"), &strict, &a, &c), OK);
    assert_int_equal(c.hello.kind, SMTP_HELLO_DOMAIN);
    assert_str(c.hello.name, STR("Mail.Example.ORG"));
    assert_str(c.hello.domain, STR("mail.example.org"));
    assert_int_equal(smtp_command_parse(STR("EHLO [IPv6:::1]"), &strict, &a, &c), OK);
    assert_int_equal(c.hello.kind, SMTP_HELLO_LITERAL);
    assert_true(ip_is_loopback(&c.hello.literal.ip));
    assert_int_equal(smtp_command_parse(STR("HELO (none)"), &mild, &a, &c), OK);
    assert_int_equal(c.hello.kind, SMTP_HELLO_ODD);
    assert_str(c.hello.domain, STR(""));
    assert_int_equal(smtp_command_parse(STR("BDAT 86 LAST"), &strict, &a, &c), OK);
    assert_int_equal(c.chunk.bytes, 86);
    assert_true(c.chunk.last);
    assert_int_equal(smtp_command_parse(STR("AUTH scram-sha-256 ="), &strict, &a, &c), OK);
    assert_str(c.auth.mechanism, STR("SCRAM-SHA-256"));
    assert_true(c.auth.has_initial);
    assert_str(c.auth.initial, STR(""));
    assert_int_equal(smtp_command_parse(STR("VRFY j\xc3\xb6rg smtputf8"), &strict, &a, &c), OK);
    assert_str(c.lookup.text, STR("j\xc3\xb6rg"));
    assert_true(c.lookup.utf8);
    assert_int_equal(smtp_command_parse(STR("NOOP  some words  "), &strict, &a, &c), OK);
    assert_str(c.arguments, STR("some words"));
    assert_str(c.word, STR("NOOP"));
    arena_free(&a);
}

static void faults_are_told(void **state)
{
    (void)state;
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1000);
    struct smtp_command c;
    assert_int_equal(smtp_command_parse(STR("MAIL FROM:<a@b> FOO=1"), &strict, &a, &c), ERR_SYNTAX);
    assert_int_equal(smtp_fault_row(c.fault.kind)->code, 555);
    smtp_fault_put(&b, &c.fault);
    assert_str(buf_str(&b), STR("parameter not recognized: FOO (at 17)"));
    buf_clear(&b);
    assert_int_equal(smtp_command_parse(STR("RCPT TO:<a..b@c>"), &strict, &a, &c), ERR_SYNTAX);
    const struct smtp_fault_row *row = smtp_fault_row(c.fault.kind);
    assert_int_equal(row->code, 501);
    assert_int_equal(row->subject, 1);
    assert_int_equal(row->detail, 3);
    smtp_fault_put(&b, &c.fault);
    assert_str(buf_str(&b), STR("bad recipient address: the part before '@' is not in the grammar "
                                "(at 12)"));
    buf_clear(&b);
    assert_int_equal(smtp_command_parse(STR("FOO \xff\x01"), &strict, &a, &c), ERR_SYNTAX);
    smtp_fault_put(&b, &c.fault);
    assert_str(buf_str(&b), STR("command not recognized"));
    for (enum smtp_verb v = 0; v < SMTP_VERB_COUNT; v++) {
        assert_true(str_c(smtp_verb_name(v)).n > 0);
    }
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_named_and_placed),
        cmocka_unit_test(mail_parameters_are_read),
        cmocka_unit_test(rcpt_parameters_are_read),
        cmocka_unit_test(other_arguments_are_read),
        cmocka_unit_test(faults_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
