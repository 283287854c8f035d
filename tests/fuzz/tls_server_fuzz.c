/* A TLS server session fed with a stranger's bytes: it may refuse them, and must neither crash,
 * grow without bound nor come back to life after its end.
 *
 * The first byte tells how the input is cut into pieces, so that record borders fall anywhere. With
 * its highest bit set, a client of our own shakes hands first and the input comes behind it. */
#include "base/must.h"
#include "sys/tls.h"
#include "sys/tls_selfsigned.h"

enum { INPUT_MAX = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tls_config *server_config, *client_config;

static void set_up(void)
{
    static const struct str names[] = { STR_INIT("localhost") };
    struct tls_selfsigned made;
    struct buf why = BUF_INIT(500);
    must(tls_selfsigned_new(names, 1, 30, &made) == OK);
    struct tls_pair pair = { buf_str(&made.cert_pem), buf_str(&made.key_pem), STR("made") };
    struct tls_server_options server = { .pairs = &pair, .pair_count = 1 };
    struct tls_client_options client = { .verify = false };
    must(tls_config_new_server(&server, &server_config, &why) == OK);
    must(tls_config_new_client(&client, &client_config, &why) == OK);
    tls_selfsigned_free(&made);
    buf_free(&why);
}

static void shake(struct tls_session *server)
{
    struct tls_session *client = tls_new_client(client_config, STR("localhost"));
    struct buf b = BUF_INIT(1 << 20);
    for (int i = 0; i < 4; i++) {
        err_ignore(tls_handshake(client));
        tls_take_cipher(client, &b);
        must(tls_put_cipher(server, buf_str(&b)) == OK);
        buf_clear(&b);
        err_ignore(tls_handshake(server));
        tls_take_cipher(server, &b);
        must(tls_put_cipher(client, buf_str(&b)) == OK);
        buf_clear(&b);
    }
    must(tls_handshake(server) == OK);
    buf_free(&b);
    tls_free(&client);
}

/* What a stream does after bytes came in. */
static enum err drive(struct tls_session *s, bool *shaken)
{
    char room[2048];
    size_t got;
    enum err e = tls_handshake(s);
    if (e != OK) return e;
    *shaken = true;
    while ((e = tls_read(s, room, sizeof room, &got)) == OK) {
        must(got > 0 && got <= sizeof room);
        e = tls_write(s, str_of(room, got));
        must(e == OK || e == ERR_AGAIN || e == ERR_CLOSED || e == ERR_TLS);
    }
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_of(data, size);
    struct buf out = BUF_INIT(1 << 20);
    bool shaken = false;

    if (size < 2 || size > INPUT_MAX) return 0;
    if (server_config == NULL) set_up();
    size_t piece = (size_t)(data[0] & 0x7f) * 8 + 1;
    struct tls_session *s = tls_new_server(server_config);
    if ((data[0] & 0x80) != 0) shake(s);
    enum err e = ERR_AGAIN;
    for (in = str_skip(in, 1); in.n > 0; in = str_skip(in, piece)) {
        enum err put = tls_put_cipher(s, str_part(in, 0, piece));
        must(put == OK || put == ERR_LIMIT || put == ERR_CLOSED);
        enum err next = drive(s, &shaken);
        must(next == ERR_AGAIN || next == ERR_CLOSED || next == ERR_TLS);
        must(e == ERR_AGAIN || next == e); /* an end is an end */
        e = next;
        tls_take_cipher(s, &out);
        buf_clear(&out);
    }
    if (e == ERR_TLS) must(tls_error(s).n > 0);
    tls_close_notify(s);
    tls_free(&s);
    buf_free(&out);
    return 0;
}
