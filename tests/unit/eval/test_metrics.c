/* test_metrics.c: every metric against scikit-learn (eval_golden.py) to 1e-9, also where it is not
 * estimable; weights against repeated cases; MCC and F1 by hand. */
#include "golden.h"

#include "eval/bootstrap.h"
#include "eval/results.h"

#define TOLERANCE 1e-9

static const char *const free_metrics[] = {"roc_auc",
                                           "average_precision",
                                           "brier",
                                           "log_loss",
                                           "calibration_slope",
                                           "calibration_intercept",
                                           "calibration_in_the_large",
                                           "ece"};
static const char *const decision_metrics[] = {
    "accuracy", "balanced_accuracy", "sensitivity", "specificity", "precision", "f1", "dice",
    "mcc"};

/* Results at t and at 0.5; the caller frees. */
static nod_results *results_of(const nod_predictions *p, double t)
{
    nod_error err = NOD_ERROR_INIT;
    nod_operating_point point = nod_operating_point_fixed(t);
    nod_results_options options = nod_results_options_default();
    nod_results *r;
    bool binary = p->task == NOD_TASK_BINARY;
    if (nod_results_new(p, binary ? &point : NULL, &options, &r, &err) != 0)
        fail_msg("%s", err.message);
    return r;
}

static nod_score score_of(const nod_results *r, const char *point, const char *key)
{
    int metric = nod_metric_find(key);
    assert_true(metric >= 0);
    const nod_result_row *row = nod_results_find(r, (nod_metric)metric, point);
    assert_non_null(row);
    return (nod_score){row->value, row->n_used};
}

static void check_binary(const nod_json *e)
{
    char what[128];
    size_t n, n_y;
    double *z = golden_reals(nod_json_get(e, "z"), &n), t = nod_json_f64(nod_json_get(e, "t"));
    int32_t *y = golden_ints(nod_json_get(e, "y"), &n_y);
    double *logits = golden_margins(z, n);
    const nod_json *expect = nod_json_get(e, "expect");
    nod_predictions p;
    assert_int_equal(n, n_y);
    golden_table(&p, NOD_TASK_BINARY, 2);
    golden_add(&p, 0, n, y, logits, NULL);
    nod_results *r = results_of(&p, t);
    for (size_t m = 0; m < NOD_COUNT(free_metrics); m++) {
        nod_score s = score_of(r, NULL, free_metrics[m]);
        snprintf(what, sizeof what, "%s: %s", nod_json_str(nod_json_get(e, "name")),
                 free_metrics[m]);
        assert_estimate(&s.estimate,
                        nod_json_get(nod_json_get(expect, "free"), free_metrics[m]), TOLERANCE,
                        what);
    }
    for (size_t m = 0; m < NOD_COUNT(decision_metrics); m++)
        for (int half = 0; half < 2; half++) {
            nod_score s = score_of(r, half ? "0.5" : "operating point", decision_metrics[m]);
            snprintf(what, sizeof what, "%s: %s at %s", nod_json_str(nod_json_get(e, "name")),
                     decision_metrics[m], half ? "0.5" : "t");
            assert_estimate(&s.estimate,
                            nod_json_get(nod_json_get(expect, half ? "at_half" : "at_t"),
                                         decision_metrics[m]),
                            TOLERANCE, what);
        }
    nod_results_free(r);
    nod_predictions_done(&p);
    free(z);
    free(y);
    free(logits);
}

static void test_binary(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("binary", &root);
    assert_true(nod_json_count(cases) >= 20);
    for (size_t i = 0; i < nod_json_count(cases); i++)
        check_binary(nod_json_at(cases, i));
    nod_json_free(root);
}

/* Macro metrics: value and the number of classes used, of whole results and straight from
 * logits. */
static void check_many(const nod_json *e, nod_task task)
{
    char what[128];
    size_t n, n_y;
    double *z = golden_reals(nod_json_get(e, "z"), &n);
    int32_t *y = golden_ints(nod_json_get(e, "y"), &n_y);
    size_t k = nod_json_count(nod_json_at(nod_json_get(e, "z"), 0));
    const nod_json *expect = nod_json_get(e, "expect");
    nod_predictions p;
    nod_error err = NOD_ERROR_INIT;
    golden_table(&p, task, k);
    golden_add(&p, 0, n / k, y, z, NULL);
    nod_results *r = results_of(&p, 0.5);
    for (int m = 0; m < NOD_METRIC_COUNT; m++) {
        const char *key = nod_metric_info_get((nod_metric)m)->key;
        const nod_json *want = nod_json_get(expect, key);
        snprintf(what, sizeof what, "%s: %s", nod_json_str(nod_json_get(e, "name")), key);
        nod_score s = score_of(r, NULL, key), again;
        assert_int_equal(
            nod_metric_from_logits(task, k, -1, n / k, y, z, (nod_metric)m, &again, &err), 0);
        assert_estimate(&s.estimate, nod_json_at(want, 0), TOLERANCE, what);
        assert_estimate(&again.estimate, nod_json_at(want, 0), TOLERANCE, what);
        if (s.estimate.undefined == NULL)
            assert_int_equal(s.n_used, (size_t)golden_at(want, 1));
    }
    nod_results_free(r);
    nod_predictions_done(&p);
    free(z);
    free(y);
}

static void test_multiclass(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("multiclass", &root);
    for (size_t i = 0; i < nod_json_count(cases); i++)
        check_many(nod_json_at(cases, i), NOD_TASK_MULTICLASS);
    nod_json_free(root);
}

static void test_multilabel(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("multilabel", &root);
    for (size_t i = 0; i < nod_json_count(cases); i++)
        check_many(nod_json_at(cases, i), NOD_TASK_MULTILABEL);
    nod_json_free(root);
}

static void test_confusion_matrix(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("multiclass", &root);
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        const nod_json *e = nod_json_at(cases, i);
        size_t n, n_y, n_m, k = nod_json_count(nod_json_get(e, "matrix"));
        double *z = golden_reals(nod_json_get(e, "z"), &n), got[100];
        double *want = golden_reals(nod_json_get(e, "matrix"), &n_m);
        int32_t *y = golden_ints(nod_json_get(e, "y"), &n_y);
        nod_predictions p;
        nod_cases *c;
        nod_scorer *s;
        golden_table(&p, NOD_TASK_MULTICLASS, k);
        golden_add(&p, 0, n_y, y, z, NULL);
        assert_int_equal(nod_cases_new(&p, &c, &err), 0);
        assert_int_equal(nod_scorer_new(c, NULL, 1, 10, &s, &err), 0);
        nod_scorer_matrix(s, 0, got);
        for (size_t j = 0; j < k * k; j++)
            assert_true(got[j] == want[j]);
        nod_scorer_free(s);
        nod_cases_free(c);
        nod_predictions_done(&p);
        free(z);
        free(want);
        free(y);
    }
    nod_json_free(root);
}

/* A case of weight 3 is the same as three such cases; weight 0 is no case. */
static void test_weights_are_repeats(void **state)
{
    (void)state;
    static const double z[6] = {-1.5, 0.2, 0.2, 0.9, -0.4, 2.0};
    static const int32_t y[6] = {0, 1, 0, 1, 1, 0};
    static const double weight[6] = {1, 3, 2, 0, 2, 1};
    double few[12], many[2 * 9], t = 0.45;
    int32_t y_many[9];
    size_t n_many = 0;
    for (size_t i = 0; i < 6; i++) {
        few[2 * i] = 0;
        few[2 * i + 1] = z[i];
        for (int j = 0; j < (int)weight[i]; j++, n_many++) {
            many[2 * n_many] = 0;
            many[2 * n_many + 1] = z[i];
            y_many[n_many] = y[i];
        }
    }
    nod_score score[2][NOD_METRIC_COUNT];
    nod_row_spec rows[NOD_METRIC_COUNT];
    size_t n_rows = 0;
    for (int m = 0; m < NOD_METRIC_COUNT; m++)
        if (m < NOD_METRIC_CALIBRATION_SLOPE || m == NOD_METRIC_ECE)
            rows[n_rows++] = (nod_row_spec){(nod_metric)m, -1, 0};
    for (int side = 0; side < 2; side++) {
        nod_error err = NOD_ERROR_INIT;
        nod_predictions p;
        nod_cases *c;
        nod_scorer *s;
        nod_scratch *scratch;
        golden_table(&p, NOD_TASK_BINARY, 2);
        golden_add(&p, 0, side ? n_many : 6, side ? y_many : y, side ? many : few, NULL);
        assert_int_equal(nod_cases_new(&p, &c, &err), 0);
        assert_int_equal(nod_scorer_new(c, &t, 1, 10, &s, &err), 0);
        assert_int_equal(nod_scratch_new(s, &scratch, &err), 0);
        nod_scorer_run(s, 0, side ? NULL : weight, rows, n_rows, scratch, score[side]);
        nod_scratch_free(scratch);
        nod_scorer_free(s);
        nod_cases_free(c);
        nod_predictions_done(&p);
    }
    for (size_t r = 0; r < n_rows; r++)
        assert_near(score[0][r].estimate.value, score[1][r].estimate.value, 1e-14,
                    nod_metric_info_get(rows[r].metric)->key);
}

/* By hand: tp 6, fp 2, fn 1, tn 3. */
static void test_by_hand(void **state)
{
    (void)state;
    nod_confusion c = {.tp = 6, .fp = 2, .fn = 1, .tn = 3};
    assert_near(nod_confusion_metric(&c, NOD_METRIC_F1).value, 12.0 / 15, 1e-15, "F1");
    assert_near(nod_confusion_metric(&c, NOD_METRIC_MCC).value, 16 / sqrt(7.0 * 5 * 8 * 4),
                1e-15, "MCC");
    double table[4] = {3, 2, 1, 6};
    assert_near(nod_confusion_mcc(table, 2).value, 16 / sqrt(7.0 * 5 * 8 * 4), 1e-15, "R_2");
    /* tp = 0 with errors is a true 0, not "not estimable". */
    nod_confusion zero = {.fp = 1, .fn = 1, .tn = 1};
    nod_estimate f1 = nod_confusion_metric(&zero, NOD_METRIC_F1);
    assert_true(f1.undefined == NULL && f1.value == 0);
}

static void test_table_of_metrics(void **state)
{
    (void)state;
    for (int m = 0; m < NOD_METRIC_COUNT; m++) {
        const nod_metric_info *info = nod_metric_info_get((nod_metric)m);
        assert_non_null(info->title);
        assert_int_equal(nod_metric_find(info->key), m);
        assert_string_equal(nod_metric_key_next(NULL, (size_t)m), info->key);
    }
    assert_int_equal(nod_metric_find("auc"), -1);
    assert_null(nod_metric_key_next(NULL, NOD_METRIC_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_multiclass),
        cmocka_unit_test(test_multilabel),
        cmocka_unit_test(test_confusion_matrix),
        cmocka_unit_test(test_weights_are_repeats),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_table_of_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
