/* SASL exchanges: the first byte picks the mechanism, the second what the channel can be bound to,
 * the rest are the client's messages with 0xFE between them. Randomness is fixed, so that a
 * saved exchange reaches the same state each time. */
#include "agent/auth/sasl.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/param.h"
#include "base/rand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const mechanisms[] = { "PLAIN",         "LOGIN",       "CRAM-MD5",
                                          "SCRAM-SHA-256", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS" };
static struct arena kept;
static struct credential credential;

static enum err lookup(void *ctx, void *who, struct str login, struct arena *a,
                       struct sasl_account *out)
{
    (void)ctx;
    (void)who;
    (void)a;
    if (!str_eq(login, STR("ann@example.org"))) return ERR_NOT_FOUND;
    *out = (struct sasl_account){ 1, STR("ann@example.org"), credential };
    return OK;
}

static struct sasl_room *make_room(void)
{
    struct sasl_backend backend = { .lookup = lookup };
    struct sasl_settings settings = { .wants = { UINT32_MAX, CONFIG_HASH_SHA512_CRYPT },
                                      .default_domain = STR("example.org"),
                                      .host = STR("mail.example.org") };
    must(param_set(STR("auth_hash_sha512_rounds"), 1000) == OK);
    must(param_set(STR("auth_scram_iterations"), 4096) == OK);
    rand_test_seed(1);
    clock_test_set(1, 1);
    must(credential_make(&settings.wants, STR("pencil"), &kept, &credential) == OK);
    return sasl_open(&backend, &settings, STR("key"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sasl_room *room;
    if (room == NULL) room = make_room();
    if (size < 2) return 0;
    rand_test_seed(2);

    struct sasl_terms terms = { .private = true };
    size_t m = data[0] % (sizeof mechanisms / sizeof mechanisms[0]);
    if ((data[1] & 1) != 0 || m == 5) terms.bindings.exporter = STR("exporter");
    if ((data[1] & 2) != 0) terms.bindings.end_point = STR("end point");

    struct sasl *s = NULL;
    struct str left = str_of(data + 2, size - 2), message;
    struct buf out = BUF_INIT(SASL_INPUT_MAX);
    enum sasl_state state = SASL_CONTINUE;
    must(sasl_begin(room, &terms, str_c(mechanisms[m]), &s) == OK);
    while (state == SASL_CONTINUE && str_cut(&left, (char)0xfe, &message)) {
        buf_clear(&out);
        state = sasl_step(s, message, &out);
        must(!out.over && (state == SASL_CONTINUE || out.n == 0));
        must((state == SASL_DONE) == (sasl_result(s)->account.n > 0));
    }
    sasl_free(&s);
    buf_free(&out);
    return 0;
}
