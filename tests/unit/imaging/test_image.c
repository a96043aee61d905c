/* test_image.c: limits, identity of pixels, constancy and conversion to floats.
 *
 * Expected numbers are closed forms from the definitions in imaging/image.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/image.h"

static nod_image make(int64_t h, int64_t w, int channels, nod_sample sample)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    assert_int_equal(nod_image_init(&im, 1, h, w, channels, sample, &err), 0);
    return im;
}

static void put(nod_image *im, int64_t pixel, int c, double v)
{
    int64_t k = pixel * im->channels + c;
    if (im->sample == NOD_SAMPLE_U8)
        ((uint8_t *)im->data)[k] = (uint8_t)v;
    else if (im->sample == NOD_SAMPLE_U16)
        ((uint16_t *)im->data)[k] = (uint16_t)v;
    else
        ((float *)im->data)[k] = (float)v;
}

/* The same grey wedge in any form: 8 bit or 16 bit (v * 257), grey or RGB, with full alpha. */
static nod_image wedge(int channels, nod_sample sample)
{
    nod_image im = make(3, 5, channels, sample);
    double unit = sample == NOD_SAMPLE_U16 ? 257 : 1;
    for (int i = 0; i < 15; i++) {
        for (int c = 0; c < channels; c++)
            put(&im, i, c, unit * 17 * i);
        if (channels % 2 == 0) put(&im, i, channels - 1, unit * 255);
    }
    return im;
}

static void hash_of(const nod_image *im, char out[65])
{
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_image_pixel_hash(im, out, &err), 0);
    assert_int_equal(strlen(out), 64);
}

static void test_limits(void **state)
{
    static const struct {
        int64_t d, h, w;
        int channels, code;
    } cases[] = {
        {0, 1, 1, 1, NOD_ESHAPE},         {1, -1, 1, 1, NOD_ESHAPE},
        {1, 1, 1, 0, NOD_ESHAPE},         {1, 1, 1, 5, NOD_ESHAPE},
        {1, 65501, 1, 1, NOD_ELIMIT},     {65501, 1, 1, 1, NOD_ELIMIT},
        {2, 65500, 65500, 1, NOD_ELIMIT}, {1, INT64_MAX, INT64_MAX, 1, NOD_ELIMIT},
        {1, 65500, 65500, 4, NOD_ELIMIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_image im = {0};
        assert_int_equal(nod_image_init(&im, cases[i].d, cases[i].h, cases[i].w,
                                        cases[i].channels, NOD_SAMPLE_U8, &err),
                         cases[i].code);
        assert_null(im.data);
    }
    nod_image im = make(4, 5, 3, NOD_SAMPLE_U16);
    assert_int_equal(nod_image_samples(&im), 60);
    assert_int_equal(nod_image_bytes(&im), 120);
    nod_image_done(&im);
}

/* All forms of one picture have one hash; any other picture has another. */
static void test_pixel_hash(void **state)
{
    char want[65], got[65];
    (void)state;
    nod_image im = wedge(1, NOD_SAMPLE_U8);
    hash_of(&im, want);
    nod_image_done(&im);
    for (int channels = 1; channels <= 4; channels++)
        for (int deep = 0; deep < 2; deep++) {
            im = wedge(channels, deep ? NOD_SAMPLE_U16 : NOD_SAMPLE_U8);
            hash_of(&im, got);
            assert_string_equal(got, want);
            int64_t last = nod_image_samples(&im) - 1; /* alpha or colour of the last pixel */
            if (deep)
                ((uint16_t *)im.data)[last] ^= 1;
            else
                ((uint8_t *)im.data)[last] ^= 1;
            hash_of(&im, got);
            assert_string_not_equal(got, want);
            nod_image_done(&im);
        }
    im = wedge(1, NOD_SAMPLE_U8); /* the same bytes in another size, and as a volume */
    im.height = 5;
    im.width = 3;
    hash_of(&im, got);
    assert_string_not_equal(got, want);
    im.depth = 5;
    im.height = 1;
    hash_of(&im, got);
    assert_string_not_equal(got, want);
    nod_image_done(&im);
}

/* More samples than one chunk of the hash. */
static void test_pixel_hash_large(void **state)
{
    char a[65], b[65];
    (void)state;
    nod_image im = make(300, 301, 3, NOD_SAMPLE_U8);
    for (int64_t k = 0; k < nod_image_samples(&im); k++)
        ((uint8_t *)im.data)[k] = (uint8_t)(k * k >> 4);
    hash_of(&im, a);
    for (int64_t k = 0; k < nod_image_samples(&im); k += 27077) {
        ((uint8_t *)im.data)[k] ^= 4;
        hash_of(&im, b);
        assert_string_not_equal(a, b);
        ((uint8_t *)im.data)[k] ^= 4;
    }
    hash_of(&im, b);
    assert_string_equal(a, b);
    nod_image_done(&im);
}

static void test_constant(void **state)
{
    (void)state;
    for (int channels = 1; channels <= 4; channels++) {
        nod_image im = make(3, 4, channels, NOD_SAMPLE_U16);
        for (int i = 0; i < 12; i++)
            for (int c = 0; c < channels; c++)
                put(&im, i, c, 1000 * c + 3);
        assert_true(nod_image_is_constant(&im));
        put(&im, 11, channels - 1, 4);
        assert_false(nod_image_is_constant(&im));
        nod_image_done(&im);
    }
    nod_image im = make(1, 1, 1, NOD_SAMPLE_U8);
    assert_true(nod_image_is_constant(&im));
    nod_image_done(&im);
}

static void test_to_f32(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    float v[6];
    (void)state;
    nod_image im = make(1, 2, 1, NOD_SAMPLE_U8);
    put(&im, 0, 0, 255);
    put(&im, 1, 0, 51);
    assert_int_equal(nod_image_to_f32(&im, 1, v, &err), 0);
    assert_true(v[0] == 1.0f && v[1] == 0.2f);
    assert_int_equal(nod_image_to_f32(&im, 3, v, &err), 0); /* planes: c, then pixel */
    assert_true(v[0] == 1.0f && v[2] == 1.0f && v[4] == 1.0f && v[5] == 0.2f);
    assert_int_equal(nod_image_to_f32(&im, 2, v, &err), NOD_EINVAL);
    nod_image_done(&im);

    im = make(1, 2, 3, NOD_SAMPLE_U8);
    put(&im, 0, 0, 255); /* pure red, and a grey that must be exactly itself */
    for (int c = 0; c < 3; c++)
        put(&im, 1, c, 77);
    assert_int_equal(nod_image_to_f32(&im, 1, v, &err), 0);
    assert_true(v[0] == 0.299f && v[1] == (float)(77 / 255.0));
    assert_int_equal(nod_image_to_f32(&im, 3, v, &err), 0);
    assert_true(v[0] == 1.0f && v[2] == 0.0f && v[4] == 0.0f && v[3] == (float)(77 / 255.0));
    nod_image_done(&im);

    im = make(1, 1, 4, NOD_SAMPLE_U16); /* green at alpha 13107 / 65535 = .2 */
    put(&im, 0, 1, 65535);
    put(&im, 0, 3, 13107);
    assert_int_equal(nod_image_to_f32(&im, 1, v, &err), 0);
    assert_true(fabs(v[0] - 0.587 * 0.2) < 1e-7);
    nod_image_done(&im);

    im = make(1, 2, 1, NOD_SAMPLE_F32);
    put(&im, 0, 0, -1024.5);
    put(&im, 1, 0, 3e5);
    assert_int_equal(nod_image_to_f32(&im, 1, v, &err), 0);
    assert_true(v[0] == -1024.5f && v[1] == 3e5f);
    nod_image_done(&im);
}

/* Frames are outermost: a later frame's planes follow all planes of the one before. */
static void test_frames(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    float v[2 * 3 * 4];
    char one[65], two[65];
    assert_int_equal(nod_image_init_frames(&im, 2, 1, 2, 2, 3, NOD_SAMPLE_F32, &err), 0);
    assert_int_equal(nod_image_voxels(&im), 8);
    assert_int_equal(nod_image_samples(&im), 24);
    assert_int_equal(im.facts.axis, NOD_AXIS_UNNAMED);
    for (int i = 0; i < 24; i++)
        ((float *)im.data)[i] = (float)i;
    assert_int_equal(nod_image_to_f32(&im, 3, v, &err), 0);
    for (int f = 0; f < 2; f++)
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < 4; p++)
                assert_true(v[(f * 3 + c) * 4 + p] == (float)((f * 4 + p) * 3 + c));
    assert_int_equal(nod_image_pixel_hash(&im, two, &err), 0);
    im.frames = 1; /* the same samples as two slices are another image */
    im.depth = 2;
    assert_int_equal(nod_image_pixel_hash(&im, one, &err), 0);
    assert_string_not_equal(one, two);
    nod_image_done(&im);
    assert_int_equal(nod_image_init_frames(&im, 0, 1, 2, 2, 1, NOD_SAMPLE_U8, &err),
                     NOD_ESHAPE);
    assert_int_equal(nod_image_init_frames(&im, 65500, 1024, 1024, 2, 1, NOD_SAMPLE_U8, &err),
                     NOD_ELIMIT);
}

static void test_padding(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = make(3, 5, 1, NOD_SAMPLE_U8);
    assert_false(nod_image_is_padding(&im, 14));
    assert_int_equal(nod_image_set_padding(&im, 14, &err), 0);
    assert_int_equal(nod_image_set_padding(&im, 8, &err), 0);
    for (int64_t n = 0; n < 15; n++)
        assert_int_equal(nod_image_is_padding(&im, n), n == 14 || n == 8);
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),           cmocka_unit_test(test_padding),
        cmocka_unit_test(test_limits),           cmocka_unit_test(test_pixel_hash),
        cmocka_unit_test(test_pixel_hash_large), cmocka_unit_test(test_constant),
        cmocka_unit_test(test_to_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
