/* test_sampler.c: orders of epochs. */
#include <math.h>

#include "base/memory.h"
#include "cohort_maker.h"
#include "data/sampler.h"

/* n labels: n_rare of class 1, then class 0; class 2 does not occur. */
static nod_labels labels(size_t n, size_t n_rare)
{
    nod_labels l = {.n = n, .n_classes = 3};
    l.values = nod_calloc(n, sizeof *l.values);
    for (size_t i = 0; i < n_rare; i++)
        l.values[i] = 1;
    return l;
}

static nod_sampler *make(const nod_labels *l, nod_sampling kind, int64_t batch, bool drop_last)
{
    nod_error err = NOD_ERROR_INIT;
    nod_sampler *s = NULL;
    nod_sampler_options o = {.kind = kind, .seed = 5, .batch = batch, .drop_last = drop_last};
    if (nod_sampler_new(l, &o, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

static void order(const nod_sampler *s, int64_t epoch, int64_t *out)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_sampler_order(s, epoch, out, &err) != 0) fail_msg("%s", err.message);
}

static void test_shuffled(void **state)
{
    (void)state;
    nod_labels l = labels(50, 10);
    nod_sampler *s = make(&l, NOD_SAMPLING_SHUFFLED, 8, false);
    int64_t a[50], b[50], seen[50] = {0};
    assert_int_equal(nod_sampler_batches(s), 7);
    assert_int_equal(nod_sampler_visits(s), 50);
    order(s, 3, a);
    order(s, 4, b);
    assert_memory_not_equal(a, b, sizeof a);
    for (int i = 0; i < 50; i++)
        seen[a[i]]++;
    for (int i = 0; i < 50; i++)
        assert_int_equal(seen[i], 1);
    order(s, 3, b); /* the same epoch again, out of turn */
    assert_memory_equal(a, b, sizeof a);
    nod_sampler_free(s);

    s = make(&l, NOD_SAMPLING_SHUFFLED, 8, true);
    assert_int_equal(nod_sampler_batches(s), 6);
    assert_int_equal(nod_sampler_visits(s), 48);
    order(s, 3, b);
    assert_memory_equal(a, b, 48 * sizeof *a);
    nod_sampler_free(s);
    nod_labels_done(&l);
}

static void test_sequential(void **state)
{
    (void)state;
    nod_labels l = labels(9, 4);
    nod_sampler *s = make(&l, NOD_SAMPLING_SEQUENTIAL, 9, true);
    int64_t a[9];
    order(s, 7, a);
    for (int i = 0; i < 9; i++)
        assert_int_equal(a[i], i);
    nod_sampler_free(s);
    nod_labels_done(&l);
}

/* 100 cases, 10 of the rare class: an epoch visits 50 of each; every rare case five times, no
 * common one twice. Over epochs all common ones come round. */
static void test_balanced(void **state)
{
    (void)state;
    nod_labels l = labels(100, 10);
    nod_sampler *s = make(&l, NOD_SAMPLING_BALANCED, 100, false);
    int64_t a[100], ever[100] = {0};
    for (int64_t epoch = 0; epoch < 20; epoch++) {
        int64_t seen[100] = {0};
        order(s, epoch, a);
        for (int i = 0; i < 100; i++)
            seen[a[i]]++;
        for (int i = 0; i < 100; i++) {
            if (i < 10)
                assert_int_equal(seen[i], 5);
            else
                assert_in_range(seen[i], 0, 1);
            ever[i] += seen[i];
        }
    }
    for (int i = 10; i < 100; i++) /* 20 * 50/90 = 11 times; sd 2.2 */
        assert_in_range(ever[i], 2, 20);
    assert_int_equal(nod_sampler_class_count(s, 1), 10);
    assert_true(nod_sampler_natural(s, 1) == 0.1);
    assert_true(nod_sampler_effective(s, 0) == 0.5);
    assert_true(nod_sampler_effective(s, 1) == 0.5);
    assert_true(nod_sampler_effective(s, 2) == 0);
    nod_sampler_free(s);
    s = make(&l, NOD_SAMPLING_SHUFFLED, 10, false);
    assert_true(nod_sampler_effective(s, 1) == 0.1);
    nod_sampler_free(s);
    nod_labels_done(&l);
}

/* An odd number of visits: the extra one goes round the classes, so that over epochs the
 * effective prevalence is what the sampler says. */
static void test_balanced_rest(void **state)
{
    (void)state;
    nod_labels l = labels(7, 2);
    l.n_classes = 2;
    nod_sampler *s = make(&l, NOD_SAMPLING_BALANCED, 7, false);
    int64_t a[7], rare = 0;
    for (int64_t epoch = 0; epoch < 10; epoch++) {
        order(s, epoch, a);
        for (int i = 0; i < 7; i++)
            rare += a[i] < 2;
    }
    assert_int_equal(rare, 35);
    nod_sampler_free(s);
    nod_labels_done(&l);
}

static void test_refusals(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_labels l = labels(5, 2);
    nod_sampler *s = NULL;
    nod_sampler_options o = {.kind = NOD_SAMPLING_SHUFFLED, .batch = 0};
    assert_int_equal(nod_sampler_new(&l, &o, &s, &err), NOD_EINVAL);
    o.batch = 6;
    o.drop_last = true;
    assert_int_equal(nod_sampler_new(&l, &o, &s, &err), NOD_EINVAL);
    o.kind = NOD_SAMPLING_BALANCED;
    o.drop_last = false;
    l.multilabel = true;
    assert_int_equal(nod_sampler_new(&l, &o, &s, &err), NOD_EDATA);
    l.n = 0;
    assert_int_equal(nod_sampler_new(&l, &o, &s, &err), NOD_EDATA);
    assert_null(s);
    nod_labels_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shuffled), cmocka_unit_test(test_sequential),
        cmocka_unit_test(test_balanced), cmocka_unit_test(test_balanced_rest),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
