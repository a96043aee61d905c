/* test_recipe.c: docs/formats/recipe.md tells the truth: every key of a complete recipe is on it, the
 * smallest recipe has the defaults that it names, and what it says is refused is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "train/recipe.h"

#define SMALLEST "input: {size: [8, 8]}\nnetwork: {name: mlp}\n"

static nod_recipe *parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_recipe *r = NULL;
    if (nod_recipe_parse(text, strlen(text), "t.yaml", &r, &err))
        fail_msg("%s in: %s", err.message, text);
    return r;
}

/* Every key below `j` stands in backticks on a page. */
static void check_keys(const nod_json *j, const char *pages)
{
    for (const char *key = NULL; (key = nod_json_next_key(j, key)) != NULL;) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", key);
        if (!strstr(pages, quoted)) fail_msg("%s is on neither page", quoted);
        if (nod_json_is_object(nod_json_get(j, key))) check_keys(nod_json_get(j, key), pages);
    }
}

/* Source: docs/formats/recipe.md, and contract.md for the block input. */
static void test_keys_are_documented(void **state)
{
    static const char *const files[] = {"docs/formats/recipe.md", "docs/formats/contract.md"};
    nod_error err = NOD_ERROR_INIT;
    nod_strbuf pages = NOD_STRBUF_INIT;
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(files); i++) {
        nod_bytes b;
        assert_int_equal(nod_file_read(files[i], 1 << 20, &b, &err), 0);
        nod_strbuf_addn(&pages, (const char *)b.data, b.size);
        nod_bytes_done(&b);
    }
    for (const char *const *name = nod_network_names(); *name; name++) {
        char text[256];
        snprintf(
            text, sizeof text,
            "input: {size: [8, 8], mean: [0], sd: [1]}\npatches: {}\nnetwork: {name: %s%s}\n",
            *name, strcmp(*name, "layers") ? "" : ", layers: [{type: dense}]");
        nod_recipe *r = parse(text);
        check_keys(r->rendered, pages.data);
        snprintf(text, sizeof text, "`%s`", *name);
        if (!strstr(pages.data, text)) fail_msg("network %s is on neither page", text);
        nod_recipe_free(r);
    }
    nod_strbuf_done(&pages);
}

/* Source: the column "default" of docs/formats/recipe.md. */
static void test_defaults(void **state)
{
    (void)state;
    nod_recipe *r = parse(SMALLEST);
    assert_string_equal(r->cohort, "cohort.csv");
    assert_string_equal(r->split, "split.json");
    assert_int_equal(r->task, NOD_TASK_BINARY);
    assert_int_equal(r->seed, 0);
    assert_int_equal(r->precision, -1);
    assert_int_equal(r->patch_size[1], 0);
    assert_int_equal(r->loss, NOD_LOSS_CROSS_ENTROPY);
    assert_int_equal(r->weighting, NOD_WEIGHTS_NONE);
    assert_int_equal(r->epochs, 50);
    assert_int_equal(r->batch_size, 32);
    assert_int_equal(r->optimiser.kind, NOD_OPTIMISER_ADAMW);
    assert_true(r->schedule.lr == 0.001);
    assert_int_equal(r->schedule.kind, NOD_SCHEDULE_COSINE);
    assert_int_equal(r->monitor, NOD_MONITOR_LOSS);
    assert_int_equal(r->patience, 0);
    assert_int_equal(r->calibration, NOD_CALIBRATION_TEMPERATURE);
    assert_int_equal(r->point_rule, NOD_POINT_YOUDEN);
    nod_recipe_free(r);
    r = parse(SMALLEST "optimiser: {name: sgd}\nanswer: {operating_point: sensitivity}\n"
                       "schedule: {name: exponential}\n");
    assert_true(r->schedule.lr == 0.01);
    assert_true(r->schedule.factor == 0.95);
    assert_true(r->point_value == 0.9);
    nod_recipe_free(r);
}

/* Source: the ranges and rules of docs/formats/recipe.md. */
static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"network: {name: mlp}\n", "t.yaml: input: is missing"},
        {"input: {size: [8, 8]}\n", "t.yaml: network: is missing"},
        {SMALLEST "epoch: 3\n", "t.yaml:3:1: epoch: unknown key (did you mean 'epochs'?)"},
        {SMALLEST "epochs: 1e1\n", "t.yaml:3:1: epochs: must be a whole number"},
        {SMALLEST "epochs: 0\n", "epochs: 0 is not between 1 and 16777216"},
        {SMALLEST "nodule: 2\n", "nodule: recipe format 2; this program reads 1"},
        {SMALLEST "task: yes\n", "task: 'yes' is not known"},
        {SMALLEST "optimiser: {lr: 0}\n", "t.yaml:3:13: optimiser.lr: 0 is not between"},
        {SMALLEST "schedule: {lr_min: 0.1}\n",
         "schedule.lr_min: 0.1 is not between 0 and 0.001"},
        {SMALLEST "loss: {class_weights: [1, -1]}\n", "loss.class_weights: entry 1 is not a"},
        {SMALLEST "task: multilabel\nloss: {name: focal}\n",
         "loss.name: a multilabel task takes"},
        {SMALLEST "task: multiclass\nanswer: {calibration: platt}\n",
         "answer.calibration: platt is"},
        {SMALLEST "answer: {operating_point: sensitivity, value: 1}\n",
         "t.yaml:3:40: answer.value: 1: a wanted sensitivity lies between 0 and 1"},
        {SMALLEST "answer: {operating_point: sensitivity, value: 0}\n", "a wanted sensitivity"},
        {"input: {size: [8, 8]}\nnetwork: {name: cnn, hidden: [3]}\n",
         "network.hidden: unknown key"},
    };
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_recipe *r = NULL;
        int rc = nod_recipe_parse(cases[i].text, strlen(cases[i].text), "t.yaml", &r, &err);
        if (rc != NOD_ERECIPE || r) fail_msg("code %d for: %s", rc, cases[i].text);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("'%s' does not say '%s'", err.message, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys_are_documented),
                                       cmocka_unit_test(test_defaults),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
