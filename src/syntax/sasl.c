#include "syntax/sasl.h"

enum { MD5_HEX = 32 };

static bool has_nul(struct str s)
{
    return str_find(s, '\0') != STR_NOWHERE;
}

enum err sasl_plain_parse(struct str message, struct sasl_plain *out)
{
    size_t first = str_find(message, '\0');
    if (first == STR_NOWHERE) return ERR_SYNTAX;
    struct str rest = str_skip(message, first + 1);
    size_t second = str_find(rest, '\0');
    if (second == STR_NOWHERE) return ERR_SYNTAX;

    struct sasl_plain plain = { .authzid = str_part(message, 0, first),
                                .login = str_part(rest, 0, second),
                                .password = str_skip(rest, second + 1) };
    if (plain.login.n == 0 || plain.password.n == 0 || has_nul(plain.password)) return ERR_SYNTAX;
    *out = plain;
    return OK;
}

enum err sasl_cram_parse(struct str message, struct sasl_cram *out)
{
    size_t space = str_rfind(message, ' ');
    if (space == STR_NOWHERE || space == 0 || has_nul(message)) return ERR_SYNTAX;
    struct str digest = str_skip(message, space + 1);
    if (digest.n != MD5_HEX) return ERR_SYNTAX;
    for (size_t i = 0; i < digest.n; i++) {
        if (byte_hex(digest.p[i]) < 0 || (digest.p[i] >= 'A' && digest.p[i] <= 'F'))
            return ERR_SYNTAX;
    }
    *out = (struct sasl_cram){ str_part(message, 0, space), digest };
    return OK;
}

/* Take what stands before the next comma, which must be there. */
static bool take_field(struct str *left, struct str *field_out)
{
    size_t comma = str_find(*left, ',');
    if (comma == STR_NOWHERE) return false;
    *field_out = str_part(*left, 0, comma);
    *left = str_skip(*left, comma + 1);
    return true;
}

/* The value of attribute `name` if that is what `field` is: "n=value", value not empty. */
static bool attribute(struct str field, char name, struct str *value_out)
{
    if (field.n < 3 || field.p[0] != name || field.p[1] != '=') return false;
    *value_out = str_skip(field, 2);
    return true;
}

/* 1*(ALPHA / DIGIT / "." / "-"), RFC 5801 4 */
static bool is_binding_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && c != '.' && c != '-') return false;
    }
    return s.n > 0;
}

/* printable: visible ASCII without the comma. */
static bool is_nonce(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] == ',' || (unsigned char)s.p[i] > '~') return false;
    }
    return s.n > 0;
}

/* Further attributes, which the one who gets them ignores if he does not know them: ALPHA "="
 * value. */
static bool are_extensions(struct str left)
{
    struct str field, value;
    while (str_cut(&left, ',', &field)) {
        if (field.n < 3 || !byte_is_alpha(field.p[0]) || !attribute(field, field.p[0], &value))
            return false;
    }
    return true;
}

static enum err gs2_header_parse(struct str *left, struct sasl_scram_first *out)
{
    struct str flag, authzid;
    if (!take_field(left, &flag) || !take_field(left, &authzid)) return ERR_SYNTAX;
    if (str_eq(flag, STR("n")) || str_eq(flag, STR("y"))) {
        out->flag = flag.p[0];
    } else if (attribute(flag, 'p', &out->binding) && is_binding_name(out->binding)) {
        out->flag = 'p';
    } else {
        return ERR_SYNTAX;
    }
    return authzid.n == 0 || attribute(authzid, 'a', &out->authzid) ? OK : ERR_SYNTAX;
}

enum err sasl_scram_first_parse(struct str message, struct sasl_scram_first *out)
{
    struct sasl_scram_first first = { .binding = STR_NONE, .authzid = STR_NONE };
    struct str left = message, field;

    if (has_nul(message) || str_ends(message, STR(","))) return ERR_SYNTAX;
    enum err e = gs2_header_parse(&left, &first);
    if (e != OK) return e;
    first.bare = left;
    first.gs2_header = str_part(message, 0, message.n - left.n);

    if (!take_field(&left, &field)) return ERR_SYNTAX;
    if (str_starts(field, STR("m="))) return ERR_UNSUPPORTED;
    if (!attribute(field, 'n', &first.login)) return ERR_SYNTAX;
    if (!str_cut(&left, ',', &field) || !attribute(field, 'r', &first.nonce)) return ERR_SYNTAX;
    if (first.nonce.n > SASL_NONCE_MAX) return ERR_LIMIT;
    if (!is_nonce(first.nonce) || !are_extensions(left)) return ERR_SYNTAX;
    *out = first;
    return OK;
}

enum err sasl_scram_final_parse(struct str message, struct sasl_scram_final *out)
{
    struct sasl_scram_final final;
    struct str left, field;
    size_t last = str_rfind(message, ',');

    if (last == STR_NOWHERE || has_nul(message)) return ERR_SYNTAX;
    if (!attribute(str_skip(message, last + 1), 'p', &final.proof)) return ERR_SYNTAX;
    final.without_proof = left = str_part(message, 0, last);
    if (str_ends(left, STR(","))) return ERR_SYNTAX;
    if (!take_field(&left, &field) || !attribute(field, 'c', &final.binding)) return ERR_SYNTAX;
    if (!str_cut(&left, ',', &field) || !attribute(field, 'r', &final.nonce)) return ERR_SYNTAX;
    if (!is_nonce(final.nonce) || !are_extensions(left)) return ERR_SYNTAX;
    *out = final;
    return OK;
}

enum err sasl_name_decode(struct str name, struct buf *out)
{
    if (name.n == 0 || has_nul(name) || str_find(name, ',') != STR_NOWHERE) return ERR_SYNTAX;
    while (name.n > 0) {
        size_t plain = str_find(name, '=');
        buf_put(out, str_part(name, 0, plain));
        name = plain == STR_NOWHERE ? STR_NONE : str_skip(name, plain);
        if (name.n == 0) break;
        if (str_starts(name, STR("=2C"))) {
            buf_put_byte(out, ',');
        } else if (str_starts(name, STR("=3D"))) {
            buf_put_byte(out, '=');
        } else {
            return ERR_SYNTAX;
        }
        name = str_skip(name, 3);
    }
    return buf_check(out);
}
