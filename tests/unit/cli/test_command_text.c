/* test_command_text.c: the command line as artefacts keep it; expected texts by the rule of verb.h: paths
 * are their last names, reasons stay, and a shell would take the line again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/verb.h"

static void expect(const char *verb, const char *const *words, int n, const char *expected)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    nod_cli cli = {
        .verb = nod_verb_find(verb), .argc = n, .argv = (char *const *)(uintptr_t)words};
    nod_cli_command_text(&cli, &b);
    assert_false(b.failed);
    assert_string_equal(b.data, expected);
    nod_strbuf_done(&b);
}

static void test_train(void **state)
{
    static const char *const words[] = {"/usr/bin/nodule",
                                        "train",
                                        "/data/SMITH/recipe.yaml",
                                        "-o",
                                        "/runs/SMITH/a/",
                                        "--seeds",
                                        "3",
                                        "--cohort=../SMITH/c.csv",
                                        "-o/data/SMITH/b",
                                        "--ledger",
                                        "SMITH/l.sqlite",
                                        "--cache",
                                        "none"};
    (void)state;
    expect("train", words, (int)NOD_COUNT(words),
           "nodule train recipe.yaml -o a/ --seeds 3 --cohort=c.csv -ob --ledger l.sqlite "
           "--cache none");
}

static void test_reasons(void **state)
{
    static const char *const words[] = {
        "nodule",           "test",           "runs/a", "--again",
        "it's 1/2 of them", "--again=and/or", "--by",   "x y/z"};
    (void)state;
    expect("test", words, (int)NOD_COUNT(words),
           "nodule test a --again 'it'\\''s 1/2 of them' --again=and/or --by z");
}

static void test_quotes(void **state)
{
    static const char *const words[] = {"nodule", "train", "/a b/c d.yaml", "", "-", "/"};
    (void)state;
    expect("train", words, (int)NOD_COUNT(words), "nodule train 'c d.yaml' '' - /");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
