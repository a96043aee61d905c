/* test_join.c: files of one channel each as one image: frame i is part i, sample by sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "imaging/join.h"

enum { DEPTH = 2, HEIGHT = 3, WIDTH = 4, VOXELS = DEPTH * HEIGHT * WIDTH };

static const char *const names[] = {"a.nii", "b.nii", "c.nii"};

/* Voxel k is first + k. */
static nod_image part(nod_sample sample, int first)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    if (nod_image_init(&im, DEPTH, HEIGHT, WIDTH, 1, sample, &err) != 0)
        fail_msg("%s", err.message);
    for (int k = 0; k < VOXELS; k++) {
        if (sample == NOD_SAMPLE_U8) ((uint8_t *)im.data)[k] = (uint8_t)(first + k);
        if (sample == NOD_SAMPLE_U16) ((uint16_t *)im.data)[k] = (uint16_t)(first + k);
        if (sample == NOD_SAMPLE_F32) ((float *)im.data)[k] = (float)(first + k);
    }
    im.geometry.space = NOD_SPACE_PATIENT;
    return im;
}

static void check(const nod_image *im, nod_sample sample, int64_t n)
{
    assert_int_equal(im->frames, n);
    assert_int_equal(im->depth, DEPTH);
    assert_int_equal(im->width, WIDTH);
    assert_int_equal(im->sample, sample);
    assert_int_equal(im->geometry.space, NOD_SPACE_PATIENT);
    assert_string_equal(nod_axis_name(im->facts.axis), n > 1 ? "channel" : "none");
    for (int64_t f = 0; f < n; f++)
        for (int64_t k = 0; k < VOXELS; k++)
            assert_true(nod_image_value(im, f * VOXELS + k) == (double)(100 * f + k));
}

static void test_frames_are_the_parts(void **state)
{
    static const nod_sample samples[] = {NOD_SAMPLE_U8, NOD_SAMPLE_U16, NOD_SAMPLE_F32};
    nod_error err = NOD_ERROR_INIT;
    (void)state;
    for (size_t s = 0; s < 3; s++) {
        nod_image parts[2] = {part(samples[s], 0), part(samples[s], 100)}, out = {0};
        assert_int_equal(nod_image_join(parts, names, 2, &out, &err), 0);
        check(&out, samples[s], 2);
        nod_image_done(&out);
        assert_int_equal(nod_image_join(parts, names, 1, &out, &err), 0);
        check(&out, samples[s], 1);
        nod_image_done(&out);
        nod_image_done(&parts[0]);
        nod_image_done(&parts[1]);
    }
}

/* Files of one channel each are the same image as one file with a fourth axis. */
static void test_identity_is_that_of_frames(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image parts[2] = {part(NOD_SAMPLE_U16, 0), part(NOD_SAMPLE_U16, 100)}, out = {0},
              one = {0};
    char joined[65], whole[65];
    (void)state;
    assert_int_equal(
        nod_image_init_frames(&one, 2, DEPTH, HEIGHT, WIDTH, 1, NOD_SAMPLE_U16, &err), 0);
    for (int k = 0; k < 2 * VOXELS; k++)
        ((uint16_t *)one.data)[k] = (uint16_t)(k < VOXELS ? k : 100 + k - VOXELS);
    assert_int_equal(nod_image_join(parts, names, 2, &out, &err), 0);
    assert_int_equal(nod_image_pixel_hash(&out, joined, &err), 0);
    assert_int_equal(nod_image_pixel_hash(&one, whole, &err), 0);
    assert_string_equal(joined, whole);
    nod_image_done(&out);
    nod_image_done(&one);
    nod_image_done(&parts[0]);
    nod_image_done(&parts[1]);
}

static void test_types_and_padding(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image parts[3] = {part(NOD_SAMPLE_U8, 0), part(NOD_SAMPLE_F32, 100),
                          part(NOD_SAMPLE_U16, 200)};
    nod_image out = {0};
    (void)state;
    assert_int_equal(nod_image_set_padding(&parts[1], 7, &err), 0);
    assert_int_equal(nod_image_join(parts, names, 3, &out, &err), 0);
    check(&out, NOD_SAMPLE_F32, 3);
    for (int64_t n = 0; n < 3 * VOXELS; n++)
        assert_int_equal(nod_image_is_padding(&out, n), n == VOXELS + 7);
    nod_image_done(&out);
    for (int i = 0; i < 3; i++)
        nod_image_done(&parts[i]);
}

static void test_parts_that_do_not_fit(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image parts[2] = {part(NOD_SAMPLE_U8, 0), part(NOD_SAMPLE_U8, 100)}, out = {0};
    (void)state;
    parts[1].geometry.origin_mm[2] = 0.2; /* a fifth of a voxel */
    assert_int_equal(nod_image_join(parts, names, 2, &out, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "a.nii and b.nii are not on one grid"));
    parts[1].geometry.origin_mm[2] = 0.05;
    assert_int_equal(nod_image_join(parts, names, 2, &out, &err), 0);
    nod_image_done(&out);
    parts[1].frames = 2;
    assert_int_equal(nod_image_join(parts, names, 2, &out, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "b.nii: has 2 frames"));
    parts[1].frames = 1;
    parts[1].channels = 3;
    assert_int_equal(nod_image_join(parts, names, 2, &out, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "b.nii: has 3 values a voxel, a.nii has 1"));
    assert_null(out.data);
    nod_image_done(&parts[0]);
    nod_image_done(&parts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_are_the_parts),
        cmocka_unit_test(test_identity_is_that_of_frames),
        cmocka_unit_test(test_types_and_padding),
        cmocka_unit_test(test_parts_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
