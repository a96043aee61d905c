/* test_short_paths.c: folders that nobody typed go; expected lines by the rule of short_paths.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/short_paths.h"

static void expect(const char *line, const char *expected)
{
    static const char *const words[] = {"/usr/bin/nodule", "train", "/typed/SMITH/recipe.yaml",
                                        "--cache=/typed/cache", "run"};
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_short_paths(line, (int)NOD_COUNT(words), (char *const *)(uintptr_t)words, &b);
    assert_false(b.failed);
    assert_string_equal(b.data, expected);
    nod_strbuf_done(&b);
}

static void test_lines(void **state)
{
    (void)state;
    expect("/data/SMITH/cohort.csv: No such file", ".../cohort.csv: No such file");
    expect("cache /data/SMITH JOHN/.nodule-cache/1.pack: 3 images",
           "cache .../1.pack: 3 images");
    expect("'/data/a' and '/data/b'; /c/d", "'.../a' and '.../b'; .../d");
    expect("the cohort was made for the folder /data/SMITH",
           "the cohort was made for the folder .../SMITH");
    /* what was typed stays */
    expect("/typed/SMITH/recipe.yaml: line 3", "/typed/SMITH/recipe.yaml: line 3");
    expect("/typed/cache/1.pack: 3 images", "/typed/cache/1.pack: 3 images");
    /* what is no path stays */
    expect("run/seed_0/log.jsonl, 3/4 of 1/2, a / b, /",
           "run/seed_0/log.jsonl, 3/4 of 1/2, a / b, /");
    expect("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
