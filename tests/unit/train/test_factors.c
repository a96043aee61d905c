/* test_factors.c: groups of units by the facts of their cases, four patients by hand. */
#include "../data/cohort_maker.h"
#include "train/factors.h"

/* A: one site, once not said; B: two sites; C: none is known; D: one image. Ages 17.9 and 18. */
static const struct {
    const char *site, *age;
} cases[] = {{"North", "17.9"}, {"", "18"}, {"North", "17.9"}, {"South", "18"},
             {"North", "18"},   {"", ""},   {"", ""},          {"South", "80"}};
static const size_t unit_of[] = {0, 0, 0, 1, 1, 2, 2, 3};

static nod_cohort *make(void)
{
    const nod_cohort_info info = made_info("dicom");
    nod_cohort *c = made_begin(&info);
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        char id[32];
        snprintf(id, sizeof id, "c%zu", i);
        nod_case k = made_file(id);
        k.facts[NOD_FACT_SITE] = cases[i].site;
        k.facts[NOD_FACT_AGE] = cases[i].age;
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

static void test_groups_of_units(void **state)
{
    static const char *const sites[] = {"North", "(several)", "", "South"}, *const ages[] = {
                                                                                "(several)",
                                                                                "18-39", "",
                                                                                "80+"};
    size_t of_case[] = {0, 1, 2, 3, 4, 5, 6, 7}, unit[NOD_COUNT(unit_of)];
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = make();
    nod_factors f;
    size_t found = 0;
    (void)state;
    memcpy(unit, unit_of, sizeof unit);
    const nod_labels l = {.n = NOD_COUNT(cases), .n_units = 4, .cases = of_case, .unit = unit};
    assert_int_equal(nod_factors_make(c, &l, 2, &f, &err), 0);
    for (size_t i = 0; i < f.n; i++) {
        bool is_site = strcmp(f.items[i].name, "site") == 0;
        if (!is_site && strcmp(f.items[i].name, "age") != 0) continue;
        found++;
        for (size_t row = 0; row < 8; row++) /* four units of two seeds */
            assert_string_equal(f.items[i].group[row], (is_site ? sites : ages)[row % 4]);
    }
    assert_int_equal(found, 2);
    nod_factors_done(&f);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups_of_units)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
