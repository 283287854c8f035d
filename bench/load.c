/* The load driver: many cheap sessions in one process.
 *
 * It prints what it counted and the processor time it took itself, because on a machine of two
 * cores the load tool is part of what is measured. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

enum { SESSIONS_MAX = 100000, MESSAGES_MAX = 100000000, SIZE_MAX_BYTES = 1 << 30 };

static const char help[] =
    "usage: load smtp|tls|idle|pop3 --server ADDRESS:PORT [options]\n"
    "  --sessions N          at the same time (1)\n"
    "  --messages M          smtp: all together; tls: handshakes; pop3: in each mailbox (1)\n"
    "  --per-connection K    smtp: messages until QUIT (1)\n"
    "  --size BYTES          smtp: of a message, header and body (4096)\n"
    "  --rcpts R             smtp: recipients of a message (1)\n"
    "  --name PATTERN        address of an account, '%' is its number (user%@bench.test)\n"
    "  --accounts N          how many there are (1)   --first-account N (1)\n"
    "  --pipelining yes|no   (no)\n"
    "  --starttls yes|no     smtp, idle: STARTTLS with a new handshake each (no)\n"
    "  --bind-range A+N      N source addresses from A on, e.g. 127.1.0.1+2000\n"
    "  --hello yes|no        idle: say EHLO before falling silent (yes)\n"
    "  --slow N --dribble-ms T   idle: N of the sessions send a byte each T ms (0, 5000)\n"
    "  --ramp N              idle: how many may be coming up at a time (200)\n"
    "  --password P          pop3   --list uidl|list (uidl)\n"
    "  --timeout SECONDS     give up then (120)\n"
    "prints JSON; exit code 0: all went well, 1: not all, 2: usage\n";

_Noreturn void load_usage(const char *why)
{
    fprintf(stderr, "load: %s\n%s", why, help);
    exit(2);
}

static uint32_t number(struct str text, uint64_t max)
{
    uint64_t value = 0;

    if (str_to_u64(text, max, &value) != OK) load_usage("a number is out of range");
    return (uint32_t)value;
}

static bool yes(struct str text, struct str on, struct str off)
{
    if (!str_eq(text, on) && !str_eq(text, off)) load_usage("a word is not one of the two");
    return str_eq(text, on);
}

/* Dotted address in `s`, in host order. */
static uint32_t address(struct str s)
{
    struct buf text = buf_new(64);
    struct in_addr at = { 0 };

    buf_put(&text, s);
    buf_put_byte(&text, '\0');
    if (buf_check(&text) != OK || inet_pton(AF_INET, text.p, &at) != 1)
        load_usage("not an address");
    buf_free(&text);
    return ntohl(at.s_addr);
}

static void set_server(struct load_options *o, struct str text)
{
    struct str host;

    str_cut(&text, ':', &host);
    o->server = (struct sockaddr_in){ .sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)number(text, UINT16_MAX)),
                                      .sin_addr.s_addr = htonl(address(host)) };
}

static void set_sources(struct load_options *o, struct str text)
{
    struct str first;

    str_cut(&text, '+', &first);
    o->from = (struct sources){ address(first), number(text, SESSIONS_MAX) };
    if (o->from.count == 0) load_usage("no source addresses");
}

static void set_name(struct load_options *o, struct str pattern)
{
    o->name_tail = pattern;
    str_cut(&o->name_tail, '%', &o->name_head);
}

enum option_key {
    SERVER = 256,
    SESSIONS,
    MESSAGES,
    PER_CONNECTION,
    SIZE,
    RCPTS,
    NAME,
    ACCOUNTS,
    FIRST_ACCOUNT,
    PIPELINING,
    STARTTLS,
    BIND_RANGE,
    HELLO,
    SLOW,
    DRIBBLE_MS,
    RAMP,
    PASSWORD,
    LIST,
    TIMEOUT,
};

static const struct option table[] = {
    { "server", 1, NULL, SERVER },
    { "sessions", 1, NULL, SESSIONS },
    { "messages", 1, NULL, MESSAGES },
    { "per-connection", 1, NULL, PER_CONNECTION },
    { "size", 1, NULL, SIZE },
    { "rcpts", 1, NULL, RCPTS },
    { "name", 1, NULL, NAME },
    { "accounts", 1, NULL, ACCOUNTS },
    { "first-account", 1, NULL, FIRST_ACCOUNT },
    { "pipelining", 1, NULL, PIPELINING },
    { "starttls", 1, NULL, STARTTLS },
    { "bind-range", 1, NULL, BIND_RANGE },
    { "hello", 1, NULL, HELLO },
    { "slow", 1, NULL, SLOW },
    { "dribble-ms", 1, NULL, DRIBBLE_MS },
    { "ramp", 1, NULL, RAMP },
    { "password", 1, NULL, PASSWORD },
    { "list", 1, NULL, LIST },
    { "timeout", 1, NULL, TIMEOUT },
    { 0 },
};

static void set(struct load_options *o, int key, struct str v)
{
    switch (key) {
    case SERVER:
        set_server(o, v);
        break;
    case SESSIONS:
        o->sessions = number(v, SESSIONS_MAX);
        break;
    case MESSAGES:
        o->messages = number(v, MESSAGES_MAX);
        break;
    case PER_CONNECTION:
        o->per_connection = number(v, MESSAGES_MAX);
        break;
    case SIZE:
        o->size = number(v, SIZE_MAX_BYTES);
        break;
    case RCPTS:
        o->rcpts = number(v, 100000);
        break;
    case NAME:
        set_name(o, v);
        break;
    case ACCOUNTS:
        o->accounts = number(v, MESSAGES_MAX);
        break;
    case FIRST_ACCOUNT:
        o->first_account = number(v, MESSAGES_MAX);
        break;
    case PIPELINING:
        o->pipelining = yes(v, STR("yes"), STR("no"));
        break;
    case STARTTLS:
        o->starttls = yes(v, STR("yes"), STR("no"));
        break;
    case BIND_RANGE:
        set_sources(o, v);
        break;
    case HELLO:
        o->hello = yes(v, STR("yes"), STR("no"));
        break;
    case SLOW:
        o->slow = number(v, SESSIONS_MAX);
        break;
    case DRIBBLE_MS:
        o->dribble_ms = number(v, 3600000);
        break;
    case RAMP:
        o->ramp = number(v, SESSIONS_MAX);
        break;
    case PASSWORD:
        o->password = v;
        break;
    case LIST:
        o->uidl = yes(v, STR("uidl"), STR("list"));
        break;
    case TIMEOUT:
        o->deadline_us = now_us() + (int64_t)number(v, 86400) * 1000000;
        break;
    default:
        load_usage("unknown option");
    }
}

struct in_addr load_source(const struct load_options *o, uint32_t index)
{
    if (o->from.count == 0) return (struct in_addr){ 0 };
    return (struct in_addr){ htonl(o->from.first + index % o->from.count) };
}

void load_put_name(const struct load_options *o, uint64_t number_, struct buf *b)
{
    buf_put(b, o->name_head);
    buf_put_u64(b, o->first_account + number_ % o->accounts);
    buf_put(b, o->name_tail);
}

SSL_CTX *load_tls_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    must(ctx != NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

enum err load_reply(struct str in, unsigned *code_out, struct str *last_out, size_t *n_out)
{
    size_t n = 0;

    for (;;) {
        struct str rest = str_skip(in, n);
        size_t end = str_find(rest, '\n');
        if (end == STR_NOWHERE) return rest.n > 4096 ? ERR_SYNTAX : ERR_AGAIN;
        struct str line = str_trim(str_part(rest, 0, end));
        uint64_t code;
        enum err e = str_to_u64(str_part(line, 0, 3), 599, &code);
        if (e != OK || line.n < 3) return ERR_SYNTAX;
        n += end + 1;
        if (str_starts(str_skip(line, 3), STR("-"))) continue;
        *code_out = (unsigned)code;
        *last_out = line;
        *n_out = n;
        return OK;
    }
}

static const struct {
    struct str name;
    bool (*run)(const struct load_options *o);
} kinds[] = {
    { STR_INIT("smtp"), load_smtp },
    { STR_INIT("tls"), load_tls },
    { STR_INIT("idle"), load_idle },
    { STR_INIT("pop3"), load_pop3 },
};

int main(int argc, char **argv)
{
    struct load_options o = { .sessions = 1,
                              .messages = 1,
                              .per_connection = 1,
                              .rcpts = 1,
                              .accounts = 1,
                              .first_account = 1,
                              .size = 4096,
                              .hello = true,
                              .uidl = true,
                              .dribble_ms = 5000,
                              .ramp = 200,
                              .deadline_us = now_us() + 120000000 };
    int key;

    set_name(&o, STR("user%@bench.test"));
    if (argc < 2) load_usage("which kind of load?");
    while ((key = getopt_long(argc - 1, argv + 1, "", table, NULL)) != -1) {
        set(&o, key, str_c(optarg));
    }
    if (optind != argc - 1) load_usage("too many words");
    if (o.server.sin_port == 0) load_usage("--server is missing");
    if (o.sessions == 0 || o.accounts == 0 || o.per_connection == 0 || o.rcpts == 0 ||
        o.ramp == 0 || o.dribble_ms == 0) {
        load_usage("a number must not be 0");
    }
    signal(SIGPIPE, SIG_IGN);
    descriptors_raise();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (str_eq(str_c(argv[1]), kinds[i].name)) return kinds[i].run(&o) ? 0 : 1;
    }
    load_usage("unknown kind of load");
}
