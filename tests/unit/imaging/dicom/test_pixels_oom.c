/* test_pixels_oom.c: DICOM images when memory is refused at any point: an error, nothing leaked,
 * outputs untouched. DCMTK, OpenJPEG and C++ allocate by themselves; what is refused here is what our
 * own C code asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "imaging/dicom/values.h"

static void test_read(void **state)
{
    static const char *const files[] = {"ct_padding", "dx_linear", "palette", "cr_voi_lut",
                                        "jls_rgb",    "rle_rgb",   "bits"};
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[128];
        snprintf(path, sizeof path, "tests/golden/dicom/%s.dcm", files[f]);
        long n = 0;
        for (; fail_alloc_round(n); n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_image im = {0};
            int rc = nod_dicom_image_read(path, &im, &err);
            bool refused = fail_alloc_stop();
            assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
            if (refused) {
                assert_null(im.data);
                assert_true(strlen(err.message) > 0);
            }
            nod_image_done(&im);
        }
        assert_true(n >= 3); /* the reading, a frame, the image */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
