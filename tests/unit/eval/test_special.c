/* test_special.c: distribution functions against mpmath with 40 digits (eval_golden.py), to a
 * relative error of 1e-12, and closed forms. */
#include "golden.h"

#include "eval/special.h"

static double compute(const char *name, double a, double b, double c)
{
    if (strcmp(name, "normal_quantile") == 0) return nod_normal_quantile(a);
    if (strcmp(name, "normal_cdf") == 0) return nod_normal_cdf(a);
    if (strcmp(name, "t_quantile") == 0) return nod_t_quantile(a, b);
    if (strcmp(name, "t_cdf") == 0) return nod_t_cdf(a, b);
    if (strcmp(name, "beta_log") == 0) return nod_beta_log(a, b);
    if (strcmp(name, "beta_cdf") == 0) return nod_beta_cdf(a, b, c);
    if (strcmp(name, "binomial_half") == 0) return nod_binomial_half_cdf(a, b);
    fail_msg("unknown function %s", name);
    return NAN;
}

static void test_golden(void **state)
{
    (void)state;
    nod_json *root, *cases = golden_open("special", &root);
    assert_true(nod_json_count(cases) > 300);
    for (size_t i = 0; i < nod_json_count(cases); i++) {
        const nod_json *e = nod_json_at(cases, i);
        const char *name = nod_json_str(nod_json_at(e, 0));
        double a = golden_at(e, 1), b = golden_at(e, 2), c = golden_at(e, 3);
        double want = golden_at(e, 4), got = compute(name, a, b, c);
        double error = want == 0 ? fabs(got) : fabs(got / want - 1);
        if (!(error <= 1e-12))
            fail_msg("%s(%g, %g, %g): got %.17g, want %.17g, relative error %.2g", name, a, b,
                     c, got, want, error);
    }
    nod_json_free(root);
}

/* t with 1 degree of freedom: tan(pi (p - 1/2)); with 2: (2p-1) sqrt(2 / (4p(1-p))). */
static void test_closed_forms(void **state)
{
    (void)state;
    for (int i = 1; i < 100; i++) {
        double p = i / 100.0;
        assert_near(nod_t_quantile(p, 1), tan(M_PI * (p - 0.5)), 1e-12, "t, 1 df");
        assert_near(nod_t_quantile(p, 2), (2 * p - 1) * sqrt(1 / (2 * p * (1 - p))), 1e-12,
                    "t, 2 df");
        assert_near(nod_beta_cdf(p, 1, 4), 1 - pow(1 - p, 4), 1e-13, "I_p(1, 4)");
        assert_near(nod_sigmoid(nod_logit(p)), p, 1e-14, "sigmoid of logit");
    }
    assert_true(nod_normal_quantile(0) == -INFINITY && nod_normal_quantile(1) == INFINITY);
    assert_true(isnan(nod_normal_quantile(-0.1)) && isnan(nod_t_quantile(2, 3)));
    assert_true(nod_t_quantile(0.5, 7) == 0);
    assert_near(nod_t_quantile(0.975, INFINITY), nod_normal_quantile(0.975), 0, "t, inf");
    assert_near(nod_t_quantile(0.975, 1e8), nod_normal_quantile(0.975), 1e-7, "t, 1e8");
    assert_true(nod_binomial_half_cdf(-1, 5) == 0 && nod_binomial_half_cdf(5, 5) == 1);
}

static void test_logistic_extremes(void **state)
{
    (void)state;
    assert_true(nod_sigmoid(-1000) == 0 && nod_sigmoid(1000) == 1);
    assert_true(nod_sigmoid(-700) > 0);
    assert_near(nod_softplus(800), 800, 0, "softplus above");
    assert_near(nod_softplus(-40) / exp(-40), 1, 1e-15, "softplus below");
    assert_true(nod_logit(0) == -INFINITY && nod_logit(1) == INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_closed_forms),
        cmocka_unit_test(test_logistic_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
