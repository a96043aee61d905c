/* test_series.c: folders and archives of DICOM files, scanned and read. The files are written by
 * write.h; every expected value is a closed form of what was written.
 * LABELS: tsan */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "base/file.h"
#include "base/threads.h"
#include "imaging/dicom/archive.h"
#include "imaging/dicom/series.h"
#include "imaging/dicom/write.h"
#include "temp_folder.h"

enum { ROWS = 6, COLUMNS = 7, N = ROWS * COLUMNS };

static nod_error err;
static char root[512];

static const char *in_root(const char *name)
{
    static char path[2][1024];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", root, name);
    return path[turn];
}

/* Stored value of pixel i in the slice at z: HU = stored - 1024. */
static uint16_t value(double z, int i)
{
    return (uint16_t)(1000 + 50 * z + i);
}

/* A CT slice at z of series 2.25.<series>, shifted along its columns. */
static void write_slice(const char *name, int series, double z, double shift_mm, int number)
{
    char series_uid[64], sop_uid[64];
    uint16_t pixels[N];
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_CT);
    for (int i = 0; i < N; i++)
        pixels[i] = value(z, i);
    snprintf(series_uid, sizeof series_uid, "2.25.%d", series);
    snprintf(sop_uid, sizeof sop_uid, "2.25.%d.%d", series, number);
    im.patient_id = series < 300 ? "p1" : "p2";
    im.study_uid = series < 200 ? "2.25.1" : "2.25.2";
    im.series_uid = series_uid;
    im.sop_uid = sop_uid;
    im.frame_of_reference_uid = "2.25.4";
    im.image_type = "ORIGINAL\\PRIMARY\\AXIAL";
    im.rows = ROWS;
    im.columns = COLUMNS;
    im.pixels = pixels;
    im.bits_stored = 16;
    im.slope = 1;
    im.intercept = -1024;
    im.instance_number = number;
    im.orientation[0][0] = im.orientation[1][1] = 1;
    im.position_mm[1] = shift_mm;
    im.position_mm[2] = z;
    im.spacing_mm[0] = im.spacing_mm[1] = 1;
    im.thickness_mm = 9;
    if (nod_dicom_image_write(in_root(name), &im, &err) != 0) fail_msg("%s", err.message);
}

static void write_text(const char *name, const char *text)
{
    assert_int_equal(nod_file_write(in_root(name), text, strlen(text), &err), 0);
}

static int make_folder(void **state)
{
    int rc = temp_folder_make(state);
    if (rc == 0) snprintf(root, sizeof root, "%s/tree", (const char *)*state);
    return rc ? rc : mkdir(root, 0700);
}

static nod_dicom_scan scan_of(const char *path)
{
    nod_dicom_scan s = {0};
    if (nod_dicom_scan_tree(path, NULL, &s, &err) != 0) fail_msg("%s", err.message);
    return s;
}

/* Forty slices of four series in three studies of two patients, in folders whose names say nothing;
 * one file in twenty is broken, some are no DICOM. */
static void make_tree(void)
{
    char name[64];
    assert_int_equal(mkdir(in_root("a"), 0700), 0);
    assert_int_equal(mkdir(in_root("a/b"), 0700), 0);
    for (int i = 0; i < 40; i++) {
        static const int series[] = {100, 101, 200, 300};
        snprintf(name, sizeof name, "%s/%d", i % 3 ? "a" : "a/b", i);
        write_slice(name, series[i % 4], 2 * (39 - i) / 4, 0, i + 1);
    }
    for (int i = 0; i < 2; i++) { /* cut in the middle of the header */
        nod_bytes b = {0};
        assert_int_equal(nod_file_read(in_root("a/1"), 1 << 20, &b, &err), 0);
        snprintf(name, sizeof name, "bad%d", i);
        assert_int_equal(nod_file_write(in_root(name), b.data, 400 + (size_t)i, &err), 0);
        nod_bytes_done(&b);
    }
    write_text("claims.dcm", "nothing of the kind");
    write_text("README.txt", "a text");
    write_text("empty", "");
}

static void check_tree(const nod_dicom_scan *s)
{
    assert_int_equal(s->n_files, 45);
    assert_int_equal(s->n_entries, 40);
    assert_int_equal(s->foreign.n, 2);
    assert_string_equal(s->foreign.items[0], "README.txt");
    assert_int_equal(s->n_problems, 3);
    assert_string_equal(s->problems[0].name, "bad0");
    assert_int_equal(s->problems[0].code, NOD_EFORMAT);
    assert_string_equal(s->problems[2].name, "claims.dcm");
    assert_int_equal(s->n_patients, 2);
    assert_int_equal(s->n_studies, 3);
    assert_int_equal(s->n_series, 4);
    assert_int_equal(s->patients[0].n, 2);
    assert_int_equal(s->studies[0].n, 2);
    for (size_t i = 0; i < 4; i++) {
        const nod_dicom_stacks *k = &s->series[i].stacks;
        assert_int_equal(s->series[i].n, 10);
        assert_int_equal(k->n, 1);
        assert_int_equal(k->items[0].n_slices, 10);
        assert_int_equal(k->items[0].findings.n, 0);
        assert_string_equal(nod_dicom_stack_header(s, i, 0)->modality, "CT");
    }
}

static void test_tree(void **state)
{
    (void)state;
    nod_strlist names = NOD_STRLIST_INIT;
    make_tree();
    assert_int_equal(symlink("..", in_root("a/up")), 0); /* a folder that contains itself */
    for (int threads = 1; threads <= 3; threads += 2) {
        nod_threads_set(threads);
        nod_dicom_scan s = scan_of(root);
        check_tree(&s);
        nod_dicom_scan_done(&s);
    }
    nod_threads_set(0);
    nod_dicom_scan s = scan_of(root);
    assert_int_equal(nod_dicom_stack_files(&s, 0, 0, &names, &err), 0);
    assert_int_equal(names.n, 10);
    assert_string_equal(names.items[0], "a/b/36"); /* the last written lies lowest */
    assert_string_equal(names.items[9], "a/b/0");
    nod_strlist_done(&names);
    nod_dicom_scan_done(&s);
    assert_int_equal(nod_dicom_scan_tree(in_root("none"), NULL, &s, &err), NOD_ENOENT);
}

static void add_to_zip(zip_t *zip, const char *name)
{
    nod_bytes b = {0};
    assert_int_equal(nod_file_read(in_root(name), 1 << 20, &b, &err), 0);
    if (b.size == 0) nod_bytes_done(&b); /* which libzip would not free */
    zip_source_t *source = zip_source_buffer(zip, b.data, b.size, 1); /* takes the bytes */
    assert_true(zip_file_add(zip, name, source, 0) >= 0);
}

/* The same files packed: as the root, and below it. */
static void test_archive(void **state)
{
    char packed[600];
    nod_strlist names = NOD_STRLIST_INIT;
    nod_image im = {0};
    make_tree();
    assert_int_equal(nod_archive_list(root, &names, &err), 0);
    snprintf(packed, sizeof packed, "%s.zip", root);
    zip_t *zip = zip_open(packed, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    for (size_t i = 0; i < names.n; i++)
        add_to_zip(zip, names.items[i]);
    assert_int_equal(zip_close(zip), 0);
    nod_strlist_done(&names);

    nod_dicom_scan s = scan_of(packed);
    check_tree(&s);
    assert_int_equal(nod_dicom_stack_read(&s, 3, 0, NULL, &im, NULL, &err), 0);
    assert_int_equal(im.depth, 10);
    nod_image_done(&im);
    nod_dicom_scan_done(&s);

    snprintf(root, sizeof root, "%s/other", (const char *)*state);
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(rename(packed, in_root("c.zip")), 0);
    write_text("broken.zip", "PK\3\4 and no more");
    s = scan_of(root);
    assert_int_equal(s.n_entries, 40);
    assert_int_equal(s.n_files, 46);
    assert_int_equal(nod_dicom_stack_files(&s, 0, 0, &names, &err), 0);
    assert_string_equal(names.items[0], "c.zip!/a/b/36");
    assert_int_equal(nod_dicom_files_read(root, &names, NULL, &im, NULL, &err), 0);
    assert_int_equal(im.depth, 10);
    nod_image_done(&im);
    nod_strlist_done(&names);
    nod_dicom_scan_done(&s);
}

/* Exactly these files: one that is bad, or no DICOM, or of another series, is an error. */
static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *names[3];
        int code;
        const char *message;
    } cases[] = {
        {{"a/b/0", "a/4", "a/8"}, 0, ""},
        {{"a/b/0", "bad0", "a/8"}, NOD_EFORMAT, "bad0"},
        {{"a/b/0", "README.txt", "a/8"}, NOD_EFORMAT, "1 of 3 files are not DICOM"},
        {{"a/b/0", "a/1", "a/8"}, NOD_EDATA, "files of 2 series"},
        {{"a/b/0", "gone", "a/8"}, NOD_ENOENT, "gone"},
    };
    make_tree();
    for (size_t i = 0; i < NOD_COUNT(cases); i++) {
        const nod_strlist names = {.items = (char **)cases[i].names, .n = 3};
        nod_image im = {0};
        int rc = nod_dicom_files_read(root, &names, NULL, &im, NULL, &err);
        assert_int_equal(rc, cases[i].code);
        if (rc) assert_non_null(strstr(err.message, cases[i].message));
        nod_image_done(&im);
    }
}

static float hu(const nod_image *im, int64_t k, int i)
{
    return ((const float *)im->data)[k * N + i];
}

static void test_read(void **state)
{
    (void)state;
    nod_image im = {0};
    nod_findings f = {0};
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        write_slice(name, 100, 3 * ((i * 3) % 4), 0, i + 1); /* 0, 9, 6, 3 */
    }
    nod_dicom_scan s = scan_of(root);
    assert_int_equal(nod_dicom_stack_read(&s, 0, 0, NULL, &im, &f, &err), 0);
    assert_int_equal(f.n, 0);
    assert_int_equal(im.frames, 1);
    assert_int_equal(im.depth, 4);
    assert_int_equal(im.facts.units, NOD_UNITS_HU);
    assert_string_equal(im.facts.modality, "CT");
    assert_true(fabs(im.geometry.spacing_mm[2] - 3) < 1e-12);
    for (int64_t k = 0; k < 4; k++)
        for (int i = 0; i < N; i++)
            assert_true(hu(&im, k, i) == (float)value(3.0 * (double)k, i) - 1024);
    nod_image_done(&im);
    nod_dicom_scan_done(&s);
}

static int read_with(nod_finding_kind kind, nod_policy policy, nod_image *im, nod_findings *f)
{
    nod_policies p = nod_policies_preset();
    p.of[kind] = policy;
    nod_dicom_scan s = scan_of(root);
    int rc = nod_dicom_stack_read(&s, 0, 0, &p, im, f, &err);
    nod_dicom_scan_done(&s);
    return rc;
}

/* Refused by name; resampled, the missing slice at z = 4 is the mean of its neighbours. */
static void test_gap(void **state)
{
    (void)state;
    nod_image im = {0};
    nod_findings f = {0};
    static const double z[] = {0, 2, 6, 8};
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        write_slice(name, 100, z[i], 0, i + 1);
    }
    assert_int_equal(read_with(NOD_FINDING_GAP, NOD_POLICY_REFUSE, &im, NULL), NOD_EDATA);
    assert_non_null(strstr(err.message, "gap: 1 of 5 slices are missing, 2 mm apart"));
    assert_non_null(strstr(err.message, "resample"));
    assert_int_equal(read_with(NOD_FINDING_GAP, NOD_POLICY_RESAMPLE, &im, &f), 0);
    assert_true(nod_findings_has(&f, NOD_FINDING_GAP));
    assert_int_equal(im.depth, 5);
    for (int i = 0; i < N; i++)
        assert_true(fabsf(hu(&im, 2, i) - (float)(value(4, i) - 1024)) < 1e-3f);
    nod_findings_done(&f);
    nod_image_done(&im);
}

/* Each slice one pixel further along its columns: sheared back, columns become longer and the rows
 * that nobody measured are padding with the value of air. */
static void test_tilt(void **state)
{
    (void)state;
    nod_image im = {0};
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        write_slice(name, 100, 2 * i, i, i + 1);
    }
    assert_int_equal(read_with(NOD_FINDING_GANTRY_TILT, NOD_POLICY_REFUSE, &im, NULL),
                     NOD_EDATA);
    /* atan(1/2) */
    assert_non_null(strstr(err.message, "gantry-tilt: 26.57 degrees"));
    assert_int_equal(read_with(NOD_FINDING_GANTRY_TILT, NOD_POLICY_SHEAR, &im, NULL), 0);
    assert_int_equal(im.height, ROWS + 2);
    assert_int_equal(im.width, COLUMNS);
    for (int64_t k = 0; k < 3; k++)
        for (int64_t y = 0; y < im.height; y++)
            for (int64_t x = 0; x < COLUMNS; x++) {
                int64_t n = (k * im.height + y) * COLUMNS + x, row = y - k;
                bool inside = row >= 0 && row < ROWS;
                float v = ((const float *)im.data)[n];
                assert_int_equal(nod_image_is_padding(&im, n), !inside);
                assert_true(
                    v == (inside
                              ? (float)value(2.0 * (double)k, (int)(row * COLUMNS + x)) - 1024
                              : -1000));
            }
    nod_image_done(&im);
}

/* One bad file of many names itself, whatever the threads do. */
static void test_broken_pixels(void **state)
{
    (void)state;
    nod_image im = {0};
    nod_bytes b = {0};
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        write_slice(name, 100, i, 0, i + 1);
    }
    assert_int_equal(nod_file_read(in_root("3"), 1 << 20, &b, &err), 0);
    assert_int_equal(nod_file_write(in_root("3"), b.data, b.size - 20, &err), 0);
    nod_bytes_done(&b);
    nod_dicom_scan s = scan_of(root);
    assert_int_equal(s.n_entries, 6);
    int rc = nod_dicom_stack_read(&s, 0, 0, NULL, &im, NULL, &err);
    assert_int_not_equal(rc, 0);
    assert_non_null(strstr(err.message, "/3: "));
    assert_null(im.data);
    nod_dicom_scan_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tree, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_archive, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_files, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_read, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_gap, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_tilt, make_folder, temp_folder_remove),
        cmocka_unit_test_setup_teardown(test_broken_pixels, make_folder, temp_folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
