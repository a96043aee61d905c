/* test_report_error.c: the error line, the JSON object, and exit codes as documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/file.h"
#include "cli/report_error.h"

static const struct {
    int code;
    const char *name;
} codes[] = {
    {NOD_OK, "NOD_OK"},
    {NOD_EINVAL, "NOD_EINVAL"},
    {NOD_ENOENT, "NOD_ENOENT"},
    {NOD_EIO, "NOD_EIO"},
    {NOD_EFORMAT, "NOD_EFORMAT"},
    {NOD_ENOMEM, "NOD_ENOMEM"},
    {NOD_ELIMIT, "NOD_ELIMIT"},
    {NOD_ESHAPE, "NOD_ESHAPE"},
    {NOD_ERECIPE, "NOD_ERECIPE"},
    {NOD_EDATA, "NOD_EDATA"},
    {NOD_ENUMERIC, "NOD_ENUMERIC"},
    {NOD_ESEAL, "NOD_ESEAL"},
    {NOD_EUNSUPPORTED, "NOD_EUNSUPPORTED"},
    {NOD_EINTERRUPTED, "NOD_EINTERRUPTED"},
    {NOD_EINTERNAL, "NOD_EINTERNAL"},
};

/* Source: docs/exit-codes.md, row "| CODE | KIND | `NAME` |" of each. */
static void test_codes_are_as_documented(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes page;

    (void)state;
    assert_int_equal(nod_file_read("docs/exit-codes.md", 1 << 20, &page, &err), 0);
    for (size_t i = 0; i < NOD_COUNT(codes); i++) {
        char row[96];

        snprintf(row, sizeof row, "\n| %d | %s | `%s` |", nod_exit_code(codes[i].code),
                 nod_error_name(codes[i].code), codes[i].name);
        if (strstr((const char *)page.data, row) == NULL)
            fail_msg("docs/exit-codes.md has no row%s", row);
    }
    nod_bytes_done(&page);
}

/* A NOD_E* that was added without an exit code is an internal error, never success. */
static void test_unknown_codes_are_internal(void **state)
{
    (void)state;
    assert_int_equal(nod_exit_code(-(int)NOD_COUNT(codes)), 1);
    assert_int_equal(nod_exit_code(-1000), 1);
    assert_int_equal(nod_exit_code(1), 1);
}

static void test_line_and_object(void **state)
{
    static const nod_verb verb = {.name = "index"};
    char *words = NULL, *json = NULL;
    size_t words_size = 0, json_size = 0;
    FILE *words_stream = open_memstream(&words, &words_size);
    FILE *json_stream = open_memstream(&json, &json_size);
    nod_console console = {.stream = words_stream, .has_colour = true};
    nod_error err = NOD_ERROR_INIT;

    (void)state;
    nod_fail(&err, NOD_EFORMAT, "a.npz: \"x\" is cut");
    assert_int_equal(nod_report_error(&console, json_stream, &verb, &err), 5);
    console.has_colour = false;
    assert_int_equal(nod_report_error(&console, NULL, NULL, &err), 5);
    fclose(words_stream);
    fclose(json_stream);
    assert_string_equal(words, "\x1b[1;31mnodule index: error:\x1b[0m a.npz: \"x\" is cut\n"
                               "nodule: error: a.npz: \"x\" is cut\n");
    assert_string_equal(json, "{\n  \"error\": {\n    \"kind\": \"format\",\n"
                              "    \"exit_code\": 5,\n"
                              "    \"message\": \"a.npz: \\\"x\\\" is cut\"\n  }\n}\n");
    free(words);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_are_as_documented),
        cmocka_unit_test(test_unknown_codes_are_internal),
        cmocka_unit_test(test_line_and_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
