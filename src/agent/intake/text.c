#include "agent/intake/text.h"

#include "base/must.h"
#include "syntax/header.h"
#include "syntax/mend.h"
#include "syntax/trace.h"

/* The state of the streaming hash is declared for static use only; it stays inside this file. */
#define XXH_STATIC_LINKING_ONLY
#include <time.h>
#include <xxhash.h>

enum { TRACE_MAX = 16 * 1024 };

static bool is_submission(const struct peer *p)
{
    return p->service == SERVICE_SUBMISSION || p->service == SERVICE_SUBMISSIONS ||
           p->service == SERVICE_LOCAL;
}

static struct str hex_id(struct arena *a, uint64_t id)
{
    struct buf b = BUF_INIT(32);
    buf_put_hex_u64(&b, id, 16);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static int zone_minutes(int64_t time_s)
{
    struct tm tm;
    time_t t = (time_t)time_s;
    return localtime_r(&t, &tm) != NULL ? (int)(tm.tm_gmtoff / 60) : 0;
}

static void put_received(struct buf *b, const struct intake_in *in, struct arena *a)
{
    const struct peer *p = in->peer;
    struct str version = STR_NONE, cipher = p->tls;
    if (p->tls.n > 0 && !str_cut(&cipher, ' ', &version)) version = STR_NONE;
    struct trace t = {
        .protocol = p->service == SERVICE_LOCAL  ? TRACE_LOCAL
                    : p->service == SERVICE_LMTP ? TRACE_LMTP
                    : p->extended                ? TRACE_ESMTP
                                                 : TRACE_SMTP,
        .tls = p->tls.n > 0,
        .auth = p->login.n > 0,
        .utf8 = in->envelope->smtputf8,
        .helo = p->helo,
        .client_name = p->name,
        .client_ip = p->ip,
        .by = in->config->host,
        .id = hex_id(a, in->message),
        .tls_version = version,
        .tls_cipher = cipher,
        .recipient = in->envelope->rcpt_count == 1 ? in->envelope->rcpts[0].address : STR_NONE,
        .time_s = in->begun_us / 1000000,
        .zone_minutes = zone_minutes(in->begun_us / 1000000),
    };
    trace_put_received(b, &t);
}

/* ---- mending of submitted messages (RFC 6409 8) ---- */

static struct str without_drops(struct arena *a, struct str content, const struct mend *m)
{
    size_t at = 0;
    struct buf b = BUF_INIT(content.n);
    if (m->drop_count == 0) return content;
    for (size_t i = 0; i < m->drop_count; i++) {
        buf_put(&b, str_part(content, at, m->drops[i].from - at));
        at = m->drops[i].end;
    }
    buf_put(&b, str_skip(content, at));
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}

static enum err mend(const struct intake_in *in, struct arena *a, struct buf *lines,
                     struct str *content_out, bool *own_id_out, struct outcome *refused_out)
{
    struct buf id = BUF_INIT(512);
    struct str which = STR_NONE;
    struct mend m;
    buf_put(&id, hex_id(a, in->message));
    buf_put_byte(&id, '@');
    buf_put(&id, in->config->host);
    struct mend_rules rules = { .time_s = in->begun_us / 1000000,
                                .zone_minutes = zone_minutes(in->begun_us / 1000000),
                                .message_id = arena_str(a, buf_str(&id)),
                                .login = in->peer->login,
                                .own = in->own,
                                .own_count = in->own_count,
                                .detail_separator = in->config->address.separators.n > 0
                                                        ? in->config->address.separators.p[0]
                                                        : 0 };
    enum mend_fault fault = mend_head(a, in->content, &rules, &m, &which);
    buf_free(&id);
    if (fault != MEND_FINE) {
        struct buf text = BUF_INIT(512);
        *refused_out =
            outcome_of(fault == MEND_NO_FROM || fault == MEND_BAD_FROM ? "no-from" : "bad-header");
        buf_put(&text, mend_fault_words(fault));
        if (which.n > 0) {
            buf_put_lit(&text, ": ");
            buf_put(&text, which);
        }
        refused_out->text = arena_str(a, buf_str(&text));
        buf_free(&text);
        return ERR_DENIED;
    }
    buf_put(lines, m.prepend);
    *content_out = without_drops(a, in->content, &m);
    *own_id_out = !m.added_message_id;
    return OK;
}

static void make_digest(const struct intake_in *in, uint64_t total_bytes, uint8_t *digest)
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    const struct str parts[] = { in->peer->ip, in->peer->login, in->envelope->reverse_path,
                                 in->content };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        uint64_t n = parts[i].n;
        XXH3_128bits_update(&state, &n, sizeof n);
        XXH3_128bits_update(&state, parts[i].p, parts[i].n);
    }
    for (size_t i = 0; i < in->envelope->rcpt_count; i++) {
        uint64_t n = in->envelope->rcpts[i].address.n;
        XXH3_128bits_update(&state, &n, sizeof n);
        XXH3_128bits_update(&state, in->envelope->rcpts[i].address.p, n);
    }
    XXH3_128bits_update(&state, &total_bytes, sizeof total_bytes);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    _Static_assert(sizeof canonical == PLAN_DIGEST_BYTES, "the digest fills its place");
    memcpy(digest, &canonical, PLAN_DIGEST_BYTES);
}

/* Does the head end within `content`? It may be empty. */
static bool has_whole_head(struct str content)
{
    return str_starts(content, STR("\r\n")) ||
           str_find_str(content, STR("\r\n\r\n")) != STR_NOWHERE;
}

enum err intake_text_make(const struct intake_in *in, uint64_t total_bytes, struct arena *a,
                          struct intake_text *out, struct outcome *refused_out)
{
    struct buf lines = BUF_INIT(TRACE_MAX);
    struct intake_text text = { .content = in->content };
    enum err e = OK;
    if (in->staged && !has_whole_head(in->content)) {
        *refused_out = outcome_of("header-too-big");
        return ERR_DENIED;
    }
    put_received(&lines, in, a);
    if (is_submission(in->peer)) {
        e = mend(in, a, &lines, &text.content, &text.repeatable, refused_out);
    } else {
        struct header_field id;
        text.repeatable = header_find(in->content, STR("Message-ID"), &id);
    }
    if (e == OK && lines.over) {
        *refused_out = outcome_of("internal");
        e = ERR_DENIED;
    }
    if (e == OK) {
        text.trace = arena_str(a, buf_str(&lines));
        make_digest(in, total_bytes, text.digest);
        *out = text;
    }
    buf_free(&lines);
    return e;
}

void intake_digest_mix(uint8_t *digest, const uint8_t *staged)
{
    uint8_t both[2 * PLAN_DIGEST_BYTES];
    XXH128_canonical_t canonical;
    memcpy(both, digest, PLAN_DIGEST_BYTES);
    memcpy(both + PLAN_DIGEST_BYTES, staged, PLAN_DIGEST_BYTES);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(both, sizeof both));
    memcpy(digest, &canonical, PLAN_DIGEST_BYTES);
}

bool intake_author(struct arena *a, struct str content, struct str *address_out)
{
    struct header_field from;
    struct address_list list;
    if (!header_find(content, STR("From"), &from)) return false;
    address_list_parse(a, from.value, 2, &list);
    if (list.count != 1 || list.at[0].domain.n == 0) return false;
    struct buf b = BUF_INIT(2048);
    address_put(&b, list.at[0].local, list.at[0].domain);
    *address_out = arena_str(a, buf_str(&b));
    buf_free(&b);
    return true;
}

struct str intake_prefix(struct arena *a, const struct envelope *e, struct str delivered_to)
{
    struct buf b = BUF_INIT(4096);
    trace_put_return_path(&b, e->reverse_path);
    trace_put_delivered_to(&b, delivered_to);
    struct str s = arena_str(a, buf_str(&b));
    buf_free(&b);
    return s;
}
