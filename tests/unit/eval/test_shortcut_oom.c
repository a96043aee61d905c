/* test_shortcut_oom.c: the n-th allocation of a search for shortcuts fails, for every n. */
#include "golden.h"

#include "../../fail_alloc.h"
#include "base/threads.h"
#include "eval/shortcut.h"

/* Two trees in each forest, grown by one thread: the wrapped allocator counts in order. */
static void test_shortcut(void **state)
{
    (void)state;
    double x[2][24];
    uint8_t y[24];
    size_t group[24];
    const size_t factor[2] = {0, 1};
    for (size_t i = 0; i < 24; i++) {
        y[i] = i % 2;
        x[0][i] = (double)(i * 5 % 7);
        x[1][i] = (double)(i % 3);
        group[i] = i / 2 * 2 + i % 2;
    }
    const nod_feature features[2] = {{x[0], 0}, {x[1], 3}};
    const nod_shortcut_data data = {24, 1, y, group, 2, features, factor, 2};
    nod_shortcut_options o = NOD_SHORTCUT_OPTIONS_INIT;
    nod_error err = NOD_ERROR_INIT;
    o.n_folds = 2;
    o.repetitions = 1;
    o.forest.n_trees = 2;
    int threads = nod_threads_get();
    nod_threads_set(1);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_shortcut out = {.n = 77};
        int rc = nod_shortcut_find(&data, &o, &out, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        assert_int_equal(out.n, refused ? 77 : 24);
    }
    nod_threads_set(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortcut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
