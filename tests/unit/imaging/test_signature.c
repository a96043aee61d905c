/* test_signature.c: poses, hashes that turn with the image, and what two signatures say of each other.
 * Expected numbers are the definitions': a turned image has the hash of that pose, a copy correlates
 * with 1. */
#include "imaging/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

#define WAVES 40

/* A smooth image of random waves; equal seeds, equal images. u, v, w in [0,1]. */
static double wave_field(uint64_t seed, double u, double v, double w)
{
    nod_rng r = nod_rng_make(seed, NOD_RNG_TEST, 0);
    double sum = 0;
    for (int k = 0; k < WAVES; k++) {
        double f[3];
        for (int a = 0; a < 3; a++)
            f[a] = nod_rng_range(&r, -8, 8);
        double phase = nod_rng_range(&r, 0, 6.28);
        sum += cos(6.28318 * (f[0] * u + f[1] * v + f[2] * w) + phase) /
               (1 + fabs(f[0]) + fabs(f[1]) + fabs(f[2]));
    }
    return sum;
}

static nod_image waves(uint64_t seed, int64_t d, int64_t h, int64_t w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    if (nod_image_init(&im, d, h, w, 1, NOD_SAMPLE_F32, &err)) fail_msg("%s", err.message);
    float *v = im.data;
    for (int64_t z = 0; z < d; z++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++)
                *v++ = (float)wave_field(seed, d > 1 ? ((double)z + 0.5) / (double)d : 0,
                                         ((double)y + 0.5) / (double)h,
                                         ((double)x + 0.5) / (double)w);
    return im;
}

/* The image laid in a pose, sample by sample. */
static nod_image laid(const nod_image *im, const nod_pose *p)
{
    nod_error err = NOD_ERROR_INIT;
    const int64_t size[3] = {im->depth, im->height, im->width};
    int64_t n[3], at[3], of[3];
    nod_image out = {0};
    for (int k = 0; k < 3; k++)
        n[k] = size[p->axis[k]];
    if (nod_image_init(&out, n[0], n[1], n[2], 1, NOD_SAMPLE_F32, &err))
        fail_msg("%s", err.message);
    float *v = out.data;
    for (at[0] = 0; at[0] < n[0]; at[0]++)
        for (at[1] = 0; at[1] < n[1]; at[1]++)
            for (at[2] = 0; at[2] < n[2]; at[2]++) {
                for (int k = 0; k < 3; k++)
                    of[p->axis[k]] = p->flip[k] ? n[k] - 1 - at[k] : at[k];
                *v++ = ((float *)im->data)[(of[0] * size[1] + of[1]) * size[2] + of[2]];
            }
    return out;
}

static nod_signature sign(const nod_signer *s, const nod_image *im)
{
    nod_error err = NOD_ERROR_INIT;
    nod_signature g = {0};
    if (nod_signature_make(s, im, &g, &err)) fail_msg("%s", err.message);
    return g;
}

static nod_signer *signer(void)
{
    nod_error err = NOD_ERROR_INIT;
    nod_signer *s = NULL;
    if (nod_signer_new(&s, &err)) fail_msg("%s", err.message);
    return s;
}

static int distance(const nod_phash *a, const nod_phash *b)
{
    return __builtin_popcountll(a->word[0] ^ b->word[0]) +
           __builtin_popcountll(a->word[1] ^ b->word[1]);
}

/* The hash in pose k of an image is the hash of the image laid in pose k, but for the signs of what is
 * nearly 0; and laid back over it, it correlates with 1. */
static void check_poses(int64_t d, int64_t h, int64_t w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_signer *s = signer();
    nod_image im = waves(1, d, h, w);
    nod_signature g = sign(s, &im);
    int n_axes = d > 1 ? 3 : 2;
    assert_int_equal(g.n_axes, n_axes);
    for (int k = 0; k < nod_pose_count(n_axes); k++) {
        nod_pose p = nod_pose_at(n_axes, k);
        nod_image turned = laid(&im, &p);
        nod_signature t = sign(s, &turned);
        nod_likeness l;
        assert_in_range(distance(&g.poses[k], &t.poses[0]), 0, 3);
        assert_int_equal(nod_signature_compare(s, &t, 0, &g, k, false, &l, &err), 0);
        if (!(l.correlation > 0.99 && l.local > 0.98))
            fail_msg("pose %d: correlation %g, %g by tiles", k, l.correlation, l.local);
        nod_signature_done(&t);
        nod_image_done(&turned);
    }
    nod_signature_done(&g);
    nod_image_done(&im);
    nod_signer_free(s);
}

static void test_poses_of_planes(void **state)
{
    (void)state;
    check_poses(1, 90, 120);
}

static void test_poses_of_volumes(void **state)
{
    (void)state;
    check_poses(20, 34, 40);
}

/* Of the 8 poses of a plane one is the image itself, three are turned, four are mirrored. */
static void test_pose_names(void **state)
{
    (void)state;
    int n[4] = {0};
    static const char *const names[] = {"", "rotated", "mirrored", "mirrored+rotated"};
    for (int k = 0; k < 8; k++) {
        nod_pose p = nod_pose_at(2, k);
        for (int i = 0; i < 4; i++)
            n[i] += strcmp(nod_pose_name(&p), names[i]) == 0;
        assert_int_equal(p.axis[0], 0);
        assert_false(p.flip[0]);
    }
    assert_int_equal(n[0], 1);
    assert_int_equal(n[1], 3);
    assert_int_equal(n[2] + n[3], 4);
    n[0] = n[1] = 0;
    for (int k = 0; k < 48; k++) { /* the rotations are half of all */
        nod_pose p = nod_pose_at(3, k);
        n[0] += strncmp(nod_pose_name(&p), "mirrored", 8) == 0;
        n[1] += *nod_pose_name(&p) == '\0';
    }
    assert_int_equal(n[0], 24);
    assert_int_equal(n[1], 1);
}

/* A window of an image is found where it was cut, to a hundredth of the side. */
static void test_crop_is_found(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_signer *s = signer();
    nod_image im = waves(3, 1, 200, 200), cut = {0};
    assert_int_equal(nod_image_init(&cut, 1, 184, 176, 1, NOD_SAMPLE_F32, &err), 0);
    for (int y = 0; y < 184; y++) /* rows 4.., columns 14.. */
        for (int x = 0; x < 176; x++)
            ((float *)cut.data)[y * 176 + x] = ((float *)im.data)[(y + 4) * 200 + x + 14];
    nod_signature a = sign(s, &im), b = sign(s, &cut);
    int best = 0;
    for (int w = 1; w < nod_signer_windows(s, 2); w++)
        if (distance(&a.windows[w], &b.poses[0]) < distance(&a.windows[best], &b.poses[0]))
            best = w;
    nod_likeness l;
    assert_int_equal(nod_signature_compare(s, &a, best, &b, 0, false, &l, &err), 0);
    assert_true(l.correlation > 0.97);
    assert_true(fabs(l.lo[1] - 4 / 200.0) < 0.01 && fabs(l.hi[1] - 188 / 200.0) < 0.01);
    assert_true(fabs(l.lo[2] - 14 / 200.0) < 0.01 && fabs(l.hi[2] - 190 / 200.0) < 0.01);
    nod_signature_done(&a);
    nod_signature_done(&b);
    nod_image_done(&im);
    nod_image_done(&cut);
    nod_signer_free(s);
}

static void test_nothing_to_say(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_signer *s = signer();
    nod_image flat = {0}, small = waves(1, 1, NOD_SIGNATURE_MIN - 1, 50);
    assert_int_equal(nod_image_init(&flat, 1, 40, 40, 1, NOD_SAMPLE_U8, &err), 0);
    for (int64_t i = 0; i < 1600; i++)
        ((uint8_t *)flat.data)[i] = 77;
    nod_signature a = sign(s, &flat), b = sign(s, &small);
    assert_int_equal(a.n_axes, 0);
    assert_int_equal(b.n_axes, 0);
    nod_signature_done(&a);
    nod_signature_done(&b);
    nod_image_done(&flat);
    nod_image_done(&small);
    nod_signer_free(s);
}

/* Voxels that were not measured look like the darkest that were, whatever stands in them. */
static void test_padding_does_not_count(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_signer *s = signer();
    nod_image a = waves(5, 1, 64, 64), b = waves(5, 1, 64, 64);
    for (int64_t i = 0; i < 640; i++) {
        ((float *)a.data)[i] = -30000;
        ((float *)b.data)[i] = 5000;
        assert_int_equal(nod_image_set_padding(&a, i, &err), 0);
        assert_int_equal(nod_image_set_padding(&b, i, &err), 0);
    }
    nod_signature ga = sign(s, &a), gb = sign(s, &b);
    assert_memory_equal(ga.relief, gb.relief, 64 * 64 * sizeof *ga.relief);
    nod_signature_done(&ga);
    nod_signature_done(&gb);
    nod_image_done(&a);
    nod_image_done(&b);
    nod_signer_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poses_of_planes), cmocka_unit_test(test_poses_of_volumes),
        cmocka_unit_test(test_pose_names),      cmocka_unit_test(test_crop_is_found),
        cmocka_unit_test(test_nothing_to_say),  cmocka_unit_test(test_padding_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
