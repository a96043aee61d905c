/* test_statistics.c: values of images in numbers. Closed forms; percentiles are numpy's (linear):
 * of 0..n-1 percentile p is p * (n - 1) / 100. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "imaging/statistics.h"

static nod_error err;

static nod_image make(int64_t n, int channels, nod_sample sample)
{
    nod_image im = {0};
    assert_int_equal(nod_image_init(&im, 1, 1, n, channels, sample, &err), 0);
    return im;
}

static void test_ramp(void **state)
{
    static const double percents[] = {0, 1, 50, 99, 100};
    nod_image_statistics s;
    double p[5];
    (void)state;
    nod_image im = make(1001, 1, NOD_SAMPLE_F32);
    for (int i = 0; i <= 1000; i++) /* every value once, out of order, both signs */
        ((float *)im.data)[i] = (float)(i * 3 % 1001 - 500);
    assert_int_equal(nod_image_measure(&im, percents, 5, &s, p, &err), 0);
    assert_int_equal(s.n, 1001);
    assert_true(s.min == -500 && s.max == 500 && s.mean == 0);
    assert_true(p[0] == -500 && p[1] == -490 && p[2] == 0 && p[3] == 490 && p[4] == 500);
    nod_image_done(&im);

    /* Between ranks: 0..4 has its percentile 10 at 0.4. */
    im = make(5, 1, NOD_SAMPLE_U16);
    for (int i = 0; i < 5; i++)
        ((uint16_t *)im.data)[i] = (uint16_t)(4 - i);
    const double ten = 10;
    assert_int_equal(nod_image_measure(&im, &ten, 1, &s, p, &err), 0);
    assert_true(fabs(p[0] - 0.4) < 1e-15);
    nod_image_done(&im);
}

static void test_left_out(void **state)
{
    static const double percents[] = {0, 100};
    nod_image_statistics s;
    double p[2];
    (void)state;
    nod_image im = make(6, 1, NOD_SAMPLE_F32);
    const float values[] = {-2000, 1, NAN, 3, INFINITY, -INFINITY};
    for (int i = 0; i < 6; i++)
        ((float *)im.data)[i] = values[i];
    assert_int_equal(nod_image_set_padding(&im, 0, &err), 0);
    assert_int_equal(nod_image_measure(&im, percents, 2, &s, p, &err), 0);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.n_padding, 1);
    assert_int_equal(s.n_not_finite, 3);
    assert_true(s.min == 1 && s.max == 3 && s.mean == 2 && p[0] == 1 && p[1] == 3);

    /* Nothing left. */
    for (int64_t i = 1; i < 6; i++)
        assert_int_equal(nod_image_set_padding(&im, i, &err), 0);
    assert_int_equal(nod_image_measure(&im, percents, 2, &s, p, &err), 0);
    assert_int_equal(s.n, 0);
    assert_true(s.mean == 0 && p[0] == 0 && p[1] == 0);
    nod_image_done(&im);

    /* Alpha has no part; colours are counted together. */
    im = make(2, 4, NOD_SAMPLE_U8);
    const uint8_t rgba[] = {10, 20, 30, 255, 40, 50, 60, 0};
    for (int i = 0; i < 8; i++)
        ((uint8_t *)im.data)[i] = rgba[i];
    assert_int_equal(nod_image_measure(&im, percents, 2, &s, p, &err), 0);
    assert_int_equal(s.n, 6);
    assert_true(s.min == 10 && s.max == 60 && s.mean == 35);
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ramp),
                                       cmocka_unit_test(test_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
