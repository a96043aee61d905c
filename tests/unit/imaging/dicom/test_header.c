/* test_header.c: headers of files made byte by byte. Expected values are those that were written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dicom_bytes.h"
#include "imaging/dicom/header.h"

#define EXPLICIT "1.2.840.10008.1.2.1"
#define OPEN     0xffffffffu

static nod_error err;
static dicom_bytes bytes;
static nod_dicom_header h;

static int begin(void **state)
{
    (void)state;
    bytes = (dicom_bytes){0};
    nod_dicom_header_clear(&h);
    dicom_meta(&bytes, EXPLICIT);
    return 0;
}

static int end(void **state)
{
    (void)state;
    nod_dicom_header_done(&h);
    dicom_bytes_done(&bytes);
    return 0;
}

static int read_header(void)
{
    nod_dicom_file *file = NULL;
    int rc = nod_dicom_file_open_memory(bytes.data, bytes.size, "made.dcm", NOD_DICOM_HEADER,
                                        &file, &err);
    if (rc == 0) rc = nod_dicom_header_read(file, &h, &err);
    nod_dicom_file_close(file);
    return rc;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) < 1e-9)) fail_msg("%.12g, not %.12g", a, b);
}

/* Sequences of one item, of undefined length. */
static void open_item(uint32_t tag)
{
    if (tag) dicom_head(&bytes, tag, "SQ", OPEN);
    dicom_u16(&bytes, 0xfffe);
    dicom_u16(&bytes, 0xe000);
    dicom_u32(&bytes, OPEN);
}

static void close_item(bool sequence_too)
{
    for (unsigned e = 0xe00d; e <= (sequence_too ? 0xe0ddu : 0xe00du); e += 0xd0) {
        dicom_u16(&bytes, 0xfffe);
        dicom_u16(&bytes, e);
        dicom_u32(&bytes, 0);
    }
}

static void fd(uint32_t tag, double v)
{
    dicom_head(&bytes, tag, "FD", 8);
    dicom_raw(&bytes, &v, sizeof v);
}

static void test_plain(void **state)
{
    (void)state;
    dicom_text(&bytes, 0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
    dicom_text(&bytes, 0x00080032, "TM", "101530.250000");
    dicom_text(&bytes, 0x0008103e, "LO", "t1 axial");
    dicom_text(&bytes, 0x00100020, "LO", "P\xe9 1"); /* Latin-1 */
    dicom_text(&bytes, 0x00100021, "LO", "issuer");
    dicom_text(&bytes, 0x00120062, "CS", "YES");
    dicom_text(&bytes, 0x00180081, "DS", "12.5");
    dicom_text(&bytes, 0x00181060, "DS", "330");
    dicom_text(&bytes, 0x0020000d, "UI", "1.2.3");
    dicom_text(&bytes, 0x00200012, "IS", "7");
    dicom_text(&bytes, 0x00200013, "IS", "-3");
    dicom_text(&bytes, 0x00200032, "DS", "-1.5\\2e1\\+30");
    dicom_text(&bytes, 0x00200037, "DS", "1\\0\\0\\0\\0.6\\0.8");
    dicom_text(&bytes, 0x00200100, "IS", "4");
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280030, "DS", "0.7\\0.5");
    dicom_text(&bytes, 0x00280301, "CS", "YES");
    dicom_text(&bytes, 0x00281052, "DS", "-1024");
    dicom_text(&bytes, 0x00281053, "DS", "2.5");
    dicom_text(&bytes, 0x00282110, "CS", "01");
    assert_int_equal(read_header(), 0);
    assert_true(h.is_image);
    assert_int_equal(h.rows, 20);
    assert_int_equal(h.columns, 30);
    assert_int_equal(h.n_frames, 1);
    assert_int_equal(h.instance_number, -3);
    assert_string_equal(h.patient_id, "P\xc3\xa9 1");
    assert_string_equal(h.patient_issuer, "issuer");
    assert_string_equal(h.study_uid, "1.2.3");
    assert_string_equal(h.series_description, "t1 axial");
    assert_string_equal(h.transfer_syntax, EXPLICIT);
    assert_true(h.identity_removed && h.burned_in && h.lossy);
    assert_true(nod_dicom_header_has_type(&h, "AXIAL"));
    assert_false(nod_dicom_header_has_type(&h, "AXIA"));
    const nod_dicom_frame *f = &h.frames[0];
    assert_true(f->has_position && f->has_orientation && f->has_spacing);
    near(f->position_mm[0], -1.5);
    near(f->position_mm[1], 20);
    near(f->position_mm[2], 30);
    near(f->orientation[1][2], 0.8);
    near(f->spacing_mm[0], 0.7);
    near(f->spacing_mm[1], 0.5);
    near(f->slope, 2.5);
    near(f->intercept, -1024);
    near(f->echo_time_ms, 12.5);
    near(f->trigger_time_ms, 330);
    near(f->acquisition_time_s, 10 * 3600 + 15 * 60 + 30.25);
    assert_int_equal(f->temporal_position, 4);
    assert_int_equal(f->acquisition_number, 7);
    assert_true(isnan(f->b_value));
    assert_string_equal(f->type, "ORIGINAL\\PRIMARY\\AXIAL");
}

/* Values that are no numbers, no unit vectors or no lengths are as good as absent. */
static void test_nonsense(void **state)
{
    (void)state;
    dicom_text(&bytes, 0x00180081, "DS", "fast");
    dicom_text(&bytes, 0x00200013, "IS", "99999999999");
    dicom_text(&bytes, 0x00200032, "DS", "1\\2");
    dicom_text(&bytes, 0x00200037, "DS", "1\\0\\0\\1\\0\\0");
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280030, "DS", "0\\-1");
    assert_int_equal(read_header(), 0);
    const nod_dicom_frame *f = &h.frames[0];
    assert_false(f->has_position || f->has_orientation || f->has_spacing);
    assert_true(isnan(f->echo_time_ms));
    assert_int_equal(h.instance_number, NOD_DICOM_NO_INT);
    assert_int_equal(h.calibration, NOD_DICOM_SPACING_NONE);
}

static void test_no_image(void **state)
{
    (void)state;
    dicom_text(&bytes, 0x00080060, "CS", "SR");
    assert_int_equal(read_header(), 0);
    assert_false(h.is_image);
    assert_int_equal(h.n_frames, 0);
    assert_null(h.frames);
}

/* Imager spacing alone is at the detector, so is an equal pixel spacing; another one is calibrated. */
static void test_projection_spacing(void **state)
{
    static const struct {
        const char *pixel, *imager;
        nod_dicom_calibration calibration;
        double row_mm;
    } cases[] = {
        {NULL, "0.2\\0.1", NOD_DICOM_SPACING_DETECTOR, 0.2},
        {"0.2\\0.1", "0.2\\0.1", NOD_DICOM_SPACING_DETECTOR, 0.2},
        {"0.15\\0.1", "0.2\\0.1", NOD_DICOM_SPACING_CALIBRATED, 0.15},
        {"0.15\\0.1", NULL, NOD_DICOM_SPACING_CALIBRATED, 0.15},
        {NULL, NULL, NOD_DICOM_SPACING_NONE, 0},
    };
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        end(state);
        begin(state);
        if (cases[i].imager) dicom_text(&bytes, 0x00181164, "DS", cases[i].imager);
        dicom_grey(&bytes, 20, 30, 12);
        if (cases[i].pixel) dicom_text(&bytes, 0x00280030, "DS", cases[i].pixel);
        assert_int_equal(read_header(), 0);
        assert_int_equal(h.calibration, cases[i].calibration);
        near(h.projection_spacing_mm[0], cases[i].row_mm);
    }
}

/* Ultrasound: regions in centimetres of one scale are calibrated, of two scales nothing is known. */
static void test_regions(void **state)
{
    for (int two = 0; two < 2; two++) {
        end(state);
        begin(state);
        for (int i = 0; i <= two; i++) {
            open_item(i ? 0 : 0x00186011);
            dicom_us(&bytes, 0x00186012, 1);
            dicom_us(&bytes, 0x00186024, 3);
            dicom_us(&bytes, 0x00186026, 3);
            fd(0x0018602c, 0.01 + 0.01 * i);
            fd(0x0018602e, 0.02);
            close_item(i == two);
        }
        dicom_grey(&bytes, 20, 30, 8);
        assert_int_equal(read_header(), 0);
        assert_int_equal(h.calibration,
                         two ? NOD_DICOM_SPACING_NONE : NOD_DICOM_SPACING_CALIBRATED);
        if (two) continue;
        near(h.projection_spacing_mm[0], 0.2);
        near(h.projection_spacing_mm[1], 0.1);
    }
}

/* Shared groups hold for all frames, those of a frame for it. */
static void test_functional_groups(void **state)
{
    (void)state;
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280008, "IS", "2");
    open_item(0x52009229);
    open_item(0x00209116);
    dicom_text(&bytes, 0x00200037, "DS", "0\\1\\0\\0\\0\\-1");
    close_item(true);
    open_item(0x00289110);
    dicom_text(&bytes, 0x00280030, "DS", "0.7\\0.5");
    close_item(true);
    close_item(true);
    for (int i = 0; i < 2; i++) {
        open_item(i ? 0 : 0x52009230);
        open_item(0x00209113);
        dicom_text(&bytes, 0x00200032, "DS", i ? "3\\0\\0" : "0\\0\\0");
        close_item(true);
        open_item(0x00209111);
        dicom_text(&bytes, 0x00209056, "SH", "stack");
        dicom_head(&bytes, 0x00209157, "UL", 8);
        dicom_u32(&bytes, 1);
        dicom_u32(&bytes, 5 + (uint32_t)i);
        close_item(true);
        open_item(0x00189117);
        fd(0x00189087, 500 * i);
        close_item(true);
        open_item(0x0040a730); /* no group of frames: what is inside is not theirs */
        dicom_text(&bytes, 0x00281053, "DS", "99");
        close_item(true);
        close_item(i == 1);
    }
    assert_int_equal(read_header(), 0);
    assert_int_equal(h.n_frames, 2);
    for (int i = 0; i < 2; i++) {
        const nod_dicom_frame *f = &h.frames[i];
        near(f->position_mm[0], 3 * i);
        near(f->orientation[1][2], -1);
        near(f->spacing_mm[0], 0.7);
        near(f->b_value, 500 * i);
        near(f->slope, 1);
        assert_string_equal(f->stack, "stack");
        assert_int_equal(f->n_indices, 2);
        assert_int_equal(f->indices[1], 5 + i);
        assert_int_equal(f->instance_number, i + 1);
    }
}

/* What makers wrote before there was a tag counts only under their name. */
static void test_private(void **state)
{
    for (int named = 0; named < 2; named++) {
        end(state);
        begin(state);
        dicom_grey(&bytes, 20, 30, 12);
        dicom_text(&bytes, 0x00430010, "LO", named ? "GEMS_PARM_01" : "SOMEBODY ELSE");
        dicom_text(&bytes, 0x00431039, "IS", "1000000800\\8\\0\\0");
        assert_int_equal(read_header(), 0);
        if (named)
            near(h.frames[0].b_value, 800);
        else
            assert_true(isnan(h.frames[0].b_value));
    }
}

/* Places of the planes of a dose grid follow from offsets along the normal. */
static void test_offsets(void **state)
{
    (void)state;
    dicom_text(&bytes, 0x00200032, "DS", "1\\2\\3");
    dicom_text(&bytes, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280008, "IS", "3");
    dicom_text(&bytes, 0x3004000c, "DS", "0\\2.5\\5");
    assert_int_equal(read_header(), 0);
    near(h.frames[0].position_mm[2], 3);
    near(h.frames[2].position_mm[2], 8);
    assert_true(h.frames[2].has_position);
}

static void test_refused(void **state)
{
    (void)state;
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280008, "IS", "100000");
    assert_int_equal(read_header(), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "claims 100000 frames"));
    assert_null(h.frames);
    end(state);
    begin(state);
    dicom_grey(&bytes, 20, 30, 12);
    dicom_text(&bytes, 0x00280008, "IS", "2");
    open_item(0x52009230);
    close_item(true);
    assert_int_equal(read_header(), NOD_EFORMAT);
    assert_non_null(strstr(err.message, "2 frames, but functional groups for 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, begin, end),
        cmocka_unit_test_setup_teardown(test_nonsense, begin, end),
        cmocka_unit_test_setup_teardown(test_no_image, begin, end),
        cmocka_unit_test_setup_teardown(test_projection_spacing, begin, end),
        cmocka_unit_test_setup_teardown(test_regions, begin, end),
        cmocka_unit_test_setup_teardown(test_functional_groups, begin, end),
        cmocka_unit_test_setup_teardown(test_private, begin, end),
        cmocka_unit_test_setup_teardown(test_offsets, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
