/* test_mask.c: which images are label maps, and what their values become. */
#include "cohort_maker.h"
#include "data/mask.h"

enum { SIDE = 4 };

/* A NIfTI-1 file of SIDE^2 x 1 voxels of this type: 348 bytes of header, 4 of padding, the voxels.
 * Source: nifti1.h, offsets of its fields. */
static const char *write_nifti(char path[512], const char *folder, int16_t datatype,
                               int16_t bits, const void *voxels, size_t size)
{
    uint8_t file[352 + 4 * SIDE * SIDE] = {0};
    const int32_t header = 348;
    const int16_t dim[8] = {3, SIDE, SIDE, 1, 1, 1, 1, 1};
    const float pixdim[8] = {1, 1, 1, 1, 1, 1, 1, 1}, offset = 352;
    nod_error err = NOD_ERROR_INIT;
    memcpy(file, &header, 4);
    memcpy(file + 40, dim, sizeof dim);
    memcpy(file + 70, &datatype, 2);
    memcpy(file + 72, &bits, 2);
    memcpy(file + 76, pixdim, sizeof pixdim);
    memcpy(file + 108, &offset, 4);
    memcpy(file + 344, "n+1", 4);
    memcpy(file + 352, voxels, size);
    temp_path(path, folder, "mask.nii");
    if (nod_file_write(path, file, 352 + size, &err) != 0) fail_msg("%s", err.message);
    return path;
}

static const char *write_floats(char path[512], const char *folder, float a, float b)
{
    float v[SIDE * SIDE] = {0};
    v[5] = a;
    v[9] = b;
    return write_nifti(path, folder, 16, 32, v, sizeof v);
}

static void check(const char *path, nod_sample sample, int64_t largest, double at5, double at9)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int64_t top = -1;
    double sum = 0;
    if (nod_mask_read(path, NULL, &im, &top, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(top, largest);
    assert_int_equal(im.sample, sample);
    for (int64_t k = 0; k < SIDE * SIDE; k++)
        sum += nod_image_value(&im, k);
    assert_true(sum == at5 + at9);
    nod_image_done(&im);
}

static void refused(const char *path, const char *want)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int64_t top = -1;
    assert_int_equal(nod_mask_read(path, NULL, &im, &top, &err), NOD_EDATA);
    expect_in(err.message, want);
    expect_in(err.message, path);
    assert_null(im.data);
    assert_int_equal(top, -1);
}

static void test_values(void **state)
{
    char path[512];
    check(write_floats(path, *state, 0, 0), NOD_SAMPLE_U8, 0, 0, 0);
    check(write_floats(path, *state, 1, 2), NOD_SAMPLE_U8, 2, 1, 2);
    check(write_floats(path, *state, 1, 300), NOD_SAMPLE_U16, 300, 1, 300);
    check(write_floats(path, *state, 1, 1023), NOD_SAMPLE_U16, 1023, 1, 1023);
    check(write_floats(path, *state, 255, 255), NOD_SAMPLE_U8, 1, 1, 1); /* a picture */
    check(write_floats(path, *state, 255, 1), NOD_SAMPLE_U8, 255, 255, 1);
}

static void test_what_is_no_label_map(void **state)
{
    char path[512], dir[600];
    int8_t bytes[SIDE * SIDE] = {0};
    refused(write_floats(path, *state, 1, 0.5F),
            "is 0.5; label maps hold whole numbers from 0");
    refused(write_floats(path, *state, 1, 1024),
            "has the value 1024; a label map has 1023 at most");
    bytes[3] = -1;
    refused(write_nifti(path, *state, 256, 8, bytes, sizeof bytes), "voxel 3 is -1");
    /* Grey levels of a smoothed mask, as resizing with interpolation leaves them, are whole numbers too:
     * they pass here and are refused where the data set names fewer values. */
    snprintf(dir, sizeof dir, "%s", (const char *)*state);
    write_png(dir, "grey.png", SIDE, SIDE, 3, false);
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int64_t top;
    temp_path(path, *state, "grey.png");
    assert_int_equal(nod_mask_read(path, NULL, &im, &top, &err), 0);
    nod_image_done(&im);
    temp_path(path, *state, "absent.nii");
    assert_int_equal(nod_mask_read(path, NULL, &im, &top, &err), NOD_ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_what_is_no_label_map),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
