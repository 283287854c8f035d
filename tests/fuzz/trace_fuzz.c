/* The Received field: whatever the foreign values are, it stays one field with safe lines. */
#include "base/must.h"
#include "syntax/header.h"
#include "syntax/scan.h"
#include "syntax/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one_field(struct str s)
{
    struct header_walk w = header_walk_of(s);
    struct header_field f;
    must(header_next(&w, &f) && f.from == 0 && f.end == s.n);
    must(str_ends(s, STR("\r\n")));
    for (size_t i = 0; i + 2 < s.n; i++) {
        bool fold = s.p[i] == '\r' ? s.p[i + 1] == '\n' : s.p[i] == '\n' && s.p[i + 1] == '\t';
        must(fold || !byte_is(s.p[i], BYTE_CONTROL) || s.p[i] == '\t');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str left = str_of(data, size), v[5] = { 0 };
    uint8_t bits = size > 0 ? data[0] : 0;
    for (size_t i = 0; i < 5; i++) {
        if (!str_cut(&left, '|', &v[i])) v[i] = STR_NONE;
    }
    struct trace t = { .protocol = (bits & 3) % 3,
                       .tls = bits & 4,
                       .auth = bits & 8,
                       .utf8 = bits & 16,
                       .helo = v[1],
                       .client_name = v[2],
                       .client_ip = v[3],
                       .by = STR("mx"),
                       .id = v[4],
                       .tls_cipher = v[2],
                       .tls_version = v[4],
                       .recipient = left };
    struct buf b = BUF_INIT(1 << 16);
    trace_put_received(&b, &t);
    must(!b.over);
    one_field(buf_str(&b));
    buf_clear(&b);
    trace_put_return_path(&b, left);
    one_field(buf_str(&b));
    buf_clear(&b);
    trace_put_delivered_to(&b, left);
    one_field(buf_str(&b));
    buf_free(&b);
    return 0;
}
