/* test_options.c: a verb's option table: values, ranges, lists, and what is refused with which
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/compiler.h"
#include "cli/options.h"

typedef struct probe_options {
    bool force;
    const char *out;
    int64_t seed;
    double threshold;
    int rule;
    nod_strlist inputs;
} probe_options;

static const char *const rules[] = {"youden", "sensitivity", NULL};
static const nod_option table[] = {
    NOD_OPTION_FLAG(probe_options, force, "force", 'f', "go on"),
    NOD_OPTION_TEXT(probe_options, out, "output", 'o', "FILE", "where to"),
    NOD_OPTION_INT(probe_options, seed, "seed", 0, "N", "seed", 0, 1000),
    NOD_OPTION_REAL(probe_options, threshold, "threshold", 't', "P", "score", 0, 1),
    NOD_OPTION_CHOICE(probe_options, rule, "rule", 0, "RULE", "how", rules),
    NOD_OPTION_LIST(probe_options, inputs, "input", 'i', "FILE", "image"),
    NOD_OPTION_END,
};
static const probe_options defaults = {.out = "cohort.csv", .seed = 7, .threshold = 0.5};
static const nod_verb probe = {
    .name = "probe",
    .args = "RUN...",
    .min_args = 1,
    .max_args = 2,
    .about = "Probes.",
    .examples = "  nodule probe run\n",
    .takes = NOD_TAKES_JSON | NOD_TAKES_THREADS,
    .options = table,
    .defaults = &defaults,
    .options_size = sizeof defaults,
};

/* Splits `line` at blanks into argv (argv[0] is the verb) and parses it. */
static int parse(const char *line, nod_parsed *p, nod_error *err)
{
    static char words[256];
    char *argv[32], *rest = words;
    int argc = 0;

    snprintf(words, sizeof words, "%s", line);
    *err = (nod_error)NOD_ERROR_INIT;
    for (char *word; (word = strsep(&rest, " ")) != NULL;)
        argv[argc++] = word;
    argv[argc] = NULL;
    return nod_options_parse(&probe, argc, argv, p, err);
}

static void test_defaults_stay(void **state)
{
    nod_parsed p;
    nod_error err;
    const probe_options *o;

    (void)state;
    assert_int_equal(parse("probe run", &p, &err), 0);
    o = p.options;
    assert_false(o->force);
    assert_string_equal(o->out, "cohort.csv");
    assert_int_equal(o->seed, 7);
    assert_true(o->threshold == 0.5);
    assert_int_equal(o->rule, 0);
    assert_int_equal(o->inputs.n, 0);
    assert_int_equal(p.n_args, 1);
    assert_string_equal(p.args[0], "run");
    assert_false(p.json || p.quiet || p.help || p.dry_run);
    assert_int_equal(p.threads, 0);
    nod_options_done(&probe, &p);
}

static void test_all_types(void **state)
{
    nod_parsed p;
    nod_error err;
    const probe_options *o;

    (void)state;
    assert_int_equal(parse("probe -fo x a --seed 12 -t0.25 --rule=sensitivity -i 1.png --json "
                           "--input 2.png b --threads=3 -q",
                           &p, &err),
                     0);
    o = p.options;
    assert_true(o->force);
    assert_string_equal(o->out, "x");
    assert_int_equal(o->seed, 12);
    assert_true(o->threshold == 0.25);
    assert_int_equal(o->rule, 1);
    assert_int_equal(o->inputs.n, 2);
    assert_string_equal(o->inputs.items[0], "1.png");
    assert_string_equal(o->inputs.items[1], "2.png");
    assert_int_equal(p.n_args, 2);
    assert_string_equal(p.args[1], "b");
    assert_true(p.json && p.quiet);
    assert_int_equal(p.threads, 3);
    nod_options_done(&probe, &p);
}

static void test_words_after_two_dashes_are_arguments(void **state)
{
    nod_parsed p;
    nod_error err;

    (void)state;
    assert_int_equal(parse("probe -- -f --seed", &p, &err), 0);
    assert_int_equal(p.n_args, 2);
    assert_string_equal(p.args[0], "-f");
    assert_false(((const probe_options *)p.options)->force);
    nod_options_done(&probe, &p);
}

static void test_help_needs_no_arguments(void **state)
{
    nod_parsed p;
    nod_error err;

    (void)state;
    assert_int_equal(parse("probe -h", &p, &err), 0);
    assert_true(p.help);
    nod_options_done(&probe, &p);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"probe", "needs an argument: RUN...; see 'nodule probe -h'"},
        {"probe a b c", "unexpected argument 'c'; see 'nodule probe -h'"},
        {"probe a --seed 1x", "--seed 1x: not a whole number"},
        {"probe a --seed 1001", "--seed 1001: not in 0 .. 1000"},
        {"probe a --seed -1", "--seed -1: not in 0 .. 1000"},
        {"probe a -t 1.5", "--threshold 1.5: not in 0 .. 1"},
        {"probe a -t half", "--threshold half: not a number"},
        {"probe a -t nan", "--threshold nan: not a number"},
        {"probe a --rule best", "--rule best: must be one of youden, sensitivity"},
        {"probe a --threads 0", "--threads 0: not in 1 .. 4096"},
        {"probe a --outptu x", "unknown option '--outptu': did you mean '--output'?"},
        {"probe a -i x --dry-run b", "unknown option '--dry-run'; see 'nodule probe -h'"},
        {"probe a --output", "option '--output' needs a value: --output FILE"},
        {"probe a -fo", "option '-o' needs a value: -o FILE"},
        {"probe a -fz", "unknown option '-z'; see 'nodule probe -h'"},
        {"probe a --force=1", "option '--force' takes no value"},
        {"probe a --th", "option '--th' could be more than one; write it out"},
    };

    (void)state;
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_parsed p;
        nod_error err;

        assert_int_equal(parse(cases[i].line, &p, &err), NOD_EINVAL);
        assert_int_equal(err.code, NOD_EINVAL);
        assert_string_equal(err.message, cases[i].message);
        nod_options_done(&probe, &p);
    }
}

/* Provenance: what stands there can be typed again. */
static void test_command_text_quotes(void **state)
{
    char *argv[] = {"nodule", "index", "my images", "it's", "", "a=b"};
    nod_cli cli = {.argc = (int)NOD_COUNT(argv), .argv = argv};
    nod_strbuf text = NOD_STRBUF_INIT;

    (void)state;
    nod_cli_command_text(&cli, &text);
    assert_string_equal(text.data, "nodule index 'my images' 'it'\\''s' '' a=b");
    nod_strbuf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_stay),
        cmocka_unit_test(test_all_types),
        cmocka_unit_test(test_words_after_two_dashes_are_arguments),
        cmocka_unit_test(test_help_needs_no_arguments),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_command_text_quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
