/* test_volume_oom.c: volume formats when memory is refused at any point: an error, nothing leaked,
 * outputs untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "imaging/montage.h"
#include "imaging/nifti/nifti.h"
#include "temp_folder.h"

/* Reads, and writes what was read, until no allocation is refused. libdeflate and zlib are shared
 * libraries and allocate by themselves. */
static void run(const char *in, const char *out)
{
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        nod_image im = {0};
        nod_findings f = {0};
        nod_policies p = nod_policies_preset();
        p.of[NOD_FINDING_NOT_FINITE] = NOD_POLICY_ACCEPT;
        int rc = nod_image_read(in, &p, &f, &im, &err);
        if (rc != 0) assert_null(im.data);
        if (rc == 0) rc = nod_nifti_write(out, &im, &err);
        bool refused = fail_alloc_stop();
        if (!refused) assert_int_equal(rc, 0);
        if (rc != 0) assert_true(strlen(err.message) > 0);
        nod_findings_done(&f);
        nod_image_done(&im);
    }
}

static void test_nifti(void **state)
{
    static const char *const files[] = {"u1_le.nii", "pair.hdr", "pair_packed.img.gz",
                                        "frames.nii.gz", "f4_2be.nii.gz"};
    char in[512], out[512];
    for (size_t i = 0; i < NOD_COUNT(files); i++) {
        temp_path(in, "tests/golden/nifti", files[i]);
        run(in, temp_path(out, *state, "x.nii"));
        run(in, temp_path(out, *state, "x.nii.gz"));
    }
}

static void test_itk(void **state)
{
    static const char *const files[] = {"f4.mha",   "apart_mhd_packed.mhd", "frames.mha",
                                        "rgb.nrrd", "vector5.nrrd",         "skips.nhdr"};
    char in[512], out[512];
    for (size_t i = 0; i < NOD_COUNT(files); i++)
        run(temp_path(in, "tests/golden/itk", files[i]), temp_path(out, *state, "x.nii"));
}

/* NaN that become padding, and a finding. */
static void test_padding(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b;
    char in[512], out[512];
    assert_int_equal(nod_file_read("tests/golden/nifti/f4_le.nii", 1 << 20, &b, &err), 0);
    memset(b.data + 352, 0xff, 4);
    assert_int_equal(nod_file_write(temp_path(in, *state, "nan.nii"), b.data, b.size, &err), 0);
    nod_bytes_done(&b);
    run(in, temp_path(out, *state, "x.nii"));
}

static void test_montage(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_montage_options o = NOD_MONTAGE_OPTIONS_INIT;
    nod_image im = {0};
    (void)state;
    o.plane = NOD_PLANE_CORONAL;
    assert_int_equal(nod_image_read("tests/golden/nifti/frames.nii.gz", NULL, NULL, &im, &err),
                     0);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_image picture = {0};
        double window[2];
        int rc = nod_image_montage(&im, &o, &picture, window, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        if (rc) assert_null(picture.data);
        nod_image_done(&picture);
    }
    nod_image_done(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nifti), cmocka_unit_test(test_itk),
                                       cmocka_unit_test(test_padding),
                                       cmocka_unit_test(test_montage)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
