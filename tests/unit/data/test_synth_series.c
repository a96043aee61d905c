/* test_synth_series.c: phantoms written as DICOM and read back as series: four-dimensional where they
 * should be, each mask on its series' grid and over what it marks, each defect found by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "data/synth.h"
#include "imaging/dicom/series.h"
#include "imaging/reader.h"
#include "temp_folder.h"

#define PATH_SIZE 1024

/* A cohort, its tree scanned, its truth. */
typedef struct world {
    char dir[PATH_SIZE];
    nod_dicom_scan scan;
    nod_csv *truth;
} world;

static void world_make(world *w, const char *folder, const char *name, nod_synth_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE + 16];
    snprintf(w->dir, sizeof w->dir, "%s/%s", folder, name);
    if (nod_synth_write(w->dir, o, NULL, &err) != 0) fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/truth.csv", w->dir);
    if (nod_csv_read(path, &w->truth, &err) != 0) fail_msg("%s", err.message);
    snprintf(path, sizeof path, "%s/dicom", w->dir);
    if (nod_dicom_scan_tree(path, NULL, &w->scan, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(w->scan.n_problems, 0);
}

static void world_done(world *w)
{
    nod_dicom_scan_done(&w->scan);
    nod_csv_free(w->truth);
}

static const char *tell(const world *w, size_t row, const char *column)
{
    return nod_csv_get(w->truth, row, (size_t)nod_csv_find(w->truth, column));
}

/* The scanned series of a row. */
static size_t series_of(const world *w, size_t row)
{
    for (size_t i = 0; i < w->scan.n_series; i++) {
        const nod_dicom_entry *e = &w->scan.entries[w->scan.series[i].first];
        if (strcmp(e->header.series_uid, tell(w, row, "series")) == 0) return i;
    }
    fail_msg("series of row %zu is not in the tree", row);
    return 0;
}

static nod_image read_series(const world *w, size_t row)
{
    nod_error err = NOD_ERROR_INIT;
    nod_image im = {0};
    if (nod_dicom_series_read(&w->scan, series_of(w, row), NULL, &im, NULL, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(im.sample, NOD_SAMPLE_F32);
    return im;
}

static nod_image read_mask(const world *w, size_t row)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE + 128];
    nod_image im = {0};
    snprintf(path, sizeof path, "%s/%s", w->dir, tell(w, row, "mask"));
    if (nod_image_read(path, NULL, NULL, &im, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(im.sample, NOD_SAMPLE_U8);
    return im;
}

/* Mean of one frame where the mask is set; the number of such voxels. `mask` may have one frame. */
static double mean_inside(const nod_image *im, const nod_image *mask, int64_t frame, int64_t *n)
{
    int64_t volume = im->depth * im->height * im->width;
    const float *v = (const float *)im->data + frame * volume;
    const uint8_t *m = (const uint8_t *)mask->data + (mask->frames > 1 ? frame * volume : 0);
    double sum = 0;
    *n = 0;
    for (int64_t k = 0; k < volume; k++)
        if (m[k]) {
            sum += v[k];
            (*n)++;
        }
    return *n ? sum / (double)*n : 0;
}

static double mean_of(const nod_image *im)
{
    double sum = 0;
    for (int64_t k = 0; k < nod_image_samples(im); k++)
        sum += ((const float *)im->data)[k];
    return sum / (double)nod_image_samples(im);
}

static nod_synth_options small(nod_synth_kind kind, int64_t n_patients, int64_t size)
{
    nod_synth_options o = nod_synth_defaults(kind);
    o.n_patients = n_patients;
    o.size = size;
    return o;
}

/* --- volumes ------------------------------------------------------------------------------ */

static void test_heads(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_synth_options o = small(NOD_SYNTH_MR, 12, 32);
    bool codes_seen[2] = {false, false};
    world w;
    world_make(&w, *state, "mr", &o);
    assert_int_equal(w.scan.n_patients, 12);
    assert_int_equal(w.scan.n_series, nod_csv_rows(w.truth));
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_image im = read_series(&w, r), mask = read_mask(&w, r);
        int64_t n;
        assert_true(im.frames == 1 && im.depth == 12 && im.width == 32);
        if (nod_geometry_agree(&im.geometry, "series", &mask.geometry, "mask", &err) != 0)
            fail_msg("%s", err.message);
        double inside = mean_inside(&im, &mask, 0, &n);
        bool tumour = strcmp(tell(&w, r, "label"), "tumor") == 0;
        assert_int_equal(n > 0, tumour);
        if (tumour) assert_true(inside > 1.5 * mean_of(&im)); /* bright, in a dark field */
        char codes[4];
        nod_geometry_codes(&im.geometry, codes);
        codes_seen[codes[2] != 'S'] = true; /* axial slices or others */
        nod_image_done(&im);
        nod_image_done(&mask);
    }
    assert_true(codes_seen[0] && codes_seen[1]);
    world_done(&w);
}

static void test_cine(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_synth_options o = small(NOD_SYNTH_CINE, 2, 64);
    world w;
    world_make(&w, *state, "cine", &o);
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_image im = read_series(&w, r), mask = read_mask(&w, r);
        int64_t n[16], most = 0, least = INT64_MAX;
        assert_true(im.frames == 16 && im.depth == 8 && im.height == 64);
        assert_int_equal(im.facts.axis, NOD_AXIS_TRIGGER);
        assert_int_equal(mask.frames, 16);
        if (nod_geometry_agree(&im.geometry, "series", &mask.geometry, "mask", &err) != 0)
            fail_msg("%s", err.message);
        for (int f = 0; f < 16; f++) { /* blood is the brightest there is */
            assert_true(mean_inside(&im, &mask, f, &n[f]) > 2 * mean_of(&im));
            most = NOD_MAX(most, n[f]);
            least = NOD_MIN(least, n[f]);
        }
        /* Phases are in order: the cavity is largest first, smallest at 0.35 of 16. */
        assert_true(n[0] == most && (n[5] == least || n[6] == least));
        double ejected = 1 - (double)least / (double)most;
        bool reduced = strcmp(tell(&w, r, "label"), "reduced") == 0;
        assert_true(reduced ? ejected < 0.42 : ejected > 0.48);
        nod_image_done(&im);
        nod_image_done(&mask);
    }
    world_done(&w);
}

static void test_dce(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_synth_options o = small(NOD_SYNTH_DCE, 4, 64);
    o.images_per_patient = 1;
    world w;
    world_make(&w, *state, "dce", &o);
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_image im = read_series(&w, r), mask = read_mask(&w, r);
        double v[5];
        int64_t n;
        assert_true(im.frames == 5 && im.depth == 16 && im.width == 64);
        /* p0001 and p0003 number their phases, the others only have times and acquisitions. */
        bool numbered = (tell(&w, r, "patient")[4] - '0') % 2 == 1;
        assert_int_equal(im.facts.axis, numbered ? NOD_AXIS_TIME : NOD_AXIS_ACQUISITION);
        if (nod_geometry_agree(&im.geometry, "series", &mask.geometry, "mask", &err) != 0)
            fail_msg("%s", err.message);
        for (int f = 0; f < 5; f++)
            v[f] = mean_inside(&im, &mask, f, &n);
        assert_true(n > 0 && v[1] > 1.2 * v[0]); /* the first comes before the contrast agent */
        bool malignant = strcmp(tell(&w, r, "label"), "malignant") == 0;
        assert_true(malignant ? v[4] < v[2] : v[4] > v[2]);
        nod_image_done(&im);
        nod_image_done(&mask);
    }
    world_done(&w);
}

/* --- projections -------------------------------------------------------------------------- */

/* Both devices mean the same: what attenuates is bright, MONOCHROME1 or not. */
static void test_chests(void **state)
{
    nod_synth_options o = small(NOD_SYNTH_XRAY, 8, 64);
    int n_cr = 0;
    world w;
    world_make(&w, *state, "xray", &o);
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_image im = read_series(&w, r);
        const float *row = (const float *)im.data + 20 * 64; /* through both lungs */
        assert_true(im.frames == 1 && im.depth == 1 && im.height == 64 && im.width == 64);
        assert_string_equal(im.facts.view, "PA");
        for (int side = -1; side <= 1; side += 2)
            assert_true(row[32] > row[32 + side * 13]);
        n_cr += strcmp(im.facts.modality, "CR") == 0;
        nod_image_done(&im);
    }
    assert_in_range(n_cr, 1, nod_csv_rows(w.truth) - 1);
    world_done(&w);
}

static void test_mammograms(void **state)
{
    nod_synth_options o = small(NOD_SYNTH_MAMMO, 2, 64);
    world w;
    world_make(&w, *state, "mammo", &o);
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_image im = read_series(&w, r);
        const char *name = strrchr(tell(&w, r, "folder"), '/') + 1; /* "l-mlo" */
        assert_true(im.height == 64 && im.width == 48);
        assert_int_equal(im.facts.laterality, name[0] == 'l' ? 'L' : 'R');
        assert_string_equal(im.facts.view, strcmp(name + 2, "cc") == 0 ? "CC" : "MLO");
        const float *row =
            (const float *)im.data + 32 * 48; /* chest wall left in a left breast */
        assert_true(name[0] == 'l' ? row[3] > row[46] : row[44] > row[1]);
        nod_image_done(&im);
    }
    world_done(&w);
}

/* --- defects ------------------------------------------------------------------------------ */

static void test_defects_are_found(void **state)
{
    static const struct {
        nod_synth_defect defect;
        nod_finding_kind finding;
    } all[] = {{NOD_SYNTH_GAP, NOD_FINDING_GAP},
               {NOD_SYNTH_DUPLICATE, NOD_FINDING_DUPLICATE},
               {NOD_SYNTH_UNEVEN, NOD_FINDING_UNEVEN_SPACING},
               {NOD_SYNTH_TILT, NOD_FINDING_GANTRY_TILT}};
    nod_synth_options o = small(NOD_SYNTH_MR, 20, 32);
    world w;
    for (size_t k = 0; k < NOD_COUNT(all); k++)
        o.defects |= 1u << all[k].defect;
    world_make(&w, *state, "defects", &o);
    for (size_t r = 0; r < nod_csv_rows(w.truth); r++) {
        nod_error err = NOD_ERROR_INIT;
        const nod_policies refuse = nod_policies_preset();
        nod_findings found = {0};
        const char *defects = tell(&w, r, "defects");
        int rc = nod_dicom_stack_judge(&w.scan, series_of(&w, r), 0, &refuse, "series", &found,
                                       &err);
        assert_int_equal(rc, *defects ? NOD_EDATA : 0);
        for (size_t k = 0; k < NOD_COUNT(all); k++)
            assert_int_equal(nod_findings_has(&found, all[k].finding),
                             strstr(defects, nod_synth_defect_name(all[k].defect)) != NULL);
        nod_findings_done(&found);
    }
    world_done(&w);
}

static void test_series_beside_are_found(void **state)
{
    nod_synth_options o = small(NOD_SYNTH_MR, 2, 32);
    int n_localizer = 0, n_capture = 0;
    world w;
    o.images_per_patient = 1;
    o.defects = 1u << NOD_SYNTH_LOCALIZER | 1u << NOD_SYNTH_BURNED_IN;
    world_make(&w, *state, "beside", &o);
    assert_int_equal(w.scan.n_series, 6);
    for (size_t i = 0; i < w.scan.n_series; i++) {
        const nod_dicom_header *h = &w.scan.entries[w.scan.series[i].first].header;
        n_localizer += nod_dicom_header_has_type(h, "LOCALIZER");
        n_capture += h->burned_in;
    }
    assert_int_equal(n_localizer, 2);
    assert_int_equal(n_capture, 2);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_cine),
        cmocka_unit_test(test_dce),
        cmocka_unit_test(test_chests),
        cmocka_unit_test(test_mammograms),
        cmocka_unit_test(test_defects_are_found),
        cmocka_unit_test(test_series_beside_are_found),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
