/* test_audit_split_oom.c: the n-th allocation of an audit fails, for every n; also of its way into a
 * split. */
#include "train/audit_split.h"

#include "../../fail_alloc.h"
#include "../data/cohort_maker.h"
#include "base/threads.h"

enum { N_CASES = 24 };

/* The facts of the cases are all the same, so that the forests, which have a test of their own, do not
 * make this one long. */
static void test_audit_refused(void **state)
{
    (void)state;
    made_case cases[N_CASES];
    char patients[N_CASES][8];
    for (size_t i = 0; i < N_CASES; i++) {
        snprintf(patients[i], sizeof patients[i], "p%zu", i / 4);
        cases[i] = (made_case){.label = i / 4 % 2 ? "yes" : "no",
                               .patient = patients[i],
                               .official = NOD_PART_OUT};
    }
    nod_cohort *c = make_cohort(cases, N_CASES);
    nod_split_options o = NOD_SPLIT_OPTIONS_INIT;
    nod_split *s;
    nod_error err = NOD_ERROR_INIT;
    if (nod_split_make(c, &o, &s, &err) != 0) fail_msg("%s", err.message);
    nod_threads_set(1);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_audit a = {.images = 77};
        int rc = nod_audit_split(c, s, &a, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        assert_int_equal(a.images, refused ? 77 : nod_split_counts(s, NOD_PART_TRAIN).images);
    }
    nod_audit a = {.images = 3, .method = "m", .n_factors = 1, .factors = {{"size", 0.5, 0}}};
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_audit before = {0};
        bool audited = nod_split_audit(s) != NULL;
        if (audited) before = *nod_split_audit(s);
        int rc = nod_split_set_audit(s, &a, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        assert_true(!refused || (nod_split_audit(s) != NULL) == audited);
        assert_true(!refused || !audited || before.images == nod_split_audit(s)->images);
    }
    nod_split_free(s);
    nod_cohort_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_audit_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
