/* test_deid_parts.c: the parts of de-identification that know no files: dates, terms, codestreams, the
 * table, UIDs under a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imaging/dicom/codestream.h"
#include "imaging/dicom/deid_dates.h"
#include "imaging/dicom/deid_table.h"
#include "imaging/dicom/deid_terms.h"
#include "imaging/dicom/write.h"

static nod_error err;

/* --- dates ---------------------------------------------------------------------------------------- */

static void check_moved(bool (*move)(const char *, int, nod_strbuf *), const char *values,
                        int days, const char *wanted)
{
    nod_strbuf b = NOD_STRBUF_INIT;
    bool moved = move(values, days, &b);
    if (moved != (wanted != NULL)) fail_msg("%s: moved %d", values, moved);
    if (wanted) assert_string_equal(b.data, wanted);
    nod_strbuf_done(&b);
}

/* Expected days: Python's datetime.date. */
static void test_dates(void **state)
{
    (void)state;
    check_moved(nod_deid_move_dates, "20240301", -1, "20240229");
    check_moved(nod_deid_move_dates, "20000301", -366, "19990301");
    check_moved(nod_deid_move_dates, "20230517", -1234, "20191230");
    check_moved(nod_deid_move_dates, "19000301", -1, "19000228");
    check_moved(nod_deid_move_dates, "20240229", -1461, "20200229");
    check_moved(nod_deid_move_dates, "19991231", 1, "20000101");
    check_moved(nod_deid_move_dates, "2023.05.17", -1234, "20191230");
    check_moved(nod_deid_move_dates, "20240301\\20000301", -1, "20240229\\20000229");
    check_moved(nod_deid_move_dates, "20240301\\", -1, "20240229\\");
    check_moved(nod_deid_move_dates, "20230229", -1, NULL); /* there was no such day */
    check_moved(nod_deid_move_dates, "20231301", -1, NULL);
    check_moved(nod_deid_move_dates, "2023051", -1, NULL);
    check_moved(nod_deid_move_dates, "DOE", -1, NULL);
    check_moved(nod_deid_move_dates, "20230517DOE", -1, NULL);
    check_moved(nod_deid_move_dates, "00010101", -1, NULL); /* before the first year */
}

static void test_times(void **state)
{
    (void)state;
    check_moved(nod_deid_move_times, "20230517101112.123456", -1234, "20191230101112.123456");
    check_moved(nod_deid_move_times, "20230517101112+0200", -1234, "20191230101112");
    check_moved(nod_deid_move_times, "20230517", -1234, "20191230");
    check_moved(nod_deid_move_times, "2001", -400,
                "2000"); /* its middle, 1 July, goes to May */
    check_moved(nod_deid_move_times, "200107", -400, "200006"); /* 15 July to 10 June */
    check_moved(nod_deid_move_times, "20230517101112.DOE", -1, NULL);
    check_moved(nod_deid_move_times, "20230517101112.", -1, NULL);
    check_moved(nod_deid_move_times, "20230517101112+DOE1", -1, NULL);
    check_moved(nod_deid_move_times, "202305171", -1, NULL);
    assert_true(nod_deid_is_time("101112.123\\10:11:12"));
    assert_false(nod_deid_is_time("101112 DOE"));
}

/* --- terms ---------------------------------------------------------------------------------------- */

static void test_terms(void **state)
{
    nod_deid_terms t = {0};
    (void)state;
    assert_int_equal(nod_deid_terms_add_name(&t, "Doe^John^A=D\xc3\xb6^", &err), 0);
    assert_int_equal(nod_deid_terms_add_name(&t, "Anonymous^Test", &err), 0);
    assert_int_equal(nod_deid_terms_add_words(&t, "20230517\\1.2.3.4", &err), 0);
    assert_int_equal(nod_deid_terms_add_numbers(&t, "86753099\\17\\123", &err), 0);
    assert_int_equal(nod_deid_terms_add_places(&t, "ACME", &err), 0);
    assert_int_equal(t.parts.n, 3); /* Doe, John, Dö (three bytes); "A" is too short */
    assert_int_equal(t.numbers.n, 1);
    assert_true(nod_deid_terms_match(&t, "seen by DOE, MD", NOD_DEID_TEXT));
    assert_true(nod_deid_terms_match(&t, "x_john_y", NOD_DEID_TEXT)); /* '_' ends a word */
    assert_false(nod_deid_terms_match(&t, "doer johnson", NOD_DEID_TEXT));
    assert_true(nod_deid_terms_match(&t, "no. 86753099.", NOD_DEID_TEXT));
    assert_false(nod_deid_terms_match(&t, "no. 867530991", NOD_DEID_TEXT));
    assert_true(nod_deid_terms_match(&t, "from 20230517", NOD_DEID_TEXT));
    assert_true(nod_deid_terms_match(&t, "see 1.2.3.4", NOD_DEID_TEXT));
    assert_false(nod_deid_terms_match(&t, "test", NOD_DEID_TEXT)); /* nobody's name */
    /* A code needs two parts of a name, or any word. */
    assert_false(nod_deid_terms_match(&t, "DOE", NOD_DEID_CODE));
    assert_true(nod_deid_terms_match(&t, "DOE JOHN", NOD_DEID_CODE));
    assert_true(nod_deid_terms_match(&t, "86753099", NOD_DEID_CODE));
    /* Numbers: ids alone, six digits at least. */
    assert_true(nod_deid_terms_match(&t, "1\\86753099", NOD_DEID_NUMBER));
    assert_false(nod_deid_terms_match(&t, "20230517", NOD_DEID_NUMBER));
    /* A maker may be called as the institution. */
    assert_true(nod_deid_terms_match(&t, "ACME scanner", NOD_DEID_TEXT));
    assert_false(nod_deid_terms_match(&t, "ACME scanner", NOD_DEID_DEVICE));
    static const uint8_t bytes[] = "\0\0xx86753099\0";
    assert_true(nod_deid_terms_match_bytes(&t, bytes, sizeof bytes));
    assert_false(nod_deid_terms_match_bytes(&t, bytes, 8));
    nod_deid_terms_done(&t);
}

/* --- codestreams ---------------------------------------------------------------------------------- */

/* SOI, JFIF, a comment, Exif, Adobe, a frame header, a scan with stuffing and a restart, a comment between
 * scans, another scan, EOI: markers of ITU-T T.81 annex B. */
static const uint8_t jpeg[] = "\xff\xd8"
                              "\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
                              "\xff\xfe\x00\x0ahi DOE 7"
                              "\xff\xe1\x00\x0c"
                              "Exif\0\0DOE7"
                              "\xff\xee\x00\x0e"
                              "Adobe\0\x64\0\0\0\0\x01"
                              "\xff\xc0\x00\x0b\x08\0\x01\0\x01\x01\x01\x11\0"
                              "\xff\xda\x00\x08\x01\x01\0\0\x3f\0"
                              "ab\xff\0DOE\xff\xd0xyz"
                              "\xff\xff\xfe\x00\x06John"
                              "\xff\xda\x00\x08\x01\x01\0\0\x3f\0"
                              "data\xff\xd9\0";

/* SOC, SIZ, COM, SOT of a part of 26 bytes with a comment in its header, SOD, data, EOC: ITU-T T.800. */
static const uint8_t j2k[] = "\xff\x4f"
                             "\xff\x51\x00\x04\0\0"
                             "\xff\x64\x00\x08\0\x01John"
                             "\xff\x90\x00\x0a\0\0\0\0\0\x1e\0\x01"
                             "\xff\x64\x00\x07\0\x01"
                             "DOE"
                             "\xff\x93"
                             "\xff\x64\0\4data!"
                             "\xff\xd9";

static bool holds(const uint8_t *bytes, size_t n, const char *word)
{
    return memmem(bytes, n, word, strlen(word)) != NULL;
}

static void test_jpeg_comments(void **state)
{
    uint8_t b[2 * sizeof jpeg];
    (void)state;
    size_t n = sizeof jpeg - 1;
    memcpy(b, jpeg, n);
    memcpy(b + n, jpeg, n); /* two frames */
    assert_int_equal(nod_codestream_wipe(b, 2 * n), 6);
    assert_memory_equal(b, b + n, n);
    assert_false(holds(b, n, "hi DOE"));
    assert_false(holds(b, n, "Exif"));
    assert_false(holds(b, n, "John"));
    assert_true(holds(b, n, "JFIF"));
    assert_true(holds(b, n, "Adobe"));
    /* Scans and headers are as they were. */
    const uint8_t *frame = memmem(jpeg, n, "\xff\xc0", 2);
    const uint8_t *second = memmem(frame, (size_t)(jpeg + n - frame), "\xff\xff\xfe", 3);
    assert_memory_equal(b + (frame - jpeg), frame, (size_t)(second - frame));
    assert_true(holds(b, n, "data\xff\xd9"));
    assert_int_equal(nod_codestream_wipe(b, 2 * n), 0); /* nothing is left */
}

static void test_jpeg_2000_comments(void **state)
{
    uint8_t b[sizeof j2k];
    (void)state;
    size_t n = sizeof j2k - 1;
    memcpy(b, j2k, n);
    assert_int_equal(nod_codestream_wipe(b, n), 2);
    assert_false(holds(b, n, "John"));
    assert_false(holds(b, n, "DOE"));
    assert_true(holds(b, n, "data!\xff\xd9")); /* what looks like a comment in the data stays */
}

/* Broken streams: never beyond the end; what lies behind the fault stays. */
static void test_broken_streams(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof jpeg; n++) {
        uint8_t b[sizeof jpeg + 4];
        memset(b, 0x5a, sizeof b);
        memcpy(b, jpeg, n);
        (void)nod_codestream_wipe(b, n);
        assert_memory_equal(b + n, "\x5a\x5a\x5a\x5a", 4);
    }
    for (size_t n = 0; n < sizeof j2k; n++) {
        uint8_t b[sizeof j2k + 4];
        memset(b, 0x5a, sizeof b);
        memcpy(b, j2k, n);
        (void)nod_codestream_wipe(b, n);
        assert_memory_equal(b + n, "\x5a\x5a\x5a\x5a", 4);
    }
    uint8_t raw[] = "no codestream \xff\xfe\x00\x06John";
    assert_int_equal(nod_codestream_wipe(raw, sizeof raw - 1), 0);
    assert_true(holds(raw, sizeof raw, "John"));
}

/* --- the table and UIDs --------------------------------------------------------------------------- */

/* Some rows as PS3.15 2024e prints them; counts of tools/oracles/deid_table.py's input without its four
 * patterns (private, 50xx, 60xx twice). */
static void test_table(void **state)
{
    static const struct {
        uint32_t tag;
        nod_deid_code code;
        bool dates;
    } some[] = {
        {0x00080018, NOD_DEID_U, false}, {0x00080020, NOD_DEID_Z, true},
        {0x00080050, NOD_DEID_Z, false}, {0x00080080, NOD_DEID_XZD, false},
        {0x00081030, NOD_DEID_X, false}, {0x00081140, NOD_DEID_XZU, false},
        {0x00100010, NOD_DEID_Z, false}, {0x00100020, NOD_DEID_ZD, false},
        {0x00100030, NOD_DEID_Z, false}, {0x00101010, NOD_DEID_X, false},
        {0x0040a730, NOD_DEID_D, false}, {0x0020000d, NOD_DEID_U, false},
        {0x00404051, NOD_DEID_X, true},  {0xfffcfffc, NOD_DEID_X, false},
    };
    size_t n = 0, n_dates = 0, n_removed = 0, n_uids = 0;
    (void)state;
    for (const nod_deid_row *r = nod_deid_row_get(0), *last = NULL; r;
         r = nod_deid_row_get(++n)) {
        assert_true(!last || last->tag < r->tag);
        assert_ptr_equal(nod_deid_row_find(r->tag), r);
        n_dates += r->dates;
        n_removed += r->code == NOD_DEID_X;
        n_uids += r->code == NOD_DEID_U;
        last = r;
    }
    assert_int_equal(n, 617);
    assert_int_equal(n_dates, 165);
    assert_int_equal(n_removed, 380);
    assert_int_equal(n_uids, 54);
    assert_null(nod_deid_row_find(0x00280010));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const nod_deid_row *r = nod_deid_row_find(some[i].tag);
        if (r == NULL || r->code != some[i].code || r->dates != some[i].dates)
            fail_msg("%08x", some[i].tag);
    }
}

/* Python: hmac.new(b"key", b"dicom uid\x001.2.3", "sha256"), its first 16 bytes as uuid.UUID with version
 * 8 and variant 10, in decimal. */
static void test_uids(void **state)
{
    char uid[NOD_DICOM_UID_BYTES], other[NOD_DICOM_UID_BYTES];
    (void)state;
    assert_int_equal(nod_dicom_uid_under_key("key", 3, "1.2.3", uid, &err), 0);
    assert_string_equal(uid, "2.25.19090365985316432772408903453214530185");
    assert_int_equal(nod_dicom_uid_under_key("kez", 3, "1.2.3", other, &err), 0);
    assert_string_not_equal(uid, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_jpeg_comments),
        cmocka_unit_test(test_jpeg_2000_comments),
        cmocka_unit_test(test_broken_streams),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_uids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
