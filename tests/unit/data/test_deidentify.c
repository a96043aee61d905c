/* test_deidentify.c: trees of DICOM files as de-identified copies: what stays together, what is told apart,
 * what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/file.h"
#include "data/deidentify.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/series.h"
#include "imaging/dicom/write.h"
#include "temp_folder.h"

#define DATES_MAX 8

static nod_error err;
static const nod_site_key key = {{1, 2, 3}};

/* A secondary capture of 2x2 pixels. */
static void put(const char *folder, const char *name, const char *patient, const char *study,
                const char *object, const char *date)
{
    static const uint16_t pixels[4] = {1, 2, 3, 4};
    char path[512], whole[512], series[80];
    nod_dicom_image im = nod_dicom_image_defaults(NOD_DICOM_SC);
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    snprintf(series, sizeof series, "%s.1", study);
    im.patient_id = patient;
    im.patient_name = "Zwetschkenbaum";
    im.study_uid = study;
    im.series_uid = series;
    im.sop_uid = object;
    im.study_date = date;
    im.image_type = "DERIVED\\SECONDARY";
    im.rows = im.columns = 2;
    im.pixels = pixels;
    im.burned_in = strcmp(name, "screen.dcm") == 0;
    snprintf(path, sizeof path, "%s", whole);
    if (nod_dicom_image_write(path, &im, &err) != 0) fail_msg("%s", err.message);
}

/* Two studies of one patient, one of another, two of nobody; one object twice. */
static void make_tree(const char *folder)
{
    assert_int_equal(nod_dir_make(folder, &err), 0);
    put(folder, "a1.dcm", "MRN1", "1.2.3.1", "1.2.3.1.1.1", "20230517");
    put(folder, "a1_again.dcm", "MRN1", "1.2.3.1", "1.2.3.1.1.1", "20230517");
    put(folder, "a2.dcm", "MRN1", "1.2.3.2", "1.2.3.2.1.1", "20230524");
    put(folder, "screen.dcm", "MRN2", "1.2.3.3", "1.2.3.3.1.1", "20230517");
    put(folder, "n1.dcm", "123456", "1.2.3.4", "1.2.3.4.1.1", "20230517");
    put(folder, "n2.dcm", "", "1.2.3.5", "1.2.3.5.1.1", "20230517");
}

typedef struct copies {
    char in[300], out[300];
    nod_deid_result result;
    nod_dicom_scan scan; /* of the copies */
} copies;

static void run(copies *c, const char *state, const char *name, const nod_deid_options *o)
{
    *c = (copies){0};
    snprintf(c->in, sizeof c->in, "%s/%s", state, name);
    snprintf(c->out, sizeof c->out, "%s/%s_copies", state, name);
    make_tree(c->in);
    if (nod_deid_tree(c->in, c->out, o, &c->result, &err) != 0) fail_msg("%s", err.message);
    if (nod_dicom_scan_tree(c->out, NULL, &c->scan, &err) != 0) fail_msg("%s", err.message);
}

static void done(copies *c)
{
    nod_deid_result_done(&c->result);
    nod_dicom_scan_done(&c->scan);
}

static void test_groups(void **state)
{
    const nod_deid_options o = {.key = &key};
    copies c;
    run(&c, *state, "groups", &o);
    assert_int_equal(c.result.n_files, 6);
    assert_int_equal(c.result.n_copied, 6);
    assert_int_equal(c.result.n_nobody, 2);
    assert_int_equal(c.result.n_patients, 2);
    assert_int_equal(c.result.n_studies, 5);
    assert_int_equal(c.result.n_series, 5);
    assert_int_equal(c.result.n_refusals, 0);
    assert_int_equal(c.result.burned_in.n, 1);
    assert_int_equal(c.scan.n_entries, 6);
    assert_int_equal(c.scan.n_patients, 3); /* nobody's are one there: their id is "" */
    assert_int_equal(c.scan.n_studies, 5);
    assert_int_equal(c.scan.foreign.n, 1); /* the report */
    int n_again = 0;
    for (size_t i = 0; i < c.scan.n_entries; i++) {
        const nod_dicom_header *h = &c.scan.entries[i].header;
        bool is_nobody = nod_has_prefix(c.scan.entries[i].name, "P-unknown/");
        assert_true(h->identity_removed);
        assert_true(is_nobody ? h->patient_id[0] == '\0' : nod_has_prefix(h->patient_id, "P-"));
        if (!is_nobody) /* the folder is the pseudonym */
            assert_true(nod_has_prefix(c.scan.entries[i].name, h->patient_id));
        n_again += nod_has_suffix_nocase(c.scan.entries[i].name, "-2.dcm");
    }
    assert_int_equal(n_again, 1);
    done(&c);
}

/* --- dates ---------------------------------------------------------------------------------------- */

typedef struct study_date {
    char patient[64], study[65], date[16];
} study_date;
static study_date dates[DATES_MAX];
static size_t n_dates;

static int see(void *ctx, const nod_dicom_element *e, nod_dicom_change *change,
               nod_error *error)
{
    study_date *d = ctx;
    (void)change;
    (void)error;
    if (e->tag == 0x00080020) snprintf(d->date, sizeof d->date, "%s", e->text);
    if (e->tag == 0x00100020) snprintf(d->patient, sizeof d->patient, "%s", e->text);
    if (e->tag == 0x0020000d) snprintf(d->study, sizeof d->study, "%s", e->text);
    return 0;
}

static void read_dates(const copies *c)
{
    n_dates = 0;
    for (size_t i = 0; i < c->scan.n_entries; i++) {
        char path[700];
        nod_dicom_file *file = NULL;
        snprintf(path, sizeof path, "%s/%s", c->out, c->scan.entries[i].name);
        dates[n_dates] = (study_date){0};
        assert_int_equal(nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, &err), 0);
        assert_int_equal(nod_dicom_edit(file, see, &dates[n_dates++], &err), 0);
        nod_dicom_file_close(file);
    }
}

static const char *date_of(const char *study)
{
    char uid[NOD_DICOM_UID_BYTES];
    assert_int_equal(nod_dicom_uid_under_key(key.bytes, sizeof key.bytes, study, uid, &err), 0);
    for (size_t i = 0; i < n_dates; i++)
        if (strcmp(dates[i].study, uid) == 0) return dates[i].date;
    fail_msg("no study %s", study);
    return "";
}

/* Days since an arbitrary day, months counted as the calendar has them. */
static long day_number(const char *date)
{
    int y, m, d;
    assert_int_equal(sscanf(date, "%4d%2d%2d", &y, &m, &d), 3);
    static const int before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return 365L * y + (y - 1) / 4 - (y - 1) / 100 + (y - 1) / 400 + before[m - 1] +
           (m > 2 ? leap : 0) + d;
}

static void test_dates(void **state)
{
    const nod_deid_options o = {.key = &key};
    copies c;
    run(&c, *state, "dates", &o);
    read_dates(&c);
    long first = day_number(date_of("1.2.3.1")), real = day_number("20230517");
    assert_int_equal(day_number(date_of("1.2.3.2")) - first,
                     7); /* one patient: intervals stay */
    assert_true(real - first >= 366 && real - first <= 3652);
    assert_int_not_equal(day_number(date_of("1.2.3.3")),
                         first); /* another patient: another shift */
    assert_int_not_equal(day_number(date_of("1.2.3.4")), day_number(date_of("1.2.3.5")));
    done(&c);
}

/* --- keys, maps, bad places ----------------------------------------------------------------------- */

static void test_another_key(void **state)
{
    static const nod_site_key other = {{1, 2, 4}};
    const nod_deid_options o = {.key = &key}, p = {.key = &other};
    copies a, b;
    run(&a, *state, "key", &o);
    run(&b, *state, "other_key", &p);
    for (size_t i = 0; i < a.scan.n_entries; i++)
        for (size_t k = 0; k < b.scan.n_entries; k++) {
            const nod_dicom_header *x = &a.scan.entries[i].header,
                                   *y = &b.scan.entries[k].header;
            assert_string_not_equal(x->study_uid, y->study_uid);
            assert_true(x->patient_id[0] == '\0' || strcmp(x->patient_id, y->patient_id) != 0);
        }
    done(&a);
    done(&b);
}

static void test_map(void **state)
{
    char map[512], bad[600];
    nod_csv *t = NULL;
    nod_bytes one;
    copies c;
    temp_path(map, *state, "map.csv");
    nod_deid_options o = {.key = &key, .map = map};
    snprintf(bad, sizeof bad, "%s/map", (const char *)*state);
    assert_int_equal(nod_dir_make(bad, &err), 0);
    put(bad, "cut.dcm", "MRN9", "1.2.3.9", "1.2.3.9.1.1", "20230517");
    snprintf(bad, sizeof bad, "%s/map/cut.dcm", (const char *)*state);
    assert_int_equal(nod_file_read(bad, 1 << 16, &one, &err), 0);
    assert_int_equal(nod_file_write(bad, one.data, one.size - 3, &err), 0); /* of its pixels */
    nod_bytes_done(&one);
    run(&c, *state, "map", &o);
    assert_int_equal(c.result.n_copied, 6);
    assert_int_equal(c.result.n_refusals, 1);
    assert_null(strstr(c.result.refusals[0].reason, "cut"));
    assert_null(strstr(c.result.refusals[0].reason, *state));
    assert_int_equal(nod_csv_read(map, &t, &err), 0);
    assert_int_equal(nod_csv_rows(t), 7);
    for (size_t i = 0; i < nod_csv_rows(t); i++) {
        bool is_bad = strcmp(nod_csv_get(t, i, 0), "cut.dcm") == 0;
        assert_true(is_bad == (nod_csv_get(t, i, 1)[0] == '\0'));
        assert_true(is_bad == (nod_csv_get(t, i, 8)[0] != '\0'));
        if (is_bad) continue;
        char path[700], uid[NOD_DICOM_UID_BYTES];
        assert_int_equal(nod_dicom_uid_under_key(key.bytes, sizeof key.bytes,
                                                 nod_csv_get(t, i, 4), uid, &err),
                         0);
        assert_string_equal(nod_csv_get(t, i, 5), uid);
        bool is_patient = nod_has_prefix(nod_csv_get(t, i, 2), "MRN");
        assert_true(is_patient == nod_has_prefix(nod_csv_get(t, i, 3), "P-"));
        if (is_patient) /* the copy lies in his folder */
            assert_true(nod_has_prefix(nod_csv_get(t, i, 1), nod_csv_get(t, i, 3)));
        snprintf(path, sizeof path, "%s/%s", c.out, nod_csv_get(t, i, 1));
        assert_true(nod_path_is_file(path));
    }
    nod_csv_free(t);
    done(&c);
}

static void test_places(void **state)
{
    const nod_deid_options o = {.key = &key};
    nod_deid_result r;
    char in[300], out[400];
    snprintf(in, sizeof in, "%s/places", (const char *)*state);
    snprintf(out, sizeof out, "%s/copies", in);
    make_tree(in);
    assert_int_equal(nod_deid_tree(in, out, &o, &r, &err), NOD_EINVAL);
    nod_deid_result_done(&r);
    assert_int_equal(nod_deid_tree(out, in, &o, &r, &err), NOD_EINVAL);
    nod_deid_result_done(&r);
    assert_int_equal(nod_deid_tree(in, in, &o, &r, &err), NOD_EINVAL);
    nod_deid_result_done(&r);
    /* A file that is no DICOM: nothing to copy, and no report. */
    snprintf(in, sizeof in, "%s/words", (const char *)*state);
    assert_int_equal(nod_file_write(in, "words", 5, &err), 0);
    snprintf(out, sizeof out, "%s/words_copies", (const char *)*state);
    assert_int_equal(nod_deid_tree(in, out, &o, &r, &err), NOD_EDATA);
    nod_deid_result_done(&r);
    snprintf(out, sizeof out, "%s/words_copies/" NOD_DEID_REPORT, (const char *)*state);
    assert_false(nod_path_exists(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),      cmocka_unit_test(test_dates),
        cmocka_unit_test(test_another_key), cmocka_unit_test(test_map),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
