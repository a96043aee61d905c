/* test_synth.c: cohorts of phantoms: layout, truth, reproducibility, and how much a trivial
 * classifier gets out of them. All expected values follow from the definitions in synth.h. */
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
#include "data/phantom.h"
#include "data/synth.h"
#include "imaging/reader.h"
#include "temp_folder.h"
#include "tensor/npz.h"

#define PATH_SIZE 1024

/* "FOLDER/NAME" into out; returns out. */
static const char *path_in(char out[PATH_SIZE], const char *folder, const char *name)
{
    assert_true(snprintf(out, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
    return out;
}

static nod_synth_options small(nod_synth_kind kind)
{
    nod_synth_options o = nod_synth_defaults(kind);
    o.n_patients = 20;
    o.size = kind == NOD_SYNTH_VOLUMES ? 10 : 32;
    o.images_per_patient = 3;
    return o;
}

static void write_cohort(const char *path, const nod_synth_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    if (nod_synth_write(path, o, NULL, &err) != 0) fail_msg("%s", err.message);
}

static nod_csv *read_manifest(const char *dir)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    nod_csv *t = NULL;
    if (nod_csv_read(path_in(path, dir, "manifest.csv"), &t, &err) != 0)
        fail_msg("%s", err.message);
    return t;
}

static void test_folder(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char dir[PATH_SIZE], path[PATH_SIZE];
    int n_positive_patients = 0, n_patients = 0;
    size_t n_files[2];
    nod_synth_options o = small(NOD_SYNTH_SLICES);
    path_in(dir, *state, "folder");
    write_cohort(dir, &o);
    for (int k = 0; k < 2; k++) {
        nod_strlist names = NOD_STRLIST_INIT;
        path_in(path, dir, k == 0 ? "normal" : "tumor");
        assert_int_equal(nod_dir_list(path, &names, &err), 0);
        n_files[k] = names.n;
        nod_strlist_done(&names);
    }
    nod_csv *t = read_manifest(dir);
    assert_int_equal(nod_csv_columns(t), 3);
    assert_string_equal(nod_csv_header(t, 0), "path");
    assert_string_equal(nod_csv_header(t, 1), "label");
    assert_string_equal(nod_csv_header(t, 2), "patient");
    assert_int_equal(nod_csv_rows(t), n_files[0] + n_files[1]);
    int64_t last = 0, n_images = 0;
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        long long number, slice;
        char label[16];
        const char *file = nod_csv_get(t, r, 0);
        assert_int_equal(sscanf(file, "%15[a-z]/p%4lld_s%2lld.png", label, &number, &slice), 3);
        assert_string_equal(label, nod_csv_get(t, r, 1)); /* the class is the folder */
        assert_int_equal(strncmp(strchr(file, 'p'), nod_csv_get(t, r, 2), 5), 0);
        if (number != last) { /* a patient's rows follow each other, in one class */
            assert_int_equal(number, last + 1);
            if (last != 0) assert_in_range(n_images, 2, 4);
            n_patients++;
            n_positive_patients += strcmp(label, "tumor") == 0;
            n_images = 0;
            last = number;
        } else {
            assert_string_equal(label, nod_csv_get(t, r - 1, 1));
        }
        assert_int_equal(slice, ++n_images);
        nod_image im = {0};
        path_in(path, dir, file);
        assert_int_equal(nod_image_read(path, NULL, NULL, &im, &err), 0);
        assert_true(im.height == 32 && im.width == 32 && im.channels == 1 && im.depth == 1);
        assert_int_equal(im.sample, NOD_SAMPLE_U8);
        assert_false(nod_image_is_constant(&im));
        nod_image_done(&im);
    }
    assert_int_equal(n_patients, 20);
    assert_int_equal(n_positive_patients, 8); /* 20 * 0.4 */
    nod_csv_free(t);

    /* A folder that holds something is left alone. */
    assert_int_equal(nod_synth_write(dir, &o, NULL, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "holds 3 files"));
}

/* 12 normal patients and 8 with a tumour, dealt to two sites: 6 and 4 each; everything else is as without
 * sites. */
static void test_sites(void **state)
{
    char dir[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_SLICES);
    int n[2][2] = {{0}}, n_women = 0;
    path_in(dir, *state, "no-sites");
    write_cohort(dir, &o);
    nod_csv *plain = read_manifest(dir);
    o.n_sites = 2;
    path_in(dir, *state, "sites");
    write_cohort(dir, &o);
    nod_csv *t = read_manifest(dir);
    assert_int_equal(nod_csv_columns(t), 7);
    assert_int_equal(nod_csv_rows(t), nod_csv_rows(plain));
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        for (size_t c = 0; c < 3; c++)
            assert_string_equal(nod_csv_get(t, r, c), nod_csv_get(plain, r, c));
        bool b = strcmp(nod_csv_get(t, r, 3), "Site B") == 0;
        if (!b) assert_string_equal(nod_csv_get(t, r, 3), "Site A");
        assert_string_equal(nod_csv_get(t, r, 4), b ? "Vendor 2" : "Vendor 1");
        int age = 0;
        assert_int_equal(sscanf(nod_csv_get(t, r, 6), "%d", &age), 1);
        assert_in_range(age, 20, 89);
        if (r > 0 && strcmp(nod_csv_get(t, r, 2), nod_csv_get(t, r - 1, 2)) == 0) {
            for (size_t c = 3; c < 7; c++) /* what is said of a patient is said in each row */
                assert_string_equal(nod_csv_get(t, r, c), nod_csv_get(t, r - 1, c));
            continue;
        }
        n[b][strcmp(nod_csv_get(t, r, 1), "tumor") == 0]++;
        n_women += strcmp(nod_csv_get(t, r, 5), "F") == 0;
    }
    assert_true(n[0][0] == 6 && n[1][0] == 6 && n[0][1] == 4 && n[1][1] == 4);
    assert_in_range(n_women, 3, 17); /* of 20; outside with probability .0004 */
    nod_csv_free(plain);
    nod_csv_free(t);
}

static bool same_file(const char *a, const char *b)
{
    nod_error err = NOD_ERROR_INIT;
    nod_bytes x, y;
    assert_int_equal(nod_file_read(a, 1 << 28, &x, &err), 0);
    assert_int_equal(nod_file_read(b, 1 << 28, &y, &err), 0);
    bool same = x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
    nod_bytes_done(&x);
    nod_bytes_done(&y);
    return same;
}

static void test_reproducible(void **state)
{
    char a[PATH_SIZE], b[PATH_SIZE], c[PATH_SIZE], x[PATH_SIZE], y[PATH_SIZE], z[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_SLICES), other = o;
    other.seed = 2;
    path_in(a, *state, "a");
    path_in(b, *state, "b");
    path_in(c, *state, "c");
    write_cohort(a, &o);
    write_cohort(b, &o);
    write_cohort(c, &other);
    assert_true(same_file(path_in(x, a, "manifest.csv"), path_in(y, b, "manifest.csv")));
    assert_false(same_file(x, path_in(z, c, "manifest.csv")));
    nod_csv *t = read_manifest(a);
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        const char *file = nod_csv_get(t, r, 0);
        assert_true(same_file(path_in(x, a, file), path_in(y, b, file)));
        path_in(z, c, file);
        if (nod_path_exists(z)) assert_false(same_file(x, z));
    }
    nod_csv_free(t);
    for (int k = NOD_SYNTH_IMAGES; k <= NOD_SYNTH_VOLUMES; k++) {
        o = other = small((nod_synth_kind)k);
        other.contrast = 0.5;
        write_cohort(path_in(x, *state, "x.npz"), &o);
        write_cohort(path_in(y, *state, "y.npz"), &o);
        write_cohort(path_in(z, *state, "z.npz"), &other);
        assert_true(same_file(x, y));
        assert_false(same_file(x, z));
    }
}

static nod_tensor read_array(nod_npz *z, const char *part, const char *what)
{
    nod_error err = NOD_ERROR_INIT;
    char name[64];
    nod_tensor t = {0};
    snprintf(name, sizeof name, "%s%s", part, what);
    if (nod_npz_read(z, name, &t, &err) != 0) fail_msg("%s", err.message);
    return t;
}

static nod_npz *open_cohort(const char *path)
{
    nod_error err = NOD_ERROR_INIT;
    nod_npz *z = NULL;
    if (nod_npz_open(path, &z, &err) != 0) fail_msg("%s", err.message);
    return z;
}

static void test_arrays_by_part(void **state)
{
    static const char *const parts[] = {"train_", "val_", "test_"};
    /* Per class of 24 and 16 patients: test 25 % is 6 and 4, validation 15 % is 4 and 2. */
    static const int n_patients[] = {24, 6, 10}, n_positive[] = {10, 2, 4};
    char path[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_VOLUMES);
    o.n_patients = 40;
    write_cohort(path_in(path, *state, "parts.npz"), &o);
    nod_npz *z = open_cohort(path);
    assert_int_equal(nod_npz_count(z), 9);
    int owner[41] = {0};
    for (int k = 0; k < 3; k++) {
        int patients = 0, positive = 0, label_of[41];
        nod_tensor im = read_array(z, parts[k], "images"),
                   lb = read_array(z, parts[k], "labels");
        nod_tensor pt = read_array(z, parts[k], "patients");
        int64_t n = im.shape.dim[0];
        nod_shape images = nod_shape_of(4, n, (int64_t)10, (int64_t)10, (int64_t)10);
        nod_shape labels = nod_shape_of(2, n, (int64_t)1), ids = nod_shape_of(1, n);
        assert_true(nod_shape_equal(&im.shape, &images) && im.dtype == NOD_DTYPE_U8);
        assert_true(nod_shape_equal(&lb.shape, &labels) && lb.dtype == NOD_DTYPE_U8);
        assert_true(nod_shape_equal(&pt.shape, &ids) && pt.dtype == NOD_DTYPE_I64);
        for (int64_t i = 0; i < n; i++) {
            int64_t p = ((int64_t *)pt.data)[i];
            int label = ((uint8_t *)lb.data)[i];
            assert_in_range(p, 1, 40);
            assert_in_range(label, 0, 1);
            if (owner[p] == 0) {
                owner[p] = k + 1;
                label_of[p] = label;
                patients++;
                positive += label;
            }
            assert_int_equal(owner[p], k + 1); /* no patient in two parts */
            assert_int_equal(label_of[p], label);
        }
        assert_int_equal(patients, n_patients[k]);
        assert_int_equal(positive, n_positive[k]);
        nod_tensor_done(&im);
        nod_tensor_done(&lb);
        nod_tensor_done(&pt);
    }
    nod_npz_close(z);
}

/* Slices in an .npz are the pictures of the folder: one cohort in two forms. */
static void test_same_in_both_forms(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char dir[PATH_SIZE], path[PATH_SIZE];
    nod_synth_options o = small(NOD_SYNTH_SLICES);
    path_in(dir, *state, "both");
    write_cohort(dir, &o);
    o.kind = NOD_SYNTH_IMAGES;
    o.has_parts = false;
    write_cohort(path_in(path, *state, "both.npz"), &o);
    nod_npz *z = open_cohort(path);
    nod_csv *t = read_manifest(dir);
    assert_int_equal(nod_npz_count(z), 3);
    nod_tensor images = read_array(z, "", "images"), patients = read_array(z, "", "patients");
    nod_tensor labels = read_array(z, "", "labels");
    assert_int_equal(images.shape.rank, 3);
    assert_int_equal(images.shape.dim[0], nod_csv_rows(t));
    for (size_t r = 0; r < nod_csv_rows(t); r++) {
        nod_image im = {0};
        int n_found = 0;
        path_in(path, dir, nod_csv_get(t, r, 0));
        assert_int_equal(nod_image_read(path, NULL, NULL, &im, &err), 0);
        for (int64_t i = 0; i < images.shape.dim[0]; i++) {
            char id[8];
            if (memcmp((uint8_t *)images.data + i * 1024, im.data, 1024) != 0) continue;
            snprintf(id, sizeof id, "p%04d", (int)((int64_t *)patients.data)[i]);
            assert_string_equal(id, nod_csv_get(t, r, 2));
            assert_int_equal(((uint8_t *)labels.data)[i],
                             strcmp(nod_csv_get(t, r, 1), "tumor") == 0);
            n_found++;
        }
        assert_int_equal(n_found, 1);
        nod_image_done(&im);
    }
    nod_tensor_done(&images);
    nod_tensor_done(&patients);
    nod_tensor_done(&labels);
    nod_csv_free(t);
    nod_npz_close(z);
}

/* Area under the curve of a score by its definition: pairs won, ties half. */
static double auc(const double *score, const uint8_t *label, int64_t n)
{
    double won = 0, pairs = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            if (label[i] == 1 && label[j] == 0) {
                pairs++;
                won += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
            }
    return won / pairs;
}

/* Brightness alone says little. (A network's AUC: tools/oracles/synth_difficulty.py.) */
static void test_mean_is_no_classifier(void **state)
{
    char path[PATH_SIZE];
    for (int k = NOD_SYNTH_IMAGES; k <= NOD_SYNTH_VOLUMES; k++) {
        nod_synth_options o = nod_synth_defaults((nod_synth_kind)k);
        o.n_patients = 300;
        o.images_per_patient = 1;
        o.size = k == NOD_SYNTH_VOLUMES ? 10 : 32;
        o.has_parts = false;
        write_cohort(path_in(path, *state, "mean.npz"), &o);
        nod_npz *z = open_cohort(path);
        nod_tensor im = read_array(z, "", "images"), lb = read_array(z, "", "labels");
        size_t n = (size_t)im.shape.dim[0], size = nod_tensor_bytes(&im) / n;
        double *mean = nod_calloc(n, sizeof *mean), *spread = nod_calloc(n, sizeof *spread);
        for (size_t i = 0; i < n; i++) {
            const uint8_t *p = (uint8_t *)im.data + i * size;
            for (size_t v = 0; v < size; v++) {
                mean[i] += p[v];
                spread[i] += (double)p[v] * p[v];
            }
            spread[i] =
                spread[i] / (double)size - mean[i] / (double)size * (mean[i] / (double)size);
        }
        double by_mean = auc(mean, lb.data, (int64_t)n);
        double by_spread = auc(spread, lb.data, (int64_t)n);
        if (!(by_mean > 0.3 && by_mean < 0.7 && by_spread > 0.3 && by_spread < 0.7))
            fail_msg("AUC of the mean %g, of the variance %g", by_mean, by_spread);
        nod_free(mean);
        nod_free(spread);
        nod_tensor_done(&im);
        nod_tensor_done(&lb);
        nod_npz_close(z);
    }
}

/* The same head with and without its tumour: the tumour shows, and nothing else changes. */
static void test_tumour_is_there(void **state)
{
    enum { SIZE = 64 };
    (void)state;
    for (int64_t i = 0; i < 40; i++) {
        nod_error err = NOD_ERROR_INIT;
        static uint8_t with[SIZE * SIZE], without[SIZE * SIZE];
        nod_phantom *p[2] = {NULL, NULL};
        for (int k = 0; k < 2; k++) {
            const nod_phantom_options o = {
                .has_tumour = k == 1, .contrast = 1, .radius_scale = 1};
            assert_int_equal(nod_phantom_new(7, i, &o, &p[k], &err), 0);
        }
        nod_phantom_slice(p[0], 3, SIZE, without);
        nod_phantom_slice(p[1], 3, SIZE, with);
        int n_changed = 0;
        for (int k = 0; k < SIZE * SIZE; k++)
            n_changed += with[k] != without[k];
        assert_in_range(n_changed, 20, SIZE * SIZE / 4);
        nod_phantom_free(p[0]);
        nod_phantom_free(p[1]);
    }
}

static void test_refusals(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    char path[PATH_SIZE];
    const nod_synth_options good = small(NOD_SYNTH_VOLUMES);
    nod_synth_options bad[16];
    size_t n = 0;
    for (size_t i = 0; i < NOD_COUNT(bad); i++)
        bad[i] = good;
    bad[n++].n_patients = 1;
    bad[n++].n_patients = NOD_SYNTH_MAX_PATIENTS + 1;
    bad[n++].images_per_patient = 0;
    bad[n++].size = 7;
    bad[n++].size = 129;
    bad[n++].prevalence = 0;
    bad[n++].prevalence = 1;
    bad[n++].prevalence = 0.0 / 0.0;
    bad[n++].contrast = 0;
    bad[n++].contrast = -1;
    bad[n++].part_test = 0.9;
    bad[n++].part_val = -0.1;
    bad[n++].n_patients = 2; /* no validation part */
    bad[n++].kind = NOD_SYNTH_KINDS;
    bad[n++].n_sites = 2; /* arrays say nothing of sites */
    bad[n++].n_sites = NOD_SYNTH_MAX_SITES + 1;
    path_in(path, *state, "never.npz");
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(nod_synth_write(path, &bad[i], NULL, &err), NOD_EINVAL);
        assert_non_null(strstr(err.message, "synth"));
    }
    assert_false(nod_path_exists(path));
    assert_int_equal(nod_synth_write("/no/such/folder/x.npz", &good, NULL, &err), NOD_ENOENT);
    assert_int_equal(nod_synth_kind_from_name("volumes"), NOD_SYNTH_VOLUMES);
    assert_string_equal(nod_synth_kind_name(NOD_SYNTH_SLICES), "slices");
    assert_int_equal(nod_synth_kind_from_name("dicom"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_arrays_by_part),
        cmocka_unit_test(test_same_in_both_forms),
        cmocka_unit_test(test_mean_is_no_classifier),
        cmocka_unit_test(test_tumour_is_there),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
