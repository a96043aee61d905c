/* Opening DICOM files: every encoding of a dataset, files that lie about theirs, and the limits.
 * Expected: the encodings are those of PS3.5 A and PS3.10 7.1, written out in dicom_bytes.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "dicom_bytes.h"
#include "imaging/dicom/file.h"
#include "temp_folder.h"

#define IMPLICIT "1.2.840.10008.1.2"
#define EXPLICIT "1.2.840.10008.1.2.1"
#define DEFLATED "1.2.840.10008.1.2.1.99"
#define BIG      "1.2.840.10008.1.2.2"
#define JPEG     "1.2.840.10008.1.2.4.50"
#define HTJ2K    "1.2.840.10008.1.2.4.201"

static void check_opens(const dicom_bytes *b, const char *syntax)
{
    for (int i = 0; i < 2; i++) {
        nod_error err = NOD_ERROR_INIT;
        nod_dicom_file *f = NULL;
        assert_true(nod_dicom_is(b->data, b->size));
        int rc = nod_dicom_file_open_memory(
            b->data, b->size, "x.dcm", i == 0 ? NOD_DICOM_HEADER : NOD_DICOM_WHOLE, &f, &err);
        if (rc != 0) fail_msg("%s", err.message);
        assert_string_equal(nod_dicom_file_syntax(f), syntax);
        assert_string_equal(nod_dicom_file_name(f), "x.dcm");
        nod_dicom_file_close(f);
    }
}

static void check_refused(const dicom_bytes *b, int code, const char *part)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *f = NULL;
    int rc = nod_dicom_file_open_memory(b->data, b->size, "x.dcm", NOD_DICOM_WHOLE, &f, &err);
    assert_null(f);
    if (strstr(err.message, part) == NULL) fail_msg("'%s' without '%s'", err.message, part);
    assert_non_null(strstr(err.message, "x.dcm"));
    assert_int_equal(rc, code);
}

static void add_image(dicom_bytes *b)
{
    static const uint8_t pixels[32];

    dicom_grey(b, 4, 4, 16);
    dicom_head(b, 0x7fe00010, "OW", sizeof pixels);
    dicom_raw(b, pixels, sizeof pixels);
}

static void test_encodings(void **state)
{
    static const struct {
        const char *syntax;
        bool big, implicit;
    } kinds[] = {{IMPLICIT, false, true}, {EXPLICIT, false, false}, {BIG, true, false}};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        dicom_bytes b = {.big = kinds[i].big, .implicit = kinds[i].implicit};
        dicom_meta(&b, kinds[i].syntax);
        add_image(&b);
        check_opens(&b, kinds[i].syntax);
        dicom_bytes_done(&b);
        /* without meta header, with and without preamble: found by looking */
        b = (dicom_bytes){.big = kinds[i].big, .implicit = kinds[i].implicit};
        add_image(&b);
        check_opens(&b, kinds[i].syntax);
        dicom_bytes with = {0};
        dicom_raw(&with, (uint8_t[128]){0}, 128);
        dicom_raw(&with, "DICM", 4);
        dicom_raw(&with, b.data, b.size);
        check_opens(&with, kinds[i].syntax);
        dicom_bytes_done(&with);
        dicom_bytes_done(&b);
    }
}

static void deflate_into(dicom_bytes *out, const dicom_bytes *plain)
{
    uint8_t packed[4096];
    z_stream z = {0};

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain->data;
    z.avail_in = (unsigned)plain->size;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    dicom_raw(out, packed, z.total_out);
    deflateEnd(&z);
}

static void test_deflated(void **state)
{
    dicom_bytes b = {0}, plain = {0};

    (void)state;
    add_image(&plain);
    dicom_meta(&b, DEFLATED);
    size_t head = b.size;
    deflate_into(&b, &plain);
    check_opens(&b, DEFLATED);
    b.data[head] = 0x07; /* a block type that does not exist, RFC 1951 3.2.3 */
    check_refused(&b, NOD_EFORMAT, "deflated dataset is damaged");
    dicom_bytes_done(&b);
    dicom_bytes_done(&plain);
}

static void test_mislabelled(void **state)
{
    static const char *const labels[] = {EXPLICIT, JPEG, IMPLICIT, HTJ2K};

    (void)state;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        dicom_bytes b = {.implicit = strcmp(labels[i], IMPLICIT) != 0};
        dicom_meta(&b, labels[i]);
        add_image(&b);
        check_opens(&b, labels[i]);
        dicom_bytes_done(&b);
    }
    assert_string_equal(nod_dicom_syntax_name(HTJ2K), "HTJ2K, lossless");
    assert_string_equal(nod_dicom_syntax_name("1.2.3"), "1.2.3");
}

static void test_refused(void **state)
{
    dicom_bytes b = {0};

    (void)state;
    dicom_raw(&b, "\x89PNG\r\n\x1a\n", 8);
    assert_false(nod_dicom_is(b.data, b.size));
    check_refused(&b, NOD_EFORMAT, "no DICOM file");
    dicom_bytes_done(&b);
    dicom_meta(&b, EXPLICIT);
    check_refused(&b, NOD_EFORMAT, "without a dataset");
    dicom_head(&b, 0x00080060, "CS", 100);
    check_refused(&b, NOD_EFORMAT, "ends too early");
    dicom_bytes_done(&b);

    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *f = NULL;
    assert_int_equal(nod_dicom_file_open("/nonexistent", NOD_DICOM_WHOLE, &f, &err),
                     NOD_ENOENT);
    assert_int_equal(nod_dicom_file_open("/", NOD_DICOM_WHOLE, &f, &err), NOD_EIO);
    nod_dicom_file_close(NULL);
}

/* A value of 4 GiB that is not there costs nothing. */
static void test_claimed_length(void **state)
{
    dicom_bytes b = {0};

    (void)state;
    dicom_meta(&b, EXPLICIT);
    dicom_grey(&b, 4, 4, 8);
    dicom_head(&b, 0x00420011, "OB", 0xfffffffeu);
    dicom_raw(&b, "abcd", 4);
    check_refused(&b, NOD_EFORMAT, "ends too early");
    dicom_bytes_done(&b);
}

/* Sequences within sequences: a parser that recurses would leave its stack. */
static void test_nesting(void **state)
{
    (void)state;
    for (int n = 8; n <= 2000000; n = n == 8 ? 2000000 : n + 1) {
        dicom_bytes b = {0};
        dicom_meta(&b, EXPLICIT);
        dicom_text(&b, 0x00080060, "CS", "CT");
        for (int i = 0; i < n; i++) {
            dicom_head(&b, 0x00081140, "SQ", 0xffffffffu);
            dicom_u32(&b, 0xe000fffeu);
            dicom_u32(&b, 0xffffffffu);
        }
        for (int i = 0; i < n && n == 8; i++) {
            dicom_u32(&b, 0xe00dfffeu);
            dicom_u32(&b, 0);
            dicom_u32(&b, 0xe0ddfffeu);
            dicom_u32(&b, 0);
        }
        if (n == 8)
            check_opens(&b, EXPLICIT);
        else
            check_refused(&b, NOD_ELIMIT, "deeper");
        dicom_bytes_done(&b);
    }
}

static void test_path(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_dicom_file *f = NULL;
    char *path = nod_path_join(*state, "a.dcm");
    dicom_bytes b = {0};

    assert_non_null(path);
    dicom_meta(&b, EXPLICIT);
    add_image(&b);
    assert_int_equal(nod_file_write(path, b.data, b.size, &err), 0);
    assert_int_equal(nod_dicom_file_open(path, NOD_DICOM_WHOLE, &f, &err), 0);
    assert_string_equal(nod_dicom_file_name(f), path);
    nod_dicom_file_close(f);
    dicom_bytes_done(&b);
    nod_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encodings),      cmocka_unit_test(test_deflated),
        cmocka_unit_test(test_mislabelled),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_claimed_length), cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_path),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
