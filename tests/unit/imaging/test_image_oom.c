/* test_image_oom.c: pictures and resizing when memory is refused at any point: an error,
 * nothing leaked, outputs untouched. The codecs are shared libraries and allocate by
 * themselves; what is refused here is what our own code asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fail_alloc.h"
#include "imaging/reader.h"
#include "imaging/resize.h"
#include "temp_folder.h"

static void test_read_and_write(void **state)
{
    static const char *const files[] = {"rgba16_adam7.png",  "cmyk.jpg",
                                        "rgb420_no_end.jpg", "rgb8_planes.tif",
                                        "pages16.tif",       "f32_mm_tiles_deflate.tif"};
    char path[512], out[512];
    temp_path(out, *state, "x.png");
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        temp_path(path, "tests/golden/images", files[f]);
        for (long n = 0; fail_alloc_round(n); n++) {
            nod_error err = NOD_ERROR_INIT;
            nod_image im = {0};
            char hash[65];
            int rc = nod_image_read(path, NULL, NULL, &im, &err);
            if (rc != 0) assert_null(im.data);
            if (rc == 0 && im.depth == 1 && im.sample != NOD_SAMPLE_F32)
                rc = nod_image_write_png(out, &im, &err);
            if (rc == 0) rc = nod_image_pixel_hash(&im, hash, &err);
            bool refused = fail_alloc_stop();
            if (!refused) assert_int_equal(rc, 0);
            if (rc != 0) assert_true(strlen(err.message) > 0);
            nod_image_done(&im);
        }
    }
}

static void test_resize(void **state)
{
    float src[60], dst[210];
    const int64_t in[3] = {3, 4, 5}, out[3] = {5, 6, 7};
    (void)state;
    memset(src, 0, sizeof src);
    for (long n = 0; fail_alloc_round(n); n++) {
        nod_error err = NOD_ERROR_INIT;
        dst[0] = dst[209] = 9;
        int rc = nod_resize_f32(src, in, dst, out, NOD_INTERP_CUBIC, &err);
        bool refused = fail_alloc_stop();
        assert_int_equal(rc, refused ? NOD_ENOMEM : 0);
        if (refused) assert_true(dst[0] == 9 && dst[209] == 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read_and_write),
                                       cmocka_unit_test(test_resize)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
