#include "model/config_unit.h"

#include "base/wire.h"
#include "syntax/ip.h"

PARAM(test_wait_ms, TIME_MS, 10, 1000, 100, "a wait that only this test knows")
PARAM(test_size, BYTES, 1024, 1 << 20, 4096, "a size that only this test knows")
PARAM(test_switch, BOOL, 0, 1, 0, "a switch that only this test knows")

#define FULL                                                                                       \
    "host Mail.Example.org\n"                                                                      \
    "admin Ann@example.ORG\n"                                                                      \
    "store data { map 2G; reserve 1G; engine memory }\n"                                           \
    "run ./run\n"                                                                                  \
    "user postrider { edge _edge; depot _depot }\n"                                                \
    "processes { edge 3; filter cores }\n"                                                         \
    "log { to logs/mail.log; format json }\n"                                                      \
    "log { level debug }\n"                                                                        \
    "tls {\n"                                                                                      \
    "  certificate tls/a.pem key tls/a.key\n"                                                      \
    "  certificate /b.pem key \"/b key.pem\"\n"                                                    \
    "  minimum 1.3; ciphers \"ECDHE+AESGCM:!aNULL\"\n"                                             \
    "}\n"                                                                                          \
    "listen smtp 0.0.0.0:2525\n"                                                                   \
    "listen smtp [::] { proxy yes; tls require; host mx.example.org; backlog 7 }\n"                \
    "listen submission 127.0.0.1 { auth no }\n"                                                    \
    "listen submissions 0.0.0.0\n"                                                                 \
    "listen lmtp unix:/run/lmtp { mode 0600; group postfix }\n"                                    \
    "listen pop3 [::1]\n"                                                                          \
    "trust 127.0.0.0/8 ::1 unix { relay vrfy\n expn }\n"                                           \
    "trust 192.0.2.1 { proxy xclient unlimited }\n"                                                \
    "route domain old.example.org *.old.example.org queue { via [192.0.2.25]:26; strangers yes "   \
    "}\n"                                                                                          \
    "route to ann@example.org \"\\\"local\\\"@example.org\" not login * tempfail 451 4.3.0 "       \
    "\"later\"\n"                                                                                  \
    "route not client 10.0.0.0/8 unix discard\n"                                                   \
    "check client 192.0.2.0/24 refuse 554 \"go away\"\n"                                           \
    "check service smtp lmtp helo *.local \"not\" refuse\n"                                        \
    "check from <> *@spam.example tls no accept\n"                                                 \
    "limit test_wait_ms 50ms\n"                                                                    \
    "limit test_size 10K\n"                                                                        \
    "limit test_switch yes\n"                                                                      \
    "address { separator +- }\n"                                                                   \
    "auth { mechanisms PLAIN SCRAM-SHA-1; plaintext never; hash argon2id }\n"

static struct config *full(void)
{
    struct buf said = buf_new(10000);
    struct unit_file files[] = { { "/etc/p/main.conf", STR_INIT(FULL) }, { 0 } };
    struct config *c = unit_config_files(files, &said);

    if (said.n > 0) print_message("said: %.*s\n", (int)said.n, said.p);
    assert_int_equal(said.n, 0);
    buf_free(&said);
    return c;
}

/* ---- values ---- */

static void test_standard(void **state)
{
    (void)state;
    struct config *c = unit_config_good(STR("# nothing\n"));

    assert_str(c->host, STR("machine.example.net"));
    assert_str(c->admin, STR("postmaster@machine.example.net"));
    assert_str(c->store.path, STR("/var/lib/postrider"));
    assert_int_equal(c->store.engine, CONFIG_ENGINE_EMBEDDED);
    assert_int_equal(c->store.map_bytes, INT64_C(1) << 40);
    assert_int_equal(c->store.reserve_bytes, 64 << 20);
    assert_str(c->run, STR("/run/postrider"));
    assert_str(c->user[ROLE_EDGE], STR("postrider"));
    assert_int_equal(c->processes[ROLE_EDGE], 0);
    assert_int_equal(c->log.to, CONFIG_LOG_STDERR);
    assert_int_equal(c->log.format, LOG_LOGFMT);
    assert_int_equal(c->log.level, LOG_INFO);
    assert_int_equal(c->tls.certificate_count, 0);
    assert_int_equal(c->tls.minimum, CONFIG_TLS_1_2);
    assert_int_equal(c->listen_count, 2);
    assert_int_equal(c->listens[0].service, SERVICE_SMTP);
    assert_str(c->listens[0].address, STR("0.0.0.0"));
    assert_int_equal(c->listens[0].port, 25);
    assert_int_equal(c->listens[0].at.line, 0);
    assert_int_equal(c->listens[0].backlog, 4096);
    assert_str(c->listens[1].address, STR("::"));
    assert_int_equal(c->trust_count + c->route_count + c->check_count + c->limit_count, 0);
    assert_str(c->address.separators, STR("+"));
    assert_int_equal(c->auth.mechanisms, 15);
    assert_str(c->auth.default_domain, STR("machine.example.net"));
    assert_int_equal(c->auth.plaintext, CONFIG_PLAINTEXT_LOOPBACK);
    assert_int_equal(c->auth.hash, CONFIG_HASH_YESCRYPT);
    for (size_t i = 0; i < CONFIG_OPTION_MAX; i++) {
        assert_int_equal(c->set_at[i].line, 0);
    }
    config_free(&c);

    c = unit_config_good(STR("tls { certificate /a.pem key /a.key }"));
    assert_int_equal(c->listen_count, 6);
    assert_int_equal(c->listens[2].service, SERVICE_SUBMISSIONS);
    assert_int_equal(c->listens[2].port, 465);
    assert_true(c->listens[2].auth && config_listen_is_tls(&c->listens[2]));
    assert_int_equal(c->listens[5].service, SERVICE_POP3S);
    assert_str(c->listens[5].address, STR("::"));
    config_free(&c);
}

static void test_full(void **state)
{
    (void)state;
    struct config *c = full();

    assert_str(c->host, STR("mail.example.org"));
    assert_str(c->admin, STR("Ann@example.org"));
    assert_str(c->store.path, STR("/etc/p/data"));
    assert_int_equal(c->store.engine, CONFIG_ENGINE_MEMORY);
    assert_int_equal(c->store.map_bytes, INT64_C(2) << 30);
    assert_str(c->run, STR("/etc/p/run"));
    assert_str(c->user[ROLE_EDGE], STR("_edge"));
    assert_str(c->user[ROLE_DEPOT], STR("_depot"));
    assert_str(c->user[ROLE_FILTER], STR("postrider"));
    assert_int_equal(c->processes[ROLE_EDGE], 3);
    assert_int_equal(c->processes[ROLE_FILTER], 0);
    assert_int_equal(c->log.to, CONFIG_LOG_FILE);
    assert_str(c->log.path, STR("/etc/p/logs/mail.log"));
    assert_int_equal(c->log.format, LOG_JSON);
    assert_int_equal(c->log.level, LOG_DEBUG);
    assert_int_equal(c->tls.certificate_count, 2);
    assert_str(c->tls.certificates[0].certificate, STR("/etc/p/tls/a.pem"));
    assert_str(c->tls.certificates[1].key, STR("/b key.pem"));
    assert_int_equal(c->tls.certificates[1].at.line, 11);
    assert_int_equal(c->tls.minimum, CONFIG_TLS_1_3);
    assert_str(c->tls.ciphers, STR("ECDHE+AESGCM:!aNULL"));
    assert_str(c->address.separators, STR("+-"));
    assert_int_equal(c->auth.mechanisms, CONFIG_AUTH_PLAIN | CONFIG_AUTH_SCRAM_SHA_1);
    assert_str(c->auth.default_domain, STR("mail.example.org"));
    assert_int_equal(c->auth.hash, CONFIG_HASH_ARGON2ID);
    assert_int_equal(c->limit_count, 3);
    config_free(&c);
    assert_null(c);
    config_free(&c);
}

static void test_listens(void **state)
{
    (void)state;
    struct config *c = full();
    const struct config_listen *l = c->listens;

    assert_int_equal(c->listen_count, 6);
    assert_int_equal(l[0].port, 2525);
    assert_false(l[0].proxy || l[0].auth);
    assert_int_equal(l[1].port, 25);
    assert_str(l[1].address, STR("::"));
    assert_true(l[1].proxy);
    assert_int_equal(l[1].tls, CONFIG_TLS_REQUIRE);
    assert_str(l[1].host, STR("mx.example.org"));
    assert_int_equal(l[1].backlog, 7);
    assert_str(l[1].at.file, STR("/etc/p/main.conf"));
    assert_int_equal(l[1].at.line, 15);
    assert_int_equal(l[2].port, 587);
    assert_false(l[2].auth);
    assert_int_equal(l[3].port, 465);
    assert_true(l[3].auth);
    assert_str(l[4].path, STR("/run/lmtp"));
    assert_int_equal(l[4].address.n, 0);
    assert_int_equal(l[4].mode, 0600);
    assert_str(l[4].group, STR("postfix"));
    assert_int_equal(l[5].port, 110);
    assert_str(l[5].address, STR("::1"));
    config_free(&c);
}

/* ---- rules ---- */

static void test_trust(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        unsigned may;
    } peers[] = {
        { "127.0.0.1", CONFIG_MAY_RELAY | CONFIG_MAY_VRFY | CONFIG_MAY_EXPN },
        { "127.255.0.1", CONFIG_MAY_RELAY | CONFIG_MAY_VRFY | CONFIG_MAY_EXPN },
        { "::1", CONFIG_MAY_RELAY | CONFIG_MAY_VRFY | CONFIG_MAY_EXPN },
        { "unix", CONFIG_MAY_RELAY | CONFIG_MAY_VRFY | CONFIG_MAY_EXPN },
        { "192.0.2.1", CONFIG_MAY_PROXY | CONFIG_MAY_XCLIENT | CONFIG_MAY_UNLIMITED },
        { "192.0.2.2", 0 },
        { "::2", 0 },
        { "", 0 },
        { "nonsense", 0 },
    };
    struct config *c = full();
    for (size_t i = 0; i < UNIT_COUNT(peers); i++) {
        unit_case(peers[i].ip);
        assert_int_equal(config_may(c, str_c(peers[i].ip)), peers[i].may);
    }
    config_free(&c);
}

static const struct {
    struct str pattern, text;
    bool match;
} patterns[] = {
    { STR_INIT(""), STR_INIT(""), true },
    { STR_INIT(""), STR_INIT("a"), false },
    { STR_INIT("*"), STR_INIT(""), true },
    { STR_INIT("*"), STR_INIT("anything"), true },
    { STR_INIT("a"), STR_INIT("A"), true },
    { STR_INIT("a"), STR_INIT(""), false },
    { STR_INIT("a"), STR_INIT("aa"), false },
    { STR_INIT("*.example.org"), STR_INIT("a.b.Example.org"), true },
    { STR_INIT("*.example.org"), STR_INIT("example.org"), false },
    { STR_INIT("*.example.org"), STR_INIT(".example.org"), true },
    { STR_INIT("ann+*@example.org"), STR_INIT("ann+x@y@example.org"), true },
    { STR_INIT("a*b*c"), STR_INIT("abbbcbc"), true },
    { STR_INIT("a*b*c"), STR_INIT("abbbcb"), false },
    { STR_INIT("**a**"), STR_INIT("bab"), true },
    { STR_INIT("*a*a*a*a*a*b"), STR_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
      false },
};

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(patterns); i++) {
        unit_case(patterns[i].pattern.p);
        assert_int_equal(config_pattern_matches(patterns[i].pattern, patterns[i].text),
                         patterns[i].match);
    }
}

static const struct {
    const char *rule; /* without its action */
    bool match;       /* the facts below */
    enum config_stage stage;
} matches[] = {
    { "", true, CONFIG_AT_CONNECT },
    { "client 192.0.2.0/24", true, CONFIG_AT_CONNECT },
    { "client 192.0.2.8", false, CONFIG_AT_CONNECT },
    { "client 198.51.100.0/24 192.0.2.7", true, CONFIG_AT_CONNECT },
    { "client ::/0", false, CONFIG_AT_CONNECT },
    { "client unix", false, CONFIG_AT_CONNECT },
    { "not client 192.0.2.7", false, CONFIG_AT_CONNECT },
    { "service submission", true, CONFIG_AT_CONNECT },
    { "service smtp lmtp", false, CONFIG_AT_CONNECT },
    { "not service smtp lmtp", true, CONFIG_AT_CONNECT },
    { "helo MX.*.example.net", true, CONFIG_AT_HELO },
    { "helo localhost", false, CONFIG_AT_HELO },
    { "tls yes", true, CONFIG_AT_MAIL },
    { "tls no", false, CONFIG_AT_MAIL },
    { "not tls no", true, CONFIG_AT_MAIL },
    { "login ann@example.org", true, CONFIG_AT_MAIL },
    { "login *", true, CONFIG_AT_MAIL },
    { "not login *", false, CONFIG_AT_MAIL },
    { "from <>", true, CONFIG_AT_MAIL },
    { "from *", true, CONFIG_AT_MAIL },
    { "from *@*", false, CONFIG_AT_MAIL },
    { "to bob@example.com", true, CONFIG_AT_RCPT },
    { "to *@example.com", true, CONFIG_AT_RCPT },
    { "to \"*@b\xc3\xbc"
      "cher.example\"",
      false, CONFIG_AT_RCPT },
    { "domain example.com", true, CONFIG_AT_RCPT },
    { "domain *.example.com", false, CONFIG_AT_RCPT },
    { "domain exam*", true, CONFIG_AT_RCPT },
    { "domain example.org example.com client 192.0.2.7", true, CONFIG_AT_RCPT },
    { "domain example.com client 192.0.2.8", false, CONFIG_AT_RCPT },
};

static void test_matches(void **state)
{
    (void)state;
    const struct peer peer = { .service = SERVICE_SUBMISSION,
                               .ip = STR("192.0.2.7"),
                               .helo = STR("mx.one.example.net"),
                               .tls = STR("TLSv1.3"),
                               .login = STR("ann@example.org") };
    const struct config_facts facts = { .peer = &peer, .to = STR("Bob@example.com") };

    for (size_t i = 0; i < UNIT_COUNT(matches); i++) {
        struct buf b = buf_new(1000);
        unit_case(matches[i].rule);
        buf_put_lit(&b, "check ");
        buf_put(&b, str_c(matches[i].rule));
        buf_put_lit(&b, " refuse");
        struct config *c = unit_config_good(buf_str(&b));
        assert_int_equal(c->check_count, 1);
        assert_int_equal(c->checks[0].stage, matches[i].stage);
        assert_int_equal(config_rule_matches(&c->checks[0], &facts), matches[i].match);
        buf_free(&b);
        config_free(&c);
    }
    struct config *c = unit_config_good(STR("check client unix refuse\n"
                                            "check not login * refuse\n"
                                            "check not tls yes refuse\n"
                                            "check domain * refuse\n"));
    const struct peer local = { .ip = STR("unix") };
    for (size_t i = 0; i < c->check_count; i++) {
        assert_true(config_rule_matches(
            &c->checks[i], &(struct config_facts){ .peer = &local, .to = STR("postmaster") }));
    }
    config_free(&c);
}

static void test_rules(void **state)
{
    (void)state;
    struct config *c = full();
    const struct config_rule *r = c->routes, *k = c->checks;

    assert_int_equal(c->route_count, 3);
    assert_int_equal(r[0].action, CONFIG_QUEUE);
    assert_str(r[0].via, STR("[192.0.2.25]"));
    assert_int_equal(r[0].via_port, 26);
    assert_true(r[0].strangers);
    assert_int_equal(r[0].stage, CONFIG_AT_RCPT);
    assert_int_equal(r[1].action, CONFIG_TEMPFAIL);
    assert_int_equal(r[1].index, 1);
    assert_int_equal(r[1].code, 451);
    assert_int_equal(r[1].class, 4);
    assert_int_equal(r[1].subject, 3);
    assert_str(r[1].text, STR("later"));
    assert_int_equal(r[1].condition_count, 2);
    assert_true(r[1].conditions[1].negated);
    assert_int_equal(r[2].action, CONFIG_DISCARD);
    assert_int_equal(r[2].stage, CONFIG_AT_RCPT);
    assert_true(r[2].conditions[0].unix_peers);

    assert_int_equal(c->check_count, 3);
    assert_int_equal(k[0].code, 554);
    assert_int_equal(k[0].class, 5);
    assert_int_equal(k[0].subject, 7);
    assert_int_equal(k[0].detail, 1);
    assert_int_equal(k[0].at.line, 26);
    assert_int_equal(k[1].stage, CONFIG_AT_HELO);
    assert_int_equal(k[1].conditions[1].pattern_count, 2);
    assert_str(k[1].text, STR("Refused by local policy"));
    assert_int_equal(k[2].action, CONFIG_ACCEPT);
    assert_int_equal(k[2].conditions[1].kind, CONFIG_WHEN_TLS);
    assert_true(k[2].conditions[1].negated);
    config_free(&c);
}

static void test_values_of_rules(void **state)
{
    (void)state;
    struct config *c =
        unit_config_good(STR("route domain \"B\xc3\xbc"
                             "cher.example\" \"*.b\xc3\xbc"
                             "cher.example\" queue { via mx.example.net }\n"
                             "route domain x.example queue { via [2001:db8::1]:26 }\n"
                             "route domain y.example queue { via [IPv6:2001:DB8::1] }\n"
                             "route to \"*@b\xc3\xbc"
                             "cher.example\" *@* local\n"
                             "route domain \"local\" refuse 5.1.6\n"));
    assert_str(c->routes[0].conditions[0].patterns[0], STR("xn--bcher-kva.example"));
    assert_str(c->routes[0].conditions[0].patterns[1], STR("*.xn--bcher-kva.example"));
    assert_str(c->routes[0].via, STR("mx.example.net"));
    assert_str(c->routes[1].via, STR("[IPv6:2001:db8::1]"));
    assert_int_equal(c->routes[1].via_port, 26);
    assert_str(c->routes[2].via, STR("[IPv6:2001:db8::1]"));
    assert_int_equal(c->routes[2].via_port, 0);
    assert_str(c->routes[3].conditions[0].patterns[0], STR("*@xn--bcher-kva.example"));
    assert_str(c->routes[4].conditions[0].patterns[0], STR("local"));
    assert_int_equal(c->routes[4].code, 550);
    assert_int_equal(c->routes[4].detail, 6);
    config_free(&c);
}

/* ---- parameters ---- */

static void test_params(void **state)
{
    (void)state;
    struct config *c = full(), *none = unit_config_good(STR(""));

    assert_int_equal(test_wait_ms, 100);
    config_apply_params(c);
    assert_int_equal(test_wait_ms, 50);
    assert_int_equal(test_size, 10240);
    assert_int_equal(test_switch, 1);
    config_apply_params(none);
    assert_int_equal(test_wait_ms, 100);
    assert_int_equal(test_size, 4096);
    assert_int_equal(test_switch, 0);
    config_free(&c);
    config_free(&none);
}

/* ---- printout, difference, wire ---- */

static void put_lines(struct buf *b, const struct config_entries *e)
{
    for (size_t i = 0; i < e->n; i++) {
        buf_put(b, e->list[i].line);
        buf_put_lit(b, "\n");
    }
}

static void assert_no_difference(const struct config *x, const struct config *y)
{
    struct arena a = ARENA_INIT(0);
    struct config_difference d = config_difference(x, y, &a);
    struct buf b = buf_new(100000);

    put_lines(&b, &d.went);
    buf_put_lit(&b, "=>\n");
    put_lines(&b, &d.came);
    if (d.went.n + d.came.n > 0) print_message("%.*s", (int)b.n, b.p);
    assert_int_equal(d.went.n + d.came.n, 0);
    assert_false(d.needs_restart);
    buf_free(&b);
    arena_free(&a);
}

static void check_round_trip(struct config *c)
{
    struct arena a = ARENA_INIT(0);
    struct config_entries entries = config_entries(c, &a, true);
    struct buf b = buf_new(1 << 20), said = buf_new(10000);

    put_lines(&b, &entries);
    struct config *again = unit_config(buf_str(&b), &said);
    if (said.n > 0) print_message("said: %.*s\n%.*s", (int)said.n, said.p, (int)b.n, b.p);
    assert_non_null(again);
    assert_no_difference(c, again);
    config_free(&again);
    config_free(&c);
    buf_free(&said);
    buf_free(&b);
    arena_free(&a);
}

static void test_show(void **state)
{
    (void)state;
    check_round_trip(full());
    check_round_trip(unit_config_good(STR("")));
    check_round_trip(unit_config_good(STR("tls { certificate /a key /b }\n")));
    check_round_trip(unit_config_good(STR("check helo \"local\" tempfail \"a\\\"b\\\\\"\n"
                                          "address { separator none }\nrun \"/a b {;}\"")));

    struct arena a = ARENA_INIT(0);
    struct config *c = full();
    struct config_entries entries = config_entries(c, &a, false);
    struct buf b = buf_new(100000);
    for (size_t i = 0; i < entries.n; i++) {
        if (entries.list[i].at.line == 0) continue;
        conf_at_put(&b, &entries.list[i].at);
        buf_put_lit(&b, " ");
        buf_put(&b, entries.list[i].name);
        buf_put_lit(&b, ": ");
        buf_put(&b, entries.list[i].line);
        buf_put_lit(&b, "\n");
    }
    assert_str(
        buf_str(&b),
        STR("/etc/p/main.conf:1 host: host mail.example.org\n"
            "/etc/p/main.conf:2 admin: admin Ann@example.org\n"
            "/etc/p/main.conf:3 store: store /etc/p/data\n"
            "/etc/p/main.conf:4 run: run /etc/p/run\n"
            "/etc/p/main.conf:5 user: user postrider\n"
            "/etc/p/main.conf:14 listen: listen smtp 0.0.0.0:2525\n"
            "/etc/p/main.conf:15 listen: listen smtp [::]:25 { tls require; host mx.example.org; "
            "proxy yes; backlog 7 }\n"
            "/etc/p/main.conf:16 listen: listen submission 127.0.0.1:587 { auth no }\n"
            "/etc/p/main.conf:17 listen: listen submissions 0.0.0.0:465\n"
            "/etc/p/main.conf:18 listen: listen lmtp unix:/run/lmtp { mode 0600; group postfix }\n"
            "/etc/p/main.conf:19 listen: listen pop3 [::1]:110\n"
            "/etc/p/main.conf:20 trust: trust 127.0.0.0/8 ::1/128 unix { relay vrfy expn }\n"
            "/etc/p/main.conf:22 trust: trust 192.0.2.1/32 { xclient proxy unlimited }\n"
            "/etc/p/main.conf:23 route: route domain old.example.org *.old.example.org queue { via "
            "[192.0.2.25]:26; strangers yes }\n"
            "/etc/p/main.conf:24 route: route to ann@example.org local@example.org not login * "
            "tempfail 451 4.3.0 \"later\"\n"
            "/etc/p/main.conf:25 route: route not client 10.0.0.0/8 unix discard\n"
            "/etc/p/main.conf:26 check: check client 192.0.2.0/24 refuse 554 5.7.1 \"go away\"\n"
            "/etc/p/main.conf:27 check: check service smtp lmtp helo *.local \"not\" refuse 550 "
            "5.7.1 \"Refused by local policy\"\n"
            "/etc/p/main.conf:28 check: check from <> *@spam.example tls no accept\n"
            "/etc/p/main.conf:30 limit.test_size: limit test_size 10K\n"
            "/etc/p/main.conf:31 limit.test_switch: limit test_switch yes\n"
            "/etc/p/main.conf:29 limit.test_wait_ms: limit test_wait_ms 50ms\n"
            "/etc/p/main.conf:3 store.engine: store { engine memory }\n"
            "/etc/p/main.conf:3 store.map: store { map 2G }\n"
            "/etc/p/main.conf:3 store.reserve: store { reserve 1G }\n"
            "/etc/p/main.conf:5 user.edge: user { edge _edge }\n"
            "/etc/p/main.conf:5 user.depot: user { depot _depot }\n"
            "/etc/p/main.conf:6 processes.edge: processes { edge 3 }\n"
            "/etc/p/main.conf:6 processes.filter: processes { filter cores }\n"
            "/etc/p/main.conf:7 log.to: log { to /etc/p/logs/mail.log }\n"
            "/etc/p/main.conf:7 log.format: log { format json }\n"
            "/etc/p/main.conf:8 log.level: log { level debug }\n"
            "/etc/p/main.conf:10 tls.certificate: tls { certificate /etc/p/tls/a.pem key "
            "/etc/p/tls/a.key }\n"
            "/etc/p/main.conf:11 tls.certificate: tls { certificate /b.pem key \"/b key.pem\" }\n"
            "/etc/p/main.conf:12 tls.minimum: tls { minimum 1.3 }\n"
            "/etc/p/main.conf:12 tls.ciphers: tls { ciphers ECDHE+AESGCM:!aNULL }\n"
            "/etc/p/main.conf:32 address.separator: address { separator +- }\n"
            "/etc/p/main.conf:33 auth.mechanisms: auth { mechanisms PLAIN SCRAM-SHA-1 }\n"
            "/etc/p/main.conf:33 auth.plaintext: auth { plaintext never }\n"
            "/etc/p/main.conf:33 auth.hash: auth { hash argon2id }\n"));
    buf_free(&b);
    config_free(&c);
    arena_free(&a);
}

static const struct {
    const char *name;
    struct str was, now, went, came;
    bool restart;
} differences[] = {
    { "nothing", STR_INIT("host a.example"), STR_INIT("\n\nhost  A.example # x"), STR_INIT(""),
      STR_INIT(""), false },
    { "a standard value written down", STR_INIT("host a.example"),
      STR_INIT("host a.example\nlog { level info }\nlimit test_wait_ms 100ms"), STR_INIT(""),
      STR_INIT(""), false },
    { "one value", STR_INIT("log { level info }"), STR_INIT("log { level debug }"),
      STR_INIT("log { level info }\n"), STR_INIT("log { level debug }\n"), false },
    { "the store", STR_INIT("store /a"), STR_INIT("store /b"), STR_INIT("store /a\n"),
      STR_INIT("store /b\n"), true },
    { "a value that others follow", STR_INIT("host a.example"), STR_INIT("host b.example"),
      STR_INIT("host a.example\nadmin postmaster@a.example\nauth { default-domain a.example }\n"),
      STR_INIT("host b.example\nadmin postmaster@b.example\nauth { default-domain b.example }\n"),
      false },
    { "a limit", STR_INIT("limit test_wait_ms 50ms"), STR_INIT(""),
      STR_INIT("limit test_wait_ms 50ms\n"), STR_INIT("limit test_wait_ms 100ms\n"), false },
    { "a listener more, one less", STR_INIT("listen smtp 127.0.0.1:1\nlisten smtp 127.0.0.1:2"),
      STR_INIT("listen smtp 127.0.0.1:3\nlisten smtp 127.0.0.1:1"),
      STR_INIT("listen smtp 127.0.0.1:2\n"), STR_INIT("listen smtp 127.0.0.1:3\n"), false },
    { "order of routes counts",
      STR_INIT("route domain a.example local\nroute domain b.example refuse\nroute local"),
      STR_INIT("route domain b.example refuse\nroute domain a.example local\nroute local"),
      STR_INIT("route domain a.example local\n"
               "route domain b.example refuse 550 5.7.1 \"Refused by local policy\"\n"),
      STR_INIT("route domain b.example refuse 550 5.7.1 \"Refused by local policy\"\n"
               "route domain a.example local\n"),
      false },
    { "order of trust does not", STR_INIT("trust 10.0.0.1 { relay }\ntrust 10.0.0.2 { relay }"),
      STR_INIT("trust 10.0.0.2 { relay }\ntrust 10.0.0.1 { relay }"), STR_INIT(""), STR_INIT(""),
      false },
    { "a check put first", STR_INIT("check helo a refuse\ncheck helo b accept"),
      STR_INIT("check helo c accept\ncheck helo a refuse\ncheck helo b accept"), STR_INIT(""),
      STR_INIT("check helo c accept\n"), false },
    { "user of a role", STR_INIT(""), STR_INIT("user { edge x }"), STR_INIT(""),
      STR_INIT("user { edge x }\n"), true },
};

static void test_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(differences); i++) {
        struct arena a = ARENA_INIT(0);
        struct config *was = unit_config_good(differences[i].was),
                      *now = unit_config_good(differences[i].now);
        struct buf b = buf_new(10000);
        unit_case(differences[i].name);
        struct config_difference d = config_difference(was, now, &a);
        put_lines(&b, &d.went);
        assert_str(buf_str(&b), differences[i].went);
        buf_clear(&b);
        put_lines(&b, &d.came);
        assert_str(buf_str(&b), differences[i].came);
        assert_int_equal(d.needs_restart, differences[i].restart);
        buf_free(&b);
        config_free(&was);
        config_free(&now);
        arena_free(&a);
    }
}

static void test_pack(void **state)
{
    (void)state;
    struct unit_file files[] = {
        { "/etc/p/main.conf", STR_INIT("listen smtp 127.0.0.1:25\ninclude sub/more.conf\n"
                                       "check helo a refuse\nlog { include log.conf }\n") },
        { "/etc/p/sub/more.conf",
          STR_INIT("\n\ncheck helo b refuse\ninclude \"deep est.conf\"\n") },
        { "/etc/p/sub/deep est.conf", STR_INIT("   check helo c refuse") },
        { "/etc/p/log.conf", STR_INIT("\nlevel debug") },
        { 0 },
    };
    struct buf said = buf_new(1000), packed = buf_new(CONFIG_PACKED_MAX),
               again = buf_new(CONFIG_PACKED_MAX);
    struct config *c = unit_config_files(files, &said), *copy = NULL;

    assert_int_equal(said.n, 0);
    config_pack(&packed, c);
    assert_int_equal(config_unpack(buf_str(&packed), &copy), OK);
    config_pack(&again, copy);
    assert_str(buf_str(&again), buf_str(&packed));
    assert_no_difference(c, copy);
    config_free(&c);
    buf_free(&packed);

    static const struct {
        const char *file;
        uint32_t line, column;
    } places[] = { { "/etc/p/sub/more.conf", 3, 1 },
                   { "/etc/p/sub/deep est.conf", 1, 4 },
                   { "/etc/p/main.conf", 3, 1 } };
    assert_int_equal(copy->check_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_str(copy->checks[i].at.file, str_c(places[i].file));
        assert_int_equal(copy->checks[i].at.line, places[i].line);
        assert_int_equal(copy->checks[i].at.column, places[i].column);
    }
    assert_str(copy->host, STR("machine.example.net"));
    assert_int_equal(copy->log.level, LOG_DEBUG);
    config_free(&copy);

    /* Every shorter form, and one with an error inside, is not a configuration. */
    for (size_t n = 0; n < again.n; n++) {
        assert_int_equal(config_unpack(str_part(buf_str(&again), 0, n), &copy), ERR_CORRUPT);
    }
    size_t at = str_find_str(buf_str(&again), STR("check helo a"));
    again.p[at] = 'x';
    assert_int_equal(config_unpack(buf_str(&again), &copy), ERR_CORRUPT);
    buf_free(&again);
    buf_free(&said);
}

static void test_hold(void **state)
{
    (void)state;
    struct config *c = unit_config_good(STR("host a.example")), *held = config_hold(c);
    config_free(&c);
    assert_null(c);
    assert_str(held->host, STR("a.example"));
    config_free(&held);
}

/* Nothing in the configuration points into what was only there for the reading: everything is
 * looked at after the reading, under the sanitizers. Long lists take several rounds of growing. */
static void test_many(void **state)
{
    (void)state;
    struct buf b = buf_new(1 << 20);

    for (unsigned i = 0; i < 3000; i++) {
        buf_put_lit(&b, "check client 10.");
        buf_put_u64(&b, i / 250);
        buf_put_lit(&b, ".");
        buf_put_u64(&b, i % 250);
        buf_put_lit(&b, ".0/24 from *@spam.example refuse \"number ");
        buf_put_u64(&b, i);
        buf_put_lit(&b, "\"\ntrust 192.0.2.");
        buf_put_u64(&b, i % 250);
        buf_put_lit(&b, " { vrfy }\n");
    }
    struct config *c = unit_config_good(buf_str(&b));
    assert_int_equal(c->check_count, 3000);
    assert_int_equal(c->trust_count, 3000);
    assert_str(c->checks[2999].text, STR("number 2999"));
    assert_int_equal(c->checks[2999].index, 2999);
    assert_int_equal(c->checks[2999].at.line, 5999);
    assert_int_equal(config_may(c, STR("192.0.2.249")), CONFIG_MAY_VRFY);
    check_round_trip(c);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard),   cmocka_unit_test(test_full),
        cmocka_unit_test(test_listens),    cmocka_unit_test(test_trust),
        cmocka_unit_test(test_patterns),   cmocka_unit_test(test_matches),
        cmocka_unit_test(test_rules),      cmocka_unit_test(test_values_of_rules),
        cmocka_unit_test(test_params),     cmocka_unit_test(test_show),
        cmocka_unit_test(test_difference), cmocka_unit_test(test_pack),
        cmocka_unit_test(test_hold),       cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
