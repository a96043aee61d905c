/* test_unit.c: which cases are judged together, counted by hand. */
#include "cohort_maker.h"
#include "data/unit.h"

static nod_error err;

typedef struct keyed {
    const char *patient, *study, *series, *side, *other_ids;
} keyed;

static nod_cohort *cohort_of(const keyed *cases, size_t n)
{
    const nod_cohort_info info = made_info("dicom");
    nod_cohort *c = made_begin(&info);
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof id, "u%zu", i);
        nod_case k = made_file(id);
        k.patient = cases[i].patient;
        k.study = cases[i].study;
        k.series = cases[i].series;
        k.other_ids = cases[i].other_ids;
        k.facts[NOD_FACT_SIDE] = cases[i].side;
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

static void expect_units(const nod_cohort *c, nod_level level, const size_t *unit,
                         size_t n_units)
{
    nod_units_of_cases u;
    if (nod_units_of_cases_make(c, level, &u, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(u.n_units, n_units);
    assert_memory_equal(u.unit, unit, u.n * sizeof *unit);
    nod_units_of_cases_done(&u);
}

static void test_levels(void **state)
{
    (void)state;
    static const keyed cases[] = {
        {"b", "2", "2.1", "L", NULL}, {"a", "1", "1.1", "L", NULL},
        {"b", "2", "2.1", "R", NULL}, {"a", "1", "1.2", "L", NULL},
        {"b", "3", "3.1", "L", NULL}, {"", "4", "4.1", "R", NULL},
        {"", "5", "5.1", "R", NULL},
    };
    nod_cohort *c = cohort_of(cases, NOD_COUNT(cases));
    expect_units(c, NOD_LEVEL_IMAGE, (size_t[]){0, 1, 2, 3, 4, 5, 6}, 7);
    expect_units(c, NOD_LEVEL_SERIES, (size_t[]){0, 1, 0, 2, 3, 4, 5}, 6);
    expect_units(c, NOD_LEVEL_STUDY, (size_t[]){0, 1, 0, 1, 2, 3, 4}, 5);
    expect_units(c, NOD_LEVEL_BREAST, (size_t[]){0, 1, 2, 1, 0, 3, 4}, 5);
    expect_units(c, NOD_LEVEL_PATIENT, (size_t[]){0, 1, 0, 1, 0, 2, 3}, 4);
    nod_cohort_free(c);
}

/* One patient under three numbers that files name together, and one who is not named. */
static void test_patients_by_other_ids(void **state)
{
    (void)state;
    static const keyed cases[] = {
        {"a", "1", "1.1", "L", NULL},       {"c", "2", "2.1", "L", "b"},
        {"b", "3", "3.1", "R", "a|x"},      {"REMOVED", "4", "4.1", "L", "x"},
        {"REMOVED", "5", "5.1", "L", NULL},
    };
    nod_cohort *c = cohort_of(cases, NOD_COUNT(cases));
    expect_units(c, NOD_LEVEL_PATIENT, (size_t[]){0, 0, 0, 0, 1}, 2);
    expect_units(c, NOD_LEVEL_BREAST, (size_t[]){0, 0, 1, 0, 2}, 3);
    nod_cohort_free(c);
}

static void test_what_is_missing(void **state)
{
    (void)state;
    static const keyed cases[] = {{"a", "1", "1.1", "L", NULL}, {"b", "", "1.2", "B", NULL}};
    nod_cohort *c = cohort_of(cases, NOD_COUNT(cases));
    nod_units_of_cases u;
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_STUDY, &u, &err), NOD_EDATA);
    expect_in(err.message, "1 of 2 cases do not say their study, the first is u1");
    assert_int_equal(nod_units_of_cases_make(c, NOD_LEVEL_BREAST, &u, &err), NOD_EDATA);
    expect_in(err.message, "side (L or R), the first is u1");
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_patients_by_other_ids),
        cmocka_unit_test(test_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
