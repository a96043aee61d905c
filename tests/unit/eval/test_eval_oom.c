/* test_eval_oom.c: the n-th allocation fails, for every n: each call answers NOD_ENOMEM, nothing
 * leaks (AddressSanitizer looks), and outputs are untouched. */
#include "golden.h"

#include "../../fail_alloc.h"
#include "base/memory.h"
#include "eval/aggregate.h"
#include "eval/calibration.h"
#include "eval/compare.h"
#include "eval/operating_point.h"
#include "eval/subgroup.h"

#define N_CASES 40

static int fill(nod_predictions *p, nod_error *err)
{
    static const char *const names[] = {"no", "yes"};
    int rc = nod_predictions_init(p, NOD_TASK_BINARY, names, 2, 1, err);
    if (rc != 0) return rc;
    for (int32_t i = 0; i < N_CASES; i++) {
        int32_t y = i % 2;
        double logits[2] = {0, y + (double)(i * 7 % 11) / 5 - 1};
        char id[64], patient[64];
        snprintf(id, sizeof id, "%d", i);
        snprintf(patient, sizeof patient, "p%d", i / 2);
        rc = nod_predictions_add(p, id, patient, 0, &y, logits, err);
        if (rc != 0) return rc;
    }
    return 0;
}

static void test_table(void **state)
{
    (void)state;
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        nod_predictions p = {0};
        nod_strbuf text = NOD_STRBUF_INIT;
        int rc = fill(&p, &err);
        if (rc == 0) nod_predictions_csv_text(&p, NULL, &text);
        bool failed = rc != 0 || text.failed;
        assert_true(fail_alloc_stop() == failed);
        if (rc != 0) assert_int_equal(rc, NOD_ENOMEM);
        nod_strbuf_done(&text);
        nod_predictions_done(&p);
    }
}

static void test_reading(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p, back;
    nod_strbuf text = NOD_STRBUF_INIT;
    assert_int_equal(fill(&p, &err), 0);
    nod_predictions_csv_text(&p, NULL, &text);
    for (long n = 0; fail_alloc_round(n); n++) {
        int rc = nod_predictions_parse_csv(text.data, text.len, "t", NOD_TASK_BINARY, "yes",
                                           &back, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        if (rc == 0) nod_predictions_done(&back);
    }
    nod_strbuf_done(&text);
    nod_predictions_done(&p);
}

static void test_calibration(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    assert_int_equal(fill(&p, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_calibration c = {0};
        nod_operating_point o;
        int rc = nod_calibration_init(&c, 2, &err);
        if (rc == 0) rc = nod_calibration_fit(&c, NOD_CALIBRATION_PLATT, &p, &err);
        if (rc == 0) rc = nod_operating_point_choose(&p, 0, NOD_POINT_YOUDEN, NAN, &o, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_calibration_done(&c);
    }
    nod_predictions_done(&p);
}

static void test_results(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_results_options o = nod_results_options_default();
    static const char *const notes[] = {"a note"};
    o.notes = notes;
    o.n_notes = 1;
    assert_int_equal(fill(&p, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_results *r = NULL;
        int rc = nod_results_new(&p, NULL, &o, &r, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_results_free(r);
    }
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_comparison c;
        int rc = nod_compare("a", &p, NULL, "b", &p, NULL, &o, &c, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
    }
    nod_predictions_done(&p);
}

static void test_subgroups(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    nod_results_options o = nod_results_options_default();
    const char *site[N_CASES];
    const nod_factor f = {"site", site};
    for (size_t i = 0; i < N_CASES; i++)
        site[i] = i < 20 ? "A" : i < 38 ? "B" : NULL;
    assert_int_equal(fill(&p, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_subgroups *s = NULL;
        int rc = nod_subgroups_new(&p, NULL, &f, 1, &o, &s, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_subgroups_free(s);
    }
    nod_predictions_done(&p);
}

static void test_units(void **state)
{
    static const char *const ids[] = {"a", "b"}, *const patients[] = {"p", NULL};
    static const int32_t truth[] = {0, 1};
    const nod_judged judged = {2, ids, patients, truth};
    size_t unit[N_CASES];
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    (void)state;
    for (size_t i = 0; i < N_CASES; i++)
        unit[i] = i % 2;
    assert_int_equal(fill(&p, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_predictions units = {0};
        int rc = nod_aggregation_apply(NOD_AGGREGATION_MAX, &p, unit, &judged, &units, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_predictions_done(&units);
    }
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_aggregation_choice choice;
        int rc = nod_aggregation_choose(&p, unit, &judged, &choice, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
    }
    nod_predictions_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subgroups),   cmocka_unit_test(test_units),
        cmocka_unit_test(test_table),       cmocka_unit_test(test_reading),
        cmocka_unit_test(test_calibration), cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
