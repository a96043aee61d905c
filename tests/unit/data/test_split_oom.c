/* test_split_oom.c: dividing cohorts, and looking for known cases, when memory is refused at any point. */
#include "../../fail_alloc.h"
#include "cohort_maker.h"
#include "data/overlap.h"

/* Twelve cases of two sites, on as many days; the last of neither. */
static nod_cohort *placed(void)
{
    const nod_cohort_info info = made_info("manifest");
    nod_cohort *c = made_begin(&info);
    for (int i = 0; i < 12; i++) {
        char id[32], date[32];
        snprintf(id, sizeof id, "c%d", i);
        snprintf(date, sizeof date, "2024-01-%02d", i + 1);
        nod_case k = made_file(id);
        k.patient = id;
        if (i < 11) k.facts[NOD_FACT_SITE] = i < 8 ? "A" : "B";
        if (i < 11) k.facts[NOD_FACT_DATE] = date;
        made_add(c, k, i % 2 ? "yes" : "no");
    }
    return made_end(c);
}

static void test_splits(void **state)
{
    (void)state;
    static const nod_fact facts[] = {NOD_FACT_SITE, NOD_FACT_DATE};
    nod_cohort *c = placed();
    for (size_t i = 0; i < 3; i++) {
        nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
        o.by = i < 2 ? &facts[i] : NULL;
        o.allow_one_class = true;
        for (long n = 0; fail_alloc_round(n); n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_split *s = NULL;
            int rc = nod_split_make(c, &o, &s, &err);
            assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
            nod_split_free(s);
        }
    }
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        nod_split *s = NULL;
        int rc = nod_split_make_external(c, &s, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_split_free(s);
    }
    nod_cohort_free(c);
}

static void test_overlaps(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    nod_cohort *c = placed();
    nod_split *s = NULL;
    assert_int_equal(nod_split_make(c, &so, &s, &err), 0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_overlaps o = {0};
        int rc = nod_overlaps_find(c, s, c, &o, &err);
        assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
        nod_overlaps_done(&o);
    }
    nod_split_free(s);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_splits),
                                       cmocka_unit_test(test_overlaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
