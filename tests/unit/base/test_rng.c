/* test_rng.c: Philox against published known answers, the stream rules against an independent
 * implementation (tools/oracles/base.py), and distributions against closed forms. Seeds are
 * fixed, so a bound that holds once holds always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/rng.h"

#define SEED  UINT64_C(0x0123456789abcdef)
#define INDEX UINT64_C(0x1122334455667788)

/* Source: Random123 1.14.0, tests/kat_vectors, the three lines "philox4x32 10". Key and counter
 * there are lists of words; here seed = key, counter = block, purpose, index. */
static void test_philox_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, index;
        uint32_t purpose, block, out[4];
    } known[] = {
        {0, 0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX,
         UINT64_MAX,
         UINT32_MAX,
         UINT32_MAX,
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {UINT64_C(0x299f31d0a4093822),
         UINT64_C(0x0370734413198a2e),
         0x85a308d3,
         0x243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < NOD_COUNT(known); i++) {
        uint32_t out[4];
        nod_rng_block(known[i].seed, known[i].purpose, known[i].index, known[i].block, out);
        assert_memory_equal(out, known[i].out, sizeof out);
    }
}

/* The next five: printed by tools/oracles/base.py. */
static void test_stream_words(void **state)
{
    (void)state;
    static const uint32_t want[] = {0x82c849b8, 0xf684553a, 0xff6bc01f,
                                    0xa9ad590c, 0xa3484c12, 0xc7111791};
    nod_rng r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    for (size_t i = 0; i < NOD_COUNT(want); i++)
        assert_int_equal(nod_rng_u32(&r), want[i]);
}

static void test_stream_uniform(void **state)
{
    (void)state;
    static const double want[] = {0x1.0590937da1154p-1, 0x1.fed7802a6b564p-1,
                                  0x1.46909831c445ep-1};
    nod_rng r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    for (size_t i = 0; i < NOD_COUNT(want); i++)
        assert_true(nod_rng_uniform(&r) == want[i]);
}

static void test_stream_normal(void **state)
{
    (void)state;
    static const double want[] = {1.1958091534464164, -0.016997490669302364,
                                  0.94705274233017889};
    nod_rng r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    /* Logarithm and cosine may differ in the last bit between mathematics libraries. */
    for (size_t i = 0; i < NOD_COUNT(want); i++)
        assert_true(fabs(nod_rng_normal(&r) - want[i]) <= 4e-16 * (1 + fabs(want[i])));
}

static void test_stream_below(void **state)
{
    (void)state;
    static const uint64_t n[] = {1, 7, 1000, (UINT64_C(1) << 63) + 1, UINT64_MAX};
    static const uint64_t want[] = {0, 5, 458, UINT64_C(2668629503991157419),
                                    UINT64_C(5246426078106864208)};
    nod_rng r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    for (size_t i = 0; i < NOD_COUNT(want); i++)
        assert_true(nod_rng_below(&r, n[i]) == want[i]);
}

static void test_stream_shuffle(void **state)
{
    (void)state;
    static const int want[10] = {4, 5, 1, 3, 0, 7, 6, 9, 2, 8};
    int items[10];
    for (int i = 0; i < 10; i++)
        items[i] = i;
    nod_rng r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    nod_rng_shuffle(&r, items, 10, sizeof *items);
    assert_memory_equal(items, want, sizeof want);

    /* The same order for items of another size. */
    struct {
        int id;
        char rest[60];
    } large[10];
    for (int i = 0; i < 10; i++)
        large[i].id = i;
    r = nod_rng_make(SEED, NOD_RNG_TEST, INDEX);
    nod_rng_shuffle(&r, large, 10, sizeof *large);
    for (int i = 0; i < 10; i++)
        assert_int_equal(large[i].id, want[i]);
    nod_rng_shuffle(&r, NULL, 0, 4);
    nod_rng_shuffle(&r, items, 1, sizeof *items);
    assert_int_equal(items[0], want[0]);
}

/* Any part of the key changes the numbers, and only the key does. */
static void test_streams_differ_by_each_part_of_the_key(void **state)
{
    (void)state;
    nod_rng streams[] = {
        nod_rng_make(1, NOD_RNG_INIT, 1),
        nod_rng_make(2, NOD_RNG_INIT, 1),
        nod_rng_make(1 + (UINT64_C(1) << 32), NOD_RNG_INIT, 1),
        nod_rng_make(1, NOD_RNG_ORDER, 1),
        nod_rng_make(1, NOD_RNG_INIT, 2),
        nod_rng_make(1, NOD_RNG_INIT, 1 + (UINT64_C(1) << 32)),
    };
    uint32_t first[NOD_COUNT(streams)];
    for (size_t i = 0; i < NOD_COUNT(streams); i++) {
        first[i] = nod_rng_u32(&streams[i]);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(first[i], first[j]);
    }
    nod_rng again = nod_rng_make(1, NOD_RNG_INIT, 1);
    assert_int_equal(nod_rng_u32(&again), first[0]);
}

static void test_purposes_keep_their_numbers(void **state)
{
    (void)state;
    /* Changing one changes every run made so far. */
    assert_int_equal(NOD_RNG_INIT, 1);
    assert_int_equal(NOD_RNG_ORDER, 2);
    assert_int_equal(NOD_RNG_DROPOUT, 3);
    assert_int_equal(NOD_RNG_SPLIT, 4);
    assert_int_equal(NOD_RNG_BOOTSTRAP, 5);
    assert_int_equal(NOD_RNG_PERMUTE, 6);
    assert_int_equal(NOD_RNG_SYNTH, 7);
    assert_int_equal(NOD_RNG_AUGMENT, 8);
}

/* Means and variances: closed forms (1/2, 1/12; 0, 1, skewness 0, kurtosis 3) within five
 * standard errors of n draws. */
static void test_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    nod_rng r = nod_rng_make(7, NOD_RNG_TEST, 0);
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) {
        double u = nod_rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
        square += (u - 0.5) * (u - 0.5);
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(square / N - 1.0 / 12) < 5 * sqrt(1.0 / 180 / N));
    double m[5] = {0};
    for (int i = 0; i < N; i++) {
        double z = nod_rng_normal(&r);
        for (int k = 1; k <= 4; k++)
            m[k] += pow(z, k) / N;
    }
    assert_true(fabs(m[1]) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m[2] - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m[3]) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m[4] - 3) < 5 * sqrt(96.0 / N));
}

static void test_range_is_half_open(void **state)
{
    (void)state;
    nod_rng r = nod_rng_make(7, NOD_RNG_TEST, 1);
    double hi = nextafter(1.0, 2.0);
    for (int i = 0; i < 1000; i++) {
        double v = nod_rng_range(&r, -2.5, 4);
        assert_true(v >= -2.5 && v < 4);
        assert_true(nod_rng_range(&r, 1.0, hi) == 1.0); /* one number fits in between */
    }
    assert_true(nod_rng_range(&r, 3, 3) == 3);
}

/* Chi-square over 10 bins, 9 degrees of freedom: 27.88 is the 0.999 quantile (any table). */
static void test_below_is_even(void **state)
{
    (void)state;
    enum { N = 100000 };
    int count[10] = {0};
    nod_rng r = nod_rng_make(7, NOD_RNG_TEST, 2);
    for (int i = 0; i < N; i++)
        count[nod_rng_below(&r, 10)]++;
    double chi2 = 0;
    for (int i = 0; i < 10; i++)
        chi2 += (count[i] - N / 10.0) * (count[i] - N / 10.0) / (N / 10.0);
    assert_true(chi2 < 27.88);
}

/* Each of the 3! orders equally often: chi-square, 5 degrees of freedom, 0.999 quantile 20.52.
 */
static void test_shuffle_is_even(void **state)
{
    (void)state;
    enum { N = 60000 };
    int count[27] = {0};
    nod_rng r = nod_rng_make(7, NOD_RNG_TEST, 3);
    for (int i = 0; i < N; i++) {
        uint8_t v[3] = {0, 1, 2};
        nod_rng_shuffle(&r, v, 3, 1);
        count[v[0] * 9 + v[1] * 3 + v[2]]++;
    }
    double chi2 = 0;
    int orders = 0;
    for (int i = 0; i < 27; i++) {
        if (count[i] == 0) continue;
        orders++;
        chi2 += (count[i] - N / 6.0) * (count[i] - N / 6.0) / (N / 6.0);
    }
    assert_int_equal(orders, 6);
    assert_true(chi2 < 20.52);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_stream_words),
        cmocka_unit_test(test_stream_uniform),
        cmocka_unit_test(test_stream_normal),
        cmocka_unit_test(test_stream_below),
        cmocka_unit_test(test_stream_shuffle),
        cmocka_unit_test(test_streams_differ_by_each_part_of_the_key),
        cmocka_unit_test(test_purposes_keep_their_numbers),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_range_is_half_open),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_shuffle_is_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
