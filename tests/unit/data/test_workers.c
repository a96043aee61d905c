/* test_workers.c: every item once; the lowest failure wins for any number of threads.
 * LABELS: tsan */
#include <stdatomic.h>

#include "cohort_maker.h"
#include "data/workers.h"

enum { N = 500 };

typedef struct counts {
    atomic_int times[N];
    size_t fail_from;
} counts;

static int work(void *ctx, size_t i, nod_error *err)
{
    counts *c = ctx;
    atomic_fetch_add(&c->times[i], 1);
    if (i >= c->fail_from && i % 2 == 1) return nod_fail(err, NOD_EDATA, "item %zu", i);
    return 0;
}

static void test_all_items_once(void **state)
{
    (void)state;
    for (int threads = 0; threads < 9; threads++) {
        static counts c;
        nod_error err = NOD_ERROR_INIT;
        memset(&c, 0, sizeof c);
        c.fail_from = N;
        assert_int_equal(nod_workers_run(N, threads, work, &c, &err), 0);
        for (int i = 0; i < N; i++)
            assert_int_equal(atomic_load(&c.times[i]), 1);
    }
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_workers_run(0, 3, work, NULL, &err), 0);
}

static void test_lowest_failure(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        static counts c;
        nod_error err = NOD_ERROR_INIT;
        memset(&c, 0, sizeof c);
        c.fail_from = (size_t)round * 7;
        char want[32];
        snprintf(want, sizeof want, "item %zu", c.fail_from | 1);
        assert_int_equal(nod_workers_run(N, 1 + round % 8, work, &c, &err), NOD_EDATA);
        assert_string_equal(err.message, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_items_once),
        cmocka_unit_test(test_lowest_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
