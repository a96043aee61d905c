/* test_contract_place.c: the contract in millimetres, units and frames, what it accepts, and the way
 * back to the source's grid. Closed forms; percentiles by numpy 2.4.6's definition, computed by hand.
 * A linear field of world coordinates tells where each voxel was taken. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "imaging/contract.h"
#include "imaging/reorient.h"
#include "imaging/resample.h"

static void must(int rc, const nod_error *err)
{
    if (rc != 0) fail_msg("%s", err->message);
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("'%s' not in: %s", part, text);
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("%.9g, not %.9g", got, want);
}

static int parse_it(const char *text, nod_contract *k, nod_error *err)
{
    nod_json *j = NULL;
    must(nod_json_parse(text, strlen(text), "t", &j, err), err);
    int rc = nod_contract_from_json(j, "input", k, err);
    nod_json_free(j);
    return rc;
}

static nod_contract parse(const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    must(parse_it(text, &k, &err), &err);
    return k;
}

static nod_image new_image(int64_t frames, int64_t d, int64_t h, int64_t w, nod_sample sample)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    must(nod_image_init_frames(&im, frames, d, h, w, 1, sample, &err), &err);
    im.geometry.space = NOD_SPACE_PATIENT;
    return im;
}

/* Values of a linear field of the place, 20 x 24 x 10 voxels of 1 x 1.5 x 3 mm. */
static double field(const double w[3])
{
    return 100 + w[0] - 2 * w[1] + 0.5 * w[2];
}

static nod_image field_image(void)
{
    nod_image im = new_image(1, 10, 24, 20, NOD_SAMPLE_F32);
    im.geometry.spacing_mm[1] = 1.5;
    im.geometry.spacing_mm[2] = 3;
    for (int64_t n = 0; n < nod_image_voxels(&im); n++) {
        const double index[3] = {(double)(n % 20), (double)(n / 20 % 24), (double)(n / 480)};
        double world[3];
        nod_geometry_world(&im.geometry, index, world);
        ((float *)im.data)[n] = (float)field(world);
    }
    return im;
}

static float *apply(const nod_contract *k, const nod_image *im)
{
    nod_error err = NOD_ERROR_INIT;
    float *v = nod_calloc((size_t)nod_contract_samples(k), sizeof *v);
    must(nod_contract_apply(k, im, v, &err), &err);
    return v;
}

/* --- millimetres ------------------------------------------------------------------------------ */

/* Whatever the order of the axes in memory, the network sees the same: the wanted orientation, the
 * wanted spacing, about the middle. */
static void test_crop_in_millimetres(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = field_image();
    nod_contract k = parse("{\"size\":[12,10,8],\"fit\":\"crop\",\"spacing\":[1.5,0.75,null],"
                           "\"orientation\":\"RAS\",\"scaling\":\"stored\","
                           "\"normalisation\":\"none\"}");
    static const char *const orders[] = {"LPS", "RAS", "SPL", "AIR"};
    float *first = NULL;
    for (size_t o = 0; o < NOD_COUNT(orders); o++) {
        nod_image turned = {0};
        nod_geometry g;
        must(nod_image_reorient(&im, orders[o], &turned, &err), &err);
        float *v = apply(&k, &turned);
        must(nod_contract_grid(&k, &turned.geometry, &g, &err), &err);
        char codes[4];
        nod_geometry_codes(&g, codes);
        assert_string_equal(codes, "RAS");
        const double spacing[3] = {1, 0.75, 1.5};
        for (int a = 0; a < 3; a++)
            assert_near(g.spacing_mm[a], spacing[a], 1e-12);
        for (int64_t n = 0; n < 8 * 10 * 12; n++) {
            const double index[3] = {(double)(n % 8), (double)(n / 8 % 10), (double)(n / 80)};
            double world[3];
            nod_geometry_world(&g, index, world);
            assert_near(v[n], field(world), 1e-3);
        }
        /* the middle 10 of 48 voxels of 0.75 mm and 12 of 20 of 1.5 mm, in any order of axes */
        if (first) {
            for (int64_t n = 0; n < 8 * 10 * 12; n++)
                assert_near(v[n], first[n], 2e-5 * 150);
            nod_free(v);
        } else {
            first = v;
        }
        nod_image_done(&turned);
    }
    nod_free(first);
    nod_image_done(&im);
}

/* Beyond the image lies its darkest voxel, which no statistic counts. */
static void test_crop_extends(void **state)
{
    (void)state;
    nod_image im = new_image(1, 1, 2, 2, NOD_SAMPLE_U8);
    const uint8_t v[4] = {10, 20, 30, 40}; /* mean 25, sd sqrt(125) */
    memcpy(im.data, v, 4);
    nod_contract k = parse("{\"size\":[4,4],\"fit\":\"crop\",\"normalisation\":\"image\"}");
    float *out = apply(&k, &im);
    for (int i = 0; i < 16; i++) {
        int y = i / 4, x = i % 4;
        bool in = y > 0 && y < 3 && x > 0 && x < 3;
        double value = in ? v[(y - 1) * 2 + x - 1] : 10;
        assert_near(out[i], (value - 25) / sqrt(125), 1e-5);
    }
    nod_free(out);
    nod_image_done(&im);
}

/* --- values ----------------------------------------------------------------------------------- */

static void test_window(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 1, 5, NOD_SAMPLE_F32);
    const float v[5] = {-1000, -160, 40, 240, 3000};
    memcpy(im.data, v, sizeof v);
    nod_contract k = parse("{\"size\":[1,5],\"window\":[40,400],\"normalisation\":\"none\"}");
    float out[5];
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "units: hu");
    k.takes_hu = true;
    im.facts.units = NOD_UNITS_HU;
    for (int silent = 0; silent < 2; silent++) {
        if (silent) im.facts.units = NOD_UNITS_NONE;
        must(nod_contract_apply(&k, &im, out, &err), &err);
        static const double want[5] = {0, 0, 0.5, 1, 1};
        for (int i = 0; i < 5; i++)
            assert_near(out[i], want[i], 1e-7);
    }
    strcpy(im.facts.modality, "MR"); /* says what it is, and that is not CT */
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "use clip");
    nod_image_done(&im);
}

/* 0..99 and a padding voxel of 1e6: percentiles 10 and 90 of 0..99 are 9.9 and 89.1. */
static void test_clip(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 1, 101, NOD_SAMPLE_F32);
    float *v = im.data, out[101];
    for (int i = 0; i < 100; i++)
        v[i] = (float)((i * 37) % 100) - 50;
    v[100] = 1e6f;
    must(nod_image_set_padding(&im, 100, &err), &err);
    nod_contract k = parse("{\"size\":[1,101],\"clip\":[10,90],\"normalisation\":\"none\"}");
    must(nod_contract_apply(&k, &im, out, &err), &err);
    for (int i = 0; i < 100; i++) {
        double x = ((i * 37) % 100 - 9.9) / (89.1 - 9.9);
        assert_near(out[i], fmin(fmax(x, 0), 1), 1e-6);
    }
    assert_near(out[100], 1, 0);
    for (int i = 0; i < 100; i++)
        v[i] = 7; /* nothing between the percentiles: zeros, not NaN */
    must(nod_contract_apply(&k, &im, out, &err), &err);
    for (int i = 0; i < 100; i++)
        assert_near(out[i], 0, 0);
    nod_image_done(&im);
}

/* Two images whose extremes are 0, 10 and 20, 50: the range is their mean, [10, 30]; mean and sd
 * come after, on what the clip leaves. */
static void test_clip_by_dataset(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 1, 2, NOD_SAMPLE_F32);
    float *v = im.data, out[2];
    nod_contract k = parse("{\"size\":[1,2],\"clip\":[0,100],\"clip_by\":\"dataset\"}");
    int passes = 0;
    for (; !nod_contract_is_fitted(&k); passes++) {
        nod_contract_sums total = {0}, one;
        for (int i = 0; i < 2; i++) {
            v[0] = i ? 20 : 0;
            v[1] = i ? 50 : 10;
            must(nod_contract_measure(&k, &im, &one, &err), &err);
            nod_contract_merge(&total, &one, 1);
        }
        must(nod_contract_fit(&k, &total, &err), &err);
    }
    assert_int_equal(passes, 2);
    assert_near(k.clip_range[0], 10, 0);
    assert_near(k.clip_range[1], 30, 0);
    /* values 0, 0 and .5, 1: mean .375, variance (2 * .140625 + .015625 + .390625)/4 */
    assert_near(k.mean[0], 0.375, 1e-12);
    assert_near(k.sd[0], sqrt(0.6875 / 4), 1e-12);
    must(nod_contract_apply(&k, &im, out, &err), &err);
    assert_near(out[1], (1 - 0.375) / sqrt(0.6875 / 4), 1e-6);
    nod_image_done(&im);
}

/* 0 0 0 0 10 14 and padding: the mean of all is 4, of the foreground 12, its sd 2. */
static void test_foreground(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 1, 7, NOD_SAMPLE_F32);
    const float v[7] = {0, 0, 0, 0, 10, 14, 999};
    float out[7];
    memcpy(im.data, v, sizeof v);
    must(nod_image_set_padding(&im, 6, &err), &err);
    nod_contract k =
        parse("{\"size\":[1,7],\"normalisation\":\"image\",\"statistics\":\"foreground\"}");
    must(nod_contract_apply(&k, &im, out, &err), &err);
    assert_near(out[0], -6, 1e-6);
    assert_near(out[4], -1, 1e-6);
    assert_near(out[5], 1, 1e-6);
    nod_image_done(&im);
}

/* --- frames and kinds ------------------------------------------------------------------------- */

static void test_frames(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(3, 1, 1, 2, NOD_SAMPLE_U8);
    const uint8_t v[6] = {1, 2, 10, 20, 40, 80};
    float out[6];
    memcpy(im.data, v, 6);
    im.facts.axis = NOD_AXIS_TRIGGER;
    nod_contract k =
        parse("{\"size\":[1,2],\"normalisation\":\"none\",\"scaling\":\"stored\"}");
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "3 frames along the axis 'trigger'");
    k.frames = NOD_FRAMES_FIRST;
    must(nod_contract_apply(&k, &im, out, &err), &err);
    assert_near(out[1], 2, 1e-5);
    k.frames = NOD_FRAMES_MEAN;
    must(nod_contract_apply(&k, &im, out, &err), &err);
    assert_near(out[0], 17, 1e-5);
    assert_near(out[1], 34, 1e-5);
    k = parse("{\"size\":[1,2],\"normalisation\":\"none\",\"scaling\":\"stored\","
              "\"frames\":\"all\",\"channels\":3}");
    must(nod_contract_apply(&k, &im, out, &err), &err);
    for (int i = 0; i < 6; i++)
        assert_near(out[i], v[i], 1e-5);
    k.channels = 2;
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "2 channels");
    nod_image_done(&im);
}

static void test_modality(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im = new_image(1, 1, 1, 1, NOD_SAMPLE_U8);
    float out[1];
    nod_contract k =
        parse("{\"size\":[1,1],\"normalisation\":\"none\",\"modality\":[\"CR\",\"DX\"]}");
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "modality unknown where the recipe's input wants CR, DX");
    strcpy(im.facts.modality, "DX");
    must(nod_contract_apply(&k, &im, out, &err), &err);
    im.geometry.space = NOD_SPACE_NONE;
    k = parse("{\"size\":[1,1],\"normalisation\":\"none\",\"fit\":\"crop\",\"spacing\":1}");
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "does not say its own");
    nod_image_done(&im);
}

/* --- acceptance ------------------------------------------------------------------------------- */

static nod_contract fitted_on_two(nod_image *im)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k = parse("{\"size\":[10,24,20],\"normalisation\":\"none\"}");
    nod_contract_sums total = {0}, one;
    *im = field_image();
    strcpy(im->facts.modality, "MR");
    strcpy(im->facts.photometric, "MONOCHROME2");
    for (int i = 0; i < 2; i++) {
        im->geometry.spacing_mm[2] = i ? 3 : 2;
        must(nod_contract_measure(&k, im, &one, &err), &err);
        nod_contract_merge(&total, &one, 1);
    }
    must(nod_contract_fit(&k, &total, &err), &err);
    return k;
}

static void test_acceptance(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_image im, turned = {0};
    nod_contract k = fitted_on_two(&im), back;
    must(nod_contract_check(&k, &im, "x", &err), &err);
    im.geometry.spacing_mm[2] = 3.7; /* up to 3 * 1.25 */
    must(nod_contract_check(&k, &im, "x", &err), &err);
    im.geometry.spacing_mm[2] = 4;
    assert_int_equal(nod_contract_check(&k, &im, "x.nii", &err), NOD_EDATA);
    expect_in(err.message,
              "x.nii: not like the images of the training part: spacing 4 mm along "
              "k, made for 1.6 to 3.75 mm; field of view 40 mm along k, made for 16 "
              "to 37.5 mm");
    im.geometry.spacing_mm[2] = 3;
    strcpy(im.facts.modality, "CT");
    strcpy(im.facts.photometric, "RGB");
    assert_int_equal(nod_contract_check(&k, &im, "x", &err), NOD_EDATA);
    expect_in(err.message, "modality CT, made for MR");
    expect_in(err.message, "photometric interpretation RGB, made for MONOCHROME2");
    strcpy(im.facts.modality, "MR");
    strcpy(im.facts.photometric, "MONOCHROME2");
    must(nod_image_reorient(&im, "LAS", &turned, &err), &err);
    assert_int_equal(nod_contract_check(&k, &turned, "x", &err), NOD_EDATA);
    expect_in(err.message, "orientation LAS, made for LPS");
    strcpy(k.orientation, "LPS"); /* a contract that turns takes any */
    must(nod_contract_check(&k, &turned, "x", &err), &err);
    im.geometry.space = NOD_SPACE_NONE;
    assert_int_equal(nod_contract_check(&k, &im, "x", &err), NOD_EDATA);
    expect_in(err.message, "orientation unknown");
    expect_in(err.message, "spacing unknown");
    /* To the model file and back. */
    nod_json *j = nod_contract_to_json(&k);
    must(nod_contract_from_json(j, "input", &back, &err), &err);
    assert_int_equal(nod_contract_check(&back, &im, "x", &err), NOD_EDATA);
    nod_json_free(j);
    nod_image_done(&turned);
    nod_image_done(&im);
}

/* What one of the training images did not say is not judged; pictures leave nothing behind. */
static void test_acceptance_of_the_unknown(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_acceptance a = {0}, one;
    nod_image im = new_image(1, 1, 2, 2, NOD_SAMPLE_U8);
    nod_strlist why = NOD_STRLIST_INIT;
    im.geometry.space = NOD_SPACE_NONE;
    nod_acceptance_measure(&im, &one);
    nod_acceptance_merge(&a, &one);
    assert_null(nod_acceptance_to_json(&a, 2));
    strcpy(im.facts.modality, "CT");
    nod_acceptance_measure(&im, &one);
    nod_acceptance_merge(&a, &one);
    assert_false(nod_acceptance_judges(&a));
    strcpy(im.facts.modality, "MR");
    assert_int_equal(nod_acceptance_judge(&a, &im, false, &why), 0);
    static const char *const bad[] = {"{\"modality\":[]}",     "{\"modality\":[\"\"]}",
                                      "{\"spacing\":[[1,2]]}", "{\"extent\":[[2,1],[1,1]]}",
                                      "{\"images\":0}",        "{\"colour\":1}"};
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_json *j = NULL;
        must(nod_json_parse(bad[i], strlen(bad[i]), "t", &j, &err), &err);
        if (nod_acceptance_from_json(j, 2, "accepts", &a, &err) != NOD_ERECIPE)
            fail_msg("%s", bad[i]);
        nod_json_free(j);
    }
    nod_strlist_done(&why);
    nod_image_done(&im);
}

/* --- back to the source ------------------------------------------------------------------------ */

static nod_image box_on(const nod_geometry *g)
{
    nod_image mask = new_image(1, g->size[2], g->size[1], g->size[0], NOD_SAMPLE_U8);
    mask.geometry = *g;
    for (int64_t n = 0; n < nod_image_voxels(&mask); n++) {
        int64_t at[3] = {n % g->size[0], n / g->size[0] % g->size[1],
                         n / g->size[0] / g->size[1]};
        bool in = true;
        for (int a = 0; a < 3; a++)
            in = in && at[a] >= g->size[a] * 3 / 10 && at[a] <= g->size[a] * 6 / 10;
        ((uint8_t *)mask.data)[n] = in;
    }
    return mask;
}

static void centroid(const nod_image *im, double out[3])
{
    double sum[3] = {0}, count = 0;
    const int64_t *size = im->geometry.size;
    for (int64_t n = 0; n < nod_image_voxels(im); n++) {
        if (!((uint8_t *)im->data)[n]) continue;
        sum[0] += (double)(n % size[0]);
        sum[1] += (double)(n / size[0] % size[1]);
        sum[2] += (double)(n / size[0] / size[1]);
        count++;
    }
    for (int a = 0; a < 3; a++)
        out[a] = sum[a] / count;
}

/* A mask of the source through the grid of the contract and back: equal where voxels were only
 * turned, cropped and padded; else its centroid stays within a tenth of a voxel. */
static void test_restore(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    static const struct {
        const char *text;
        bool exact;
    } cases[] = {{"{\"size\":[10,24,20]}", true},
                 {"{\"size\":[8,20,16],\"fit\":\"crop\",\"orientation\":\"RAS\"}", true},
                 {"{\"size\":[30,30,30],\"fit\":\"crop\",\"orientation\":\"SAR\"}", true},
                 {"{\"size\":[10,24,20],\"pad\":[12,28,24]}", true},
                 {"{\"size\":[32,36,20],\"fit\":\"crop\",\"spacing\":1}", false},
                 {"{\"size\":[20,40,40]}", false},
                 {"{\"size\":[24,24,24],\"square\":true,\"pad\":28}", true}};
    nod_image im = field_image();
    nod_image mask = box_on(&im.geometry);
    double was[3], is[3];
    centroid(&mask, was);
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        nod_contract k = parse(cases[i].text);
        nod_image seen = {0}, back = {0};
        nod_geometry g;
        must(nod_contract_grid(&k, &im.geometry, &g, &err), &err);
        must(nod_image_resample_labels(&mask, &g, &seen, &err), &err);
        must(nod_contract_restore(&k, &im.geometry, &seen, true, &back, &err), &err);
        centroid(&back, is);
        for (int a = 0; a < 3; a++)
            assert_near(is[a], was[a], 0.1);
        if (cases[i].exact) assert_memory_equal(back.data, mask.data, nod_image_bytes(&mask));
        nod_image_done(&back);
        k.size[2]++;
        k.pad[2]++;
        assert_int_equal(nod_contract_restore(&k, &im.geometry, &seen, true, &back, &err),
                         NOD_ESHAPE);
        nod_image_done(&seen);
    }
    nod_image_done(&mask);
    nod_image_done(&im);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void test_json(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"size\":[4,4,4],\"fit\":\"crop\",\"spacing\":[3,1,1],\"orientation\":\"LPS\","
        "\"window\":[40,400],\"units\":\"hu\",\"modality\":\"CT\",\"frames\":\"mean\","
        "\"policies\":{\"gantry-tilt\":\"shear\"},\"statistics\":\"foreground\"}",
        "{\"size\":[4,4],\"clip\":[1,99],\"clip_by\":\"dataset\",\"clip_range\":[-5,70.5],"
        "\"frames\":\"all\",\"channels\":7,\"accepts\":{\"images\":3,\"modality\":[\"MR\"],"
        "\"spacing\":[[1,2],[0.5,0.5]],\"extent\":[[100,200],[100,200]]}}"};
    for (size_t i = 0; i < NOD_COUNT(good); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_contract k = parse(good[i]), back;
        nod_json *j = nod_contract_to_json(&k), *j2;
        char *a = NULL, *b = NULL;
        must(nod_contract_from_json(j, "input", &back, &err), &err);
        j2 = nod_contract_to_json(&back);
        must(nod_json_dump(j, false, &a, &err), &err);
        must(nod_json_dump(j2, false, &b, &err), &err);
        assert_string_equal(a, b);
        expect_in(a, i ? "\"clip_range\"" : "\"spacing\"");
        expect_in(a, i ? "\"accepts\"" : "\"gantry-tilt\"");
        free(a);
        free(b);
        nod_json_free(j);
        nod_json_free(j2);
    }
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"{\"size\":[4,4,4],\"spacing\":1}", "fit: crop"},
        {"{\"size\":[4,4,4],\"fit\":\"crop\",\"spacing\":[1,1]}", "3 dimensions"},
        {"{\"size\":[4,4,4],\"fit\":\"crop\",\"spacing\":0}", "millimetres"},
        {"{\"size\":[4,4,4],\"fit\":\"crop\",\"square\":true}", "fit: resize"},
        {"{\"size\":[4,4,4],\"orientation\":\"LPZ\"}", "'LPZ'"},
        {"{\"size\":[4,4],\"orientation\":\"LPS\"}", "volumes"},
        {"{\"size\":[4,4],\"window\":[40,0]}", "width"},
        {"{\"size\":[4,4],\"window\":[40,400],\"clip\":[1,99]}", "take one"},
        {"{\"size\":[4,4],\"clip\":[99,1]}", "percentiles"},
        {"{\"size\":[4,4],\"clip\":[1,2,3]}", "[low, high]"},
        {"{\"size\":[4,4],\"clip_by\":\"image\"}", "belongs to clip"},
        {"{\"size\":[4,4],\"clip\":[1,99],\"clip_range\":[1,2]}", "clip_by: dataset"},
        {"{\"size\":[4,4],\"units\":\"hu\"}", "belongs to window"},
        {"{\"size\":[4,4],\"normalisation\":\"none\",\"statistics\":\"all\"}", "normalisation"},
        {"{\"size\":[4,4],\"frames\":\"al\"}", "did you mean 'all'"},
        {"{\"size\":[4,4],\"frames\":\"all\",\"channels\":65}", "64"},
        {"{\"size\":[4,4],\"modality\":7}", "DICOM's codes"},
        {"{\"size\":[4,4],\"policies\":{\"gantry-tlit\":\"shear\"}}", "gantry-tilt"},
        {"{\"size\":[4,4],\"accepts\":{\"spacing\":[[1,2]]}}", "input.accepts"},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_contract k;
        if (parse_it(bad[i].text, &k, &err) != NOD_ERECIPE) fail_msg("%s", bad[i].text);
        expect_in(err.message, bad[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crop_in_millimetres),
        cmocka_unit_test(test_crop_extends),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_clip_by_dataset),
        cmocka_unit_test(test_foreground),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_modality),
        cmocka_unit_test(test_acceptance),
        cmocka_unit_test(test_acceptance_of_the_unknown),
        cmocka_unit_test(test_restore),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
