/* test_contract_oom.c: the contract when memory is refused at any point: an error, nothing leaked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/threads.h"
#include "fail_alloc.h"
#include "imaging/contract.h"

static const char *const texts[] = {
    "{\"size\":[5,6,7],\"fit\":\"crop\",\"spacing\":[1.5,null,0.7],\"orientation\":\"SAR\","
    "\"clip\":[1,99],\"frames\":\"mean\",\"normalisation\":\"image\","
    "\"statistics\":\"foreground\"}",
    "{\"size\":[6,8,8],\"square\":true,\"pad\":[8,8,8],\"pool\":2,\"frames\":\"all\","
    "\"channels\":2,\"normalisation\":\"none\"}"};

static nod_image make(void)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    assert_int_equal(nod_image_init_frames(&im, 2, 4, 5, 6, 1, NOD_SAMPLE_U16, &err), 0);
    im.geometry.space = NOD_SPACE_PATIENT;
    strcpy(im.facts.modality, "MR");
    for (int64_t i = 0; i < nod_image_voxels(&im); i++)
        ((uint16_t *)im.data)[i] = (uint16_t)(i * 37 % 101);
    assert_int_equal(nod_image_set_padding(&im, 7, &err), 0);
    return im;
}

static void test_all(void **state)
{
    (void)state;
    nod_image im = make();
    nod_threads_set(1);
    for (size_t t = 0; t < NOD_COUNT(texts); t++) {
        nod_error err = NOD_ERROR_INIT;
        nod_json *j = NULL;
        nod_contract k;
        float out[512];
        assert_int_equal(nod_json_parse(texts[t], strlen(texts[t]), "t", &j, &err), 0);
        assert_int_equal(nod_contract_from_json(j, "input", &k, &err), 0);
        assert_true(nod_contract_samples(&k) <= 512);
        nod_json_free(j);
        for (long n = 0; fail_alloc_round(n); n++) {
            nod_contract_sums sums;
            nod_geometry g;
            nod_image seen = {0}, back = {0};
            int rc = nod_contract_apply(&k, &im, out, &err);
            if (!rc) rc = nod_contract_measure(&k, &im, &sums, &err);
            if (!rc) rc = nod_contract_grid(&k, &im.geometry, &g, &err);
            if (!rc)
                rc = nod_image_init(&seen, g.size[2], g.size[1], g.size[0], 1, NOD_SAMPLE_U8,
                                    &err);
            if (!rc) rc = nod_contract_restore(&k, &im.geometry, &seen, t == 0, &back, &err);
            assert_int_equal(rc, fail_alloc_stop() ? NOD_ENOMEM : 0);
            if (rc) assert_null(back.data);
            nod_image_done(&seen);
            nod_image_done(&back);
        }
    }
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
