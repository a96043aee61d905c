/* test_log.c: one clean line per call, and silence without a sink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

typedef struct kept {
    int n;
    nod_log_level level;
    char line[4096];
} kept;

static void keep(void *ctx, nod_log_level level, const char *line)
{
    kept *k = ctx;
    k->n++;
    k->level = level;
    snprintf(k->line, sizeof k->line, "%s", line);
}

static void test_line_reaches_the_sink(void **state)
{
    (void)state;
    kept k = {0};
    nod_log log = {keep, &k};
    nod_warn(&log, "%d files\n", 3);
    assert_int_equal(k.n, 1);
    assert_int_equal(k.level, NOD_LOG_WARN);
    assert_string_equal(k.line, "3 files");
    nod_info(&log, "a\r\x07z");
    assert_int_equal(k.level, NOD_LOG_INFO);
    assert_string_equal(k.line, "a??z");
}

static void test_long_line_is_cut(void **state)
{
    (void)state;
    kept k = {0};
    nod_log log = {keep, &k};
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    nod_info(&log, "%s", text);
    assert_int_equal(k.n, 1);
    assert_int_equal(strlen(k.line), 2047);
}

static void test_no_sink_is_silent(void **state)
{
    (void)state;
    nod_log none = {NULL, NULL};
    nod_info(NULL, "x");
    nod_info(&none, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_reaches_the_sink),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_no_sink_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
