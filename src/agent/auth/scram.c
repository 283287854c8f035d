/* Invariant: `messages` always holds the part of AuthMessage that both sides have seen, joined with
 * commas, so that the proof covers every byte of the exchange. Keys and proofs are compared in
 * constant time. A decoy goes through the same steps as a real account. */
#include "agent/auth/scram.h"
#include "agent/auth/login.h"
#include "agent/auth/secret.h"
#include "base/must.h"
#include "base/rand.h"
#include "syntax/base64.h"
#include "syntax/sasl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MESSAGES_MAX = 32768, BOUND_MAX = 4096, NONCES_MAX = 2 * SASL_NONCE_MAX };

static const EVP_MD *digest_of(enum scram_hash hash)
{
    return hash == SCRAM_SHA1 ? EVP_sha1() : EVP_sha256();
}

size_t scram_key_bytes(enum scram_hash hash)
{
    return hash == SCRAM_SHA1 ? 20 : 32;
}

/* HMAC(key, text) into `out`, which has room for SCRAM_KEY_MAX bytes. */
static struct str hmac(enum scram_hash hash, struct str key, struct str text, unsigned char *out)
{
    unsigned n = 0;
    must(HMAC(digest_of(hash), key.p, (int)key.n, (const unsigned char *)text.p, text.n, out, &n) !=
         NULL);
    return str_of(out, n);
}

static struct str digest(enum scram_hash hash, struct str text, unsigned char *out)
{
    unsigned n = 0;
    must(EVP_Digest(text.p, text.n, out, &n, digest_of(hash), NULL) == 1);
    return str_of(out, n);
}

void scram_keys_make(enum scram_hash hash, struct str password, struct str salt,
                     uint32_t iterations, struct arena *a, struct scram_keys *out)
{
    unsigned char salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX], key[SCRAM_KEY_MAX];
    size_t n = scram_key_bytes(hash);

    must(iterations > 0 && salt.n <= SCRAM_SALT_MAX && password.n <= PASSWORD_MAX);
    must(PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n,
                           (int)iterations, digest_of(hash), (int)n, salted) == 1);
    struct str client_key = hmac(hash, str_of(salted, n), STR("Client Key"), client);
    out->iterations = iterations;
    out->salt = arena_str(a, salt);
    out->stored_key = arena_str(a, digest(hash, client_key, key));
    out->server_key = arena_str(a, hmac(hash, str_of(salted, n), STR("Server Key"), key));
    secret_wipe(salted, sizeof salted);
    secret_wipe(client, sizeof client);
    secret_wipe(key, sizeof key);
}

void scram_keys_decoy(enum scram_hash hash, struct str login, struct str secret,
                      uint32_t iterations, struct arena *a, struct scram_keys *out)
{
    unsigned char salt[SCRAM_KEY_MAX], keys[2 * SCRAM_KEY_MAX];
    size_t n = scram_key_bytes(hash);

    rand_bytes(keys, sizeof keys);
    out->iterations = iterations;
    out->salt = arena_str(a, str_part(hmac(hash, secret, login, salt), 0, SCRAM_SALT_BYTES));
    out->stored_key = arena_str(a, str_of(keys, n));
    out->server_key = arena_str(a, str_of(keys + SCRAM_KEY_MAX, n));
}

/* --- the client's first message --- */

static enum err binding_data(struct str type, const struct scram_bindings *have,
                             struct str *data_out)
{
    struct str data = str_eq(type, STR("tls-exporter"))           ? have->exporter
                      : str_eq(type, STR("tls-unique"))           ? have->unique
                      : str_eq(type, STR("tls-server-end-point")) ? have->end_point
                                                                  : STR_NONE;
    if (data.n == 0) return ERR_UNSUPPORTED;
    *data_out = data;
    return OK;
}

/* RFC 5802 6: the flag has to go with the mechanism, and "y" with our having no binding. */
static enum err bind(struct scram *s, const struct sasl_scram_first *first, bool plus,
                     const struct scram_bindings *have)
{
    struct str data = STR_NONE;
    bool can = have->exporter.n > 0 || have->unique.n > 0 || have->end_point.n > 0;

    if ((first->flag == 'p') != plus) return ERR_INVALID;
    if (first->flag == 'y' && can) return ERR_INVALID;
    if (plus) {
        enum err e = binding_data(first->binding, have, &data);
        if (e != OK) return e;
    }
    buf_put(&s->bound, first->gs2_header);
    buf_put(&s->bound, data);
    return buf_check(&s->bound);
}

enum err scram_first(struct scram *s, enum scram_hash hash, bool plus,
                     const struct scram_bindings *bindings, struct str server_nonce,
                     struct str message)
{
    struct sasl_scram_first first;

    *s = (struct scram){ .hash = hash,
                         .login = BUF_INIT(LOGIN_RAW_MAX),
                         .authzid = BUF_INIT(LOGIN_RAW_MAX),
                         .nonce = BUF_INIT(NONCES_MAX),
                         .bound = BUF_INIT(BOUND_MAX),
                         .messages = BUF_INIT(MESSAGES_MAX) };
    enum err e = sasl_scram_first_parse(message, &first);
    if (e == OK) e = bind(s, &first, plus, bindings);
    if (e == OK) e = sasl_name_decode(first.login, &s->login);
    if (e == OK && first.authzid.n > 0) e = sasl_name_decode(first.authzid, &s->authzid);
    if (e != OK) return e;

    buf_put(&s->nonce, first.nonce);
    buf_put(&s->nonce, server_nonce);
    must(!s->nonce.over);
    buf_put(&s->messages, first.bare);
    return buf_check(&s->messages);
}

void scram_challenge(struct scram *s, const struct scram_keys *keys, struct buf *out)
{
    struct buf said = BUF_INIT(MESSAGES_MAX);

    must(keys->iterations > 0 && keys->stored_key.n == scram_key_bytes(s->hash) &&
         keys->server_key.n == scram_key_bytes(s->hash));
    s->stored_key = keys->stored_key;
    s->server_key = keys->server_key;
    buf_put_lit(&said, "r=");
    buf_put(&said, buf_str(&s->nonce));
    buf_put_lit(&said, ",s=");
    base64_put(&said, keys->salt);
    buf_put_lit(&said, ",i=");
    buf_put_u64(&said, keys->iterations);
    buf_put(out, buf_str(&said));
    buf_put_byte(&s->messages, ',');
    buf_put(&s->messages, buf_str(&said));
    buf_free(&said);
}

/* --- the client's final message --- */

static enum err agreed(const struct scram *s, const struct sasl_scram_final *final)
{
    struct buf bound = BUF_INIT(BOUND_MAX);
    enum err e = base64_decode(&bound, final->binding);
    if (e == OK && !secret_eq(buf_str(&bound), buf_str(&s->bound))) e = ERR_INVALID;
    if (e == OK && !secret_eq(final->nonce, buf_str(&s->nonce))) e = ERR_INVALID;
    buf_free(&bound);
    return e == ERR_LIMIT ? ERR_SYNTAX : e;
}

/* ClientKey := ClientProof XOR ClientSignature; its hash has to be StoredKey. */
static bool proof_fits(const struct scram *s, struct str proof)
{
    unsigned char signature[SCRAM_KEY_MAX], key[SCRAM_KEY_MAX], stored[SCRAM_KEY_MAX];
    struct str sign = hmac(s->hash, s->stored_key, buf_str(&s->messages), signature);

    for (size_t i = 0; i < sign.n; i++) {
        key[i] = (unsigned char)(sign.p[i] ^ proof.p[i]);
    }
    bool fits = secret_eq(digest(s->hash, str_of(key, sign.n), stored), s->stored_key);
    secret_wipe(key, sizeof key);
    secret_wipe(stored, sizeof stored);
    return fits;
}

enum err scram_final(struct scram *s, struct str message, struct buf *out)
{
    struct sasl_scram_final final;
    struct buf proof = BUF_INIT(BOUND_MAX);
    unsigned char signature[SCRAM_KEY_MAX];

    must(s->stored_key.n > 0);
    enum err e = sasl_scram_final_parse(message, &final);
    if (e == OK) e = agreed(s, &final);
    if (e == OK && base64_decode(&proof, final.proof) != OK) e = ERR_SYNTAX;
    if (e == OK && proof.n != scram_key_bytes(s->hash)) e = ERR_SYNTAX;
    if (e == OK) {
        buf_put_byte(&s->messages, ',');
        buf_put(&s->messages, final.without_proof);
        e = s->messages.over ? ERR_SYNTAX : !proof_fits(s, buf_str(&proof)) ? ERR_DENIED : OK;
    }
    buf_free(&proof);
    if (e != OK) return e;

    buf_put_lit(out, "v=");
    base64_put(out, hmac(s->hash, s->server_key, buf_str(&s->messages), signature));
    return buf_check(out);
}

void scram_free(struct scram *s)
{
    buf_free(&s->login);
    buf_free(&s->authzid);
    buf_free(&s->nonce);
    buf_free(&s->bound);
    buf_free(&s->messages);
}
