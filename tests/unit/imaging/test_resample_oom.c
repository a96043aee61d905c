/* test_resample_oom.c: turning and resampling when memory is refused at any point: an error, nothing
 * leaked, the output untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/threads.h"
#include "fail_alloc.h"
#include "imaging/reorient.h"
#include "imaging/resample.h"

static nod_geometry target;
static double origins[4][3];

static int turn_it(const nod_image *im, nod_image *out, nod_error *err)
{
    return nod_image_reorient(im, "SAR", out, err);
}

static int resample_along(const nod_image *im, nod_image *out, nod_error *err)
{
    nod_turn t;
    nod_geometry g = nod_geometry_with_spacing(&im->geometry, (const double[3]){0.7, 1.3, 0.9});
    int rc = nod_turn_find(&g, "PSL", &t, err);
    g = nod_turn_geometry(&t, &g);
    return rc ? rc : nod_image_resample(im, &g, NOD_INTERP_CUBIC, 0, out, err);
}

static int resample_across(const nod_image *im, nod_image *out, nod_error *err)
{
    return nod_image_resample(im, &target, NOD_INTERP_LINEAR, 0, out, err);
}

static int resample_labels(const nod_image *im, nod_image *out, nod_error *err)
{
    return nod_image_resample_labels(im, &target, out, err);
}

static int resample_slices(const nod_image *im, nod_image *out, nod_error *err)
{
    return nod_image_resample_slices(im, (const double(*)[3])origins, 0, 0, out, err);
}

static void test_all(void **state)
{
    (void)state;
    static int (*const works[])(const nod_image *, nod_image *, nod_error *) = {
        turn_it, resample_along, resample_across, resample_labels, resample_slices};
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    assert_int_equal(nod_image_init(&im, 4, 5, 6, 1, NOD_SAMPLE_U8, &err), 0);
    im.geometry.space = NOD_SPACE_PATIENT;
    for (int i = 0; i < 120; i++)
        ((uint8_t *)im.data)[i] = (uint8_t)(i % 3);
    assert_int_equal(nod_image_set_padding(&im, 7, &err), 0);
    target = nod_geometry_unknown(3, 3, 3);
    target.space = NOD_SPACE_PATIENT;
    target.direction[0][0] = target.direction[1][1] = 0.8;
    target.direction[0][1] = 0.6;
    target.direction[1][0] = -0.6;
    target.spacing_mm[0] = 2;
    for (int k = 0; k < 4; k++) {
        origins[k][1] = 0.5 * k;
        origins[k][2] = 1.5 * k;
    }
    nod_threads_set(1);
    for (size_t w = 0; w < NOD_COUNT(works); w++)
        for (long n = 0; fail_alloc_round(n); n++) {
            nod_image out = {0};
            int rc = works[w](&im, &out, &err);
            bool refused = fail_alloc_stop();
            assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
            if (refused) assert_null(out.data);
            nod_image_done(&out);
        }
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
