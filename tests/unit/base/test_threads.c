/* test_threads.c: the budget, and that each index runs once. Builds without OpenMP too.
 * LABELS: tsan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/threads.h"

enum { N = 1000 };

typedef struct counts {
    atomic_int per_index[N];
    atomic_int total;
} counts;

static void count_one(void *ctx, int64_t i)
{
    counts *c = ctx;
    atomic_fetch_add(&c->per_index[i], 1);
    atomic_fetch_add(&c->total, 1);
}

static void test_each_index_once(void **state)
{
    (void)state;
    for (int n_threads = 1; n_threads <= 4; n_threads++) {
        nod_threads_set(n_threads);
        counts *c = calloc(1, sizeof *c);
        assert_non_null(c);
        nod_parallel_for(N, count_one, c);
        assert_int_equal(atomic_load(&c->total), N);
        for (int i = 0; i < N; i++)
            assert_int_equal(atomic_load(&c->per_index[i]), 1);
        free(c);
    }
    nod_threads_set(0);
}

static void test_none_and_one(void **state)
{
    (void)state;
    counts *c = calloc(1, sizeof *c);
    assert_non_null(c);
    nod_parallel_for(0, count_one, c);
    nod_parallel_for(-3, count_one, c);
    assert_int_equal(atomic_load(&c->total), 0);
    nod_parallel_for(1, count_one, c);
    assert_int_equal(atomic_load(&c->total), 1);
    free(c);
}

static void nested(void *ctx, int64_t i)
{
    (void)i;
    nod_parallel_for(10, count_one, ctx);
}

static void test_nesting_is_allowed(void **state)
{
    (void)state;
    nod_threads_set(2);
    counts *c = calloc(1, sizeof *c);
    assert_non_null(c);
    nod_parallel_for(10, nested, c);
    assert_int_equal(atomic_load(&c->total), 100);
    free(c);
    nod_threads_set(0);
}

static void test_budget(void **state)
{
    (void)state;
    int available = nod_threads_available();
    assert_true(available >= 1);
    nod_threads_set(3);
#ifdef _OPENMP
    assert_int_equal(nod_threads_get(), 3);
    nod_threads_set(0);
    assert_int_equal(nod_threads_get(), available);
#else
    assert_int_equal(nod_threads_get(), 1);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_index_once),
        cmocka_unit_test(test_none_and_one),
        cmocka_unit_test(test_nesting_is_allowed),
        cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
