/* test_geometry.c: grids in the patient: affines, codes, corners, agreement.
 *
 * tests/golden/geometry/affines.json: tools/oracles/geometry.py (nibabel 5.4.2). The rest is
 * closed form. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "imaging/geometry.h"

static const int64_t cube[3] = {10, 20, 30};

static nod_geometry grid(const double affine[4][4], nod_world world)
{
    nod_error err = NOD_ERROR_INIT;
    nod_geometry g;
    if (nod_geometry_from_affine(affine, world, cube, "grid", &g, &err) != 0)
        fail_msg("%s", err.message);
    return g;
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.12g, not %.12g", got, want);
}

static double number_at(const nod_json *j, const char *key, size_t i)
{
    return nod_json_f64(nod_json_at(nod_json_get(j, key), i));
}

static void test_nibabel(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_json *j = NULL;
    assert_int_equal(nod_json_read("tests/golden/geometry/affines.json", 1 << 20, &j, &err), 0);
    nod_json *cases = nod_json_get(j, "cases");
    assert_int_equal(nod_json_count(cases), 24);
    for (size_t n = 0; n < 24; n++) {
        const nod_json *c = nod_json_at(cases, n);
        double a[4][4], back[4][4], index[3], world[3], again[3];
        char codes[4];
        for (size_t r = 0; r < 4; r++)
            for (size_t k = 0; k < 4; k++)
                a[r][k] =
                    nod_json_f64(nod_json_at(nod_json_at(nod_json_get(c, "affine_ras"), r), k));
        nod_geometry g = grid(a, NOD_WORLD_RAS);
        nod_geometry_codes(&g, codes);
        assert_string_equal(codes, nod_json_str(nod_json_get(c, "codes")));
        assert_near(nod_geometry_obliquity_deg(&g),
                    nod_json_f64(nod_json_get(c, "obliquity_deg")), 1e-6);
        assert_false(nod_geometry_is_sheared(&g));
        for (size_t i = 0; i < 3; i++) {
            assert_near(g.spacing_mm[i], number_at(c, "spacing_mm", i), 1e-12);
            index[i] = number_at(c, "index", i);
        }
        nod_geometry_world(&g, index, world);
        for (size_t i = 0; i < 3; i++)
            assert_near(i < 2 ? -world[i] : world[i], number_at(c, "world_ras_mm", i), 1e-9);
        nod_geometry_index(&g, world, again);
        nod_geometry_to_affine(&g, NOD_WORLD_RAS, back);
        for (size_t i = 0; i < 3; i++)
            assert_near(again[i], index[i], 1e-9);
        for (size_t i = 0; i < 16; i++)
            assert_near(back[i / 4][i % 4], a[i / 4][i % 4], 1e-12);
    }
    nod_json_free(j);
}

/* Coronal slices from back to front, rows from head to feet: i to the left, j down, k to the
 * front. */
static void test_codes(void **state)
{
    (void)state;
    const double a[4][4] = {{2, 0, 0, -10}, {0, 0, -4, 50}, {0, -3, 0, 90}, {0, 0, 0, 1}};
    char codes[4];
    nod_geometry g = grid(a, NOD_WORLD_LPS);
    nod_geometry_codes(&g, codes);
    assert_string_equal(codes, "LIA");
    assert_near(nod_geometry_obliquity_deg(&g), 0, 1e-6);
    assert_near(g.spacing_mm[1], 3, 0);
    g = grid(a, NOD_WORLD_RAS); /* the same numbers in RAS: x to the right, y to the front */
    nod_geometry_codes(&g, codes);
    assert_string_equal(codes, "RIP");
    assert_near(g.origin_mm[0], 10, 0);
    assert_true(nod_orientation_is_valid("LIA"));
    static const char *const bad[] = {"", "LP", "LPSS", "LRS", "LPX", "lps", "LLS"};
    for (size_t i = 0; i < NOD_COUNT(bad); i++)
        assert_false(nod_orientation_is_valid(bad[i]));
}

static void test_refusals(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_geometry g = nod_geometry_unknown(1, 2, 3);
    const double flat[4][4] = {{1, 0, 1, 0}, {0, 1, 1, 0}, {0, 0, 0, 0}, {0, 0, 0, 1}};
    const double none[4][4] = {{1, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    const double nan[4][4] = {{1, 0, 0, 0}, {0, 1, 0, NAN}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    const struct {
        const double (*a)[4];
        const char *what;
    } cases[] = {{flat, "one plane"}, {none, "along j is 0 mm"}, {nan, "entry 1, 3"}};
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        assert_int_equal(
            nod_geometry_from_affine(cases[i].a, NOD_WORLD_LPS, cube, "x.nii", &g, &err),
            NOD_EDATA);
        assert_non_null(strstr(err.message, cases[i].what));
        assert_int_equal(g.size[2], 3); /* untouched */
    }
}

/* A shear by tan 10 degrees of the slice axis along rows. */
static void test_shear(void **state)
{
    (void)state;
    double t = tan(acos(-1) / 18);
    const double a[4][4] = {{1, 0, 0, 0}, {0, 1, 5 * t, 0}, {0, 0, 5, 0}, {0, 0, 0, 1}};
    nod_geometry g = grid(a, NOD_WORLD_LPS);
    const double want[3] = {3, -2, 7};
    double world[3], index[3];
    assert_near(nod_geometry_shear(&g), sin(acos(-1) / 18), 1e-12);
    assert_true(nod_geometry_is_sheared(&g));
    nod_geometry_world(&g, want, world);
    nod_geometry_index(&g, world, index);
    for (int i = 0; i < 3; i++)
        assert_near(index[i], want[i], 1e-12);
}

static void test_corners(void **state)
{
    (void)state;
    const double a[4][4] = {{0, 2, 0, 1}, {-1, 0, 0, 2}, {0, 0, 4, 3}, {0, 0, 0, 1}};
    double c[8][3];
    nod_geometry g = grid(a, NOD_WORLD_LPS);
    nod_geometry_corners(&g, c);
    /* corner 0 at index -.5: x = 1 - 1, y = 2 + .5, z = 3 - 2; corner 7 at 9.5, 19.5, 29.5 */
    assert_near(c[0][0], 0, 1e-12);
    assert_near(c[0][1], 2.5, 1e-12);
    assert_near(c[0][2], 1, 1e-12);
    assert_near(c[7][0], 40, 1e-12);
    assert_near(c[7][1], -7.5, 1e-12);
    assert_near(c[7][2], 121, 1e-12);
    assert_near(c[2][0], 40, 1e-12);
    assert_near(c[2][1], 2.5, 1e-12);
}

static void test_agreement(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    const double a[4][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 1}};
    nod_geometry g = grid(a, NOD_WORLD_LPS), h = g;
    h.origin_mm[2] = 0.0999;
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), 0);
    h.origin_mm[2] = 0.1001;
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), NOD_EDATA);
    assert_non_null(strstr(err.message, "0.1001 mm apart, allowed are 0.1 mm"));
    assert_non_null(strstr(err.message, "image: 10x20x30 voxels of 1x1x3 mm, LPS"));
    assert_non_null(strstr(err.message, "mask: 10x20x30 voxels"));
    h.space = NOD_SPACE_SPACING; /* its place is not known: the spacing agrees */
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), 0);
    h.spacing_mm[2] = 3.1;
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), NOD_EDATA);
    h.space = NOD_SPACE_NONE;
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), 0);
    h.size[0] = 11;
    assert_int_equal(nod_geometry_agree(&g, "image", &h, "mask", &err), NOD_EDATA);
    /* A rotation about the centre leaves the middle where it is; only corners tell. */
    nod_geometry r = g;
    double angle = 0.02, middle[3] = {4.5, 9.5, 14.5}, at[3], was[3];
    r.direction[0][0] = r.direction[1][1] = cos(angle);
    r.direction[0][1] = sin(angle);
    r.direction[1][0] = -sin(angle);
    nod_geometry_world(&g, middle, was);
    nod_geometry_world(&r, middle, at);
    for (int i = 0; i < 3; i++)
        r.origin_mm[i] += was[i] - at[i];
    assert_int_equal(nod_geometry_agree(&g, "image", &r, "mask", &err), NOD_EDATA);
    /* A corner at half the diagonal of 10 x 20 mm turns by 2 sin(angle/2). */
    assert_near(nod_geometry_distance_mm(&g, &r), sqrt(125) * 2 * sin(angle / 2), 1e-9);
}

static void test_text(void **state)
{
    (void)state;
    char text[NOD_GEOMETRY_TEXT];
    nod_geometry g = nod_geometry_unknown(4, 5, 6);
    assert_string_equal(nod_geometry_text(&g, text), "4x5x6 voxels of unknown spacing");
    g.space = NOD_SPACE_SPACING;
    g.spacing_mm[0] = 0.25;
    assert_string_equal(nod_geometry_text(&g, text), "4x5x6 voxels of 0.25x1x1 mm");
    double t = tan(acos(-1) / 18);
    const double a[4][4] = {{1, 0, 0, 0}, {0, 1, t, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    g = grid(a, NOD_WORLD_LPS);
    nod_geometry_text(&g, text);
    assert_non_null(strstr(text, "LPS, origin (0, 0, 0), oblique by 10 degrees, sheared"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nibabel),  cmocka_unit_test(test_codes),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_shear),
        cmocka_unit_test(test_corners),  cmocka_unit_test(test_agreement),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
