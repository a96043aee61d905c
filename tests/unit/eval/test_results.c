/* test_results.c: which interval each metric gets, seeds, patients, refusals, JSON and text; the
 * bootstrap against what is known about it (binomial quantiles, the share of one-class draws). */
#include "golden.h"

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/bootstrap.h"
#include "eval/delong.h"
#include "eval/interval.h"
#include "eval/results.h"

/* `n_patients` patients with `per` images each, the first `positive` of them positive; every
 * image of the first `right` of each class is decided right at 0.5. */
static void clustered(nod_predictions *p, int32_t seed, size_t n_patients, size_t positive,
                      size_t right_positive, size_t right_negative, size_t per)
{
    nod_error err = NOD_ERROR_INIT;
    char id[64], patient[64];
    nod_rng rng = nod_rng_make(11, NOD_RNG_TEST, (uint64_t)seed);
    for (size_t i = 0; i < n_patients; i++)
        for (size_t j = 0; j < per; j++) {
            int32_t y = i < positive;
            bool right = y ? i < right_positive : i - positive < right_negative;
            double size = 0.1 + nod_rng_uniform(&rng);
            double logits[2] = {0, (y == 1) == right ? size : -size};
            snprintf(id, sizeof id, "p%03zu-%zu", i, j);
            snprintf(patient, sizeof patient, "p%03zu", i);
            if (nod_predictions_add(p, id, patient, seed, &y, logits, &err) != 0)
                fail_msg("%s", err.message);
        }
}

static nod_results *make(const nod_predictions *p, const nod_operating_point *points)
{
    nod_error err = NOD_ERROR_INIT;
    nod_results *r;
    nod_results_options o = nod_results_options_default();
    if (nod_results_new(p, points, &o, &r, &err) != 0) fail_msg("%s", err.message);
    return r;
}

static nod_interval_method method_of(const nod_results *r, nod_metric m, const char *point)
{
    return nod_results_find(r, m, point)->interval.method;
}

static void test_one_image_a_patient(void **state)
{
    (void)state;
    nod_predictions p;
    nod_operating_point frozen = nod_operating_point_fixed(0.6);
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 50, 20, 16, 27, 1);
    nod_results *r = make(&p, &frozen);
    const nod_result_row *sens = nod_results_find(r, NOD_METRIC_SENSITIVITY, "0.5");
    nod_interval want = nod_interval_wilson(0.8, 20, 0.95, NOD_INTERVAL_WILSON);
    assert_near(sens->value.value, 0.8, 1e-15, "sensitivity");
    assert_true(sens->n_images == 20 && sens->n_patients == 20);
    assert_true(sens->interval.method == NOD_INTERVAL_WILSON && sens->interval.lo == want.lo);
    const nod_result_row *precision = nod_results_find(r, NOD_METRIC_PRECISION, "0.5");
    assert_true(precision->n_images == 19 && precision->interval.method == NOD_INTERVAL_WILSON);
    assert_near(precision->value.value, 16.0 / 19, 1e-15, "precision");
    assert_int_equal(nod_results_find(r, NOD_METRIC_SPECIFICITY, "0.5")->n_images, 30);
    assert_int_equal(method_of(r, NOD_METRIC_ROC_AUC, NULL), NOD_INTERVAL_DELONG);
    assert_int_equal(method_of(r, NOD_METRIC_ACCURACY, "0.5"), NOD_INTERVAL_WILSON);
    assert_int_equal(method_of(r, NOD_METRIC_MCC, "0.5"), NOD_INTERVAL_BOOTSTRAP);
    assert_int_equal(method_of(r, NOD_METRIC_BRIER, NULL), NOD_INTERVAL_BOOTSTRAP);
    assert_int_equal(method_of(r, NOD_METRIC_CALIBRATION_SLOPE, NULL), NOD_INTERVAL_SANDWICH);
    /* The frozen point is another one. */
    assert_true(nod_results_find(r, NOD_METRIC_SENSITIVITY, "operating point")->value.value <
                sens->value.value);
    assert_null(nod_results_find(r, NOD_METRIC_SENSITIVITY, "argmax"));
    nod_results_free(r);
    nod_predictions_done(&p);
}

/* Patients agree within themselves: the bootstrap of the sensitivity of 24 of 30 patients is
 * binomial(30, .8)/30, whose quantiles are 19 and 28 (SciPy: binom.ppf). */
static void test_several_images(void **state)
{
    (void)state;
    nod_predictions p;
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 60, 30, 24, 30, 4);
    nod_results *r = make(&p, NULL);
    const nod_result_row *sens = nod_results_find(r, NOD_METRIC_SENSITIVITY, NULL);
    assert_int_equal(sens->interval.method, NOD_INTERVAL_BOOTSTRAP);
    assert_near(sens->interval.lo * 30, 19, 1.001 / 19, "2.5 %");
    assert_near(sens->interval.hi * 30, 28, 1.001 / 28, "97.5 %");
    assert_true(sens->n_images == 120 && sens->n_patients == 30);
    /* All negatives are right: no width, so Wilson on 30 patients. */
    const nod_result_row *spec = nod_results_find(r, NOD_METRIC_SPECIFICITY, NULL);
    nod_interval want = nod_interval_wilson(1, 30, 0.95, NOD_INTERVAL_WILSON_PATIENTS);
    assert_int_equal(spec->interval.method, NOD_INTERVAL_WILSON_PATIENTS);
    assert_true(spec->interval.lo == want.lo && spec->interval.hi == 1);
    assert_int_equal(method_of(r, NOD_METRIC_ROC_AUC, NULL), NOD_INTERVAL_OBUCHOWSKI);
    nod_results_free(r);
    nod_predictions_done(&p);
}

static void test_everything_right(void **state)
{
    (void)state;
    nod_predictions p;
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 40, 15, 15, 25, 3);
    nod_results *r = make(&p, NULL);
    const nod_result_row *ba = nod_results_find(r, NOD_METRIC_BALANCED_ACCURACY, NULL);
    nod_interval a = nod_interval_wilson(1, 15, 0.95, NOD_INTERVAL_WILSON_PATIENTS);
    nod_interval b = nod_interval_wilson(1, 25, 0.95, NOD_INTERVAL_WILSON_PATIENTS);
    assert_int_equal(ba->interval.method, NOD_INTERVAL_SQUARE_ADD);
    assert_near(ba->interval.lo, 1 - hypot(1 - a.lo, 1 - b.lo) / 2, 1e-14, "square-and-add");
    const nod_result_row *auc = nod_results_find(r, NOD_METRIC_ROC_AUC, NULL);
    nod_interval want = nod_interval_newcombe5(1, 15, 25, 0.95);
    assert_int_equal(auc->interval.method, NOD_INTERVAL_NEWCOMBE5);
    assert_true(auc->interval.lo == want.lo);
    /* F1 has no such form: no interval rather than one without width. */
    assert_non_null(nod_results_find(r, NOD_METRIC_F1, NULL)->interval.undefined);
    assert_non_null(nod_results_find(r, NOD_METRIC_CALIBRATION_SLOPE, NULL)->value.undefined);
    assert_null(
        nod_results_find(r, NOD_METRIC_CALIBRATION_IN_THE_LARGE, NULL)->value.undefined);
    nod_results_free(r);
    nod_predictions_done(&p);
}

/* The value is the mean over seeds; the AUC's interval is that of the averaged components. */
static void test_seeds(void **state)
{
    (void)state;
    nod_predictions p, one[3];
    double sum = 0, low = 1, high = 0;
    golden_table(&p, NOD_TASK_BINARY, 2);
    for (int32_t s = 0; s < 3; s++) {
        clustered(&p, s, 40, 15, 10 + (size_t)s, 20, 1);
        golden_table(&one[s], NOD_TASK_BINARY, 2);
        clustered(&one[s], s, 40, 15, 10 + (size_t)s, 20, 1);
        nod_results *r = make(&one[s], NULL);
        double auc = nod_results_find(r, NOD_METRIC_ROC_AUC, NULL)->value.value;
        sum += auc;
        low = fmin(low, auc);
        high = fmax(high, auc);
        nod_results_free(r);
        nod_predictions_done(&one[s]);
    }
    nod_results *r = make(&p, NULL);
    const nod_result_row *auc = nod_results_find(r, NOD_METRIC_ROC_AUC, NULL);
    const nod_result_row *sens = nod_results_find(r, NOD_METRIC_SENSITIVITY, NULL);
    assert_int_equal(nod_results_seeds(r), 3);
    assert_near(auc->value.value, sum / 3, 1e-14, "mean AUC");
    assert_near(fmin(auc->seeds[0], fmin(auc->seeds[1], auc->seeds[2])), low, 1e-15, "lowest");
    assert_int_equal(auc->interval.method, NOD_INTERVAL_DELONG);
    assert_near(sens->value.value, 11.0 / 15, 1e-15, "mean sensitivity");
    assert_near(sens->seed_sd, 1.0 / 15, 1e-14, "spread of 10, 11, 12 of 15");
    /* With several seeds a proportion is an average: bootstrap, not Wilson. */
    assert_int_equal(sens->interval.method, NOD_INTERVAL_BOOTSTRAP);
    assert_int_equal(sens->n_images, 15);
    nod_results_free(r);
    nod_predictions_done(&p);
}

/* Each seed has its own model, so its own threshold. */
static void test_thresholds_of_seeds(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    golden_table(&p, NOD_TASK_BINARY, 2);
    for (int32_t s = 0; s < 2; s++)
        for (int32_t i = 0; i < 4; i++) {
            int32_t y = i >= 2;
            double logits[2] = {0, s == 0 ? i - 1.5 : i + 1.5}; /* seed 1: all called at .5 */
            char id[64];
            snprintf(id, sizeof id, "%d", i);
            assert_int_equal(nod_predictions_add(&p, id, NULL, s, &y, logits, &err), 0);
        }
    nod_operating_point points[2] = {nod_operating_point_fixed(0.5),
                                     nod_operating_point_fixed(0.95)};
    nod_results *r = make(&p, points);
    const nod_result_row *spec = nod_results_find(r, NOD_METRIC_SPECIFICITY, "operating point");
    assert_true(spec->seeds[0] == 1 && spec->seeds[1] == 1);
    spec = nod_results_find(r, NOD_METRIC_SPECIFICITY, "0.5");
    assert_true(spec->seeds[0] == 1 && spec->seeds[1] == 0);
    nod_results_free(r);
    nod_predictions_done(&p);
}

/* One patient is positive only, the other mixed; a draw of the first twice (1 in 4) has one
 * class: of 2000 replicates 2000 * (1/4)/(3/4) = 667 draws are expected to be redrawn. */
static void test_one_class_draws(void **state)
{
    (void)state;
    static const double z[5] = {1, -0.5, 2, 0.3, -1};
    static const int32_t y[5] = {1, 1, 1, 0, 0}, patient[5] = {0, 0, 1, 1, 1};
    nod_predictions p;
    double *logits = golden_margins(z, 5);
    golden_table(&p, NOD_TASK_BINARY, 2);
    golden_add(&p, 0, 5, y, logits, patient);
    nod_results *r = make(&p, NULL);
    nod_json *j = nod_results_json(r);
    const nod_json *boot = nod_json_get(j, "bootstrap");
    int64_t redrawn = nod_json_i64(nod_json_get(boot, "one_class_draws_redrawn"));
    assert_true(redrawn > 667 - 130 && redrawn < 667 + 130); /* sd 30 */
    assert_int_equal(nod_json_i64(nod_json_get(boot, "replicates")), 2000);
    assert_int_equal(nod_json_i64(nod_json_get(boot, "replicates_given_up")), 0);
    nod_json_free(j);
    nod_results_free(r);
    nod_predictions_done(&p);
    free(logits);
}

static void test_same_for_any_threads(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    char *text[3];
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 40, 15, 11, 19, 3);
    for (int i = 0; i < 3; i++) {
        nod_threads_set(i + 1);
        nod_results *r = make(&p, NULL);
        nod_json *j = nod_results_json(r);
        assert_int_equal(nod_json_dump(j, false, &text[i], &err), 0);
        nod_json_free(j);
        nod_results_free(r);
    }
    nod_threads_set(0);
    assert_string_equal(text[0], text[1]);
    assert_string_equal(text[0], text[2]);
    for (int i = 0; i < 3; i++)
        nod_free(text[i]);
    nod_predictions_done(&p);
}

static void test_one_class_only(void **state)
{
    (void)state;
    nod_predictions p;
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 10, 0, 0, 8, 1);
    nod_results *r = make(&p, NULL);
    static const nod_metric none[] = {NOD_METRIC_ROC_AUC,
                                      NOD_METRIC_AVERAGE_PRECISION,
                                      NOD_METRIC_SENSITIVITY,
                                      NOD_METRIC_BALANCED_ACCURACY,
                                      NOD_METRIC_MCC,
                                      NOD_METRIC_CALIBRATION_SLOPE,
                                      NOD_METRIC_CALIBRATION_INTERCEPT};
    for (size_t i = 0; i < NOD_COUNT(none); i++) {
        const nod_result_row *row = nod_results_find(r, none[i], NULL);
        assert_non_null(row->value.undefined);
        assert_true(isnan(row->value.value));
        assert_non_null(row->interval.undefined);
    }
    assert_near(nod_results_find(r, NOD_METRIC_SPECIFICITY, NULL)->value.value, 0.8, 1e-15,
                "specificity");
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_results_text(r, &text);
    assert_non_null(strstr(text.data, "ROC AUC                    not estimable: no positive"));
    nod_strbuf_done(&text);
    nod_json *j = nod_results_json(r);
    bool seen = false;
    for (size_t i = 0; i < nod_json_count(nod_json_get(j, "metrics")); i++) {
        const nod_json *row = nod_json_at(nod_json_get(j, "metrics"), i);
        if (strcmp(nod_json_str(nod_json_get(row, "metric")), "roc_auc") != 0) continue;
        seen = true;
        assert_true(nod_json_is_null(nod_json_get(row, "value")));
        assert_string_equal(nod_json_str(nod_json_get(row, "not_estimable")),
                            "no positive case");
    }
    assert_true(seen);
    nod_json_free(j);
    nod_results_free(r);
    nod_predictions_done(&p);
}

static void test_json_and_text(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    golden_table(&p, NOD_TASK_BINARY, 2);
    clustered(&p, 0, 30, 12, 10, 15, 1);
    nod_free(p.patient[3]);
    p.patient[3] = NULL;
    static const char *const notes[] = {"made after look 1"};
    nod_json *provenance = nod_json_object();
    nod_json_set_str(provenance, "ledger_id", "L1");
    nod_results_options o = nod_results_options_default();
    o.notes = notes;
    o.n_notes = 1;
    o.provenance = provenance;
    nod_operating_point frozen = nod_operating_point_fixed(0.55);
    nod_results *r;
    assert_int_equal(nod_results_new(&p, &frozen, &o, &r, &err), 0);
    nod_json_free(provenance);
    nod_json *j = nod_results_json(r);
    assert_string_equal(nod_json_str(nod_json_get(j, "format")), "nodule-results");
    assert_string_equal(nod_json_str(nod_json_get(j, "positive")), "k1");
    assert_int_equal(nod_json_i64(nod_json_get(j, "patients")), 30);
    assert_near(nod_json_f64(nod_json_get(j, "majority_accuracy")), 0.6, 1e-15, "majority");
    assert_string_equal(nod_json_str(nod_json_get(nod_json_get(j, "provenance"), "ledger_id")),
                        "L1");
    const nod_json *stamped = nod_json_get(j, "notes");
    assert_int_equal(nod_json_count(stamped), 2);
    assert_string_equal(nod_json_str(nod_json_at(stamped, 0)), "made after look 1");
    assert_string_equal(nod_json_str(nod_json_at(stamped, 1)),
                        "1 of 30 images have no patient key; each counts as a patient");
    const nod_json *table = nod_json_at(nod_json_get(j, "confusion"), 1);
    assert_string_equal(nod_json_str(nod_json_get(table, "point")), "0.5");
    assert_near(golden_at(nod_json_at(nod_json_get(table, "counts"), 0), 0), 15, 0, "tn");
    assert_near(golden_at(nod_json_at(nod_json_get(table, "counts"), 0), 1), 3, 0, "fp");
    assert_near(golden_at(nod_json_at(nod_json_get(table, "counts"), 1), 0), 2, 0, "fn");
    assert_near(golden_at(nod_json_at(nod_json_get(table, "counts"), 1), 1), 10, 0, "tp");
    double images = 0;
    const nod_json *bins =
        nod_json_get(nod_json_at(nod_json_get(j, "calibration_bins"), 0), "bins");
    assert_int_equal(nod_json_count(bins), 10);
    for (size_t i = 0; i < 10; i++)
        images += nod_json_f64(nod_json_get(nod_json_at(bins, i), "images"));
    assert_near(images, 30, 0, "images in bins");
    nod_json_free(j);
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_results_text(r, &text);
    assert_non_null(strstr(text.data, "positive class 'k1'; 30 images of 30 patients"));
    assert_non_null(strstr(text.data, "at operating point: p >= 0.55 (fixed)"));
    assert_non_null(strstr(text.data, "note: made after look 1\n"));
    assert_non_null(strstr(text.data, "counts: tp 10, fn 2, fp 3, tn 15"));
    nod_strbuf_done(&text);
    nod_results_free(r);
    nod_predictions_done(&p);
}

static void test_patients_unknown(void **state)
{
    (void)state;
    static const double z[4] = {-1, 0.5, -0.2, 2};
    static const int32_t y[4] = {0, 0, 1, 1};
    nod_predictions p;
    double *logits = golden_margins(z, 4);
    golden_table(&p, NOD_TASK_BINARY, 2);
    golden_add(&p, 0, 4, y, logits, NULL);
    nod_results *r = make(&p, NULL);
    nod_json *j = nod_results_json(r);
    assert_true(nod_json_is_null(nod_json_get(j, "patients")));
    assert_false(nod_json_truth(nod_json_get(j, "patients_known")));
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_results_text(r, &text);
    assert_non_null(strstr(text.data, "4 images, patients unknown"));
    nod_strbuf_done(&text);
    nod_json_free(j);
    nod_results_free(r);
    nod_predictions_done(&p);
    free(logits);
}

/* Macro AUC: bootstrap; one-vs-rest AUC of each class: DeLong; accuracy: Wilson. */
static void test_multiclass_intervals(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_rng rng = nod_rng_make(3, NOD_RNG_TEST, 1);
    golden_table(&p, NOD_TASK_MULTICLASS, 3);
    for (int32_t i = 0; i < 60; i++) {
        int32_t y = i % 3;
        double logits[3];
        char id[64];
        for (int32_t c = 0; c < 3; c++)
            logits[c] = nod_rng_normal(&rng) + (c == y);
        snprintf(id, sizeof id, "%02d", i);
        assert_int_equal(nod_predictions_add(&p, id, NULL, 0, &y, logits, &err), 0);
    }
    nod_results *r = make(&p, NULL);
    const nod_result_row *auc = nod_results_find(r, NOD_METRIC_ROC_AUC, NULL);
    assert_int_equal(auc->interval.method, NOD_INTERVAL_BOOTSTRAP);
    assert_true(auc->n_used == 3 && auc->interval.lo < auc->value.value);
    assert_int_equal(method_of(r, NOD_METRIC_ACCURACY, "argmax"), NOD_INTERVAL_WILSON);
    assert_int_equal(method_of(r, NOD_METRIC_SENSITIVITY, "argmax"), NOD_INTERVAL_BOOTSTRAP);
    double mean = 0;
    size_t found = 0;
    for (size_t i = 0; i < nod_results_rows(r); i++) {
        const nod_result_row *row = nod_results_row(r, i);
        if (row->column < 0 || row->metric != NOD_METRIC_ROC_AUC) continue;
        assert_int_equal(row->interval.method, NOD_INTERVAL_DELONG);
        mean += row->value.value / 3;
        found++;
    }
    assert_int_equal(found, 3);
    assert_near(auc->value.value, mean, 1e-14, "macro");
    nod_operating_point point = nod_operating_point_fixed(0.5);
    nod_results_options o = nod_results_options_default();
    nod_results *none;
    assert_int_equal(nod_results_new(&p, &point, &o, &none, &err), NOD_EINVAL);
    nod_results_free(r);
    nod_predictions_done(&p);
}

static void refuse(const nod_predictions *p, const char *says)
{
    nod_error err = NOD_ERROR_INIT;
    nod_results *r = NULL;
    nod_results_options o = nod_results_options_default();
    assert_int_equal(nod_results_new(p, NULL, &o, &r, &err), NOD_EDATA);
    assert_null(r);
    if (strstr(err.message, says) == NULL) fail_msg("'%s' lacks '%s'", err.message, says);
}

static void test_refuses(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    const double z[2] = {0, 1};
    int32_t y = 1, n = 0;
    golden_table(&p, NOD_TASK_BINARY, 2);
    refuse(&p, "no predictions");
    assert_int_equal(nod_predictions_add(&p, "a", "p", 0, &y, z, &err), 0);
    assert_int_equal(nod_predictions_add(&p, "b", "p", 0, &n, z, &err), 0);
    assert_int_equal(nod_predictions_add(&p, "a", "p", 1, &y, z, &err), 0);
    refuse(&p, "same cases");
    assert_int_equal(nod_predictions_add(&p, "b", "p", 1, &y, z, &err), 0);
    refuse(&p, "truth is not the same");
    p.labels[3] = 0;
    nod_free(p.patient[3]);
    p.patient[3] = NULL;
    refuse(&p, "patient is not the same");
    nod_free(p.id[3]);
    p.n--;
    assert_int_equal(nod_predictions_add(&p, "a", "p", 1, &y, z, &err), 0);
    refuse(&p, "twice");
    nod_predictions_done(&p);
    golden_table(&p, NOD_TASK_BINARY, 2);
    assert_int_equal(nod_predictions_add(&p, "a", "p", 0, NULL, z, &err), 0);
    refuse(&p, "no truth");
    nod_results *r;
    nod_results_options o = nod_results_options_default();
    o.replicates = 100;
    assert_int_equal(nod_results_new(&p, NULL, &o, &r, &err), NOD_EINVAL);
    nod_predictions_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_image_a_patient),  cmocka_unit_test(test_several_images),
        cmocka_unit_test(test_everything_right),     cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_thresholds_of_seeds),  cmocka_unit_test(test_one_class_draws),
        cmocka_unit_test(test_same_for_any_threads), cmocka_unit_test(test_one_class_only),
        cmocka_unit_test(test_json_and_text),        cmocka_unit_test(test_patients_unknown),
        cmocka_unit_test(test_multiclass_intervals), cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
