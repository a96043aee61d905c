/* test_contract.c: the preprocessing contract; expected numbers are closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "imaging/contract.h"

static nod_image image(int64_t d, int64_t h, int64_t w, int channels, nod_sample sample)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    if (nod_image_init(&im, d, h, w, channels, sample, &err) != 0) fail_msg("%s", err.message);
    return im;
}

static void expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) fail_msg("'%s' not in: %s", part, text);
}

static void apply(const nod_contract *k, const nod_image *im, float *out)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_contract_apply(k, im, out, &err) != 0) fail_msg("%s", err.message);
}

static void assert_near(float got, double want, double tolerance)
{
    if (!(fabs((double)got - want) <= tolerance)) fail_msg("%.9g, not %.9g", (double)got, want);
}

static void test_identity_and_scaling(void **state)
{
    (void)state;
    nod_contract k;
    float out[6];
    nod_image im = image(1, 2, 3, 1, NOD_SAMPLE_U8);
    for (int i = 0; i < 6; i++)
        ((uint8_t *)im.data)[i] = (uint8_t)(51 * i);
    nod_contract_init(&k, 2, 1, 2, 3);
    k.normalisation = NOD_NORMALISATION_NONE;
    assert_int_equal(nod_contract_samples(&k), 6);
    apply(&k, &im, out);
    for (int i = 0; i < 6; i++)
        assert_near(out[i], 0.2 * i, 1e-7);
    k.scaling = NOD_SCALING_STORED;
    apply(&k, &im, out);
    for (int i = 0; i < 6; i++)
        assert_near(out[i], 51.0 * i, 1e-4);
    nod_image_done(&im);

    im = image(1, 2, 3, 1, NOD_SAMPLE_U16);
    ((uint16_t *)im.data)[4] = 65535;
    ((uint16_t *)im.data)[5] = 1000;
    apply(&k, &im, out);
    assert_near(out[4], 65535, 1e-2);
    assert_near(out[5], 1000, 1e-3);
    nod_image_done(&im);
}

/* Figure 4 of the seed: 28^3 padded to 30 and averaged by 3 to 10^3. The first block holds 8
 * voxels of the image (one plane of zeros on each side) of 27; an inner block all 27. */
static void test_pad_and_pool(void **state)
{
    (void)state;
    nod_contract k;
    static float out[1000];
    int64_t size[3];
    nod_image im = image(28, 28, 28, 1, NOD_SAMPLE_U8);
    memset(im.data, 255, nod_image_bytes(&im));
    nod_contract_init(&k, 3, 28, 28, 28);
    k.normalisation = NOD_NORMALISATION_NONE;
    for (int i = 0; i < 3; i++) {
        k.pad[i] = 30;
        k.pool[i] = 3;
    }
    nod_contract_result(&k, size);
    assert_int_equal(size[0], 10);
    assert_int_equal(nod_contract_samples(&k), 1000);
    apply(&k, &im, out);
    assert_near(out[0], 8.0 / 27, 1e-7);            /* a corner */
    assert_near(out[999], 8.0 / 27, 1e-7);          /* the opposite one */
    assert_near(out[5], 12.0 / 27, 1e-7);           /* an edge: 2 * 2 * 3 */
    assert_near(out[5 * 100 + 5], 18.0 / 27, 1e-7); /* z 5, y 0, x 5: a face, 3 * 2 * 3 */
    assert_near(out[555], 1.0, 1e-7);
    nod_image_done(&im);
}

/* Where the padding goes: an odd rest behind; positions are kept in order. */
static void test_pad_keeps_order(void **state)
{
    (void)state;
    nod_contract k;
    float out[4 * 6];
    nod_image im = image(1, 1, 3, 1, NOD_SAMPLE_U8);
    const uint8_t v[] = {51, 102, 153};
    memcpy(im.data, v, 3);
    nod_contract_init(&k, 2, 1, 1, 3);
    k.normalisation = NOD_NORMALISATION_NONE;
    k.pad[1] = 4;
    k.pad[2] = 6;
    apply(&k, &im, out);
    for (int i = 0; i < 24; i++) {
        int y = i / 6, x = i % 6;
        assert_near(out[i], y == 1 && x >= 1 && x <= 3 ? v[x - 1] / 255.0 : 0, 1e-7);
    }
    nod_image_done(&im);
}

/* A 2x4 image made square is 4x4 with a row of zeros above and below; without it is stretched. */
static void test_square(void **state)
{
    (void)state;
    nod_contract k;
    float out[16];
    nod_image im = image(1, 2, 4, 1, NOD_SAMPLE_U8);
    memset(im.data, 255, 8);
    nod_contract_init(&k, 2, 1, 4, 4);
    k.normalisation = NOD_NORMALISATION_NONE;
    k.square = true;
    apply(&k, &im, out);
    for (int i = 0; i < 16; i++)
        assert_near(out[i], i / 4 == 1 || i / 4 == 2 ? 1 : 0, 0);
    k.square = false;
    apply(&k, &im, out);
    for (int i = 0; i < 16; i++)
        assert_near(out[i], 1, 1e-6);
    nod_image_done(&im);
}

static void test_image_normalisation(void **state)
{
    (void)state;
    nod_contract k;
    float out[4];
    nod_image im = image(1, 2, 2, 1, NOD_SAMPLE_F32);
    const float v[] = {1, 2, 3, 4}; /* mean 2.5, population sd sqrt(1.25) */
    memcpy(im.data, v, sizeof v);
    nod_contract_init(&k, 2, 1, 2, 2);
    k.normalisation = NOD_NORMALISATION_IMAGE;
    apply(&k, &im, out);
    for (int i = 0; i < 4; i++)
        assert_near(out[i], (i - 1.5) / sqrt(1.25), 1e-6);
    for (int i = 0; i < 4; i++)
        ((float *)im.data)[i] = 7; /* constant: zeros */
    apply(&k, &im, out);
    for (int i = 0; i < 4; i++)
        assert_near(out[i], 0, 0);
    ((float *)im.data)[2] = INFINITY;
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_ENUMERIC);
    nod_image_done(&im);
}

/* Two colour images: mean and sd of each channel over the pixels of both, by hand. */
static void test_fit(void **state)
{
    (void)state;
    nod_contract k;
    nod_error err = NOD_ERROR_INIT;
    nod_contract_sums total = {0}, one;
    float out[6];
    nod_contract_init(&k, 2, 1, 1, 2);
    k.channels = 3;
    nod_image im = image(1, 1, 2, 3, NOD_SAMPLE_U8);
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EINVAL); /* not fitted */
    const uint8_t a[] = {0, 255, 51, 255, 255, 51}, b[] = {0, 0, 102, 255, 0, 204};
    memcpy(im.data, a, sizeof a);
    assert_int_equal(nod_contract_measure(&k, &im, &one, &err), 0);
    nod_contract_merge(&total, &one, 3);
    memcpy(im.data, b, sizeof b);
    assert_int_equal(nod_contract_measure(&k, &im, &one, &err), 0);
    nod_contract_merge(&total, &one, 3);
    assert_int_equal(nod_contract_fit(&k, &total, &err), 0);
    /* red 0 1 0 1; green 1 1 0 0; blue .2 .2 .4 .8: mean .4, variance (.04+.04+0+.16)/4 */
    static const double mean[] = {0.5, 0.5, 0.4};
    const double sd[] = {0.5, 0.5, sqrt(0.06)};
    for (int c = 0; c < 3; c++)
        assert_true(fabs(k.mean[c] - mean[c]) < 1e-7 && fabs(k.sd[c] - sd[c]) < 1e-7);
    apply(&k, &im, out); /* planes: red, green, blue */
    assert_near(out[0], -1, 1e-6);
    assert_near(out[1], 1, 1e-6);
    assert_near(out[5], 0.4 / sqrt(0.06), 1e-6);
    nod_image_done(&im);

    nod_contract_sums flat = {.n = {10, 10, 10}, .mean = {1, 1, 1}, .m2 = {5, 0, 5}};
    k.fitted = false;
    assert_int_equal(nod_contract_fit(&k, &flat, &err), NOD_EDATA);
    assert_false(k.fitted);
    expect_in(err.message, "channel 1");
}

static void test_planes_and_volumes(void **state)
{
    (void)state;
    nod_contract k;
    nod_error err = NOD_ERROR_INIT;
    float out[64];
    nod_image im = image(4, 4, 4, 1, NOD_SAMPLE_U8);
    nod_contract_init(&k, 2, 1, 4, 4);
    k.normalisation = NOD_NORMALISATION_NONE;
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "planes");
    nod_image_done(&im);
    im = image(1, 4, 4, 1, NOD_SAMPLE_U8);
    nod_contract_init(&k, 3, 4, 4, 4);
    k.normalisation = NOD_NORMALISATION_NONE;
    assert_int_equal(nod_contract_apply(&k, &im, out, &err), NOD_EDATA);
    expect_in(err.message, "volumes");
    nod_image_done(&im);
}

/* --- JSON --------------------------------------------------------------------------------- */

static int parse(const char *text, nod_contract *k, nod_error *err)
{
    nod_json *j = NULL;
    if (nod_json_parse(text, strlen(text), "t", &j, err) != 0) fail_msg("%s", err->message);
    int rc = nod_contract_from_json(j, "input", k, err);
    nod_json_free(j);
    return rc;
}

static void test_json_round_trip(void **state)
{
    (void)state;
    nod_error err = NOD_ERROR_INIT;
    nod_contract k, back;
    assert_int_equal(parse("{\"size\":[28,28,28],\"pad\":[30,30,30],\"pool\":3,\"channels\":1,"
                           "\"interpolation\":\"cubic\",\"scaling\":\"stored\",\"square\":true,"
                           "\"normalisation\":\"dataset\",\"mean\":[0.1],\"sd\":[0.3]}",
                           &k, &err),
                     0);
    assert_int_equal(k.dims, 3);
    assert_int_equal(k.pool[2], 3);
    assert_true(k.fitted && k.mean[0] == 0.1 && k.sd[0] == 0.3);
    nod_json *j = nod_contract_to_json(&k);
    assert_int_equal(nod_contract_from_json(j, "input", &back, &err), 0);
    nod_json *j2 = nod_contract_to_json(&back);
    char *a = NULL, *b = NULL;
    assert_int_equal(nod_json_dump(j, false, &a, &err), 0);
    assert_int_equal(nod_json_dump(j2, false, &b, &err), 0);
    assert_string_equal(a, b);
    free(a);
    free(b);
    nod_json_free(j);
    nod_json_free(j2);

    assert_int_equal(parse("{\"size\":[5,7]}", &k, &err), 0); /* the defaults */
    assert_int_equal(k.dims, 2);
    assert_int_equal(k.size[0], 1);
    assert_int_equal(k.size[2], 7);
    assert_int_equal(k.pad[1], 5);
    assert_int_equal(k.pad[0], 1);
    assert_int_equal(k.channels, 1);
    assert_int_equal(k.normalisation, NOD_NORMALISATION_DATASET);
    assert_false(k.fitted);
}

static void test_json_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"{}", "input.size"},
        {"{\"size\":28}", "input.size"},
        {"{\"size\":[1,2,3,4]}", "input.size"},
        {"{\"size\":[0,4]}", "input.size"},
        {"{\"size\":[4,5000]}", "4096"},
        {"{\"size\":[4096,4096,4096]}", "too many"},
        {"{\"size\":[4,4],\"chanels\":1}", "did you mean 'channels'"},
        {"{\"size\":[4,4],\"channels\":2}", "1 (grey) or 3"},
        {"{\"size\":[4,4],\"interpolation\":\"linaer\"}", "did you mean 'linear'"},
        {"{\"size\":[4,4],\"pad\":[3,4]}", "input.pad"},
        {"{\"size\":[4,4],\"pool\":3}", "does not divide"},
        {"{\"size\":[4,4],\"mean\":[1]}", "input.sd"},
        {"{\"size\":[4,4],\"mean\":[1],\"sd\":[0]}", "positive"},
        {"{\"size\":[4,4],\"mean\":[1,2],\"sd\":[1,1]}", "list of 1"},
        {"{\"size\":[4,4],\"normalisation\":\"image\",\"mean\":[1],\"sd\":[1]}", "dataset"},
        {"[]", "mapping"},
    };
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_contract k = {.dims = 77};
        int rc = parse(bad[i].text, &k, &err);
        if (rc != NOD_ERECIPE) fail_msg("%s: %d", bad[i].text, rc);
        expect_in(err.message, bad[i].part);
        assert_int_equal(k.dims, 77); /* untouched */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_and_scaling), cmocka_unit_test(test_pad_and_pool),
        cmocka_unit_test(test_pad_keeps_order),      cmocka_unit_test(test_square),
        cmocka_unit_test(test_image_normalisation),  cmocka_unit_test(test_fit),
        cmocka_unit_test(test_planes_and_volumes),   cmocka_unit_test(test_json_round_trip),
        cmocka_unit_test(test_json_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
