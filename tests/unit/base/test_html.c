/* test_html.c: pages in one file. Base64: the vectors of RFC 4648, section 10. The hash of the style
 * sheet "a{}" is `printf 'a{}' | openssl dgst -sha256 -binary | base64` (OpenSSL 3.0.17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/html.h"

static void test_base64(void **state)
{
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_html_add_base64(&b, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(b.data, cases[i][1]);
        nod_strbuf_done(&b);
    }
}

static void test_text(void **state)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    (void)state;
    nod_html_add_text(&b, "<img src=\"x\" onerror='y'>&");
    assert_string_equal(b.data, "&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt;&amp;");
    nod_strbuf_done(&b);
}

static void test_policy(void **state)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_error err = NOD_ERROR_INIT;
    (void)state;
    assert_int_equal(nod_html_begin(&b, "a & b", "a{}", &err), 0);
    nod_html_end(&b);
    assert_non_null(strstr(b.data, "default-src 'none'"));
    assert_non_null(
        strstr(b.data, "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='"));
    assert_non_null(strstr(b.data, "<title>a &amp; b</title>\n<style>a{}</style>"));
    assert_null(strstr(b.data, "unsafe"));
    nod_strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_base64),
                                       cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_policy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
