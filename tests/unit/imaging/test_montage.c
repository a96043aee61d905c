/* test_montage.c: where slices land in a picture, which way up, and how dark. Expected pixels follow
 * from the definitions in montage.h; percentiles are numpy's (linear) of 0..99. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/montage.h"

static nod_error err;

/* A volume of i x j x k along LPS, 1 mm; all zero. */
static nod_image volume(int64_t i, int64_t j, int64_t k)
{
    nod_image im;
    assert_int_equal(nod_image_init(&im, k, j, i, 1, NOD_SAMPLE_F32, &err), 0);
    im.geometry.space = NOD_SPACE_PATIENT;
    return im;
}

static float *voxel(nod_image *im, int64_t i, int64_t j, int64_t k)
{
    return (float *)im->data + (k * im->height + j) * im->width + i;
}

static nod_montage_options unit_window(nod_plane plane)
{
    nod_montage_options o = NOD_MONTAGE_OPTIONS_INIT;
    o.plane = plane;
    o.has_window = true;
    o.low = 0;
    o.high = 1;
    return o;
}

/* A patient with a light at the right, front, head end of a 4 x 5 x 3 box. */
static void test_planes(void **state)
{
    static const struct {
        nod_plane plane;
        int64_t width, height, tile;            /* of one tile; the tile with the light */
    } cases[] = {{NOD_PLANE_AXIAL, 4, 5, 2},    /* slices go to the head: the last */
                 {NOD_PLANE_CORONAL, 4, 3, 0},  /* to the back: the first */
                 {NOD_PLANE_SAGITTAL, 5, 3, 0}, /* to the left: the first */
                 {NOD_PLANE_STORED, 4, 5, 2}};
    (void)state;
    for (size_t n = 0; n < NOD_COUNT(cases); n++) {
        nod_image im = volume(4, 5, 3), picture;
        nod_montage_options o = unit_window(cases[n].plane);
        double window[2];
        o.columns = 1;
        *voxel(&im, 0, 0, 2) = 1;
        assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
        assert_int_equal(picture.width, cases[n].width);
        assert_int_equal(picture.height % cases[n].height, 0);
        const uint8_t *p = picture.data;
        /* right, front or head are at the left and at the top */
        int64_t want = cases[n].tile * cases[n].height * cases[n].width;
        for (int64_t k = 0; k < picture.height * picture.width; k++)
            assert_int_equal(p[k], k == want ? 255 : 0);
        nod_image_done(&picture);
        nod_image_done(&im);
    }
}

/* Four of 8 slices, in the middles of four parts: 1, 3, 5, 7, beside each other in two columns. */
static void test_layout(void **state)
{
    nod_image im = volume(2, 2, 8), picture;
    nod_montage_options o = unit_window(NOD_PLANE_STORED);
    double window[2];
    (void)state;
    o.high = 255;
    o.slices = 4;
    for (int64_t k = 0; k < 8; k++)
        for (int64_t n = 0; n < 4; n++)
            voxel(&im, 0, 0, k)[n] = (float)(10 * k);
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
    assert_int_equal(picture.width, 4);
    assert_int_equal(picture.height, 4);
    static const uint8_t want[16] = {10, 10, 30, 30, 10, 10, 30, 30,
                                     50, 50, 70, 70, 50, 50, 70, 70};
    assert_memory_equal(picture.data, want, sizeof want);
    nod_image_done(&picture);
    nod_image_done(&im);
}

/* Rows of 3 mm and columns of 1 mm: three pixels for each row. */
static void test_square_pixels(void **state)
{
    nod_image im = volume(4, 5, 1), picture;
    nod_montage_options o = unit_window(NOD_PLANE_STORED);
    double window[2];
    (void)state;
    im.geometry.spacing_mm[1] = 3;
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
    assert_int_equal(picture.width, 4);
    assert_int_equal(picture.height, 15);
    nod_image_done(&picture);
    nod_image_done(&im);
}

static void test_window(void **state)
{
    nod_image im = volume(10, 10, 1), picture;
    nod_montage_options o = NOD_MONTAGE_OPTIONS_INIT;
    double window[2];
    (void)state;
    for (int n = 0; n < 100; n++)
        *voxel(&im, n % 10, n / 10, 0) = (float)n;
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
    assert_true(fabs(window[0] - 0.495) < 1e-6 && fabs(window[1] - 98.505) < 1e-4);
    const uint8_t *p = picture.data;
    assert_int_equal(p[0], 0);
    assert_int_equal(p[99], 255);
    assert_int_equal(p[50], lrint(255 * (50 - 0.495) / (98.505 - 0.495)));
    nod_image_done(&picture);

    /* Padding has no part in percentiles and is black. */
    *voxel(&im, 9, 9, 0) = 1e6F;
    assert_int_equal(nod_image_set_padding(&im, 99, &err), 0);
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
    assert_true(window[1] < 99);
    assert_int_equal(((const uint8_t *)picture.data)[99], 0);
    nod_image_done(&picture);

    o = unit_window(NOD_PLANE_STORED);
    o.high = 0;
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), NOD_EINVAL);
    o.high = 1;
    o.frame = 1;
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), NOD_EINVAL);
    o = unit_window(NOD_PLANE_AXIAL);
    im.geometry.space = NOD_SPACE_SPACING;
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), NOD_EDATA);
    nod_image_done(&im);
}

/* Colour keeps its numbers, of 16 bits the high byte; alpha is left out. */
static void test_colour(void **state)
{
    nod_image im, picture;
    nod_montage_options o = NOD_MONTAGE_OPTIONS_INIT;
    double window[2];
    (void)state;
    assert_int_equal(nod_image_init(&im, 1, 1, 2, 4, NOD_SAMPLE_U16, &err), 0);
    static const uint16_t values[8] = {0, 257 * 7, 65535, 9, 257 * 200, 257, 0, 65535};
    static const uint8_t want[6] = {0, 7, 255, 200, 1, 0};
    memcpy(im.data, values, sizeof values);
    assert_int_equal(nod_image_montage(&im, &o, &picture, window, &err), 0);
    assert_int_equal(picture.channels, 3);
    assert_memory_equal(picture.data, want, sizeof want);
    nod_image_done(&picture);
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planes), cmocka_unit_test(test_layout),
        cmocka_unit_test(test_square_pixels), cmocka_unit_test(test_window),
        cmocka_unit_test(test_colour)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
