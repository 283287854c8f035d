/* What session tickets are sealed with (RFC 5077 4, for TLS 1.3 the same).
 *
 * A ratchet: the secret of a period gives that period's keys and the next secret, by HMAC-SHA256
 * with a label; nothing leads back. A process holds the secret of the period before the present one
 * and the keys of both. Time is the machine's monotonic clock, which all its processes share, so
 * they turn the ratchet together without a word. */
#include "sys/tls_inner.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

PARAM(tls_ticket_period_ms, TIME_MS, 60000, 604800000, 43200000,
      "how long a key seals session tickets; a ticket can be used for one to two such periods")

COUNTER(tls_tickets_refused, "session tickets that were too old or not ours")

static int64_t present_period(void)
{
    return clock_now() / tls_ticket_period_ms;
}

static void derive(const uint8_t secret[32], struct str label, unsigned char *to, unsigned n)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned got = 0;
    must(HMAC(EVP_sha256(), secret, 32, (const unsigned char *)label.p, label.n, out, &got) !=
         NULL);
    must(n <= got);
    memcpy(to, out, n);
    OPENSSL_cleanse(out, sizeof out);
}

static void step(struct tls_ticket_seed *seed)
{
    uint8_t next[32];
    derive(seed->secret, STR("next"), next, sizeof next);
    memcpy(seed->secret, next, sizeof next);
    OPENSSL_cleanse(next, sizeof next);
    seed->period++;
}

static void derive_keys(const struct tls_ticket_seed *seed, struct ticket_keys *keys)
{
    derive(seed->secret, STR("name"), keys->name, sizeof keys->name);
    derive(seed->secret, STR("cipher"), keys->cipher, sizeof keys->cipher);
    derive(seed->secret, STR("mac"), keys->mac, sizeof keys->mac);
}

void tls_ticket_seed_new(struct tls_ticket_seed *seed_out)
{
    seed_out->period = present_period() - 1;
    rand_bytes(seed_out->secret, sizeof seed_out->secret);
}

void tls_ticket_seed_advance(struct tls_ticket_seed *seed)
{
    int64_t before = present_period() - 1;
    while (seed->period < before) {
        step(seed);
    }
}

/* Keys for now. A seed ahead of the clock (the length of a period was changed) stays as it is. */
static void bring_up_to_date(struct tickets *t)
{
    if (t->derived && t->seed.period >= present_period() - 1) return;
    tls_ticket_seed_advance(&t->seed);
    derive_keys(&t->seed, &t->before);
    struct tls_ticket_seed now = t->seed;
    step(&now);
    derive_keys(&now, &t->now);
    OPENSSL_cleanse(&now, sizeof now);
    t->derived = true;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_keys *keys)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, keys->mac, sizeof keys->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's answers: 1 done, 0 key unknown (full handshake), 2 done but give a new ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    struct tls_session *s = SSL_get_app_data(ssl);
    struct tickets *t = &s->config->tickets;
    struct ticket_keys *keys = &t->now;

    bring_up_to_date(t);
    if (sealing) {
        rand_bytes(iv, 16);
        memcpy(name, keys->name, sizeof keys->name);
        if (EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys->cipher, iv) != 1) return -1;
        return set_mac(mac, keys) ? 1 : -1;
    }
    if (memcmp(name, t->before.name, sizeof t->before.name) == 0) keys = &t->before;
    if (memcmp(name, keys->name, sizeof keys->name) != 0) {
        tls_tickets_refused++;
        return 0;
    }
    if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys->cipher, iv) != 1) return -1;
    if (!set_mac(mac, keys)) return -1;
    return keys == &t->now ? 1 : 2;
}

void tickets_install(SSL_CTX *ctx)
{
    must(SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1);
    /* What the client is told; older tickets are refused by their own time of birth too. */
    SSL_CTX_set_timeout(ctx, (long)(tls_ticket_period_ms / 1000));
}
