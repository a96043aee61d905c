/* test_calibration.c: prior correction, temperature, Platt scaling, and the operating point.
 *
 * Sources: roots of the score equations by SciPy (eval_golden.py; Platt also within 1e-3 of
 * scikit-learn's _SigmoidCalibration, whose optimiser stops early); the formulas by hand; brute
 * force over all thresholds. */
#include "golden.h"

#include "base/rng.h"
#include "eval/calibration.h"
#include "eval/operating_point.h"
#include "eval/special.h"

static void test_platt(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("calibration", &root);
    const nod_json *list = nod_json_get(cases, "platt");
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        size_t n;
        int32_t *y = golden_ints(nod_json_get(e, "y"), &n);
        double *z = golden_reals(nod_json_get(e, "z"), &n), *logits = golden_margins(z, n);
        double slope = nod_json_f64(nod_json_get(e, "slope"));
        double intercept = nod_json_f64(nod_json_get(e, "intercept"));
        nod_predictions p;
        nod_calibration c;
        golden_table(&p, NOD_TASK_BINARY, 2);
        golden_add(&p, 0, n, y, logits, NULL);
        assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
        assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), 0);
        assert_near(c.slope[1], slope, 1e-9, "slope");
        assert_near(c.slope[0], slope, 1e-9, "slope of the other class");
        assert_near(c.intercept[1], intercept, 1e-9, "intercept");
        assert_true(c.intercept[0] == 0);
        assert_true(c.loss_after <= c.loss_before + 1e-3);
        assert_int_equal(nod_calibration_apply(&c, &p, -1, &err), 0);
        for (size_t r = 0; r < n; r++)
            assert_near(p.probabilities[2 * r + 1], nod_sigmoid(slope * z[r] + intercept), 1e-9,
                        "probability");
        nod_calibration_done(&c);
        nod_predictions_done(&p);
        free(y);
        free(z);
        free(logits);
    }
    nod_json_free(root);
}

static void test_temperature(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("calibration", &root);
    const nod_json *list = nod_json_get(cases, "temperature");
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        size_t n, n_z, k = nod_json_count(nod_json_at(nod_json_get(e, "z"), 0));
        int32_t *y = golden_ints(nod_json_get(e, "y"), &n);
        double *z = golden_reals(nod_json_get(e, "z"), &n_z);
        nod_task task;
        nod_predictions p;
        nod_calibration c;
        assert_true(nod_task_parse(nod_json_str(nod_json_get(e, "task")), &task));
        golden_table(&p, task, k);
        golden_add(&p, 0, n_z / k, y, z, NULL);
        assert_int_equal(nod_calibration_init(&c, k, &err), 0);
        assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_TEMPERATURE, &p, &err), 0);
        for (size_t j = 0; j < k; j++)
            assert_near(c.slope[j], nod_json_f64(nod_json_get(e, "slope")), 1e-9, "slope");
        assert_near(c.loss_before, nod_json_f64(nod_json_get(e, "loss_before")), 1e-9,
                    "before");
        assert_near(c.loss_after, nod_json_f64(nod_json_get(e, "loss_after")), 1e-9, "after");
        assert_false(c.at_bound || c.smoothed);
        assert_int_equal(c.n, n_z / k);
        nod_calibration_done(&c);
        nod_predictions_done(&p);
        free(y);
        free(z);
    }
    nod_json_free(root);
}

/* Scores that separate the classes have no finite temperature: the targets are smoothed. Source: roots of
 * the smoothed score equation by SciPy. */
static void test_temperature_separated(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("calibration", &root);
    const nod_json *list = nod_json_get(cases, "separated");
    nod_error err = NOD_ERROR_INIT;
    assert_true(nod_json_count(list) >= 3);
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        size_t n, n_z, k = nod_json_count(nod_json_at(nod_json_get(e, "z"), 0));
        int32_t *y = golden_ints(nod_json_get(e, "y"), &n);
        double *z = golden_reals(nod_json_get(e, "z"), &n_z);
        nod_task task;
        nod_predictions p;
        nod_calibration c, back;
        assert_true(nod_task_parse(nod_json_str(nod_json_get(e, "task")), &task));
        golden_table(&p, task, k);
        golden_add(&p, 0, n_z / k, y, z, NULL);
        assert_int_equal(nod_calibration_init(&c, k, &err), 0);
        assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_TEMPERATURE, &p, &err), 0);
        assert_near(c.slope[0], nod_json_f64(nod_json_get(e, "slope")), 1e-9, "slope");
        assert_true(c.smoothed && !c.at_bound);
        nod_json *j = nod_calibration_json(&c);
        assert_int_equal(nod_calibration_from_json(j, "j", k, &back, &err), 0);
        assert_true(back.smoothed);
        nod_json_free(j);
        nod_calibration_done(&back);
        nod_calibration_done(&c);
        nod_predictions_done(&p);
        free(y);
        free(z);
    }
    nod_json_free(root);
}

/* Logits so small that even their best temperature is beyond the limit: it stops there. */
static void test_temperature_bound(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_calibration c;
    golden_table(&p, NOD_TASK_BINARY, 2);
    for (int32_t i = 0; i < 12; i++) {
        int32_t y = i % 2;
        double logits[2] = {0, (y ? 1.0 + i : -1.0 - i) / 1000};
        char id[64];
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(nod_predictions_add(&p, id, NULL, 0, &y, logits, &err), 0);
    }
    assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_TEMPERATURE, &p, &err), 0);
    assert_true(c.at_bound && c.smoothed);
    assert_near(c.slope[0], 20, 0, "limit");
    /* Platt's smoothed targets keep its fit finite. */
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), 0);
    assert_true(isfinite(c.slope[1]) && c.slope[1] > 0 && !c.smoothed);
    nod_calibration_done(&c);
    nod_predictions_done(&p);
}

/* logit p' = logit p + logit natural - logit effective, and Bayes' rule for three classes. */
static void test_prior(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_calibration c;
    double natural[3] = {0.9, 0.1, 0}, weight[3] = {1, 9, 1}, effective[3], lo[3], q[3];
    nod_prior_effective(NOD_TASK_BINARY, 2, natural, weight, effective);
    assert_near(effective[1], 0.5, 1e-15, "balanced by weights");
    assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
    assert_int_equal(nod_calibration_set_prior(&c, NOD_TASK_BINARY, natural, effective, &err),
                     0);
    double z[3] = {0.4, 1.1, -0.3};
    nod_calibration_apply_logits(&c, NOD_TASK_BINARY, z, lo, q);
    assert_near(lo[1], 0.7 + nod_logit(0.1) - nod_logit(0.5), 1e-14, "binary");
    assert_near(q[0] + q[1], 1, 1e-15, "sum");
    nod_calibration_done(&c);

    double three[3] = {0.7, 0.2, 0.1}, learnt[3] = {1.0 / 3, 1.0 / 3, 1.0 / 3}, sum = 0;
    assert_int_equal(nod_calibration_init(&c, 3, &err), 0);
    assert_int_equal(nod_calibration_set_prior(&c, NOD_TASK_MULTICLASS, three, learnt, &err),
                     0);
    nod_calibration_apply_logits(&c, NOD_TASK_MULTICLASS, z, lo, q);
    for (int i = 0; i < 3; i++)
        sum += exp(z[i]) * three[i];
    for (int i = 0; i < 3; i++) {
        assert_near(q[i], exp(z[i]) * three[i] / sum, 1e-15, "Bayes");
        assert_near(lo[i], nod_logit(q[i]), 1e-13, "log-odds");
    }
    nod_calibration_done(&c);

    /* Multi-label: weight 3 on the positives of a label with prevalence .2: odds .25 -> .75. */
    double one[1] = {0.2}, w[1] = {3}, e[1];
    nod_prior_effective(NOD_TASK_MULTILABEL, 1, one, w, e);
    assert_near(e[0], 0.75 / 1.75, 1e-15, "label");
    assert_int_equal(nod_calibration_init(&c, 1, &err), 0);
    assert_int_equal(nod_calibration_set_prior(&c, NOD_TASK_MULTILABEL, one, e, &err), 0);
    assert_near(c.shift[0], -log(3.0), 1e-14, "label's shift");
    natural[0] = 0;
    assert_int_equal(nod_calibration_set_prior(&c, NOD_TASK_MULTILABEL, natural, e, &err),
                     NOD_EDATA);
    nod_calibration_done(&c);
}

/* The fit works on prior-corrected logits, and keeps the shift. */
static void test_prior_before_fit(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_json *root, *cases = golden_open("calibration", &root);
    const nod_json *e = nod_json_at(nod_json_get(cases, "platt"), 1);
    size_t n;
    int32_t *y = golden_ints(nod_json_get(e, "y"), &n);
    double *z = golden_reals(nod_json_get(e, "z"), &n), *logits;
    double natural[2] = {0.8, 0.2}, effective[2] = {0.5, 0.5};
    for (size_t i = 0; i < n; i++)
        z[i] += log(4.0); /* what a balanced training would have said */
    logits = golden_margins(z, n);
    nod_predictions p;
    nod_calibration c;
    golden_table(&p, NOD_TASK_BINARY, 2);
    golden_add(&p, 0, n, y, logits, NULL);
    assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
    assert_int_equal(nod_calibration_set_prior(&c, NOD_TASK_BINARY, natural, effective, &err),
                     0);
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), 0);
    assert_near(c.slope[1], nod_json_f64(nod_json_get(e, "slope")), 1e-9, "slope");
    assert_near(c.intercept[1], nod_json_f64(nod_json_get(e, "intercept")), 1e-9, "intercept");
    assert_near(c.shift[1] - c.shift[0], -log(4.0), 1e-14, "shift");
    nod_calibration_done(&c);
    nod_predictions_done(&p);
    nod_json_free(root);
    free(y);
    free(z);
    free(logits);
}

/* n cases of which `positives` are positive, with scores from a stream; patients of `per` images.
 */
static void random_table(nod_predictions *p, size_t n, size_t positives, int32_t per,
                         double gap)
{
    nod_error err = NOD_ERROR_INIT;
    nod_rng rng = nod_rng_make(7, NOD_RNG_TEST, n + 1000 * positives);
    golden_table(p, NOD_TASK_BINARY, 2);
    for (size_t i = 0; i < n; i++) {
        int32_t y = i < positives;
        double logits[2] = {0, gap * y + 0.25 * floor(4 * nod_rng_normal(&rng))};
        char id[64], patient[64];
        snprintf(id, sizeof id, "%zu", i);
        snprintf(patient, sizeof patient, "p%zu", i / (size_t)per);
        assert_int_equal(
            nod_predictions_add(p, id, per > 0 ? patient : NULL, 0, &y, logits, &err), 0);
    }
}

static void test_fit_refuses(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_calibration c;
    assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
    random_table(&p, 20, 4, 1, 1); /* four positives */
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), NOD_EDATA);
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_TEMPERATURE, &p, &err), NOD_EDATA);
    assert_true(c.kind == NOD_CALIBRATION_NONE && c.slope[1] == 1);
    nod_predictions_done(&p);
    random_table(&p, 40, 20, 1, -4); /* ranks the wrong way round */
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "rank"));
    nod_predictions_done(&p);
    nod_calibration_done(&c);
    golden_table(&p, NOD_TASK_MULTICLASS, 3);
    assert_int_equal(nod_calibration_init(&c, 3, &err), 0);
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err),
                     NOD_EUNSUPPORTED);
    nod_calibration_done(&c);
    nod_predictions_done(&p);
}

static void test_calibration_json(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_calibration c, back;
    random_table(&p, 60, 30, 1, 1.5);
    assert_int_equal(nod_calibration_init(&c, 2, &err), 0);
    c.shift[1] = 0.1;
    assert_int_equal(nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err), 0);
    nod_json *j = nod_calibration_json(&c);
    assert_int_equal(nod_calibration_from_json(j, "model", 2, &back, &err), 0);
    assert_int_equal(back.kind, c.kind);
    assert_memory_equal(back.shift, c.shift, 6 * sizeof(double));
    assert_true(back.n == c.n && back.loss_after == c.loss_after);
    nod_calibration_done(&back);
    assert_int_equal(nod_calibration_from_json(j, "model", 3, &back, &err), NOD_EFORMAT);
    nod_json_set_str(j, "kind", "magic");
    assert_int_equal(nod_calibration_from_json(j, "model", 2, &back, &err), NOD_EFORMAT);
    nod_json_free(j);
    nod_calibration_done(&c);
    nod_predictions_done(&p);
}

/* --- operating point ---------------------------------------------------------------------- */

static void rates(const nod_predictions *p, double t, double *sensitivity, double *specificity)
{
    double tp = 0, fn = 0, fp = 0, tn = 0;
    for (size_t i = 0; i < p->n; i++) {
        bool called = p->probabilities[2 * i + 1] >= t;
        if (p->labels[i]) {
            tp += called;
            fn += !called;
        } else {
            fp += called;
            tn += !called;
        }
    }
    *sensitivity = tp / (tp + fn);
    *specificity = tn / (fp + tn);
}

/* Brute force: no observed probability does better; of equal ones the lowest is taken. */
static void test_youden(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    for (size_t n = 30; n <= 120; n += 45) {
        nod_predictions p;
        nod_operating_point o;
        double sens, spec;
        random_table(&p, n, n / 3, 1, 1);
        assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_YOUDEN, NAN, &o, &err), 0);
        rates(&p, o.threshold, &sens, &spec);
        assert_near(o.sensitivity, sens, 1e-15, "sensitivity");
        assert_near(o.specificity, spec, 1e-15, "specificity");
        for (size_t i = 0; i < p.n; i++) {
            double other_sens, other_spec, t = p.probabilities[2 * i + 1];
            rates(&p, t, &other_sens, &other_spec);
            assert_true(other_sens + other_spec <= sens + spec + 1e-12);
            if (fabs(other_sens + other_spec - sens - spec) < 1e-12)
                assert_true(t >= o.threshold);
        }
        assert_int_equal(o.n_positive, n / 3);
        nod_predictions_done(&p);
    }
}

static void test_wanted_sensitivity(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    static const double wanted[] = {0.5, 0.8, 0.9, 0.95};
    nod_predictions p;
    random_table(&p, 100, 40, 1, 1);
    for (size_t w = 0; w < NOD_COUNT(wanted); w++) {
        nod_operating_point o;
        double sens, spec;
        assert_int_equal(
            nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, wanted[w], &o, &err), 0);
        rates(&p, o.threshold, &sens, &spec);
        assert_true(sens >= wanted[w]);
        for (size_t i = 0; i < p.n; i++) {
            double t = p.probabilities[2 * i + 1];
            if (t <= o.threshold) continue;
            rates(&p, t, &sens, &spec);
            assert_true(sens < wanted[w]); /* nothing larger keeps it */
        }
    }
    nod_predictions_done(&p);
}

/* 0.95 * 20 is 19 in whole positives: rounding must not ask for the 20th. */
static void test_sensitivity_rounding(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_operating_point o;
    golden_table(&p, NOD_TASK_BINARY, 2);
    for (int32_t i = 0; i < 40; i++) {
        int32_t y = i < 20;
        double logits[2] = {0, i};
        char id[64];
        snprintf(id, sizeof id, "%d", i);
        assert_int_equal(nod_predictions_add(&p, id, NULL, 0, &y, logits, &err), 0);
    }
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 0.95, &o, &err),
                     0);
    assert_near(o.sensitivity, 0.95, 1e-15, "19 of 20");
    assert_near(o.threshold, nod_sigmoid(1), 1e-15, "second lowest positive");
    nod_predictions_done(&p);
}

static void test_point_refuses(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_operating_point o;
    random_table(&p, 60, 9, 1, 1);
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_YOUDEN, NAN, &o, &err),
                     NOD_EDATA);
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 0.5, &o, &err),
                     NOD_EDATA);
    nod_predictions_done(&p);
    random_table(&p, 60, 19, 1, 1); /* .95 needs 20 */
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 0.95, &o, &err),
                     NOD_EDATA);
    assert_non_null(strstr(err.message, "at least 20"));
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 0.94, &o, &err),
                     0);
    nod_predictions_done(&p);
    /* 30 positive images, but of six patients. */
    random_table(&p, 90, 30, 5, 1);
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_YOUDEN, NAN, &o, &err),
                     NOD_EDATA);
    assert_non_null(strstr(err.message, "there are 6"));
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 1, &o, &err),
                     NOD_EINVAL);
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_FIXED, 0.5, &o, &err),
                     NOD_EINVAL);
    nod_predictions_done(&p);
}

static void test_point_json(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_operating_point o, back;
    random_table(&p, 60, 30, 1, 1);
    assert_int_equal(nod_operating_point_choose(&p, 0, NOD_POINT_SENSITIVITY, 0.9, &o, &err),
                     0);
    nod_json *j = nod_operating_point_json(&o);
    assert_int_equal(nod_operating_point_from_json(j, "model", &back, &err), 0);
    assert_true(back.rule == o.rule && back.threshold == o.threshold &&
                back.wanted_sensitivity == 0.9 && back.patients_positive == 30);
    nod_json_set_real(j, "threshold", 1.5);
    assert_int_equal(nod_operating_point_from_json(j, "model", &back, &err), NOD_EFORMAT);
    nod_json_free(j);
    nod_predictions_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_platt),
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_temperature_separated),
        cmocka_unit_test(test_temperature_bound),
        cmocka_unit_test(test_prior),
        cmocka_unit_test(test_prior_before_fit),
        cmocka_unit_test(test_fit_refuses),
        cmocka_unit_test(test_calibration_json),
        cmocka_unit_test(test_youden),
        cmocka_unit_test(test_wanted_sensitivity),
        cmocka_unit_test(test_sensitivity_rounding),
        cmocka_unit_test(test_point_refuses),
        cmocka_unit_test(test_point_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
