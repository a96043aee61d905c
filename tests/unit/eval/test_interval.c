/* test_interval.c: intervals and tests in closed form.
 *
 * Sources: brute force over all pairs in NumPy (eval_golden.py) for DeLong and Obuchowski; Hanley and
 * McNeil, Radiology 1982;143:29-36 (their CT ratings: AUC .893, SE .032); Newcombe, Stat Med
 * 1998;17:857-872, table I, for Wilson; SciPy for roots and binomial tests; closed forms. */
#include "golden.h"

#include "eval/compare.h"
#include "eval/delong.h"
#include "eval/interval.h"
#include "eval/reliability.h"
#include "eval/special.h"

typedef struct auc_case {
    size_t n, n_seeds, n_patients;
    double *score, *other;
    uint8_t *y;
    size_t *patient;
} auc_case;

static auc_case read_case(const nod_json *e)
{
    auc_case c = {0};
    size_t n, total;
    int32_t *y = golden_ints(nod_json_get(e, "y"), &c.n);
    int32_t *patient = golden_ints(nod_json_get(e, "patient"), &n);
    c.score = golden_reals(nod_json_get(e, "scores"), &total);
    c.other = golden_reals(nod_json_get(e, "other"), &n);
    c.n_seeds = total / c.n;
    c.y = calloc(c.n, 1);
    c.patient = calloc(c.n, sizeof *c.patient);
    for (size_t i = 0; i < c.n; i++) {
        c.y[i] = y[i] != 0;
        c.patient[i] = (size_t)patient[i];
        if (c.patient[i] >= c.n_patients) c.n_patients = c.patient[i] + 1;
    }
    free(y);
    free(patient);
    return c;
}

static void case_done(auc_case *c)
{
    free(c->score);
    free(c->other);
    free(c->y);
    free(c->patient);
}

static nod_auc_sample sample_of(const auc_case *c, const double *score, size_t n_seeds)
{
    return (nod_auc_sample){.n = c->n,
                            .n_seeds = n_seeds,
                            .n_patients = c->n_patients,
                            .score = score,
                            .stride = c->n,
                            .y = c->y,
                            .patient = c->patient};
}

static void test_auc_golden(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("auc", &root);
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        const nod_json *e = nod_json_at(cases, i);
        const char *name = nod_json_str(nod_json_get(e, "name"));
        auc_case c = read_case(e);
        nod_auc_sample s = sample_of(&c, c.score, c.n_seeds), o = sample_of(&c, c.other, 1);
        nod_auc_variance v;
        nod_auc_difference d;
        assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
        assert_int_equal(nod_auc_compare(&s, &o, 0.95, &d, &err), 0);
        nod_interval ci = nod_auc_interval(&v, 0.95);
        const struct {
            const char *key;
            double got;
        } table[] = {{"auc", v.auc},
                     {"variance", v.variance},
                     {"df", v.df},
                     {"lo", ci.lo},
                     {"hi", ci.hi},
                     {"difference", d.difference},
                     {"difference_variance", d.variance},
                     {"difference_df", d.df},
                     {"difference_lo", d.interval.lo},
                     {"difference_hi", d.interval.hi},
                     {"p", d.p.value}};
        for (size_t j = 0; j < NOD_COUNT(table); j++) {
            char what[128];
            snprintf(what, sizeof what, "%s: %s", name, table[j].key);
            assert_near(table[j].got, nod_json_f64(nod_json_get(e, table[j].key)), 1e-11, what);
        }
        assert_int_equal(ci.method,
                         v.clustered ? NOD_INTERVAL_OBUCHOWSKI : NOD_INTERVAL_DELONG);
        case_done(&c);
    }
    nod_json_free(root);
}

/* Published: AUC .893 with standard error .032 (Hanley and McNeil's model). */
static void test_hanley_mcneil(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("auc", &root);
    auc_case c = read_case(nod_json_at(cases, 0));
    nod_auc_sample s = sample_of(&c, c.score, 1);
    nod_error err = NOD_ERROR_INIT;
    nod_auc_variance v;
    assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
    assert_near(v.auc, 0.893, 5e-4, "published AUC");
    assert_near(nod_auc_expected_se(v.auc, 51, 58), 0.032, 6e-4, "published SE");
    nod_estimate half = nod_auc_expected_half_width(0.9, 51, 58, 0.95);
    assert_near(half.value, 1.959963984540054 * nod_auc_expected_se(0.9, 51, 58), 1e-14,
                "half width");
    assert_non_null(nod_auc_expected_half_width(0.9, 0, 58, 0.95).undefined);
    assert_non_null(nod_sensitivity_expected_half_width(0.9, 0, 0.95).undefined);
    /* Half of Wilson's width for 18 of 20. */
    nod_interval w = nod_interval_wilson(0.9, 20, 0.95, NOD_INTERVAL_WILSON);
    assert_near(nod_sensitivity_expected_half_width(0.9, 20, 0.95).value, (w.hi - w.lo) / 2,
                1e-15, "sensitivity");
    case_done(&c);
    nod_json_free(root);
}

/* AUC 1, and others that have no width: Newcombe's method 5 on patients. */
static void test_auc_without_width(void **state)
{
    (void)state;
    const double perfect[6] = {1, 2, 3, 4, 5, 6}, flat[6] = {1, 1, 1, 1, 1, 1};
    const uint8_t y[6] = {0, 0, 0, 1, 1, 1};
    const size_t patient[6] = {0, 0, 1, 2, 3, 3};
    nod_error err = NOD_ERROR_INIT;
    nod_auc_sample s = {.n = 6,
                        .n_seeds = 1,
                        .n_patients = 4,
                        .score = perfect,
                        .stride = 6,
                        .y = y,
                        .patient = patient};
    nod_auc_variance v;
    assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
    nod_interval ci = nod_auc_interval(&v, 0.95);
    nod_interval want = nod_interval_newcombe5(1, 2, 2, 0.95); /* two patients of each class */
    assert_int_equal(ci.method, NOD_INTERVAL_NEWCOMBE5);
    assert_true(ci.lo == want.lo && ci.hi == 1 && ci.lo > 0 && ci.lo < 1);
    s.score = flat;
    assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
    ci = nod_auc_interval(&v, 0.95);
    assert_int_equal(ci.method, NOD_INTERVAL_NEWCOMBE5);
    assert_true(v.auc == 0.5 && ci.lo < 0.5 && ci.hi > 0.5);
    assert_near(ci.lo + ci.hi, 1, 1e-12, "symmetric at .5");
    /* One positive patient: no variance can be had from patients. */
    const uint8_t one[6] = {0, 0, 0, 0, 1, 1};
    s.score = perfect;
    s.y = one;
    assert_int_equal(nod_auc_variance_of(&s, &v, &err), 0);
    assert_true(isnan(v.variance));
    assert_int_equal(nod_auc_interval(&v, 0.95).method, NOD_INTERVAL_NEWCOMBE5);
    /* No negative: refused. */
    const uint8_t all[6] = {1, 1, 1, 1, 1, 1};
    s.y = all;
    assert_int_equal(nod_auc_variance_of(&s, &v, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "both classes"));
}

static void test_newcombe5(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("interval", &root);
    const nod_json *list = nod_json_get(cases, "newcombe5");
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        nod_interval ci = nod_interval_newcombe5(golden_at(e, 0), golden_at(e, 1),
                                                 golden_at(e, 2), golden_at(e, 3));
        assert_near(ci.lo, golden_at(e, 4), 1e-12, "lower limit");
        assert_near(ci.hi, golden_at(e, 5), 1e-12, "upper limit");
    }
    /* m = n = 1: (1-t)^2 = z^2 t (1-t), so t = 1/(1+z^2): Wilson with one case. */
    double z = 1.959963984540054;
    assert_near(nod_interval_newcombe5(1, 1, 1, 0.95).lo, 1 / (1 + z * z), 1e-14,
                "closed form");
    nod_json_free(root);
}

static void test_wilson(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("interval", &root);
    const nod_json *list = nod_json_get(cases, "wilson");
    /* Newcombe 1998, table I, method 3. */
    static const double published[4][2] = {
        {0.2553, 0.3662}, {0.0624, 0.1605}, {0.0000, 0.1611}, {0.0061, 0.1718}};
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        double k = golden_at(e, 0), n = golden_at(e, 1);
        nod_interval ci = nod_interval_wilson(k / n, n, golden_at(e, 2), NOD_INTERVAL_WILSON);
        assert_near(ci.lo, golden_at(e, 3), 1e-12, "lower limit");
        assert_near(ci.hi, golden_at(e, 4), 1e-12, "upper limit");
        if (i >= 4) continue;
        assert_near(ci.lo, published[i][0], 5e-5, "published lower limit");
        assert_near(ci.hi, published[i][1], 5e-5, "published upper limit");
    }
    assert_non_null(nod_interval_wilson(0.5, 0, 0.95, NOD_INTERVAL_WILSON).undefined);
    nod_json_free(root);
}

/* By hand: .9 in (.7, .95) and .8 in (.6, .9): lower .85 - sqrt(.04+.04)/2. */
static void test_square_add(void **state)
{
    (void)state;
    nod_interval a = nod_interval_of(NOD_INTERVAL_WILSON, 0.7, 0.95);
    nod_interval b = nod_interval_of(NOD_INTERVAL_WILSON, 0.6, 0.9);
    nod_interval ci = nod_interval_square_add(0.9, &a, 0.8, &b);
    assert_near(ci.lo, 0.85 - sqrt(0.08) / 2, 1e-15, "lower limit");
    assert_near(ci.hi, 0.85 + sqrt(0.0125) / 2, 1e-15, "upper limit");
}

static void test_percentile(void **state)
{
    (void)state;
    double v[5] = {1, 2, 3, 4, 10}; /* NumPy: quantile .1 = 1.4, .9 = 7.6 */
    nod_interval ci = nod_interval_percentile(v, 5, 0.8);
    assert_near(ci.lo, 1.4, 1e-14, "quantile .1");
    assert_near(ci.hi, 7.6, 1e-14, "quantile .9");
    assert_non_null(nod_interval_percentile(v, 0, 0.8).undefined);
}

static void test_mcnemar(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("interval", &root);
    const nod_json *list = nod_json_get(cases, "mcnemar");
    for (size_t i = 0; i < nod_json_count(list); i++) {
        const nod_json *e = nod_json_at(list, i);
        double p = nod_mcnemar_exact((int64_t)golden_at(e, 0), (int64_t)golden_at(e, 1));
        assert_near(p / golden_at(e, 2), 1, 1e-12, "McNemar");
    }
    nod_json_free(root);
}

/* One image a patient, all differences +-1: the swap test is McNemar's. */
static void test_permutation(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    double d[40] = {0}, p;
    nod_test_method method;
    for (size_t i = 0; i < 12; i++)
        d[2 * i] = i < 3 ? -1 : 1;
    assert_int_equal(nod_permutation_test(d, 40, 1, &p, &method, &err), 0);
    assert_int_equal(method, NOD_TEST_PERMUTATION_EXACT);
    assert_near(p, nod_mcnemar_exact(9, 3), 1e-13, "exact");
    for (size_t i = 0; i < 40; i++)
        d[i] = i < 12 ? -1 : 1; /* 28 against 12 */
    assert_int_equal(nod_permutation_test(d, 40, 1, &p, &method, &err), 0);
    assert_int_equal(method, NOD_TEST_PERMUTATION);
    /* Three standard errors of a share of 20 000. */
    double exact = nod_mcnemar_exact(28, 12);
    assert_near(p, exact, 3 * sqrt(exact * (1 - exact) / NOD_PERMUTATIONS) + 1e-4, "random");
    /* Two patients with sums 2 and -1: |sum| >= 1 in every swap. */
    double two[2] = {2, -1};
    assert_int_equal(nod_permutation_test(two, 2, 1, &p, &method, &err), 0);
    assert_near(p, 1, 1e-15, "two patients");
    /* Nothing differs. */
    double none[2] = {0, 0};
    assert_int_equal(nod_permutation_test(none, 2, 1, &p, &method, &err), 0);
    assert_near(p, 1, 1e-15, "no difference");
}

static void test_sandwich(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("sandwich", &root);
    static const char *const names[NOD_RELIABILITY_N] = {"slope", "intercept", "large"};
    nod_error err = NOD_ERROR_INIT;
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        const nod_json *e = nod_json_at(cases, i);
        size_t n;
        int32_t *y = golden_ints(nod_json_get(e, "y"), &n);
        int32_t *patient = golden_ints(nod_json_get(e, "patient"), &n);
        double *z = golden_reals(nod_json_get(e, "z"), &n);
        double *logits = golden_margins(z, n);
        double seeds[NOD_RELIABILITY_N];
        nod_reliability_mean mean[NOD_RELIABILITY_N];
        nod_predictions p;
        nod_cases *c;
        golden_table(&p, NOD_TASK_BINARY, 2);
        golden_add(&p, 0, n, y, logits, patient);
        assert_int_equal(nod_cases_new(&p, &c, &err), 0);
        for (int v = 0; v < NOD_RELIABILITY_N; v++)
            mean[v].seeds = &seeds[v];
        assert_int_equal(nod_reliability_mean_of(c, 0.95, mean, &err), 0);
        for (int v = 0; v < NOD_RELIABILITY_N; v++) {
            const nod_json *want = nod_json_get(e, names[v]);
            assert_near(mean[v].value.value, golden_at(want, 0), 1e-9, names[v]);
            assert_near(mean[v].interval.lo, golden_at(want, 1), 1e-9, names[v]);
            assert_near(mean[v].interval.hi, golden_at(want, 2), 1e-9, names[v]);
        }
        nod_cases_free(c);
        nod_predictions_done(&p);
        free(y);
        free(patient);
        free(z);
        free(logits);
    }
    nod_json_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auc_golden),
        cmocka_unit_test(test_hanley_mcneil),
        cmocka_unit_test(test_auc_without_width),
        cmocka_unit_test(test_newcombe5),
        cmocka_unit_test(test_wilson),
        cmocka_unit_test(test_square_add),
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_mcnemar),
        cmocka_unit_test(test_permutation),
        cmocka_unit_test(test_sandwich),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
