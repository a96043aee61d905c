/* test_compare.c: two runs on the same cases. The tests themselves are checked in test_interval.c;
 * here, that each metric gets the right one, and by hand counts. */
#include "golden.h"

#include "base/memory.h"
#include "base/rng.h"
#include "eval/compare.h"

/* n images, `per` a patient, the first half positive; run `which` has its own noise. */
static void run_table(nod_predictions *p, int32_t seed, size_t n, size_t per, uint64_t which,
                      double gap)
{
    nod_error err = NOD_ERROR_INIT;
    nod_rng rng = nod_rng_make(5, NOD_RNG_TEST, which);
    char id[64], patient[64];
    for (size_t i = 0; i < n; i++) {
        int32_t y = i < n / 2;
        double logits[2] = {0, gap * (y - 0.5) + nod_rng_normal(&rng)};
        snprintf(id, sizeof id, "%03zu", i);
        snprintf(patient, sizeof patient, "p%03zu", i / per);
        if (nod_predictions_add(p, id, patient, seed, &y, logits, &err) != 0)
            fail_msg("%s", err.message);
    }
}

static int compare(const nod_predictions *a, const nod_predictions *b, nod_comparison *out,
                   nod_error *err)
{
    nod_results_options o = nod_results_options_default();
    return nod_compare("run a", a, NULL, "run b", b, NULL, &o, out, err);
}

static void test_one_image_a_patient(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions a, b;
    nod_comparison c;
    golden_table(&a, NOD_TASK_BINARY, 2);
    golden_table(&b, NOD_TASK_BINARY, 2);
    run_table(&a, 0, 80, 1, 1, 2);
    run_table(&b, 0, 80, 1, 2, 0.5);
    assert_int_equal(compare(&a, &b, &c, &err), 0);
    assert_int_equal(c.n_rows, 4);
    assert_int_equal(c.rows[0].method, NOD_TEST_PAIRED_DELONG);
    assert_true(c.rows[0].difference.value > 0 && c.rows[0].p.value < 0.05);
    int64_t only[2] = {0, 0};
    for (size_t i = 0; i < a.n; i++) {
        bool right_a = (a.probabilities[2 * i + 1] >= 0.5) == (a.labels[i] == 1);
        bool right_b = (b.probabilities[2 * i + 1] >= 0.5) == (b.labels[i] == 1);
        only[0] += right_a && !right_b;
        only[1] += !right_a && right_b;
    }
    const nod_compare_row *accuracy = &c.rows[1];
    assert_int_equal(accuracy->method, NOD_TEST_MCNEMAR);
    assert_true(accuracy->only_a == only[0] && accuracy->only_b == only[1]);
    assert_near(accuracy->p.value, nod_mcnemar_exact(only[0], only[1]), 0, "McNemar");
    assert_near(accuracy->difference.value, (double)(only[0] - only[1]) / 80, 1e-14,
                "difference");
    assert_true(accuracy->interval.lo < accuracy->difference.value &&
                accuracy->interval.hi > accuracy->difference.value);
    assert_true(c.rows[2].n_images == 40 && c.rows[3].n_images == 40);
    nod_strbuf text = NOD_STRBUF_INIT;
    nod_comparison_text(&c, &text);
    assert_non_null(strstr(text.data, "paired DeLong"));
    assert_non_null(strstr(text.data, "McNemar, exact"));
    nod_strbuf_done(&text);
    nod_json *j = nod_comparison_json(&c);
    const nod_json *row = nod_json_at(nod_json_get(j, "metrics"), 1);
    assert_int_equal(nod_json_i64(nod_json_get(row, "only_a_right")), only[0]);
    nod_json_free(j);
    nod_predictions_done(&a);
    nod_predictions_done(&b);
}

static void test_several_images_and_seeds(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions a, b;
    nod_comparison c;
    golden_table(&a, NOD_TASK_BINARY, 2);
    golden_table(&b, NOD_TASK_BINARY, 2);
    for (int32_t s = 0; s < 2; s++)
        run_table(&a, s, 80, 4, 10 + (uint64_t)s, 2);
    run_table(&b, 0, 80, 4, 20, 0.2);
    assert_int_equal(compare(&a, &b, &c, &err), 0);
    assert_int_equal(c.n_patients, 20);
    assert_int_equal(c.rows[0].method, NOD_TEST_PAIRED_DELONG);
    assert_true(c.rows[1].method == NOD_TEST_PERMUTATION ||
                c.rows[1].method == NOD_TEST_PERMUTATION_EXACT);
    assert_true(c.rows[1].p.value < 0.05 && c.rows[1].only_a == -1);
    nod_predictions_done(&a);
    nod_predictions_done(&b);
}

/* A run against itself: no difference, and no test of nothing. */
static void test_same_run(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions a;
    nod_comparison c;
    golden_table(&a, NOD_TASK_BINARY, 2);
    run_table(&a, 0, 30, 1, 1, 1);
    assert_int_equal(compare(&a, &a, &c, &err), 0);
    assert_true(c.rows[0].difference.value == 0 && c.rows[0].p.undefined != NULL);
    assert_true(c.rows[1].difference.value == 0 && c.rows[1].p.value == 1);
    assert_non_null(c.rows[1].interval.undefined);
    nod_predictions_done(&a);
}

/* Two classes as a multiclass task: macro AUC is the binary AUC, and so is its difference. */
static void test_multiclass(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p[2], m[2];
    nod_comparison binary, multi;
    for (int i = 0; i < 2; i++) {
        golden_table(&p[i], NOD_TASK_BINARY, 2);
        golden_table(&m[i], NOD_TASK_MULTICLASS, 2);
        run_table(&p[i], 0, 60, 2, 1 + (uint64_t)i, 2 - i);
        run_table(&m[i], 0, 60, 2, 1 + (uint64_t)i, 2 - i);
    }
    assert_int_equal(compare(&p[0], &p[1], &binary, &err), 0);
    assert_int_equal(compare(&m[0], &m[1], &multi, &err), 0);
    assert_int_equal(multi.n_rows, 2);
    assert_int_equal(multi.rows[0].method, NOD_TEST_INFLUENCE);
    assert_near(multi.rows[0].difference.value, binary.rows[0].difference.value, 1e-14,
                "macro AUC");
    /* The variances differ by small-sample factors alone (30 patients). */
    assert_near(multi.rows[0].p.value, binary.rows[0].p.value, 0.02, "p");
    assert_near(multi.rows[1].difference.value, binary.rows[1].difference.value, 1e-14,
                "accuracy");
    for (int i = 0; i < 2; i++) {
        nod_predictions_done(&p[i]);
        nod_predictions_done(&m[i]);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions a, b;
    nod_comparison c;
    golden_table(&a, NOD_TASK_BINARY, 2);
    golden_table(&b, NOD_TASK_BINARY, 2);
    run_table(&a, 0, 20, 1, 1, 1);
    run_table(&b, 0, 18, 1, 1, 1);
    assert_int_equal(compare(&a, &b, &c, &err), NOD_EDATA);
    nod_predictions_done(&b);
    golden_table(&b, NOD_TASK_BINARY, 2);
    run_table(&b, 0, 20, 1, 1, 1);
    b.labels[4] = 0;
    assert_int_equal(compare(&a, &b, &c, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "'004' has another truth"));
    b.labels[4] = 1;
    b.id[4][0] = '9';
    assert_int_equal(compare(&a, &b, &c, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "one run only"));
    nod_predictions_done(&a);
    nod_predictions_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_image_a_patient),
        cmocka_unit_test(test_several_images_and_seeds),
        cmocka_unit_test(test_same_run),
        cmocka_unit_test(test_multiclass),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
