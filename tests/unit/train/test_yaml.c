/* test_yaml.c: what is written reads back as the same values, whatever the text; and what recipes
 * may not hold is refused with its place. The rules are those of YAML 1.2.2, chapters 5 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "train/yaml.h"

static nod_yaml *parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_yaml *y = NULL;
    if (nod_yaml_parse(text, strlen(text), "t.yaml", &y, &err) != 0)
        fail_msg("%s in: %s", err.message, text);
    return y;
}

static void test_text_reads_back(void **state)
{
    static const char *const texts[] = {"plain",
                                        "a b",
                                        "",
                                        " a",
                                        "a ",
                                        "-1",
                                        "- a",
                                        "1e3",
                                        ".5",
                                        "true",
                                        "null",
                                        "~",
                                        "---",
                                        "... a",
                                        "a: b",
                                        "a:",
                                        "#a",
                                        "a #b",
                                        "[a]",
                                        "{a",
                                        "a, b",
                                        "*a",
                                        "&a",
                                        "!a",
                                        "%a",
                                        "@a",
                                        "`a",
                                        "'a'",
                                        "\"a\\\"",
                                        "a\nb\n",
                                        "a\r\rb",
                                        "\tb\x01\x1f\x7f",
                                        "tr\xc3\xa4ge",
                                        "nel\xc2\x85.",
                                        "ls\xe2\x80\xa8ps\xe2\x80\xa9.",
                                        "\357\273\277bom"};
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(texts); i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_json *j = nod_json_object(), *list = nod_json_array(), *map = nod_json_object();
        const char *key = *texts[i] ? texts[i] : "empty";
        nod_json_push(list, nod_json_string(texts[i]));
        nod_json_set_str(map, key, texts[i]);
        nod_json_push(list, map);
        nod_json_set(j, "list", list);
        nod_json_set_str(j, key, texts[i]);
        nod_yaml_write(j, &b);
        nod_yaml *y = parse(b.data);
        const nod_json *r = nod_yaml_root(y), *l = nod_json_get(r, "list");
        assert_string_equal(nod_json_str(nod_json_at(l, 0)), texts[i]);
        assert_string_equal(nod_json_str(nod_json_get(nod_json_at(l, 1), key)), texts[i]);
        assert_true(nod_json_is_string(nod_json_get(r, key)));
        assert_string_equal(nod_json_str(nod_json_get(r, key)), texts[i]);
        nod_yaml_free(y);
        nod_json_free(j);
        nod_strbuf_done(&b);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\n%TAG", "t.yaml:2:1: a line cannot begin with '%'"},
        {"a: 1\nb: \x01\n", "t.yaml:2: has a byte 1: not a text file"},
        {"a: &x 1\nb: *x\n", "t.yaml:2:5: anchors and tags are not used"},
        {"? [a]\n: 1\n", "t.yaml:1:1: a key must be short text"},
        {"a: [1\n", "t.yaml:2:1: error:"},
        {"", "t.yaml: not a YAML document"},
    };
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_yaml *y = NULL;
        int rc = nod_yaml_parse(cases[i].text, strlen(cases[i].text), "t.yaml", &y, &err);
        if (rc != NOD_ERECIPE || y) fail_msg("code %d for: %s", rc, cases[i].text);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("'%s' does not say '%s'", err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text_reads_back),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
