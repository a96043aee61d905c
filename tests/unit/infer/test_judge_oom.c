/* test_judge_oom.c: units, their labels and their names when memory is refused at any point. */
#include "../../fail_alloc.h"
#include "../data/cohort_maker.h"
#include "base/memory.h"
#include "data/unit_label.h"
#include "infer/judge.h"

/* 24 images of twelve patients in two studies each; every other patient has the finding in one. */
static nod_cohort *patients(void)
{
    nod_cohort_info info = made_info("dicom");
    info.unit = info.label_level = NOD_LEVEL_PATIENT;
    info.unit_label = NOD_UNIT_LABEL_ANY;
    nod_cohort *c = made_begin(&info);
    for (int i = 0; i < 24; i++) {
        char id[32], patient[32];
        snprintf(id, sizeof id, "c%d", i);
        snprintf(patient, sizeof patient, "p%d", i / 2);
        nod_case k = made_file(id);
        k.patient = patient;
        k.study = id;
        made_add(c, k, i % 4 == 1 ? "yes" : "no");
    }
    return made_end(c);
}

static void test_units_and_labels(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = patients();
    nod_follow_ups f = {0};
    (void)state;
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_units_of_cases u = {0};
        int32_t *labels = NULL;
        int rc = nod_units_of_cases_make(c, NOD_LEVEL_PATIENT, &u, &err);
        if (rc == 0) rc = nod_unit_labels_make(c, &u, &labels, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_free(labels);
        nod_units_of_cases_done(&u);
    }
    for (long n = 0; fail_alloc_round(n); n++) {
        int rc = nod_follow_ups_find(c, NULL, &f, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
    }
    assert_true(f.patients == 12 && f.studies == 24);
    nod_cohort_free(c);
}

static void test_parts(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = patients();
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    (void)state;
    assert_int_equal(nod_split_make(c, &o, &s, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_labels l = {0};
        nod_judge j = {0};
        int rc = nod_labels_serve(c, s, NOD_PART_TRAIN, NULL, &l, &err);
        if (rc == 0) rc = nod_judge_init(&j, c, s, &l, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_judge_done(&j);
        nod_labels_done(&l);
    }
    nod_split_free(s);
    nod_cohort_free(c);
}

/* Images of validation to patients, by the larger of two areas, with the names of their units. */
static void test_judging(void **state)
{
    static const char *const names[] = {"no", "yes"};
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = patients();
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s = NULL;
    nod_labels l;
    nod_judge j;
    nod_predictions p = {0};
    (void)state;
    assert_int_equal(nod_split_make(c, &o, &s, &err), 0);
    assert_int_equal(nod_labels_serve(c, s, NOD_PART_VAL, NULL, &l, &err), 0);
    assert_int_equal(nod_judge_init(&j, c, s, &l, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_aggregation_choice choice;
        nod_predictions units = {0}, all = {0};
        int rc = nod_predictions_init(&p, NOD_TASK_BINARY, names, 2, 1, &err);
        for (size_t i = 0; i < j.n && rc == 0; i++) {
            const double logits[2] = {0, (double)i};
            rc =
                nod_predictions_add(&p, j.ids[i], j.patients[i], 0, &l.values[i], logits, &err);
        }
        if (rc == 0) rc = nod_judge_choose(&j, &p, &choice, &err);
        if (rc == 0) rc = nod_judge_apply(&j, choice.how, &p, &units, &err);
        if (rc == 0) rc = nod_judge_mark(&j, &p, &err);
        if (rc == 0) rc = nod_predictions_init(&all, NOD_TASK_BINARY, names, 2, 1, &err);
        if (rc == 0) rc = nod_predictions_append(&all, &p, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        if (rc == 0) {
            assert_int_equal(units.n, l.n_units);
            for (size_t i = 0; i < all.n; i++)
                assert_string_equal(all.unit[i], j.units.id[l.unit[i]]);
        }
        nod_predictions_done(&all);
        nod_predictions_done(&units);
        nod_predictions_done(&p);
    }
    nod_judge_done(&j);
    nod_labels_done(&l);
    nod_split_free(s);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_and_labels),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_judging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
