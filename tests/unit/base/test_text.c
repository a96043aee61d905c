/* test_text.c: growing strings, lists, order, and the nearest word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

static void test_strbuf_builds(void **state)
{
    (void)state;
    nod_strbuf b = NOD_STRBUF_INIT;
    assert_string_equal(b.data, "");
    nod_strbuf_add(&b, "ab");
    nod_strbuf_addc(&b, 'c');
    nod_strbuf_addn(&b, "defg", 2);
    nod_strbuf_printf(&b, "-%d-%s", 42, "x");
    assert_string_equal(b.data, "abcde-42-x");
    assert_int_equal(b.len, 10);
    nod_strbuf_clear(&b);
    assert_string_equal(b.data, "");
    nod_strbuf_add(&b, "z");
    char *s = nod_strbuf_take(&b);
    assert_string_equal(s, "z");
    assert_string_equal(b.data, "");
    assert_int_equal(b.len, 0);
    nod_free(s);
    s = nod_strbuf_take(&b); /* of an empty one: an empty string, not NULL */
    assert_string_equal(s, "");
    nod_free(s);
    nod_strbuf_done(&b);
    nod_strbuf_done(&b);
}

static void test_strbuf_zeroed_by_hand_works(void **state)
{
    (void)state;
    nod_strbuf b;
    memset(&b, 0, sizeof b);
    nod_strbuf_clear(&b);
    nod_strbuf_add(&b, "x");
    assert_string_equal(b.data, "x");
    nod_strbuf_done(&b);
}

static void test_strbuf_printf_longer_than_its_room(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'q', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t n = 60; n < 100; n++) { /* around the room that is reserved first */
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%.*s", (int)n, text);
        assert_int_equal(b.len, n);
        assert_int_equal(strlen(b.data), n);
        nod_strbuf_printf(&b, "%s|", text);
        assert_int_equal(b.len, n + sizeof text);
        assert_int_equal(b.data[b.len - 1], '|');
        assert_false(b.failed);
        nod_strbuf_done(&b);
    }
}

static void test_strbuf_keeps_nul_bytes(void **state)
{
    (void)state;
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_strbuf_addn(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    nod_strbuf_done(&b);
}

static void test_strlist(void **state)
{
    (void)state;
    nod_strlist l = NOD_STRLIST_INIT;
    assert_int_equal(nod_strlist_find(&l, "x"), -1);
    nod_strlist_sort(&l);
    static const char *const words[] = {"b", "a10", "\xc3\xa4", "a2", "", "B"};
    static const char *const sorted[] = {"", "B", "a10", "a2", "b", "\xc3\xa4"};
    for (size_t i = 0; i < NOD_COUNT(words); i++)
        assert_true(nod_strlist_add(&l, words[i]));
    nod_strlist_sort(&l);
    for (size_t i = 0; i < NOD_COUNT(sorted); i++) {
        assert_string_equal(l.items[i], sorted[i]);
        assert_int_equal(nod_strlist_find(&l, sorted[i]), (int)i);
    }
    assert_int_equal(nod_strlist_find(&l, "none"), -1);
    nod_strlist_done(&l);
    assert_int_equal(l.n, 0);
}

static void test_prefix_suffix_case(void **state)
{
    (void)state;
    assert_true(nod_has_prefix("abc", "ab"));
    assert_true(nod_has_prefix("abc", ""));
    assert_false(nod_has_prefix("ab", "abc"));
    assert_true(nod_has_suffix_nocase("x.NII.gz", ".nii.GZ"));
    assert_false(nod_has_suffix_nocase("gz", ".gz"));
    assert_true(nod_equal_nocase("ReLU", "relu"));
    assert_false(nod_equal_nocase("relu", "relu6"));
    assert_false(nod_equal_nocase("[", "{")); /* 0x20 apart, and no letters */
}

/* In order; every pair is compared both ways. */
static void test_natural_order(void **state)
{
    (void)state;
    static const char *const order[] = {
        "",
        "1",
        "01x",
        "2",
        "10",
        "10a",
        "99999999999999999999998",
        "99999999999999999999999",
        "a",
        "a1b",
        "a1b2",
        "a1b10",
        "a02",
        "a2",
        "a2.png",
        "a10",
        "case2",
        "case10",
        "case10b",
        "caseA",
        "\xc3\xa4",
    };
    size_t n = NOD_COUNT(order);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int c = nod_compare_natural(order[i], order[j]);
            int want = i < j ? -1 : i > j;
            if ((c > 0) - (c < 0) != want)
                fail_msg("'%s' against '%s': %d", order[i], order[j], c);
        }
}

static const char *const keys[] = {"batch_size", "epochs", "seed", "lr", "momentum",
                                   "dropout",    "p",      "Adam", "SGD"};

static const char *next_key(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_COUNT(keys) ? keys[i] : NULL;
}

static void test_nearest_word(void **state)
{
    (void)state;
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"batch_siez", "batch_size"}, /* a swap is one edit */
        {"batchsize", "batch_size"},
        {"epoch", "epochs"},
        {"seeed", "seed"},
        {"MOMENTUM", "momentum"}, /* case is ignored */
        {"adam", "Adam"},
        {"lr", "lr"},
        {"weight_decay", NULL}, /* nothing near */
        {"x", NULL},            /* "p" is one edit away, yet nothing is alike */
        {"", NULL},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        const char *got = nod_nearest(cases[i].word, next_key, NULL);
        if (cases[i].want == NULL)
            assert_null(got);
        else
            assert_string_equal(got, cases[i].want);
    }
    char lengthy[200];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_null(nod_nearest(lengthy, next_key, NULL));
}

static const char *next_abc(const void *ctx, size_t i)
{
    const char *const *words = ctx;
    return words[i];
}

/* "At most 1 + length/3 edits": 3 for a word of six letters. Distances counted by hand. */
static void test_nearest_threshold(void **state)
{
    (void)state;
    const char *three[] = {"abcxyz", NULL}, *four[] = {"abwxyz", NULL};
    assert_ptr_equal(nod_nearest("abcdef", next_abc, three), three[0]);
    assert_null(nod_nearest("abcdef", next_abc, four));
    const char *both[] = {"abcdez", "abcdey", NULL};
    assert_ptr_equal(nod_nearest("abcdef", next_abc, both), both[0]);
}

static void test_tidy(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"a\tb\nc\r", "a b c?"},
        {"end \n\n", "end"},
        {"\x7f\x1b", "??"},
        {"\xc3\xa4", "\xc3\xa4"}, /* whole characters stay */
        {"x\xe2\x82\xac", "x\xe2\x82\xac"},
        {"x\xe2\x82", "x"}, /* cut ones go */
        {"x\xf0\x9f\x98", "x"},
        {"x\xc3", "x"},
        {"\xc3", ""},
        {"\x80\x80\x80", "\x80\x80\x80"}, /* not UTF-8 at all: left alone */
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char text[32];
        strcpy(text, cases[i].text);
        nod_text_tidy(text);
        assert_string_equal(text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strbuf_builds),
        cmocka_unit_test(test_strbuf_zeroed_by_hand_works),
        cmocka_unit_test(test_strbuf_printf_longer_than_its_room),
        cmocka_unit_test(test_strbuf_keeps_nul_bytes),
        cmocka_unit_test(test_strlist),
        cmocka_unit_test(test_prefix_suffix_case),
        cmocka_unit_test(test_natural_order),
        cmocka_unit_test(test_nearest_word),
        cmocka_unit_test(test_nearest_threshold),
        cmocka_unit_test(test_tidy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
