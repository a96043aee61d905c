/* test_audit_split.c: the audit of a split finds what was planted in the training part, and looks at
 * nothing else.
 *
 * Source: cohorts made here. */
#include "train/audit_split.h"

#include <math.h>

#include "../data/cohort_maker.h"
#include "base/rng.h"

typedef struct world {
    nod_cohort *c;
    nod_split *s;
} world;

/* n images of n / 2 patients, from two sites: with `share` of the patients the site goes with the
 * label. */
static world made(size_t n, double share, bool multilabel, uint64_t seed)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort_info info = made_info("manifest");
    info.multilabel = multilabel;
    if (multilabel) {
        info.positive = -1;
        info.positive_origin = NOD_POSITIVE_NONE;
    }
    world w = {0};
    nod_rng rng = nod_rng_make(seed, NOD_RNG_TEST, 3);
    w.c = made_begin(&info);
    bool follows = false;
    for (size_t i = 0; i < n; i++) {
        char id[32], patient[32];
        bool yes = i / 2 % 2 == 1;
        if (i % 2 == 0) follows = nod_rng_uniform(&rng) < share;
        snprintf(id, sizeof id, "c%zu", i);
        snprintf(patient, sizeof patient, "p%zu", i / 2);
        nod_case k = made_file(id);
        k.patient = patient;
        k.facts[NOD_FACT_SITE] = yes == follows ? "A" : "B";
        made_add(w.c, k, yes ? "yes" : "no");
    }
    made_end(w.c);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    if (nod_split_make(w.c, &o, &w.s, &err) != 0) fail_msg("%s", err.message);
    return w;
}

static nod_audit audited(const world *w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_audit a;
    if (nod_audit_split(w->c, w->s, &a, &err) != 0) fail_msg("%s", err.message);
    return a;
}

static void done(world *w)
{
    nod_split_free(w->s);
    nod_cohort_free(w->c);
}

/* The site goes with the label in 90 % of the patients: an AUC of .9 by one threshold. */
static void test_planted(void **state)
{
    (void)state;
    for (int multilabel = 0; multilabel < 2; multilabel++) {
        world w = made(400, 0.9, multilabel, 1);
        nod_audit a = audited(&w);
        nod_part_counts n = nod_split_counts(w.s, NOD_PART_TRAIN);
        assert_true(a.images == n.images && a.groups == n.groups);
        assert_true(fabs(a.auc - 0.9) < 0.06);
        assert_true(a.lo < a.auc && a.hi > a.auc && nod_audit_is_notable(&a));
        assert_int_equal(a.n_factors, 1);
        assert_string_equal(a.factors[0].name, "site");
        assert_true(fabs(a.factors[0].alone - a.auc) < 1e-9 && a.factors[0].fall > 0.3);
        done(&w);
    }
}

static void test_not_planted(void **state)
{
    (void)state;
    double sum = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        world w = made(400, 0.5, false, seed);
        nod_audit a = audited(&w);
        assert_false(nod_audit_is_notable(&a));
        sum += a.auc / 5;
        done(&w);
    }
    assert_true(fabs(sum - 0.5) < 0.08);
}

/* What differs in validation and test part alone is not seen. */
static void test_training_alone(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_cohort_info info = made_info("manifest");
    info.grouping = NOD_GROUPING_NONE;
    world w = {0};
    w.c = made_begin(&info);
    for (size_t i = 0; i < 120; i++) {
        char id[32];
        nod_part part = i < 60 ? NOD_PART_TRAIN : i < 90 ? NOD_PART_VAL : NOD_PART_TEST;
        snprintf(id, sizeof id, "c%zu", i);
        nod_case k = made_file(id);
        k.official = part;
        k.width = part == NOD_PART_TRAIN ? 3 : 3 + (int64_t)(i % 2);
        made_add(w.c, k, i % 2 ? "yes" : "no");
    }
    made_end(w.c);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    if (nod_split_make(w.c, &o, &w.s, &err) != 0) fail_msg("%s", err.message);
    nod_audit a = audited(&w);
    assert_true(a.images == 60 && a.auc == 0.5 && isnan(a.lo) && a.n_factors == 0);
    assert_string_equal(a.method, "nothing varies");
    done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted),
        cmocka_unit_test(test_not_planted),
        cmocka_unit_test(test_training_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
