/* test_reorient.c: all 48 orders of axes of one volume; what each voxel must be is known from its
 * place, for its value says where it lies. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/reorient.h"

enum { WIDTH = 37, HEIGHT = 5, DEPTH = 4, FRAMES = 2 };

/* In LPS with 1, 2, 3 mm from (-7, 5, 11), turned by a little about z if oblique. */
static nod_image original(nod_sample sample, int channels, double angle)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    if (nod_image_init_frames(&im, FRAMES, DEPTH, HEIGHT, WIDTH, channels, sample, &err) != 0)
        fail_msg("%s", err.message);
    im.geometry = (nod_geometry){
        .space = NOD_SPACE_PATIENT,
        .size = {WIDTH, HEIGHT, DEPTH},
        .spacing_mm = {1, 2, 3},
        .direction = {{cos(angle), sin(angle), 0}, {-sin(angle), cos(angle), 0}, {0, 0, 1}},
        .origin_mm = {-7, 5, 11}};
    strcpy(im.facts.modality, "MR");
    for (int64_t n = 0; n < nod_image_samples(&im); n++) {
        if (sample == NOD_SAMPLE_U8) ((uint8_t *)im.data)[n] = (uint8_t)(n * 7);
        if (sample == NOD_SAMPLE_U16) ((uint16_t *)im.data)[n] = (uint16_t)(n * 7);
        if (sample == NOD_SAMPLE_F32) ((float *)im.data)[n] = (float)n;
    }
    for (int64_t n = 0; n < nod_image_voxels(&im); n += 5)
        assert_int_equal(nod_image_set_padding(&im, n, &err), 0);
    return im;
}

/* Every voxel of `b` lies where the voxel of `a` with the same bytes lies. */
static void expect_same_places(const nod_image *a, const nod_image *b)
{
    size_t voxel = nod_image_bytes(a) / (size_t)nod_image_voxels(a);
    for (int64_t f = 0; f < b->frames; f++)
        for (int64_t k = 0; k < b->depth; k++)
            for (int64_t j = 0; j < b->height; j++)
                for (int64_t i = 0; i < b->width; i++) {
                    double at[3], from[3];
                    const double index[3] = {(double)i, (double)j, (double)k};
                    nod_geometry_world(&b->geometry, index, at);
                    nod_geometry_index(&a->geometry, at, from);
                    int64_t x = lround(from[0]), y = lround(from[1]), z = lround(from[2]);
                    for (int d = 0; d < 3; d++)
                        assert_true(fabs(from[d] - round(from[d])) < 1e-9);
                    int64_t na = ((f * a->depth + z) * a->height + y) * a->width + x;
                    int64_t nb = ((f * b->depth + k) * b->height + j) * b->width + i;
                    assert_memory_equal((const char *)a->data + (size_t)na * voxel,
                                        (const char *)b->data + (size_t)nb * voxel, voxel);
                    assert_int_equal(nod_image_is_padding(a, na), nod_image_is_padding(b, nb));
                }
}

static void expect_equal(const nod_image *a, const nod_image *b)
{
    assert_int_equal(nod_image_bytes(a), nod_image_bytes(b));
    assert_memory_equal(a->data, b->data, nod_image_bytes(a));
    assert_memory_equal(a->geometry.size, b->geometry.size, sizeof a->geometry.size);
    assert_true(nod_geometry_distance_mm(&a->geometry, &b->geometry) < 1e-9);
    for (int64_t n = 0; n < nod_image_voxels(a); n++)
        assert_int_equal(nod_image_is_padding(a, n), nod_image_is_padding(b, n));
}

/* The 48 codes; back to LPS every one gives the first bytes again. */
static int all_codes(char out[48][4])
{
    static const char sides[3][3] = {"LR", "PA", "SI"};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int n = 0;
    for (int o = 0; o < 6; o++)
        for (int s = 0; s < 8; s++, n++) {
            for (int a = 0; a < 3; a++)
                out[n][a] = sides[orders[o][a]][s >> a & 1];
            out[n][3] = 0;
        }
    return n;
}

static void test_all_orders(void **state)
{
    (void)state;
    static const struct {
        nod_sample sample;
        int channels;
        double angle;
    } kinds[] = {{NOD_SAMPLE_U8, 1, 0},
                 {NOD_SAMPLE_U16, 1, 0.3},
                 {NOD_SAMPLE_F32, 1, 0},
                 {NOD_SAMPLE_U8, 3, -0.7}};
    char codes[48][4];
    assert_int_equal(all_codes(codes), 48);
    for (size_t kind = 0; kind < NOD_COUNT(kinds); kind++) {
        nod_image im = original(kinds[kind].sample, kinds[kind].channels, kinds[kind].angle);
        for (int n = 0; n < 48; n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_image turned = {0}, back = {0}, inverse = {0};
            nod_turn t, u;
            char got[4];
            assert_int_equal(nod_image_reorient(&im, codes[n], &turned, &err), 0);
            nod_geometry_codes(&turned.geometry, got);
            assert_string_equal(got, codes[n]);
            assert_string_equal(turned.facts.modality, "MR");
            expect_same_places(&im, &turned);
            assert_int_equal(nod_image_reorient(&turned, "LPS", &back, &err), 0);
            expect_equal(&im, &back);
            assert_int_equal(nod_turn_find(&im.geometry, codes[n], &t, &err), 0);
            assert_int_equal(nod_turn_is_identity(&t), strcmp(codes[n], "LPS") == 0);
            u = nod_turn_inverse(&t);
            assert_int_equal(nod_turn_image(&u, &turned, &inverse, &err), 0);
            expect_equal(&im, &inverse);
            nod_image_done(&turned);
            nod_image_done(&back);
            nod_image_done(&inverse);
        }
        nod_image_done(&im);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = original(NOD_SAMPLE_U8, 1, 0), out = {0};
    assert_int_equal(nod_image_reorient(&im, "LPX", &out, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "'LPX'"));
    im.geometry.space = NOD_SPACE_SPACING;
    assert_int_equal(nod_image_reorient(&im, "LPS", &out, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "place in the patient"));
    assert_null(out.data);
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_orders),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
