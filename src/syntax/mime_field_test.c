#include "base/unit.h"

#include "syntax/mime_field.h"

static const struct {
    const char *name;
    struct str value, want;
    enum err result;
} types[] = {
    { "plain", STR_INIT(" text/plain"), STR_INIT("text/plain") },
    { "parameters", STR_INIT("Text/HTML; charset=UTF-8;\r\n format=\"flowed\""),
      STR_INIT("Text/HTML charset=[UTF-8] format=[flowed]") },
    { "comments", STR_INIT("(a)text(b)/(c)plain(d);(e)charset(f)=(g)x(h)"),
      STR_INIT("text/plain charset=[x]") },
    { "empty parameters", STR_INIT("text/plain;;charset=x;"), STR_INIT("text/plain charset=[x]") },
    { "unquoted specials", STR_INIT("multipart/mixed; boundary=--=_a/b:c=?d"),
      STR_INIT("multipart/mixed boundary=[--=_a/b:c=?d]") },
    { "no semicolon", STR_INIT("text/plain charset=x"), STR_INIT("text/plain") },
    { "a blank instead of a semicolon", STR_INIT("text/plain; charset=x format=y"),
      STR_INIT("text/plain charset=[x]") },
    { "file name with blanks", STR_INIT("image/png; name=My  holiday (1).png; x=y"),
      STR_INIT("image/png name=[My holiday .png] x=[y]") },
    { "quoted file name", STR_INIT("image/png; name=\"a;\\\"b\\\".png\""),
      STR_INIT("image/png name=[a;\"b\".png]") },
    { "empty value", STR_INIT("text/plain; charset=\"\"; a=; b=c"),
      STR_INIT("text/plain charset=[] a=[] b=[c]") },
    { "no value", STR_INIT("text/plain; charset; b=c"), STR_INIT("text/plain b=[c]") },
    { "utf-8", STR_INIT("text/plain; name=\"\xc3\xbc\"; n=\xc3\xbc"),
      STR_INIT("text/plain name=[\xc3\xbc] n=[\xc3\xbc]") },
    { "RFC 2231: pieces",
      STR_INIT("message/external-body; access-type=URL;\r\n"
               " URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/pub\""),
      STR_INIT("message/external-body access-type=[URL] URL=[ftp://cs.utk.edu/pub]") },
    { "RFC 2231: charset",
      STR_INIT("application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
      STR_INIT("application/x-stuff title*=[us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A]") },
    { "RFC 2231: both",
      STR_INIT("application/x-stuff;\r\n title*0*=us-ascii'en'This%20is%20even%20;"
               "\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n title*2=\"isn't it!\""),
      STR_INIT("application/x-stuff title*=[us-ascii'en'This%20is%20even%20%2A%2A%2Afun%2A%2A%2A%20"
               "isn%27t%20it!]") },
    { "pieces out of order", STR_INIT("a/b; n*1=y; x=1; n*0=x; n*2=z"),
      STR_INIT("a/b x=[1] n=[xyz]") },
    { "a piece is missing", STR_INIT("a/b; n*0=x; n*2=z"), STR_INIT("a/b n=[x]") },
    { "the first piece is missing", STR_INIT("a/b; n*1=x"), STR_INIT("a/b") },
    { "pieces twice", STR_INIT("a/b; n*0=x; n*0=y; n*1=z"), STR_INIT("a/b n=[xz] n=[y]") },
    { "later piece extended only", STR_INIT("a/b; n*0=\"a b\"; n*1*=%20c"),
      STR_INIT("a/b n*=[''a%20b%20c]") },
    { "star without a charset", STR_INIT("a/b; n*=abc"), STR_INIT("a/b n=[abc]") },
    { "section that is none", STR_INIT("a/b; n*x=1; *=2; n**=3; n*9999999999999999999=4"),
      STR_INIT("a/b n*x=[1] *=[2] n=[3] n*9999999999999999999=[4]") },
    { "open quote", STR_INIT("a/b; n=\"x; y=z"), STR_INIT("a/b n=[x; y=z]") },
    { "open comment", STR_INIT("a/b; n=x (y; z=1"), STR_INIT("a/b n=[x]") },
    { "no subtype", STR_INIT("text"), STR_INIT(""), ERR_SYNTAX },
    { "empty subtype", STR_INIT("text/; charset=x"), STR_INIT(""), ERR_SYNTAX },
    { "empty", STR_INIT(""), STR_INIT(""), ERR_SYNTAX },
    { "quoted type", STR_INIT("\"text\"/plain"), STR_INIT(""), ERR_SYNTAX },
};

static void put_params(struct buf *b, const struct mime_params *params)
{
    for (size_t i = 0; i < params->count; i++) {
        buf_put_byte(b, ' ');
        buf_put(b, params->at[i].name);
        buf_put(b, params->at[i].extended ? STR("*=[") : STR("=["));
        buf_put(b, params->at[i].value);
        buf_put_byte(b, ']');
    }
}

static void types_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(types); i++) {
        struct arena a = ARENA_INIT(0);
        struct buf b = BUF_INIT(1000);
        struct mime_keeper k = mime_keeper_of(&a);
        struct str type, subtype;
        struct mime_params params;
        unit_case(types[i].name);
        enum err e = mime_type_parse(&k, types[i].value, &type, &subtype, &params);
        assert_int_equal(e, types[i].result);
        if (e == OK) {
            buf_put(&b, type);
            buf_put_byte(&b, '/');
            buf_put(&b, subtype);
            put_params(&b, &params);
        }
        assert_str(buf_str(&b), types[i].want);
        assert_false(k.cut);
        buf_free(&b);
        arena_free(&a);
    }
}

static void the_other_fields_are_read(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct mime_keeper k = mime_keeper_of(&a);
    struct mime_params params;
    struct str word, *tags;
    (void)state;
    assert_int_equal(mime_disposition_parse(&k, STR(" attachment; filename=a"), &word, &params),
                     OK);
    assert_str(word, STR("attachment"));
    assert_int_equal(params.count, 1);
    assert_int_equal(mime_disposition_parse(&k, STR("; filename=a"), &word, &params), ERR_SYNTAX);
    assert_str(mime_word_parse(&k, STR(" base64 (x); y")), STR("base64"));
    assert_str(mime_word_parse(&k, STR(" (x)")), STR(""));
    assert_int_equal(mime_languages_parse(&k, STR("de, (x) en-GB ,fr"), &tags), 3);
    assert_str(tags[1], STR("en-GB"));
    assert_str(mime_text_parse(&k, STR(" a\r\n b \r\n")), STR("a b"));
    arena_free(&a);
}

static void parameters_are_found_and_decoded(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(100);
    struct mime_keeper k = mime_keeper_of(&a);
    struct mime_params params;
    struct str word, charset;
    (void)state;
    assert_int_equal(mime_disposition_parse(
                         &k,
                         STR("attachment; filename=\"a.txt\"; FileName*=utf-8'de'%C3%bC%2;x=%41"),
                         &word, &params),
                     OK);
    const struct mime_param *name = mime_param_find(&params, STR("filename"));
    assert_true(name != NULL && name->extended);
    mime_param_put(&b, name, &charset);
    assert_str(charset, STR("utf-8"));
    assert_str(buf_str(&b), STR("\xc3\xbc%2"));
    buf_clear(&b);
    mime_param_put(&b, mime_param_find(&params, STR("X")), &charset);
    assert_str(buf_str(&b), STR("%41"));
    assert_int_equal(charset.n, 0);
    assert_null(mime_param_find(&params, STR("y")));
    buf_free(&b);
    arena_free(&a);
}

static void limits_hold(void **state)
{
    struct arena a = ARENA_INIT(0);
    struct buf b = BUF_INIT(1 << 20);
    struct str type, subtype, *tags;
    struct mime_params params;
    (void)state;

    struct mime_keeper k = mime_keeper_of(&a);
    buf_put_lit(&b, "a/b");
    for (int i = 0; i < MIME_PARAMS_MAX; i++) {
        buf_put_lit(&b, "; n=v");
    }
    assert_int_equal(mime_type_parse(&k, buf_str(&b), &type, &subtype, &params), OK);
    assert_int_equal(params.count, MIME_PARAMS_MAX);
    assert_false(k.cut);
    buf_put_lit(&b, "; last=v");
    assert_int_equal(mime_type_parse(&k, buf_str(&b), &type, &subtype, &params), OK);
    assert_int_equal(params.count, MIME_PARAMS_MAX);
    assert_true(k.cut);

    k = mime_keeper_of(&a);
    k.params_left = 3;
    assert_int_equal(mime_type_parse(&k, buf_str(&b), &type, &subtype, &params), OK);
    assert_int_equal(params.count, 3);
    assert_true(k.cut);

    k = mime_keeper_of(&a);
    buf_clear(&b);
    for (int i = 0; i <= MIME_VALUE_MAX; i++) {
        buf_put_byte(&b, 'x');
    }
    assert_int_equal(mime_text_parse(&k, buf_str(&b)).n, MIME_VALUE_MAX);
    assert_true(k.cut);
    k.text_left_bytes = 10;
    assert_int_equal(mime_text_parse(&k, buf_str(&b)).n, 10);
    assert_int_equal(mime_text_parse(&k, buf_str(&b)).n, 0);

    k = mime_keeper_of(&a);
    buf_clear(&b);
    for (int i = 0; i <= MIME_LANGUAGES_MAX; i++) {
        buf_put_lit(&b, "de,");
    }
    assert_int_equal(mime_languages_parse(&k, buf_str(&b), &tags), MIME_LANGUAGES_MAX);
    assert_true(k.cut);
    buf_free(&b);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_read),
        cmocka_unit_test(the_other_fields_are_read),
        cmocka_unit_test(parameters_are_found_and_decoded),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
