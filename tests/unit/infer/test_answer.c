/* test_answer.c: what a model says of units, to JSON and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "infer/answer.h"

#define HEAD                                                                                   \
    "{\"task\": \"multiclass\", \"classes\": [\"a\", \"b\", \"c\"], \"positive\": -1,"         \
    " \"positive_origin\": \"none\", \"operating_points\": [],"                                \
    " \"calibration\": {\"kind\": \"none\", \"prior_shift\": [0, 0, 0], \"slope\": [1, 1, 1]," \
    " \"intercept\": [0, 0, 0], \"fitted_on_cases\": 0, \"loss_before\": null,"                \
    " \"loss_after\": null, \"at_bound\": false},"                                             \
    " \"patches\": {\"image\": [1, 2, 2], \"size\": [0, 0, 0], \"stride\": [0, 0, 0],"         \
    " \"aggregate\": \"mean\", \"k\": 1}"

static int from_text(const char *text, nod_answer *out, nod_error *err)
{
    nod_json *j = NULL;
    int rc = nod_json_parse(text, strlen(text), "text", &j, err);
    assert_int_equal(rc, 0);
    rc = nod_answer_from_json(j, "m", out, err);
    nod_json_free(j);
    return rc;
}

static void test_units_there_and_back(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_answer a = {0}, back = {0};
    (void)state;
    if (from_text(HEAD "}", &a, &err) != 0) fail_msg("%s", err.message);
    assert_true(a.unit == NOD_LEVEL_IMAGE && a.aggregation.n_units == 0);
    a.unit = NOD_LEVEL_BREAST;
    a.aggregation = (nod_aggregation_choice){NOD_AGGREGATION_MAX, 31, 0.75, 0.875};
    for (int i = 0; i < 2; i++) {
        nod_json *j = nod_answer_to_json(&a);
        if (nod_answer_from_json(j, "m", &back, &err) != 0) fail_msg("%s", err.message);
        nod_json_free(j);
        assert_int_equal(back.unit, NOD_LEVEL_BREAST);
        assert_int_equal(back.aggregation.how, NOD_AGGREGATION_MAX);
        assert_int_equal(back.aggregation.n_units, a.aggregation.n_units);
        assert_true(i == 1 ? isnan(back.aggregation.auc_mean)
                           : back.aggregation.auc_mean == 0.75);
        assert_true(i == 1 ? isnan(back.aggregation.auc_max)
                           : back.aggregation.auc_max == 0.875);
        nod_answer_done(&back);
        a.aggregation.n_units = 0; /* not chosen: there is nothing to have been measured */
    }
    nod_answer_done(&a);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *unit, *message;
    } bad[] = {
        {"{\"level\": \"organ\", \"aggregation\": \"max\", \"chosen_on_units\": 0}",
         "m: unit 'organ' is not known"},
        {"{\"level\": \"study\", \"aggregation\": \"sum\", \"chosen_on_units\": 0}",
         "m: aggregation 'sum' is not known"},
        {"{\"level\": \"study\", \"aggregation\": \"max\", \"chosen_on_units\": -1}",
         "m: chosen_on_units is -1"},
    };
    (void)state;
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_answer a = {.positive = 77};
        char text[1200];
        snprintf(text, sizeof text, HEAD ", \"unit\": %s}", bad[i].unit);
        assert_int_equal(from_text(text, &a, &err), NOD_EFORMAT);
        assert_string_equal(err.message, bad[i].message);
        assert_int_equal(a.positive, 77);
    }
}

/* Classes by their highest log-probability: (0, 0, 0) and (ln 8, 0, 0) become 0.8, 1/3, 1/3 over
 * their sum, 22/15. */
static void test_join(void **state)
{
    const double logits[] = {0, 0, 0, log(8), 0, 0};
    nod_error err = NOD_ERROR_INIT;
    nod_answer a = {0};
    double log_odds[3], p[3];
    (void)state;
    assert_int_equal(from_text(HEAD "}", &a, &err), 0);
    a.aggregation.how = NOD_AGGREGATION_MAX;
    nod_answer_join(&a, 2, logits, log_odds, p);
    assert_true(fabs(p[0] - 12.0 / 22) < 1e-15 && fabs(p[1] - 5.0 / 22) < 1e-15);
    assert_true(fabs(log_odds[0] - log(12.0 / 10)) < 1e-14);
    nod_answer_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_there_and_back),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
