/* Pixels of DICOM files: stored values and what they mean.
 *
 * Files and expected values: tools/oracles/dicom_golden.py (pydicom 3.0.2, pylibjpeg 2.1,
 * dcmtk 3.6.7, openjph 0.9). Lossless ones are exact by construction; lossy JPEG is pydicom's
 * decoding, within 2 grey levels since decoders may round differently. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "dicom_bytes.h"
#include "imaging/dicom/values.h"
#include "tensor/npz.h"

#define GOLDEN   "tests/golden/dicom/"
#define EXPLICIT "1.2.840.10008.1.2.1"

static double number_at(const void *data, nod_dicom_type type, size_t i)
{
    switch (type) {
    case NOD_DICOM_U8:
        return ((const uint8_t *)data)[i];
    case NOD_DICOM_I8:
        return ((const int8_t *)data)[i];
    case NOD_DICOM_U16:
        return ((const uint16_t *)data)[i];
    case NOD_DICOM_I16:
        return ((const int16_t *)data)[i];
    case NOD_DICOM_U32:
        return ((const uint32_t *)data)[i];
    case NOD_DICOM_I32:
        return ((const int32_t *)data)[i];
    case NOD_DICOM_F32:
        return (double)((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

static nod_dicom_file *open_golden(const char *array, size_t n_name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *file = NULL;
    char path[256];

    snprintf(path, sizeof path, GOLDEN "%.*s.dcm", (int)n_name, array);
    if (nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, &err) != 0)
        fail_msg("%s", err.message);
    return file;
}

static double *expected_of(nod_npz *z, const char *array, nod_tensor *out)
{
    nod_error err = NOD_ERROR_INIT;

    assert_int_equal(nod_npz_read(z, array, out, &err), 0);
    double *w = nod_calloc((size_t)nod_tensor_count(out), sizeof *w);
    assert_non_null(w);
    nod_tensor_to_f64(out, w);
    return w;
}

static void check_stored(nod_npz *z, const char *array, size_t n_name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_pixels *p = NULL;
    nod_tensor want = {0};
    double *w = expected_of(z, array, &want);
    nod_dicom_file *file = open_golden(array, n_name);
    if (nod_dicom_pixels_open(file, &p, &err) != 0) fail_msg("%s", err.message);
    const nod_dicom_layout *l = nod_dicom_pixels_layout(p);
    nod_shape got = nod_shape_of(4, l->frames, l->rows, l->columns, (int64_t)l->channels);
    if (!nod_shape_equal(&got, &want.shape)) fail_msg("%s: wrong shape", array);
    size_t n = l->frame_bytes / nod_dicom_type_bytes(l->type);
    void *frame = nod_malloc(l->frame_bytes);
    static const char *const lossy[] = {"jpeg_u8", "jpeg_ybr", "jpeg_rgb", "jpeg_422"};
    double near = 0;
    for (size_t i = 0; i < sizeof lossy / sizeof lossy[0]; i++)
        if (strncmp(array, lossy[i], strlen(lossy[i])) == 0) near = 2;
    for (int64_t f = l->frames - 1; f >= 0; f--) { /* any order */
        if (nod_dicom_pixels_read(p, f, 1, frame, &err) != 0) fail_msg("%s", err.message);
        for (size_t i = 0; i < n; i++) {
            double x = number_at(frame, l->type, i), y = w[(size_t)f * n + i];
            if (!(fabs(x - y) <= near))
                fail_msg("%s: sample %zu is %g, not %g", array, i, x, y);
        }
    }
    nod_free(frame);
    nod_free(w);
    nod_tensor_done(&want);
    nod_dicom_pixels_close(p);
    nod_dicom_file_close(file);
}

/* pydicom computes in double, so do we; the result is rounded to f32 once. */
static void check_real(nod_npz *z, const char *array, size_t n_name)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    nod_tensor want = {0};
    double *w = expected_of(z, array, &want);
    char path[256];

    snprintf(path, sizeof path, GOLDEN "%.*s.dcm", (int)n_name, array);
    if (nod_dicom_image_read(path, &im, &err) != 0) fail_msg("%s", err.message);
    nod_shape got = nod_shape_of(4, im.depth, im.height, im.width, (int64_t)im.channels);
    if (!nod_shape_equal(&got, &want.shape)) fail_msg("%s: wrong shape", array);
    for (int64_t i = 0; i < nod_image_samples(&im); i++) {
        double x = im.sample == NOD_SAMPLE_F32   ? (double)((float *)im.data)[i]
                   : im.sample == NOD_SAMPLE_U16 ? ((uint16_t *)im.data)[i]
                                                 : ((uint8_t *)im.data)[i];
        if (!(fabs(x - w[i]) <= 1e-6 * fabs(w[i])))
            fail_msg("%s: sample %lld is %.9g, not %.9g", array, (long long)i, x, w[i]);
    }
    nod_free(w);
    nod_tensor_done(&want);
    nod_image_done(&im);
}

static void test_golden_files(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    size_t n_stored = 0, n_real = 0;

    (void)state;
    assert_int_equal(nod_npz_open(GOLDEN "expected.npz", &z, &err), 0);
    for (size_t i = 0; i < nod_npz_count(z); i++) {
        const char *array = nod_npz_name(z, i), *dot = strrchr(array, '.');
        assert_non_null(dot);
        if (strcmp(dot, ".stored") == 0) {
            check_stored(z, array, (size_t)(dot - array));
            n_stored++;
        } else {
            check_real(z, array, (size_t)(dot - array));
            n_real++;
        }
    }
    assert_int_equal(n_stored, 46);
    assert_int_equal(n_real, 13);
    nod_npz_close(z);
}

static void check_meaning(const char *name, nod_units units, const char *unit, bool padding,
                          bool window)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_values *v = NULL;
    nod_dicom_file *file = open_golden(name, strlen(name));

    if (nod_dicom_values_open(file, &v, &err) != 0) fail_msg("%s", err.message);
    const nod_dicom_meaning *m = nod_dicom_values_meaning(v);
    assert_int_equal(m->units, units);
    assert_string_equal(m->unit, unit);
    assert_int_equal(m->has_padding, padding);
    assert_int_equal(m->has_window, window);
    nod_dicom_values_close(v);
    nod_dicom_file_close(file);
}

/* HU only of CT; windows only of projections FOR PRESENTATION. */
static void test_meanings(void **state)
{
    (void)state;
    check_meaning("ct_padding", NOD_UNITS_HU, "", true, false);
    check_meaning("enhanced_ct", NOD_UNITS_HU, "HU", false, false);
    check_meaning("mr_padding", NOD_UNITS_NONE, "", true, false);
    check_meaning("pt_slope", NOD_UNITS_NONE, "BQML", false, false);
    check_meaning("dx_linear", NOD_UNITS_NONE, "", false, true);
    check_meaning("mg_processing", NOD_UNITS_NONE, "", false, false);
    check_meaning("cr_voi_lut", NOD_UNITS_NONE, "", false, true);
}

/* Padding is told apart in the image, too, and left out of its lowest value. */
static void test_padding(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int n = 0;

    (void)state;
    assert_int_equal(nod_dicom_image_read(GOLDEN "ct_padding.dcm", &im, &err), 0);
    assert_int_equal(im.facts.units, NOD_UNITS_HU);
    for (int64_t i = 0; i < nod_image_voxels(&im); i++)
        n += nod_image_is_padding(&im, i);
    assert_int_equal(n, 16); /* 4 x 4, dicom_golden.py */
    nod_image_done(&im);
    assert_int_equal(nod_dicom_image_read(GOLDEN "pt_slope.dcm", &im, &err), 0);
    assert_null(im.padding);
    nod_image_done(&im);
}

static void check_refused(const dicom_bytes *b, int code, const char *part)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int rc = nod_dicom_image_parse(b->data, b->size, "x.dcm", &im, &err);

    if (rc == 0) fail_msg("accepted; '%s' expected", part);
    if (strstr(err.message, part) == NULL) fail_msg("'%s' without '%s'", err.message, part);
    assert_non_null(strstr(err.message, "x.dcm"));
    assert_int_equal(rc, code);
    assert_null(im.data);
}

/* A 4 x 4 image of 16 bits with one word of its header changed. */
static void check_header(uint32_t tag, unsigned value, int code, const char *part)
{
    static const uint8_t pixels[32];
    uint8_t key[4] = {(uint8_t)(tag >> 16), (uint8_t)(tag >> 24), (uint8_t)tag,
                      (uint8_t)(tag >> 8)};
    dicom_bytes b = {0};

    dicom_meta(&b, EXPLICIT);
    dicom_grey(&b, 4, 4, 16);
    dicom_head(&b, 0x7fe00010, "OW", sizeof pixels);
    dicom_raw(&b, pixels, sizeof pixels);
    uint8_t *at = memmem(b.data, b.size, key, sizeof key);
    assert_non_null(at);
    at[8] = (uint8_t)value;
    at[9] = (uint8_t)(value >> 8);
    check_refused(&b, code, part);
    dicom_bytes_done(&b);
}

static void test_refused_headers(void **state)
{
    dicom_bytes b = {0};

    (void)state;
    check_header(0x00280002, 4, NOD_EUNSUPPORTED, "4 samples a pixel");
    check_header(0x00280010, 0, NOD_EFORMAT, "0 rows");
    check_header(0x00280010, 5, NOD_EFORMAT, "32 bytes of pixels where 1 frames of 5 x 4");
    check_header(0x00280100, 12, NOD_EUNSUPPORTED, "samples of 12 bits");
    check_header(0x00280101, 17, NOD_EFORMAT, "17 bits stored in 16");
    check_header(0x00280102, 9, NOD_EFORMAT, "high bit 9 of 16");
    dicom_meta(&b, EXPLICIT);
    dicom_grey(&b, 4, 4, 16);
    check_refused(&b, NOD_EDATA, "no pixel data");
    dicom_bytes_done(&b);
    /* frames are counted before anything is taken for them */
    dicom_meta(&b, EXPLICIT);
    dicom_text(&b, 0x00280008, "IS", "999999999999");
    dicom_grey(&b, 4, 4, 8);
    dicom_head(&b, 0x7fe00010, "OB", 16);
    dicom_raw(&b, (uint8_t[16]){0}, 16);
    check_refused(&b, NOD_ELIMIT, "999999999999 frames");
    dicom_bytes_done(&b);
}

static void fragment(dicom_bytes *b, const void *bytes, uint32_t n)
{
    dicom_u32(b, 0xe000fffeu);
    dicom_u32(b, n);
    dicom_raw(b, bytes, n);
}

/* A codestream that is none, and an RLE frame whose segments lie. */
static void test_refused_codestreams(void **state)
{
    static const struct {
        const char *bytes;
        uint32_t n;
        int code;
        const char *part;
    } frames[] = {
        {"nonsense", 8, NOD_EUNSUPPORTED, "no codestream"},
        {"\xff\xd8\xff\xd9", 4, NOD_EFORMAT, "JPEG without a frame header"},
        {"\xff\x4f\xff\x51\0\0\0\0", 8, NOD_EFORMAT, "broken JPEG 2000: no image size"},
        {"\xff\xd8\xff\xf7\0\x0b\x08\0\x04\0\x04\x01\x01\x11\0\xff", 16, NOD_EFORMAT,
         "JPEG-LS"},
    };

    (void)state;
    for (size_t i = 0; i <= sizeof frames / sizeof frames[0]; i++) {
        uint8_t rle[80] = {1, 0, 0, 0, 64, 0, 0, 0};
        dicom_bytes b = {0};
        dicom_meta(&b, "1.2.840.10008.1.2.5");
        dicom_grey(&b, 4, 4, 8);
        dicom_head(&b, 0x7fe00010, "OB", 0xffffffffu);
        fragment(&b, "", 0);
        if (i < sizeof frames / sizeof frames[0])
            fragment(&b, frames[i].bytes, frames[i].n);
        else
            fragment(&b, rle, sizeof rle); /* 16 zeros: eight literals of one byte */
        dicom_u32(&b, 0xe0ddfffeu);
        dicom_u32(&b, 0);
        if (i < sizeof frames / sizeof frames[0])
            check_refused(&b, frames[i].code, frames[i].part);
        else
            check_refused(&b, NOD_EFORMAT, "RLE segment 0 ends after 8 of 16 samples");
        dicom_bytes_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files),
        cmocka_unit_test(test_meanings),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_refused_headers),
        cmocka_unit_test(test_refused_codestreams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
