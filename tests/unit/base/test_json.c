/* test_json.c: strict parsing with positions, builders that remember lost values, strict
 * getters, and text forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "temp_folder.h"

static nod_json *must_parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    if (nod_json_parse(text, strlen(text), "t.json", &j, &err) != 0)
        fail_msg("%s", err.message);
    return j;
}

static void check_text(const nod_json *j, bool indent, const char *want)
{
    nod_error err = NOD_ERROR_INIT;
    char *text = NULL;
    if (nod_json_dump(j, indent, &text, &err) != 0) fail_msg("%s", err.message);
    assert_string_equal(text, want);
    nod_free(text);
}

static void test_bad_text_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "t.json:3:4:"}, /* the second "a" */
        {"{\"a\": 1} x", "t.json:1:10:"},
        {"{\"a\": 1}{}", "t.json:1:9:"},
        {"{\"a\": 1,\n}", "t.json:2:1:"},
        {"[1 2]", "t.json:1:4:"},
        {"", "t.json:1:0:"},
        {"{\"a\": ", "t.json:1:6:"},
        {"[NaN]", "t.json:1:4:"},
        {"[01]", "t.json:1:2:"},
        {"['a']", "t.json:1:2:"},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_json *j = NULL;
        int rc = nod_json_parse(cases[i].text, strlen(cases[i].text), "t.json", &j, &err);
        assert_int_equal(rc, NOD_EFORMAT);
        assert_null(j);
        if (strncmp(err.message, cases[i].place, strlen(cases[i].place)) != 0)
            fail_msg("%s: said at %s", cases[i].text, err.message);
    }
}

static void test_hostile_text_is_refused(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    size_t depth = 100000;
    char *deep = nod_malloc(depth);
    assert_non_null(deep);
    memset(deep, '[', depth);
    assert_int_equal(nod_json_parse(deep, depth, "t", &j, &err), NOD_EFORMAT);
    nod_free(deep);
    static const char *const bad[] = {
        "[\"\xff\"]",             /* not UTF-8 */
        "[\"\xed\xa0\x80\"]",     /* a surrogate in UTF-8 */
        "[\"\\ud800\"]",          /* half a surrogate pair */
        "[\"a\\u0000b\"]",        /* would end the C string */
        "[99999999999999999999]", /* no int64 */
        "[1e999]",                /* no double */
        "[\"a\nb\"]",             /* control byte in a string */
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++)
        assert_int_equal(nod_json_parse(bad[i], strlen(bad[i]), "t", &j, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_parse("[\"a\0b\"]", 7, "t", &j, &err), NOD_EFORMAT);
    assert_null(j);
}

static void test_parsed_values(void **state)
{
    (void)state;
    nod_json *j = must_parse("{\"z\": [1, -2.5, \"s\\u00e4\", true, null], \"a\": {}}");
    assert_true(nod_json_is_object(j));
    assert_int_equal(nod_json_count(j), 2);
    assert_string_equal(nod_json_key(j, 0), "z"); /* as written, not sorted */
    assert_string_equal(nod_json_key(j, 1), "a");
    assert_null(nod_json_key(j, 2));
    nod_json *z = nod_json_get(j, "z");
    assert_true(nod_json_is_array(z));
    assert_int_equal(nod_json_count(z), 5);
    assert_true(nod_json_is_int(nod_json_at(z, 0)) && nod_json_i64(nod_json_at(z, 0)) == 1);
    assert_true(nod_json_is_number(nod_json_at(z, 1)) && !nod_json_is_int(nod_json_at(z, 1)));
    assert_true(nod_json_f64(nod_json_at(z, 1)) == -2.5);
    assert_string_equal(nod_json_str(nod_json_at(z, 2)), "s\xc3\xa4");
    assert_true(nod_json_is_bool(nod_json_at(z, 3)) && nod_json_truth(nod_json_at(z, 3)));
    assert_true(nod_json_is_null(nod_json_at(z, 4)));
    assert_null(nod_json_at(z, 5));
    assert_null(nod_json_get(j, "none"));
    assert_null(nod_json_get(z, "z"));
    nod_json_free(j);
}

static void test_getters_of_wrong_types_are_harmless(void **state)
{
    (void)state;
    nod_json *j = must_parse("[\"s\", 1e300, 7, {}]");
    assert_string_equal(nod_json_str(j), "");
    assert_string_equal(nod_json_str(NULL), "");
    assert_true(nod_json_i64(nod_json_at(j, 0)) == 0);
    assert_true(nod_json_i64(nod_json_at(j, 1)) == 0); /* no int64 has this value */
    assert_true(isnan(nod_json_f64(nod_json_at(j, 0))));
    assert_true(nod_json_f64(nod_json_at(j, 2)) == 7);
    assert_false(nod_json_truth(nod_json_at(j, 2)));
    assert_int_equal(nod_json_count(nod_json_at(j, 2)), 0);
    assert_null(nod_json_next_key(j, NULL));
    assert_null(nod_json_next_key(nod_json_at(j, 3), NULL));
    assert_false(nod_json_is_object(NULL));
    nod_json_free(j);
    nod_json_free(NULL);
}

static void test_iteration(void **state)
{
    (void)state;
    nod_json *j = must_parse("{\"b\":0,\"a\":1,\"c\":2}");
    static const char *const want[] = {"b", "a", "c"};
    const char *k = NULL;
    for (size_t n = 0; n < NOD_COUNT(want); n++) {
        k = nod_json_next_key(j, k);
        assert_non_null(k);
        assert_string_equal(k, want[n]);
        assert_true(nod_json_i64(nod_json_get(j, k)) == (int64_t)n);
    }
    assert_null(nod_json_next_key(j, k));
    nod_json_free(j);
}

static void test_building(void **state)
{
    (void)state;
    nod_json *j = nod_json_object(), *list = nod_json_array();
    nod_json_set_str(j, "s", "q\"\n");
    nod_json_set_str(j, "none", NULL);
    nod_json_set_int(j, "i", INT64_MIN);
    nod_json_set_real(j, "r", 0.1);
    nod_json_set_real(j, "nan", NAN);
    nod_json_set_real(j, "inf", -INFINITY);
    nod_json_set_bool(j, "b", false);
    nod_json_push(list, nod_json_real(1));
    nod_json_push(list, nod_json_null());
    nod_json_push(list, nod_json_bool(true));
    nod_json_set(j, "list", list);
    nod_json_set_int(j, "b", 3); /* replaces, keeps the place */
    check_text(j, false,
               "{\"s\":\"q\\\"\\n\",\"none\":null,\"i\":-9223372036854775808,"
               "\"r\":0.10000000000000001,\"nan\":null,\"inf\":null,\"b\":3,"
               "\"list\":[1.0,null,true]}");
    nod_json_free(j);
}

static void test_indented_form(void **state)
{
    (void)state;
    nod_json *j = must_parse("{\"b\":{\"x\":[1,2]},\"a\":[]}");
    check_text(j, true,
               "{\n  \"b\": {\n    \"x\": [\n      1,\n      2\n    ]\n  },\n  \"a\": []\n}");
    nod_json_free(j);
    j = nod_json_string("alone");
    check_text(j, false, "\"alone\"");
    nod_json_free(j);
}

static void test_canonical_form_sorts_keys(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = must_parse("{ \"b\": [2, {\"d\": 4, \"c\": 3}],\n \"a\": 1 }");
    char *text = NULL;
    assert_int_equal(nod_json_dump_canonical(j, &text, &err), 0);
    assert_string_equal(text, "{\"a\":1,\"b\":[2,{\"c\":3,\"d\":4}]}");
    nod_free(text);
    nod_json_free(j);
}

static void test_bad_utf8_becomes_question_marks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"Gr\xc3\xb6\xc3\x9f"
         "e",
         "Gr\xc3\xb6\xc3\x9f"
         "e"},
        {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
        {"Gr\xf6\xdf"
         "e",
         "Gr??e"},                    /* Latin-1 */
        {"\xc0\xaf", "??"},           /* overlong */
        {"\xe0\x80\xaf", "???"},      /* overlong */
        {"\xed\xa0\x80", "???"},      /* surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* past U+10FFFF */
        {"x\xe2\x82", "x??"},         /* cut */
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_json *j = nod_json_string(cases[i].text);
        assert_string_equal(nod_json_str(j), cases[i].want);
        nod_json_free(j);
    }
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "k\xff", 1);
    check_text(j, false, "{\"k?\":1}");
    nod_json_free(j);
}

static void check_lost(nod_json *j)
{
    nod_error err = NOD_ERROR_INIT;
    char *text = NULL;
    assert_int_equal(nod_json_dump(j, true, &text, &err), NOD_ENOMEM);
    assert_int_equal(nod_json_dump_canonical(j, &text, &err), NOD_ENOMEM);
    assert_null(text);
    nod_json_free(j);
}

/* NULL is what a builder returns when memory is refused; test_base_oom.c refuses it for real.
 */
static void test_lost_values_are_remembered(void **state)
{
    (void)state;
    check_lost(NULL);

    nod_json *j = nod_json_object();
    nod_json_set(j, "k", NULL);
    nod_json_set_int(j, "later", 1); /* does nothing, leaks nothing */
    assert_null(nod_json_get(j, "later"));
    check_lost(j);

    j = nod_json_object(); /* lost two levels below */
    nod_json *list = nod_json_array(), *inner = nod_json_object();
    nod_json_set(inner, "k", NULL);
    nod_json_push(list, inner);
    nod_json_set(j, "list", list);
    check_lost(j);

    j = must_parse(
        "{\"a\": {\"b\": []}}"); /* lost in a borrowed child, which is then replaced */
    nod_json_push(nod_json_get(nod_json_get(j, "a"), "b"), NULL);
    check_lost(j);
    j = must_parse("{\"a\": {\"b\": []}}");
    nod_json_push(nod_json_get(nod_json_get(j, "a"), "b"), NULL);
    nod_json_set_int(j, "a", 1);
    check_text(j, false, "{\"a\":1}");
    nod_json_free(j);

    nod_json_set(NULL, "k", nod_json_string("freed"));
    nod_json_push(NULL, nod_json_object());
}

static void test_strict_getters(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = must_parse("{\"s\":\"x\",\"i\":5,\"r\":1.5,\"b\":true,\"o\":{},\"a\":[]}");
    const char *s = NULL;
    int64_t i = 0;
    double r = 0;
    bool b = false;
    nod_json *child = NULL;
    assert_int_equal(nod_json_need_str(j, "m.json", "s", &s, &err), 0);
    assert_string_equal(s, "x");
    assert_int_equal(nod_json_need_i64(j, "m.json", "i", &i, &err), 0);
    assert_true(i == 5);
    assert_int_equal(nod_json_need_f64(j, "m.json", "r", &r, &err), 0);
    assert_true(r == 1.5);
    assert_int_equal(nod_json_need_f64(j, "m.json", "i", &r, &err), 0);
    assert_true(r == 5);
    assert_int_equal(nod_json_need_bool(j, "m.json", "b", &b, &err), 0);
    assert_true(b);
    assert_int_equal(nod_json_need_object(j, "m.json", "o", &child, &err), 0);
    assert_ptr_equal(child, nod_json_get(j, "o"));
    assert_int_equal(nod_json_need_array(j, "m.json", "a", &child, &err), 0);
    assert_ptr_equal(child, nod_json_get(j, "a"));

    assert_int_equal(nod_json_need_str(j, "m.json", "none", &s, &err), NOD_EFORMAT);
    assert_string_equal(err.message, "m.json: 'none' is missing");
    assert_int_equal(nod_json_need_str(j, "m.json", "i", &s, &err), NOD_EFORMAT);
    assert_string_equal(err.message, "m.json: 'i' must be a string, not an integer");
    assert_int_equal(nod_json_need_i64(j, "m.json", "r", &i, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_f64(j, "m.json", "s", &r, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_bool(j, "m.json", "i", &b, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_object(j, "m.json", "a", &child, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_array(j, "m.json", "o", &child, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_str(nod_json_get(j, "a"), "m", "s", &s, &err), NOD_EFORMAT);
    assert_int_equal(nod_json_need_str(NULL, "m", "s", &s, &err), NOD_EFORMAT);
    assert_string_equal(s, "x"); /* untouched by failures */
    assert_true(i == 5 && r == 5 && b);
    nod_json_free(j);
}

static void test_file_round_trip(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = must_parse("{\"pi\": 3.1415926535897931, \"n\": [1, 2]}"), *back = NULL;
    temp_path(path, *state, "t.json");
    assert_int_equal(nod_json_write(j, path, &err), 0);
    nod_bytes bytes;
    assert_int_equal(nod_file_read(path, 1000, &bytes, &err), 0);
    assert_string_equal(
        (char *)bytes.data,
        "{\n  \"pi\": 3.1415926535897931,\n  \"n\": [\n    1,\n    2\n  ]\n}\n");
    nod_bytes_done(&bytes);
    assert_int_equal(nod_json_read(path, 1000, &back, &err), 0);
    assert_true(nod_json_f64(nod_json_get(back, "pi")) == 3.1415926535897931);
    nod_json_free(back);
    back = NULL;
    assert_int_equal(nod_json_read(path, 3, &back, &err), NOD_ELIMIT);
    assert_int_equal(nod_json_read("/no/such", 3, &back, &err), NOD_ENOENT);
    assert_null(back);
    assert_int_equal(nod_json_write(j, *state, &err), NOD_EIO);
    assert_int_equal(nod_json_write(NULL, path, &err), NOD_ENOMEM);
    assert_true(nod_path_size(path) > 10); /* the old file stands */
    nod_json_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_text_is_refused_with_its_place),
        cmocka_unit_test(test_hostile_text_is_refused),
        cmocka_unit_test(test_parsed_values),
        cmocka_unit_test(test_getters_of_wrong_types_are_harmless),
        cmocka_unit_test(test_iteration),
        cmocka_unit_test(test_building),
        cmocka_unit_test(test_indented_form),
        cmocka_unit_test(test_canonical_form_sorts_keys),
        cmocka_unit_test(test_bad_utf8_becomes_question_marks),
        cmocka_unit_test(test_lost_values_are_remembered),
        cmocka_unit_test(test_strict_getters),
        cmocka_unit_test(test_file_round_trip),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
