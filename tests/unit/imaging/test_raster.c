/* test_raster.c: PNG, JPEG and TIFF files decode to what they hold; broken ones are refused.
 *
 * Files and expected samples: tools/oracles/images.py. PNG and TIFF are exact, their contents
 * being known from how the files were put together; JPEG is Pillow 13.0.0's decoding, within 2
 * grey levels since decoders may round differently. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "imaging/reader.h"
#include "temp_folder.h"
#include "tensor/npz.h"

#define GOLDEN "tests/golden/images/"

static nod_bytes read_golden(const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char path[512];
    nod_bytes b;
    temp_path(path, GOLDEN, name);
    if (nod_file_read(path, 1 << 20, &b, &err) != 0) fail_msg("%s", err.message);
    return b;
}

static double sample(const nod_image *im, int64_t k)
{
    return im->sample == NOD_SAMPLE_U8    ? ((uint8_t *)im->data)[k]
           : im->sample == NOD_SAMPLE_U16 ? ((uint16_t *)im->data)[k]
                                          : (double)((float *)im->data)[k];
}

static void test_golden_files(void **state)
{
    static const nod_dtype dtypes[] = {NOD_DTYPE_U8, NOD_DTYPE_U16, NOD_DTYPE_F32};
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    (void)state;
    assert_int_equal(nod_npz_open(GOLDEN "expected.npz", &z, &err), 0);
    assert_int_equal(nod_npz_count(z), 72);
    for (size_t i = 0; i < nod_npz_count(z); i++) {
        const char *name = nod_npz_name(z, i);
        nod_bytes b = read_golden(name);
        nod_image im = {0};
        nod_tensor want = {0};
        assert_true(nod_image_is_known(b.data, b.size));
        if (nod_image_parse(b.data, b.size, name, NULL, NULL, &im, &err) != 0)
            fail_msg("%s", err.message);
        assert_int_equal(nod_npz_read(z, name, &want, &err), 0);
        nod_shape got = nod_shape_of(4, im.depth, im.height, im.width, (int64_t)im.channels);
        if (!nod_shape_equal(&got, &want.shape) || dtypes[im.sample] != want.dtype)
            fail_msg("%s: wrong shape or sample type", name);
        double *w = nod_calloc((size_t)nod_tensor_count(&want), sizeof *w);
        nod_tensor_to_f64(&want, w);
        double near = strstr(name, "jp") != NULL ? 2 : 0;
        for (int64_t k = 0; k < nod_image_samples(&im); k++)
            if (!(fabs(sample(&im, k) - w[k]) <= near))
                fail_msg("%s: sample %lld is %g, not %g", name, (long long)k, sample(&im, k),
                         w[k]);
        nod_free(w);
        nod_tensor_done(&want);
        nod_image_done(&im);
        nod_bytes_done(&b);
    }
    nod_npz_close(z);
}

/* A file cut anywhere: an error with the file's name. Only a JPEG that lacks its end marker is
 * whole all the same. */
static void test_cut_files(void **state)
{
    static const char *const files[] = {"rgb8.png",          "grey16_adam7.png",
                                        "palette4_trns.png", "rgb420.jpg",
                                        "rgb_restart.jpg",   "rgb422_progressive.jpg",
                                        "cmyk.jpg",          "grey8_strips_lzw.tif",
                                        "rgb8_planes.tif",   "f32_mm_tiles_deflate.tif",
                                        "pages16.tif",       "rgb8_jpeg.tif"};
    (void)state;
    for (size_t f = 0; f < NOD_COUNT(files); f++) {
        nod_bytes b = read_golden(files[f]);
        nod_image whole = {0};
        nod_error err = NOD_ERROR_INIT;
        size_t n_accepted = 0;
        assert_int_equal(nod_image_parse(b.data, b.size, files[f], NULL, NULL, &whole, &err),
                         0);
        for (size_t n = 0; n < b.size; n++) {
            uint8_t *exact = nod_memdup(b.data, n); /* reads past the end show under ASan */
            nod_image im = {0};
            if (nod_image_parse(exact, n, files[f], NULL, NULL, &im, &err) == 0) {
                n_accepted++;
                assert_int_equal(nod_image_bytes(&im), nod_image_bytes(&whole));
                assert_memory_equal(im.data, whole.data, nod_image_bytes(&im));
                nod_image_done(&im);
            } else {
                assert_null(im.data);
                assert_non_null(strstr(err.message, files[f]));
            }
            nod_free(exact);
        }
        if (n_accepted > (strstr(files[f], ".tif") ? 4 : 2))
            fail_msg("%s: %zu cuts were accepted", files[f], n_accepted);
        nod_image_done(&whole);
        nod_bytes_done(&b);
    }
}

/* Every byte of every file replaced in turn: no crash, whatever the verdict. */
static void test_changed_bytes(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    (void)state;
    assert_int_equal(nod_dir_list(GOLDEN, &names, &err), 0);
    for (size_t f = 0; f < names.n; f++) {
        nod_bytes b = read_golden(names.items[f]);
        if (b.size > 4096) { /* the two .npz */
            nod_bytes_done(&b);
            continue;
        }
        for (size_t i = 0; i < b.size; i++)
            for (int k = 0; k < 2; k++) {
                nod_image im = {0};
                uint8_t old = b.data[i];
                b.data[i] = k == 0 ? (uint8_t)(old ^ 0x80) : 0xff;
                if (nod_image_parse(b.data, b.size, "changed", NULL, NULL, &im, &err) == 0) {
                    char hash[65];
                    assert_int_equal(nod_image_pixel_hash(&im, hash, &err), 0);
                    nod_image_done(&im);
                }
                b.data[i] = old;
            }
        nod_bytes_done(&b);
    }
    nod_strlist_done(&names);
}

static void expect_refused(const void *bytes, size_t size, int code, const char *words)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    int rc = nod_image_parse(bytes, size, "x.img", NULL, NULL, &im, &err);
    if (rc != code || strstr(err.message, words) == NULL ||
        strstr(err.message, "x.img") == NULL || im.data != NULL)
        fail_msg("wanted \"%s\", got %d \"%s\"", words, rc, err.message);
}

/* A good file with one number changed by hand. */
static void expect_refused_edit(const char *file, size_t at, const char *edit, size_t n,
                                int code, const char *words)
{
    nod_bytes b = read_golden(file);
    assert_true(at + n <= b.size);
    memcpy(b.data + at, edit, n);
    expect_refused(b.data, b.size, code, words);
    nod_bytes_done(&b);
}

/* Offset of the value field of a tag of the only directory of a little-endian TIFF. */
static size_t tiff_value(const nod_bytes *b, unsigned tag)
{
    uint32_t at;
    memcpy(&at, b->data + 4, 4);
    for (size_t i = at + 2;; i += 12) {
        assert_true(i + 12 <= b->size);
        if (b->data[i] + 256u * b->data[i + 1] == tag) return i + 8;
    }
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refused("", 0, NOD_EFORMAT, "empty");
    expect_refused("hello, world", 12, NOD_EFORMAT, "none of DICOM, PNG, JPEG, TIFF, NIfTI, ");
    assert_false(nod_image_is_known("GIF89a", 6));
    expect_refused("\x89PNG\r\n\x1a\n", 8, NOD_EFORMAT, "cut off");
    expect_refused("\xff\xd8\xff\xe0", 4, NOD_EFORMAT, "x.img");
    expect_refused("II*\0\0\0\0\0", 8, NOD_EFORMAT, "TIFF");
    /* CRC of the first chunk, then a wrong type of chunk data. */
    expect_refused_edit("rgb8.png", 29, "\1\2\3\4", 4, NOD_EFORMAT, "CRC");
    /* JPEG of 12 bit, of lossless type, of 65500 x 65500 pixels in 1 kB, of 2 components. */
    nod_bytes b = read_golden("rgb420.jpg");
    uint8_t *sof = memmem(b.data, b.size, "\xff\xc0", 2);
    assert_non_null(sof);
    size_t at = (size_t)(sof - b.data);
    nod_bytes_done(&b);
    expect_refused_edit("rgb420.jpg", at + 4, "\x0c", 1, NOD_EUNSUPPORTED, "12 bits");
    expect_refused_edit("rgb420.jpg", at + 1, "\xc3", 1, NOD_EUNSUPPORTED, "lossless");
    expect_refused_edit("rgb420.jpg", at + 5, "\xff\xdc\xff\xdc", 4, NOD_EFORMAT,
                        "cannot hold");
    expect_refused_edit("rgb420.jpg", at + 5, "\xff\xff\xff\xff", 4, NOD_ELIMIT, "65535");
    expect_refused_edit("rgb420.jpg", at + 9, "\2", 1, NOD_EUNSUPPORTED, "2 components");
    expect_refused_edit("rgb420.jpg", at + 5, "\0\0", 2, NOD_EFORMAT, "pixels");
    /* TIFF: sides, compression, bits, photometric type, orientation. */
    static const struct {
        unsigned tag;
        uint32_t value;
        int code;
        const char *words;
    } edits[] = {{256, 0x7fffffff, NOD_ELIMIT, "65500 a side"},
                 {257, 60000, NOD_EFORMAT, "cannot hold"},
                 {256, 0, NOD_EFORMAT, "TIFF"},
                 {259, 4, NOD_EUNSUPPORTED, "compression 4"},
                 {258, 12, NOD_EUNSUPPORTED, "12 bit"},
                 {262, 8, NOD_EUNSUPPORTED, "photometric type 8"},
                 {274, 6, NOD_EUNSUPPORTED, "orientation"},
                 {273, 0x7fffffff, NOD_EFORMAT, "strip"}};
    for (size_t i = 0; i < NOD_COUNT(edits); i++) {
        const char *file =
            edits[i].tag == 274 ? "rgb8_orientation2.tif" : "grey8.tif"; /* has the tag */
        b = read_golden(file);
        memcpy(b.data + tiff_value(&b, edits[i].tag), &edits[i].value, 4);
        expect_refused(b.data, b.size, edits[i].code, edits[i].words);
        nod_bytes_done(&b);
    }
    /* A directory that points to itself. */
    b = read_golden("grey8.tif");
    uint32_t first;
    memcpy(&first, b.data + 4, 4);
    memcpy(b.data + first + 2 + 12 * b.data[first], &first, 4);
    expect_refused(b.data, b.size, NOD_EFORMAT, "page 2");
    nod_bytes_done(&b);
}

static void test_png_round_trip(void **state)
{
    static const char *const files[] = {"grey8_adam7.png", "grey16.png", "grey8_alpha.png",
                                        "rgb8.png",        "rgb16.png",  "rgba8.png",
                                        "rgba16_adam7.png"};
    char path[512];
    temp_path(path, *state, "x.png");
    for (size_t f = 0; f < NOD_COUNT(files); f++) {
        nod_error err = NOD_ERROR_INIT;
        nod_image a = {0}, c = {0};
        nod_bytes b = read_golden(files[f]), first, second;
        assert_int_equal(nod_image_parse(b.data, b.size, files[f], NULL, NULL, &a, &err), 0);
        assert_int_equal(nod_image_write_png(path, &a, &err), 0);
        assert_int_equal(nod_file_read(path, 1 << 20, &first, &err), 0);
        assert_int_equal(nod_image_write_png(path, &a, &err), 0);
        assert_int_equal(nod_file_read(path, 1 << 20, &second, &err), 0);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
        assert_int_equal(nod_image_read(path, NULL, NULL, &c, &err), 0);
        assert_int_equal(c.channels, a.channels);
        assert_int_equal(c.sample, a.sample);
        assert_int_equal(nod_image_bytes(&c), nod_image_bytes(&a));
        assert_memory_equal(c.data, a.data, nod_image_bytes(&a));
        nod_image_done(&a);
        nod_image_done(&c);
        nod_bytes_done(&b);
        nod_bytes_done(&first);
        nod_bytes_done(&second);
    }
    nod_error err = NOD_ERROR_INIT;
    nod_image v = {0};
    assert_int_equal(nod_image_init(&v, 2, 3, 3, 1, NOD_SAMPLE_U8, &err), 0);
    assert_int_equal(nod_image_write_png(path, &v, &err), NOD_EINVAL);
    v.depth = 1;
    assert_int_equal(nod_image_write_png("/no/such/folder/x.png", &v, &err), NOD_ENOENT);
    if (nod_path_exists("/dev/full"))
        assert_int_equal(nod_image_write_png("/dev/full", &v, &err), NOD_EIO);
    nod_image_done(&v);
    assert_int_equal(nod_image_read("/no/such.png", NULL, NULL, &v, &err), NOD_ENOENT);
}

/* Real pictures; skipped where ../shared/data is absent. */
static size_t read_folder(const char *data, const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    nod_strlist names = NOD_STRLIST_INIT;
    char dir[512], path[1024];
    temp_path(dir, data, folder);
    if (nod_dir_list(dir, &names, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < names.n; i++) {
        nod_image im = {0};
        snprintf(path, sizeof path, "%s/%s", dir, names.items[i]);
        if (nod_image_read(path, NULL, NULL, &im, &err) != 0) fail_msg("%s", err.message);
        nod_image_done(&im);
    }
    size_t n = names.n;
    nod_strlist_done(&names);
    return n;
}

static void test_real_files(void **state)
{
    (void)state;
    const char *data = getenv("NODULE_DATA");
    if (data == NULL) data = "../shared/data";
    if (!nod_path_is_dir(data)) data = "../../shared/data";
    if (!nod_path_is_dir(data)) {
        print_message("SKIPPED: no ../shared/data here, and NODULE_DATA is not set\n");
        skip();
    }
    assert_int_equal(read_folder(data, "brain_tumor_yesno/yes"), 155);
    assert_int_equal(read_folder(data, "brain_tumor_yesno/no"), 98);
    assert_int_equal(read_folder(data, "chest_xray_lungs/images"), 138);
    assert_int_equal(read_folder(data, "chest_xray_lungs/masks"), 138);
    assert_int_equal(read_folder(data, "isbi2012/train/image"), 30);
    assert_int_equal(read_folder(data, "isbi2012/train/label"), 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files),   cmocka_unit_test(test_cut_files),
        cmocka_unit_test(test_changed_bytes),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_png_round_trip), cmocka_unit_test(test_real_files),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
