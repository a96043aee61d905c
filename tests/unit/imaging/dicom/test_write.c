/* test_write.c: DICOM files from plain structs: what is refused, equal bytes, UIDs. Objects are
 * checked against the standard by tests/cli/synth.sh, where dciodvfy is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "imaging/dicom/file.h"
#include "imaging/dicom/write.h"
#include "temp_folder.h"

enum { ROWS = 5, COLUMNS = 7 };
static const uint16_t pixels[ROWS * COLUMNS] = {0x0102, 0x0304, 4095, 0, 17};

static nod_dicom_image small(nod_dicom_object object)
{
    nod_dicom_image im = nod_dicom_image_defaults(object);
    im.patient_id = "p1";
    im.study_uid = "2.25.1";
    im.series_uid = "2.25.2";
    im.sop_uid = "2.25.3";
    im.frame_of_reference_uid = "2.25.4";
    im.image_type = "ORIGINAL\\PRIMARY";
    im.rows = ROWS;
    im.columns = COLUMNS;
    im.pixels = pixels;
    im.orientation[0][0] = im.orientation[1][1] = 1;
    im.spacing_mm[0] = im.spacing_mm[1] = 0.5;
    return im;
}

static nod_bytes written(const char *path, const nod_dicom_image *im)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b = {0};
    if (nod_dicom_image_write(path, im, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    return b;
}

static bool has(const nod_bytes *b, const void *what, size_t n)
{
    return memmem(b->data, b->size, what, n) != NULL;
}

/* Preamble, DICM, the meta header's first element; elements as PS3.5 7.1.2 encodes them; the pixels
 * last, little endian. */
static void test_bytes(void **state)
{
    char path[512], other[512];
    static const char *const classes[NOD_DICOM_OBJECTS] = {
        /* PS3.4 B.5 */
        "1.2.840.10008.5.1.4.1.1.2",   "1.2.840.10008.5.1.4.1.1.4",
        "1.2.840.10008.5.1.4.1.1.1",   "1.2.840.10008.5.1.4.1.1.1.1",
        "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.7"};
    static const uint8_t group_length[] = {2, 0, 0, 0, 'U', 'L', 4, 0};
    static const uint8_t rows[] = {0x28, 0, 0x10, 0, 'U', 'S', 2, 0, ROWS, 0};
    static const uint8_t last[] = {0xe0, 0x7f, 0x10, 0, 'O', 'W', 0, 0,
                                   70,   0,    0,    0, 2,   1,   4, 3};
    for (int k = 0; k < NOD_DICOM_OBJECTS; k++) {
        nod_dicom_image im = small((nod_dicom_object)k);
        nod_bytes a = written(temp_path(path, *state, "a.dcm"), &im);
        nod_bytes b = written(temp_path(other, *state, "b.dcm"), &im);
        assert_true(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
        assert_memory_equal(a.data + 128, "DICM", 4);
        assert_memory_equal(a.data + 132, group_length, sizeof group_length);
        assert_true(has(&a, classes[k], strlen(classes[k])));
        assert_true(has(&a, rows, sizeof rows));
        assert_memory_equal(a.data + a.size - sizeof pixels - 12, last, sizeof last);
        nod_bytes_done(&a);
        nod_bytes_done(&b);
    }
}

static void test_opens(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_image im = small(NOD_DICOM_MG);
    nod_dicom_file *f = NULL;
    im.view = "MLO";
    im.laterality = 'R';
    nod_bytes b = written(temp_path(path, *state, "mg.dcm"), &im);
    nod_bytes_done(&b);
    assert_int_equal(nod_dicom_file_open(path, NOD_DICOM_WHOLE, &f, &err), 0);
    assert_string_equal(nod_dicom_file_syntax(f), "1.2.840.10008.1.2.1");
    nod_dicom_file_close(f);
}

static void refused(const char *path, const nod_dicom_image *im, const char *field)
{
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_dicom_image_write(path, im, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, field));
    assert_false(nod_path_exists(path));
}

#define REFUSED(object, change, field)        \
    do {                                      \
        nod_dicom_image im = small((object)); \
        im.change;                            \
        refused(path, &im, field);            \
    } while (0)

static void test_refusals(void **state)
{
    char path[512];
    temp_path(path, *state, "never.dcm");
    REFUSED(NOD_DICOM_MR, study_uid = NULL, "study_uid");
    REFUSED(NOD_DICOM_MR, series_uid = "1.02.3", "series_uid"); /* a leading zero */
    REFUSED(NOD_DICOM_MR, sop_uid = "1..3", "sop_uid");
    REFUSED(NOD_DICOM_MR, sop_uid = "1.3.", "sop_uid");
    REFUSED(NOD_DICOM_MR, sop_uid = "1.3x", "sop_uid");
    REFUSED(NOD_DICOM_CT, frame_of_reference_uid = NULL, "frame_of_reference_uid");
    REFUSED(NOD_DICOM_MR, image_type = "", "image_type");
    REFUSED(NOD_DICOM_MR, rows = 0, "rows");
    REFUSED(NOD_DICOM_MR, columns = 65536, "columns");
    REFUSED(NOD_DICOM_MR, bits_stored = 17, "bits_stored");
    REFUSED(NOD_DICOM_MR, pixels = NULL, "pixels");
    REFUSED(NOD_DICOM_MR, spacing_mm[1] = 0, "spacing_mm");
    REFUSED(NOD_DICOM_MR, spacing_mm[0] = 0.0 / 0.0, "spacing_mm");
    REFUSED(NOD_DICOM_MR, position_mm[2] = 1.0 / 0.0, "position_mm");
    REFUSED(NOD_DICOM_MR, orientation[1][1] = 2, "orientation");
    REFUSED(NOD_DICOM_CT, slope = 0, "slope");
    REFUSED(NOD_DICOM_OBJECTS, rows = 4, "object");
    nod_dicom_image im = small(NOD_DICOM_MR);
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_dicom_image_write("/no/such/folder/x.dcm", &im, &err), NOD_ENOENT);
}

/* Expected: Python 3, hashlib.sha256(name).digest()[:16] as a number, version 8, variant 10. */
static void test_uid(void **state)
{
    char uid[NOD_DICOM_UID_BYTES];
    nod_error err = NOD_ERROR_INIT;
    (void)state;
    assert_int_equal(nod_dicom_uid_of("study", uid, &err), 0);
    assert_string_equal(uid, "2.25.16656513221310906142190689844187831961");
    assert_int_equal(nod_dicom_uid_of("", uid, &err), 0);
    assert_string_equal(uid, "2.25.302652579918966106791432553938847512868");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_opens),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_uid),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
