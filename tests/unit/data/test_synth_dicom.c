/* test_synth_dicom.c: cohorts of phantoms as DICOM: the tree, its tables, equal bytes, and that each
 * defect is where truth.csv says. Expected counts follow from docs/formats/synth.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/synth.h"
#include "temp_folder.h"

#define PATH_SIZE 1024
#define SIZE      16
#define N_SLICES  6 /* of a head of 16 pixels: 3/8 */

enum { PATIENT, STUDY, SERIES, FOLDER, LABEL, MASK, DEFECTS, COLUMNS };
static const char *const columns[COLUMNS] = {"patient", "study", "series", "folder",
                                             "label",   "mask",  "defects"};

static const char *path_in(char out[PATH_SIZE], const char *folder, const char *name)
{
    assert_true(snprintf(out, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
    return out;
}

static nod_synth_options small(nod_synth_kind kind)
{
    nod_synth_options o = nod_synth_defaults(kind);
    o.n_patients = 5;
    o.size = SIZE;
    return o;
}

static void write_cohort(const char *path, const nod_synth_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_synth_write(path, o, NULL, &err) != 0) fail_msg("%s", err.message);
}

static nod_csv *read_table(const char *dir, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    nod_csv *t = NULL;
    if (nod_csv_read(path_in(path, dir, name), &t, &err) != 0) fail_msg("%s", err.message);
    return t;
}

static nod_strlist files_of(const char *dir, const char *folder)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    nod_strlist names = NOD_STRLIST_INIT;
    if (nod_dir_list(path_in(path, dir, folder), &names, &err) != 0)
        fail_msg("%s", err.message);
    return names;
}

static size_t count_files(const char *dir, const char *folder)
{
    nod_strlist names = files_of(dir, folder);
    size_t n = names.n;
    nod_strlist_done(&names);
    return n;
}

static nod_bytes read_file(const char *dir, const char *folder, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    nod_bytes b = {0};
    assert_true(snprintf(path, sizeof path, "%s/%s/%s", dir, folder, name) < PATH_SIZE);
    if (nod_file_read(path, 1 << 24, &b, &err) != 0) fail_msg("%s", err.message);
    return b;
}

/* --- tree and tables ---------------------------------------------------------------------- */

static void test_tables(void **state)
{
    /* Files of a series: slices x times; series of a study; whether series have masks. */
    static const struct {
        nod_synth_kind kind;
        size_t n_files, n_series;
        bool masks;
    } kinds[] = {{NOD_SYNTH_MR, N_SLICES, 1, true},
                 {NOD_SYNTH_XRAY, 1, 1, false},
                 {NOD_SYNTH_MAMMO, 1, 4, false},
                 {NOD_SYNTH_CINE, 8 * 16, 1, true},
                 {NOD_SYNTH_DCE, 4 * 5, 1, true}};
    for (size_t k = 0; k < NOD_COUNT(kinds); k++) {
        char dir[PATH_SIZE], path[PATH_SIZE];
        nod_synth_options o = small(kinds[k].kind);
        path_in(dir, *state, nod_synth_kind_name(o.kind));
        write_cohort(dir, &o);
        nod_csv *t = read_table(dir, "truth.csv"), *labels = read_table(dir, "labels.csv");
        assert_int_equal(nod_csv_columns(t), COLUMNS);
        for (size_t c = 0; c < COLUMNS; c++)
            assert_string_equal(nod_csv_header(t, c), columns[c]);
        bool by_series = o.kind == NOD_SYNTH_MAMMO;
        assert_string_equal(nod_csv_header(labels, 0), by_series ? "series" : "patient");
        assert_int_equal(nod_csv_rows(labels),
                         by_series ? nod_csv_rows(t) : (size_t)o.n_patients);
        assert_int_equal(nod_csv_rows(t) % kinds[k].n_series, 0);
        size_t n_positive = 0;
        for (size_t r = 0; r < nod_csv_rows(t); r++) {
            const char *mask = nod_csv_get(t, r, MASK), *label = nod_csv_get(t, r, LABEL);
            assert_int_equal(count_files(dir, nod_csv_get(t, r, FOLDER)), kinds[k].n_files);
            assert_true(nod_has_prefix(nod_csv_get(t, r, SERIES), "2.25."));
            assert_string_equal(nod_csv_get(t, r, DEFECTS), "");
            assert_int_equal(*mask != '\0', kinds[k].masks);
            if (*mask) assert_true(nod_path_is_file(path_in(path, dir, mask)));
            bool positive = strcmp(label, nod_synth_class_name(o.kind, 1)) == 0;
            if (!positive) assert_string_equal(label, nod_synth_class_name(o.kind, 0));
            n_positive += positive;
        }
        if (by_series) /* 2 of 5 patients (0.4), one breast each, two views */
            assert_int_equal(n_positive, 4);
        nod_csv_free(t);
        nod_csv_free(labels);
    }
}

/* Every file of one cohort is in the other; whether they are equal. */
static bool same_tree(const char *a, const char *b)
{
    bool same = true;
    nod_csv *t = read_table(a, "truth.csv");
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        const char *folder = nod_csv_get(t, r, FOLDER);
        nod_strlist names = files_of(a, folder);
        for (size_t i = 0; i < names.n; i++) {
            nod_bytes x = read_file(a, folder, names.items[i]);
            nod_bytes y = read_file(b, folder, names.items[i]);
            same = same && x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
            nod_bytes_done(&x);
            nod_bytes_done(&y);
        }
        nod_strlist_done(&names);
    }
    nod_csv_free(t);
    nod_bytes x = read_file(a, ".", "truth.csv"), y = read_file(b, ".", "truth.csv");
    same = same && x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    nod_bytes_done(&x);
    nod_bytes_done(&y);
    return same;
}

static void test_reproducible(void **state)
{
    char a[PATH_SIZE], b[PATH_SIZE], c[PATH_SIZE], name[32];
    for (int k = NOD_SYNTH_MR; k < NOD_SYNTH_KINDS; k++) {
        nod_synth_options o = small((nod_synth_kind)k), other = o;
        o.n_patients = other.n_patients = 2;
        o.images_per_patient = other.images_per_patient = 1;
        other.seed = 2;
        snprintf(name, sizeof name, "a%d", k);
        write_cohort(path_in(a, *state, name), &o);
        snprintf(name, sizeof name, "b%d", k);
        write_cohort(path_in(b, *state, name), &o);
        snprintf(name, sizeof name, "c%d", k);
        write_cohort(path_in(c, *state, name), &other);
        assert_true(same_tree(a, b));
        assert_false(same_tree(a, c));
    }
}

/* --- defects ------------------------------------------------------------------------------ */

static bool has_defect(const nod_csv *t, size_t row, nod_synth_defect d)
{
    return strstr(nod_csv_get(t, row, DEFECTS), nod_synth_defect_name(d)) != NULL;
}

static void test_geometry_defects(void **state)
{
    char dir[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_MR);
    o.n_patients = 20; /* two for each of the four */
    o.defects = 1u << NOD_SYNTH_GAP | 1u << NOD_SYNTH_DUPLICATE | 1u << NOD_SYNTH_UNEVEN |
                1u << NOD_SYNTH_TILT;
    write_cohort(path_in(dir, *state, "geometry"), &o);
    nod_csv *t = read_table(dir, "truth.csv");
    size_t n[NOD_SYNTH_DEFECTS] = {0};
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        size_t n_files = count_files(dir, nod_csv_get(t, r, FOLDER));
        bool gap = has_defect(t, r, NOD_SYNTH_GAP),
             twice = has_defect(t, r, NOD_SYNTH_DUPLICATE);
        assert_int_equal(n_files, N_SLICES - gap + twice);
        for (int d = 0; d < NOD_SYNTH_DEFECTS; d++)
            n[d] += has_defect(t, r, (nod_synth_defect)d);
        /* A mask has the grid of a series without defects. */
        assert_int_equal(*nod_csv_get(t, r, MASK) == '\0', *nod_csv_get(t, r, DEFECTS) != '\0');
    }
    for (int d = NOD_SYNTH_GAP; d <= NOD_SYNTH_TILT; d++)
        assert_int_equal(n[d], 2);
    nod_csv_free(t);
}

static size_t row_of(const nod_csv *t, const char *patient)
{
    for (size_t r = 0; r < nod_csv_rows(t); r++)
        if (strcmp(nod_csv_get(t, r, PATIENT), patient) == 0) return r;
    fail_msg("no %s", patient);
    return 0;
}

static void test_leak(void **state)
{
    char dir[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_MR);
    o.defects = 1u << NOD_SYNTH_LEAK;
    write_cohort(path_in(dir, *state, "leak"), &o);
    nod_csv *t = read_table(dir, "truth.csv");
    size_t copy = row_of(t, "p0006"), source = copy; /* the sixth of five */
    for (size_t r = 0; r < copy; r++)
        if (has_defect(t, r, NOD_SYNTH_LEAK) && source == copy) source = r;
    assert_true(source < copy && has_defect(t, copy, NOD_SYNTH_LEAK));
    assert_string_equal(nod_csv_get(t, source, LABEL), nod_csv_get(t, copy, LABEL));
    assert_string_not_equal(nod_csv_get(t, source, STUDY), nod_csv_get(t, copy, STUDY));
    nod_bytes a = read_file(dir, nod_csv_get(t, source, FOLDER), "IM0003.dcm");
    nod_bytes b = read_file(dir, nod_csv_get(t, copy, FOLDER), "IM0003.dcm");
    size_t n = 2 * SIZE * SIZE;
    assert_memory_equal(a.data + a.size - n, b.data + b.size - n, n);
    assert_true(a.size != b.size || memcmp(a.data, b.data, a.size) != 0);
    nod_bytes_done(&a);
    nod_bytes_done(&b);
    nod_csv_free(t);
}

static void test_dummy_ids(void **state)
{
    char dir[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_XRAY);
    o.n_patients = 40;
    o.defects = 1u << NOD_SYNTH_DUMMY_IDS;
    write_cohort(path_in(dir, *state, "dummy"), &o);
    nod_csv *t = read_table(dir, "truth.csv"), *labels = read_table(dir, "labels.csv");
    char last[32] = "";
    int n_patients = 0;
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        const char *id = nod_csv_get(t, r, PATIENT), *folder = nod_csv_get(t, r, FOLDER);
        bool nobody =
            strcmp(id, "") == 0 || strcmp(id, "ANONYMOUS") == 0 || strcmp(id, "0") == 0;
        assert_int_equal(nobody, has_defect(t, r, NOD_SYNTH_DUMMY_IDS));
        if (nobody && strncmp(folder, last, 12) != 0) n_patients++; /* "dicom/p0001/" */
        snprintf(last, sizeof last, "%s", folder);
    }
    assert_int_equal(n_patients, 4);                         /* one in ten */
    assert_string_equal(nod_csv_header(labels, 0), "study"); /* ids would not tell them apart */
    assert_int_equal(nod_csv_rows(labels), nod_csv_rows(t));
    nod_csv_free(t);
    nod_csv_free(labels);
}

static void test_series_beside(void **state)
{
    char dir[PATH_SIZE], path[PATH_SIZE], folder[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_DCE);
    o.n_patients = 2;
    o.defects = 1u << NOD_SYNTH_LOCALIZER | 1u << NOD_SYNTH_BURNED_IN;
    write_cohort(path_in(dir, *state, "beside"), &o);
    nod_csv *t = read_table(dir, "truth.csv");
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        snprintf(folder, sizeof folder, "%.*s", 13,
                 nod_csv_get(t, r, FOLDER)); /* dicom/p0001/1 */
        assert_int_equal(count_files(dir, path_in(path, folder, "localizer")), 3);
        assert_int_equal(count_files(dir, path_in(path, folder, "capture")), 1);
        nod_bytes b = read_file(dir, path, "IM0001.dcm");
        assert_non_null(memmem(b.data, b.size, "DERIVED\\SECONDARY", 17));
        nod_bytes_done(&b);
    }
    nod_csv_free(t);
}

static void test_refusals(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_XRAY);
    path_in(path, *state, "never");
    o.defects = 1u << NOD_SYNTH_GAP; /* a radiograph has no slices */
    assert_int_equal(nod_synth_write(path, &o, NULL, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "'gap'"));
    o.defects = 1u << NOD_SYNTH_DEFECTS;
    assert_int_equal(nod_synth_write(path, &o, NULL, &err), NOD_EINVAL);
    o = small(NOD_SYNTH_VOLUMES);
    o.defects = 1u << NOD_SYNTH_LEAK;
    assert_int_equal(nod_synth_write(path, &o, NULL, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "volumes"));
    o = small(NOD_SYNTH_MR);
    o.size = 15;
    assert_int_equal(nod_synth_write(path, &o, NULL, &err), NOD_EINVAL);
    assert_false(nod_path_exists(path));
    for (int d = 0; d < NOD_SYNTH_DEFECTS; d++)
        assert_int_equal(nod_synth_defect_from_name(nod_synth_defect_name(d)), d);
    assert_int_equal(nod_synth_defect_from_name("scratch"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),    cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_leak),      cmocka_unit_test(test_geometry_defects),
        cmocka_unit_test(test_dummy_ids), cmocka_unit_test(test_series_beside),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
