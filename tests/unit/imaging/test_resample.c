/* test_resample.c: images onto other grids: closed forms, and SimpleITK.
 *
 * tests/golden/geometry/resample.npz: tools/oracles/geometry.py (SimpleITK 2.5.7). A linear field of
 * world coordinates is reproduced by every linear or cubic interpolation, so that it tells where each
 * voxel of a result was taken.
 * LABELS: tsan */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/threads.h"
#include "imaging/reorient.h"
#include "imaging/resample.h"
#include "tensor/npz.h"

static void must(int rc, const nod_error *err)
{
    if (rc != 0) fail_msg("%s", err->message);
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.9g, not %.9g", got, want);
}

static nod_image new_image(int64_t d, int64_t h, int64_t w, int channels, nod_sample sample)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    must(nod_image_init(&im, d, h, w, channels, sample, &err), &err);
    im.geometry.space = NOD_SPACE_PATIENT;
    return im;
}

/* Turned about z, then about x. */
static void turn(nod_geometry *g, double about_z, double about_x)
{
    double c = cos(about_z), s = sin(about_z), e = cos(about_x), f = sin(about_x);
    const double d[3][3] = {{c, s * e, s * f}, {-s, c * e, c * f}, {0, -f, e}};
    memcpy(g->direction, d, sizeof d);
}

static void world_of(const nod_image *im, int64_t n, double world[3])
{
    int64_t v = n % (im->width * im->height * im->depth);
    const double index[3] = {(double)(v % im->width), (double)(v / im->width % im->height),
                             (double)(v / im->width / im->height)};
    nod_geometry_world(&im->geometry, index, world);
}

static double field(const double world[3])
{
    return 3 + 0.5 * world[0] - 0.25 * world[1] + 0.125 * world[2];
}

static void set_field(nod_image *im)
{
    for (int64_t n = 0; n < nod_image_voxels(im); n++) {
        double world[3];
        world_of(im, n, world);
        ((float *)im->data)[n] = (float)field(world);
    }
}

/* Every voxel whose place is at least `inside` voxels within the centres of the source. */
static int64_t expect_field(const nod_image *source, const nod_image *im, double inside)
{
    int64_t n_seen = 0;
    for (int64_t n = 0; n < nod_image_voxels(im); n++) {
        double world[3], at[3];
        bool in = true, out = false;
        world_of(im, n, world);
        nod_geometry_index(&source->geometry, world, at);
        for (int a = 0; a < 3; a++) {
            double last = (double)source->geometry.size[a] - 1;
            in = in && at[a] >= inside - 1e-9 && at[a] <= last - inside + 1e-9;
            out = out || at[a] < -0.51 || at[a] > last + 0.51;
        }
        if (in) {
            assert_near(((float *)im->data)[n], field(world), 2e-5);
            assert_false(nod_image_is_padding(im, n));
        }
        if (out) {
            assert_true(nod_image_is_padding(im, n));
            assert_near(((float *)im->data)[n], -1000, 0);
        }
        n_seen += in;
    }
    return n_seen;
}

static void test_grids(void **state)
{
    (void)state;
    nod_geometry g = nod_geometry_unknown(10, 20, 7), to;
    double was[8][3], is[8][3];
    g.space = NOD_SPACE_PATIENT;
    turn(&g, 0.4, 0.2);
    const double spacing[3] = {0.5, 2, 1.75};
    to = nod_geometry_with_spacing(&g, spacing);
    assert_int_equal(to.size[0], 20);
    assert_int_equal(to.size[1], 10);
    assert_int_equal(to.size[2], 4);
    assert_near(nod_geometry_distance_mm(&g, &to), 0, 1e-9); /* all outer corners are kept */
    /* 10/3 voxels round to 3: the low corner stays, the high one moves inwards by 1 mm. */
    const double three[3] = {3, 1, 1};
    to = nod_geometry_with_spacing(&g, three);
    nod_geometry_corners(&g, was);
    nod_geometry_corners(&to, is);
    assert_int_equal(to.size[0], 3);
    for (int r = 0; r < 3; r++)
        assert_near(is[0][r], was[0][r], 1e-12);
    assert_near(nod_geometry_distance_mm(&g, &to), 1, 1e-9);
    const int64_t size[3] = {3, 40, 7};
    to = nod_geometry_with_size(&g, size);
    assert_near(to.spacing_mm[0], 10.0 / 3, 1e-12);
    assert_near(nod_geometry_distance_mm(&g, &to), 0, 1e-9);
    /* 20 to 25: 2 before, 3 behind. 10 to 7: 1 off before, 2 behind. */
    const int64_t middle[3] = {7, 25, 7};
    double index[3];
    to = nod_geometry_centred(&g, middle);
    nod_geometry_index(&g, to.origin_mm, index);
    assert_near(index[0], 1, 1e-12);
    assert_near(index[1], -2, 1e-12);
    assert_near(index[2], 0, 1e-12);
}

/* Along the axes: up, down where blocks are whole, shifted; and turned by 48 orders. */
static void test_along(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(12, 16, 20, 1, NOD_SAMPLE_F32), out = {0}, back = {0};
    im.geometry.spacing_mm[0] = 1.5;
    im.geometry.spacing_mm[2] = 3;
    turn(&im.geometry, 0.7, -0.3);
    set_field(&im);
    static const struct {
        double spacing[3];
        double inside;
    } cases[] = {{{0.75, 0.5, 1}, 2}, {{3, 2, 3}, 4}, {{1.5, 1, 3}, 0}, {{1.2, 0.9, 2.1}, 2}};
    static const nod_interp kinds[] = {NOD_INTERP_LINEAR, NOD_INTERP_CUBIC};
    for (size_t i = 0; i < NOD_COUNT(cases); i++)
        for (size_t k = 0; k < NOD_COUNT(kinds); k++) {
            nod_geometry to = nod_geometry_with_spacing(&im.geometry, cases[i].spacing);
            must(nod_image_resample(&im, &to, kinds[k], -1000, &out, &err), &err);
            assert_true(expect_field(&im, &out, cases[i].inside) > 90);
            /* The same grid, its axes in another order. */
            nod_turn t;
            must(nod_turn_find(&to, "SAR", &t, &err), &err);
            nod_geometry other = nod_turn_geometry(&t, &to);
            must(nod_image_resample(&im, &other, kinds[k], -1000, &back, &err), &err);
            assert_true(expect_field(&im, &back, cases[i].inside) > 90);
            nod_image_done(&out);
            nod_image_done(&back);
        }
    nod_image_done(&im);
}

/* Crops, padding and turns copy; what headers round does not blur. */
static void test_exact(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(6, 7, 9, 3, NOD_SAMPLE_U16), out = {0}, back = {0};
    turn(&im.geometry, 0.3, 0.1);
    for (int64_t i = 0; i < nod_image_samples(&im); i++)
        ((uint16_t *)im.data)[i] = (uint16_t)(i * 31);
    must(nod_image_set_padding(&im, 100, &err), &err);
    const int64_t sizes[][3] = {{12, 7, 8}, {9, 7, 6}, {20, 20, 20}};
    for (size_t i = 0; i < NOD_COUNT(sizes); i++)
        for (int kind = 0; kind < 3; kind++) {
            nod_turn t;
            nod_geometry g = nod_geometry_centred(&im.geometry, sizes[i]);
            must(nod_turn_find(&g, "AIL", &t, &err), &err);
            g = nod_turn_geometry(&t, &g);
            g.origin_mm[0] += 2e-5;
            g.spacing_mm[1] *= 1 + 1e-7;
            must(nod_image_resample(&im, &g, (nod_interp)kind, 5, &out, &err), &err);
            assert_int_equal(out.sample, NOD_SAMPLE_U16);
            must(nod_image_resample(&out, &im.geometry, (nod_interp)kind, 5, &back, &err),
                 &err);
            assert_memory_equal(back.data, im.data, nod_image_bytes(&im));
            for (int64_t n = 0; n < nod_image_voxels(&im); n++)
                assert_int_equal(nod_image_is_padding(&back, n), n == 100);
            int64_t n_padding = 0;
            for (int64_t n = 0; n < nod_image_voxels(&out); n++)
                n_padding += nod_image_is_padding(&out, n);
            assert_int_equal(n_padding,
                             sizes[i][0] * sizes[i][1] * sizes[i][2] - 9 * 7 * 6 + 1);
            nod_image_done(&out);
            nod_image_done(&back);
        }
    nod_image_done(&im);
}

/* Across: a turned grid, a sheared source (a gantry's tilt), constants, and larger voxels. */
static void test_across(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(12, 24, 20, 1, NOD_SAMPLE_F32), out = {0};
    im.geometry.spacing_mm[2] = 2;
    set_field(&im);
    nod_geometry to = nod_geometry_unknown(18, 14, 10);
    to.space = NOD_SPACE_PATIENT;
    turn(&to, 0.35, 0.5);
    const double origin[3] = {3, 2, 1};
    memcpy(to.origin_mm, origin, sizeof origin);
    static const nod_interp kinds[] = {NOD_INTERP_LINEAR, NOD_INTERP_CUBIC};
    for (size_t k = 0; k < NOD_COUNT(kinds); k++) {
        must(nod_image_resample(&im, &to, kinds[k], -1000, &out, &err), &err);
        assert_true(expect_field(&im, &out, k ? 1 : 0) > 500);
        nod_image_done(&out);
    }
    nod_image sheared = new_image(12, 24, 20, 1, NOD_SAMPLE_F32);
    sheared.geometry.direction[2][1] = sin(0.3);
    sheared.geometry.direction[2][2] = cos(0.3);
    set_field(&sheared);
    nod_geometry upright = nod_geometry_unknown(20, 27, 11);
    upright.space = NOD_SPACE_PATIENT;
    must(nod_image_resample(&sheared, &upright, NOD_INTERP_LINEAR, -1000, &out, &err), &err);
    assert_true(expect_field(&sheared, &out, 0) > 3000);
    nod_image_done(&out);
    nod_image_done(&sheared);
    /* Noise of single voxels averages out in voxels three times as large; a constant stays. */
    for (int64_t i = 0; i < nod_image_voxels(&im); i++)
        ((float *)im.data)[i] = i % 2 ? 1 : -1;
    for (int a = 0; a < 3; a++)
        to.spacing_mm[a] = a == 2 ? 6 : 3;
    to.size[0] = to.size[1] = 4;
    to.size[2] = 2;
    to.origin_mm[0] = 8;
    to.origin_mm[1] = 6;
    to.origin_mm[2] = 5;
    must(nod_image_resample(&im, &to, NOD_INTERP_LINEAR, 0, &out, &err), &err);
    for (int64_t i = 0; i < nod_image_voxels(&out); i++)
        assert_true(fabsf(((float *)out.data)[i]) < 0.2f);
    nod_image_done(&out);
    for (int64_t i = 0; i < nod_image_voxels(&im); i++)
        ((float *)im.data)[i] = 7.5f;
    must(nod_image_resample(&im, &to, NOD_INTERP_CUBIC, 7.5, &out, &err), &err);
    for (int64_t i = 0; i < nod_image_voxels(&out); i++)
        assert_near(((float *)out.data)[i], 7.5, 1e-5);
    nod_image_done(&out);
    nod_image_done(&im);
}

static nod_geometry grid_of(nod_npz *z, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_tensor t = {0};
    char key[40];
    nod_geometry g = {.space = NOD_SPACE_PATIENT};
    snprintf(key, sizeof key, "%s_grid", name);
    must(nod_npz_read(z, key, &t, &err), &err);
    const double *v = t.data;
    for (int a = 0; a < 3; a++) {
        g.size[a] = (int64_t)v[a];
        g.spacing_mm[a] = v[3 + a];
        memcpy(g.direction[a], v + 6 + 3 * a, sizeof g.direction[a]);
        g.origin_mm[a] = v[15 + a];
    }
    nod_tensor_done(&t);
    return g;
}

static void test_simpleitk(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    nod_tensor src = {0}, want = {0};
    must(nod_npz_open("tests/golden/geometry/resample.npz", &z, &err), &err);
    must(nod_npz_read(z, "src", &src, &err), &err);
    nod_image im = new_image(12, 16, 20, 1, NOD_SAMPLE_F32), out = {0};
    im.geometry = grid_of(z, "src");
    memcpy(im.data, src.data, nod_image_bytes(&im));
    static const char *const names[] = {"oblique", "shifted"};
    static const char *const kinds[] = {"linear", "nearest"};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++) {
            char key[40];
            nod_geometry g = grid_of(z, names[i]);
            snprintf(key, sizeof key, "%s_%s", names[i], kinds[k]);
            must(nod_npz_read(z, key, &want, &err), &err);
            must(nod_image_resample(&im, &g, k ? NOD_INTERP_NEAREST : NOD_INTERP_LINEAR, -1000,
                                    &out, &err),
                 &err);
            for (int64_t n = 0; n < nod_image_voxels(&out); n++)
                assert_near(((float *)out.data)[n], ((float *)want.data)[n], k ? 0 : 2e-5);
            nod_tensor_done(&want);
            nod_image_done(&out);
        }
    nod_tensor_done(&src);
    nod_image_done(&im);
    nod_npz_close(z);
}

/* --- masks ------------------------------------------------------------------------------------ */

/* Two boxes of labels 1 and 5 side by side. */
static nod_image boxes(nod_sample sample)
{
    nod_image im = new_image(12, 14, 16, 1, sample);
    for (int64_t n = 0; n < nod_image_voxels(&im); n++) {
        int64_t x = n % 16, y = n / 16 % 14, k = n / 16 / 14;
        int label = y > 3 && y < 11 && k > 2 && k < 9 ? (x > 3 && x < 8    ? 1
                                                         : x > 7 && x < 12 ? 5
                                                                           : 0)
                                                      : 0;
        if (sample == NOD_SAMPLE_U8)
            ((uint8_t *)im.data)[n] = (uint8_t)label;
        else
            ((float *)im.data)[n] = (float)label;
    }
    return im;
}

static void centroid(const nod_image *im, int label, double out[3])
{
    double sum[3] = {0}, count = 0;
    for (int64_t n = 0; n < nod_image_voxels(im); n++) {
        double world[3];
        if (((uint8_t *)im->data)[n] != label) continue;
        world_of(im, n, world);
        for (int r = 0; r < 3; r++)
            sum[r] += world[r];
        count++;
    }
    assert_true(count > 0);
    for (int r = 0; r < 3; r++)
        out[r] = sum[r] / count;
}

/* To finer, coarser and turned grids and back: labels stay whole, centroids within 0.1 voxel. */
static void test_labels(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = boxes(NOD_SAMPLE_U8), there = {0}, back = {0};
    const double fine[3] = {0.7, 0.8, 0.6};
    nod_geometry to[3];
    to[0] = nod_geometry_with_spacing(&im.geometry, fine);
    to[1] = nod_geometry_unknown(30, 30, 30);
    to[1].space = NOD_SPACE_PATIENT;
    turn(&to[1], 0.4, 0.3);
    for (int a = 0; a < 3; a++)
        to[1].spacing_mm[a] = 0.75;
    /* Middles coincide. */
    const double mid_to[3] = {14.5, 14.5, 14.5}, mid[3] = {7.5, 6.5, 5.5};
    double a[3], b[3];
    nod_geometry_world(&to[1], mid_to, a);
    nod_geometry_world(&im.geometry, mid, b);
    for (int r = 0; r < 3; r++)
        to[1].origin_mm[r] += b[r] - a[r];
    to[2] = nod_geometry_centred(&im.geometry, (const int64_t[3]){12, 20, 12});
    for (int i = 0; i < 3; i++) {
        must(nod_image_resample_labels(&im, &to[i], &there, &err), &err);
        assert_int_equal(there.sample, NOD_SAMPLE_U8);
        must(nod_image_resample_labels(&there, &im.geometry, &back, &err), &err);
        for (int64_t n = 0; n < nod_image_voxels(&back); n++) {
            uint8_t v = ((uint8_t *)back.data)[n];
            assert_true(v == 0 || v == 1 || v == 5);
        }
        for (int label = 1; label <= 5; label += 4) {
            double was[3], is[3];
            centroid(&im, label, was);
            centroid(&back, label, is);
            for (int r = 0; r < 3; r++)
                assert_near(is[r], was[r], 0.1);
        }
        if (i == 2) assert_memory_equal(back.data, im.data, nod_image_bytes(&im));
        nod_image_done(&there);
        nod_image_done(&back);
    }
    nod_image f =
        boxes(NOD_SAMPLE_F32); /* the same as floats, a little off as scaled masks are */
    for (int64_t n = 0; n < nod_image_voxels(&f); n++)
        ((float *)f.data)[n] *= 1.0001f;
    must(nod_image_resample_labels(&f, &to[1], &back, &err), &err);
    must(nod_image_resample_labels(&im, &to[1], &there, &err), &err);
    for (int64_t n = 0; n < nod_image_voxels(&there); n++)
        assert_true(((float *)back.data)[n] == (float)((uint8_t *)there.data)[n]);
    ((float *)f.data)[3] = 0.4f;
    nod_image_done(&back);
    assert_int_equal(nod_image_resample_labels(&f, &to[1], &back, &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "0.4 is not a label"));
    nod_image_done(&there);
    nod_image_done(&im);
    nod_image_done(&f);
}

/* Half and half: the smaller label wins; a third share each does not lose to the background. */
static void test_label_ties(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 4, 1, NOD_SAMPLE_U8), out = {0};
    const uint8_t labels[4] = {7, 3, 3, 0};
    memcpy(im.data, labels, sizeof labels);
    nod_geometry g = im.geometry;
    g.origin_mm[0] = 0.5;
    g.size[0] = 3;
    must(nod_image_resample_labels(&im, &g, &out, &err), &err);
    const uint8_t want[3] = {3, 3, 0};
    assert_memory_equal(out.data, want, sizeof want);
    nod_image_done(&out);
    nod_image_done(&im);
}

/* --- slices ----------------------------------------------------------------------------------- */

/* A field on slices at uneven heights, shifted as by a tilt of 18.5 degrees. */
static void test_slices(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    static const double heights[6] = {0, 4, 8, 9.08, 16, 23};
    nod_image im = new_image(6, 12, 10, 1, NOD_SAMPLE_F32), out = {0};
    double origins[6][3];
    turn(&im.geometry, 0.2, 0.1);
    nod_geometry plane = im.geometry;
    const double tilt = tan(18.5 * acos(-1) / 180);
    for (int64_t k = 0; k < 6; k++) {
        const double at[3] = {0, tilt * heights[k], heights[k]};
        nod_geometry_world(&im.geometry, at, origins[k]);
        memcpy(plane.origin_mm, origins[k], sizeof plane.origin_mm);
        for (int64_t i = 0; i < 120; i++) {
            const double index[3] = {(double)(i % 10), (double)(i / 10), 0};
            double world[3];
            nod_geometry_world(&plane, index, world);
            ((float *)im.data)[k * 120 + i] = (float)field(world);
        }
    }
    must(nod_image_resample_slices(&im, (const double(*)[3])origins, 1.0, -1000, &out, &err),
         &err);
    assert_int_equal(out.depth, 24);
    assert_int_equal(out.width, 10);
    assert_int_equal(out.height, 12 + 8); /* 23 tan 18.5 = 7.7 */
    assert_true(nod_geometry_shear(&out.geometry) < 1e-12);
    int64_t n_seen = 0;
    for (int64_t n = 0; n < nod_image_voxels(&out); n++) {
        double world[3], j = (double)(n / 10 % 20), z = (double)(n / 200);
        world_of(&out, n, world);
        /* rows that both neighbouring slices have, whichever they are (at most 7 mm away) */
        if (j < tilt * fmin(z + 7, 23) || j > 11 + tilt * fmax(z - 7, 0)) continue;
        assert_near(((float *)out.data)[n], field(world), 2e-5);
        assert_false(nod_image_is_padding(&out, n));
        n_seen++;
    }
    assert_true(n_seen > 1000);
    assert_true(
        nod_image_is_padding(&out, 19 * 10)); /* slice 0, the last row: never measured */
    nod_image_done(&out);
    /* 0: the median of 4, 4, 1.08, 6.92, 7 */
    must(nod_image_resample_slices(&im, (const double(*)[3])origins, 0, 0, &out, &err), &err);
    assert_near(out.geometry.spacing_mm[2], 4, 1e-9);
    nod_image_done(&out);
    memcpy(origins[3], origins[2], sizeof origins[2]);
    assert_int_equal(
        nod_image_resample_slices(&im, (const double(*)[3])origins, 0, 0, &out, &err),
        NOD_EDATA);
    assert_non_null(strstr(err.message, "slice 3 lies at 8 mm"));
    nod_image_done(&im);
}

/* Even, upright slices that go down, and a tilt by whole voxels: values are copied. */
static void test_slices_exact(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(5, 4, 6, 1, NOD_SAMPLE_U8), out = {0};
    double origins[5][3];
    for (int64_t i = 0; i < nod_image_voxels(&im); i++)
        ((uint8_t *)im.data)[i] = (uint8_t)(i * 11);
    must(nod_image_set_padding(&im, 30, &err), &err);
    for (int k = 0; k < 5; k++) {
        const double at[3] = {-2.0 * k, 0, -3.0 * k};
        memcpy(origins[k], at, sizeof at);
    }
    must(nod_image_resample_slices(&im, (const double(*)[3])origins, 0, 0, &out, &err), &err);
    assert_int_equal(out.width, 14);
    assert_near(out.geometry.direction[2][2], -1, 0);
    assert_near(out.geometry.spacing_mm[2], 3, 1e-12);
    assert_near(out.geometry.origin_mm[0], -8, 1e-12);
    for (int64_t n = 0; n < nod_image_voxels(&out); n++) {
        int64_t x = n % 14, y = n / 14 % 4, k = n / 56, from = x - 8 + 2 * k;
        bool inside = from >= 0 && from < 6;
        int64_t source = (k * 4 + y) * 6 + from;
        assert_int_equal(nod_image_is_padding(&out, n), !inside || source == 30);
        assert_near(((float *)out.data)[n], inside ? ((uint8_t *)im.data)[source] : 0, 0);
    }
    nod_image_done(&out);
    nod_image_done(&im);
}

/* The same bits for one thread and several, along and across. */
static void test_threads(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(20, 70, 90, 2, NOD_SAMPLE_F32), out[2] = {{0}, {0}};
    for (int64_t i = 0; i < nod_image_samples(&im); i++)
        ((float *)im.data)[i] = (float)(i * 2654435761 % 1000) / 7;
    nod_geometry to[2];
    to[0] = nod_geometry_with_spacing(&im.geometry, (const double[3]){1.3, 0.9, 1.1});
    to[1] = to[0];
    turn(&to[1], 0.2, 0.3);
    int before = nod_threads_get();
    for (int i = 0; i < 2; i++) {
        for (int t = 0; t < 2; t++) {
            nod_threads_set(t ? 3 : 1);
            must(nod_image_resample(&im, &to[i], NOD_INTERP_CUBIC, 0, &out[t], &err), &err);
        }
        assert_memory_equal(out[0].data, out[1].data, nod_image_bytes(&out[0]));
        nod_image_done(&out[0]);
        nod_image_done(&out[1]);
    }
    nod_threads_set(before);
    nod_image_done(&im);
}

static void test_refusals(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(2, 3, 4, 1, NOD_SAMPLE_U8), out = {0};
    nod_geometry g = im.geometry;
    g.space = NOD_SPACE_SPACING;
    assert_int_equal(nod_image_resample(&im, &g, NOD_INTERP_LINEAR, 0, &out, &err), NOD_EDATA);
    g.space = NOD_SPACE_PATIENT;
    g.size[0] = 1 << 30;
    assert_int_equal(nod_image_resample(&im, &g, NOD_INTERP_LINEAR, 0, &out, &err), NOD_ELIMIT);
    assert_null(out.data);
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grids),        cmocka_unit_test(test_along),
        cmocka_unit_test(test_exact),        cmocka_unit_test(test_across),
        cmocka_unit_test(test_simpleitk),    cmocka_unit_test(test_labels),
        cmocka_unit_test(test_label_ties),   cmocka_unit_test(test_slices),
        cmocka_unit_test(test_slices_exact), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
