/* test_number.c: strict reading and writing of numbers. Expected values are literals of C,
 * whose compiler reads them independently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"007", 7},
        {"-42", -42},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    static const char *const bad[] = {
        "",
        " 1",
        "1 ",
        "1\n",
        "-",
        "+",
        "--1",
        "+-1",
        "-+1",
        "1.0",
        "1e3",
        "0x10",
        "abc",
        "1a",
        "1,0",
        "1_0",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999",
    };
    for (size_t i = 0; i < NOD_COUNT(good); i++) {
        int64_t v = 99;
        assert_true(nod_parse_i64(good[i].text, &v));
        assert_true(v == good[i].want);
    }
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        int64_t v = 99;
        if (nod_parse_i64(bad[i], &v)) fail_msg("'%s' was read as an integer", bad[i]);
        assert_true(v == 99);
    }
    uint64_t u = 5;
    assert_true(nod_parse_u64("18446744073709551615", &u));
    assert_true(u == UINT64_MAX);
    assert_false(nod_parse_u64("18446744073709551616", &u));
    assert_false(nod_parse_u64("-1", &u));
    assert_false(nod_parse_u64("-0", &u));
    assert_true(u == UINT64_MAX);
}

static void test_reals(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
    } good[] = {
        {"0", 0},
        {"-0", -0.0},
        {"1.5", 1.5},
        {".5", .5},
        {"5.", 5.},
        {"-1e-3", -1e-3},
        {"+2E+2", 200},
        {"0.1", 0.1},
        {"1.7976931348623157e308", DBL_MAX},
        {"5e-324", 5e-324},
        {"1e-400", 0},
        {"123456789012345678901234567890", 1.2345678901234568e29},
    };
    static const char *const bad[] = {
        "",    " 1",  "1 ",  ".",   "-",  "e5",    "1e",     "1e+",      "1.5.2", "0x1p3",
        "inf", "nan", "1,5", "--1", "1f", "1e400", "-1e400", "INFINITY", "1 000",
    };
    for (size_t i = 0; i < NOD_COUNT(good); i++) {
        double v = 99;
        assert_true(nod_parse_f64(good[i].text, &v));
        assert_true(v == good[i].want && signbit(v) == signbit(good[i].want));
    }
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        double v = 99;
        if (nod_parse_f64(bad[i], &v)) fail_msg("'%s' was read as a number", bad[i]);
        assert_true(v == 99);
    }
}

static void test_booleans(void **state)
{
    (void)state;
    bool v = false;
    assert_true(nod_parse_bool("true", &v) && v);
    assert_true(nod_parse_bool("No", &v) && !v);
    assert_true(nod_parse_bool("ON", &v) && v);
    assert_true(nod_parse_bool("off", &v) && !v);
    assert_true(nod_parse_bool("yes", &v) && v);
    assert_true(nod_parse_bool("False", &v) && !v);
    v = true;
    static const char *const bad[] = {"", "1", "0", "t", "truee", " true", "y"};
    for (size_t i = 0; i < NOD_COUNT(bad); i++)
        assert_false(nod_parse_bool(bad[i], &v));
    assert_true(v);
}

static void test_format_f64_is_short_and_exact(void **state)
{
    (void)state;
    char out[40];
    static const struct {
        double v;
        const char *want;
    } cases[] = {{0.1, "0.1"},
                 {1.0, "1"},
                 {-0.0, "-0"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e300, "1e+300"},
                 {5e-324, "4.94065645841247e-324"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"},
                 {-NAN, "nan"}};
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_format_f64(cases[i].v, out, sizeof out);
        assert_string_equal(out, cases[i].want);
    }
    nod_rng r = nod_rng_make(3, NOD_RNG_TEST, 0);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)nod_rng_u32(&r) << 32 | nod_rng_u32(&r);
        double v, back;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v)) continue;
        nod_format_f64(v, out, sizeof out);
        assert_true(nod_parse_f64(out, &back));
        assert_memory_equal(&v, &back, sizeof v);
    }
}

/* A program that embeds the library may have set a locale with a decimal comma. */
static void test_locale_does_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    const char *set = NULL;
    for (size_t i = 0; i < NOD_COUNT(names) && set == NULL; i++)
        set = setlocale(LC_ALL, names[i]);
    if (set == NULL) {
        print_message("SKIPPED: no locale with a decimal comma is installed\n");
        skip();
    }
    char out[40];
    double v;
    snprintf(out, sizeof out, "%.1f", 1.5);
    assert_string_equal(out, "1,5"); /* the locale is what we think */
    nod_format_f64(1.5, out, sizeof out);
    assert_string_equal(out, "1.5");
    assert_true(nod_parse_f64("1.5", &v));
    assert_true(v == 1.5);
    assert_false(nod_parse_f64("1,5", &v));
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_printf(&b, "%.2f", 2.25);
    assert_string_equal(b.data, "2.25");
    nod_strbuf_done(&b);
    setlocale(LC_ALL, "C");
}

static void test_bytes_for_people(void **state)
{
    (void)state;
    static const struct {
        double bytes;
        const char *want;
    } cases[] = {{0, "0 B"},
                 {512, "512 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KiB"},
                 {1536, "1.5 KiB"},
                 {10239, "10 KiB"},
                 {1048575, "1.0 MiB"},
                 {23.0 * 1048576, "23 MiB"},
                 {2.5 * 1073741824, "2.5 GiB"},
                 {NAN, "? B"}};
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char out[16];
        nod_format_bytes(cases[i].bytes, out, sizeof out);
        assert_string_equal(out, cases[i].want);
    }
}

static void test_seconds_for_people(void **state)
{
    (void)state;
    static const struct {
        double s;
        const char *want;
    } cases[] = {{0, "0.0 ms"},       {0.0042, "4.2 ms"},     {0.12, "120 ms"},
                 {0.9996, "1.0 s"},   {3.42, "3.4 s"},        {59.96, "1 min 00 s"},
                 {303, "5 min 03 s"}, {3599.6, "1 h 00 min"}, {3720, "1 h 02 min"},
                 {-1, "0.0 ms"},      {INFINITY, "? s"}};
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char out[32];
        nod_format_seconds(cases[i].s, out, sizeof out);
        assert_string_equal(out, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_format_f64_is_short_and_exact),
        cmocka_unit_test(test_locale_does_not_matter),
        cmocka_unit_test(test_bytes_for_people),
        cmocka_unit_test(test_seconds_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
