/* test_index.c: the layouts, and what happens to what does not fit one. */
#include <math.h>

#include "cohort_maker.h"
#include "data/cohort_label.h"
#include "data/layout.h"
#include "tensor/npz.h"

typedef struct heard {
    size_t warnings;
    char last[512];
} heard;

static void hear(void *ctx, nod_log_level level, const char *line)
{
    heard *h = ctx;
    if (level != NOD_LOG_WARN) return;
    h->warnings++;
    snprintf(h->last, sizeof h->last, "%s", line);
}

/* A folder of its own below the test's. */
static const char *sub(char out[512], const char *folder, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    temp_path(out, folder, name);
    if (nod_dir_make(out, &err) != 0) fail_msg("%s", err.message);
    return out;
}

static nod_cohort *index_ok(const char *source, const nod_index_options *o)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    if (nod_index(source, o, &c, &err) != 0) fail_msg("%s", err.message);
    return c;
}

static void index_fails(const char *source, const nod_index_options *o, int code,
                        const char *text)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cohort *c = NULL;
    int rc = nod_index(source, o, &c, &err);
    if (rc != code) fail_msg("%d, %s", rc, err.message);
    expect_in(err.message, text);
    assert_null(c);
}

static const char *label_of(const nod_cohort *c, size_t i)
{
    return nod_cohort_get_info(c)->classes[nod_cohort_label(c, i)];
}

/* --- class per folder --------------------------------------------------------------------- */

static void test_folder(void **state)
{
    char dir[512];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "folder");
    o.folder = dir;
    write_png(dir, "yes/p1/a.PNG", 4, 5, 1, false);
    write_png(dir, "yes/p1/b.png", 3, 3, 2, false);
    write_png(dir, "no/c.png", 3, 3, 2, false); /* equal to yes/p1/b.png */
    write_png(dir, "no/d.png", 3, 3, 9, true);
    write_png(dir, "no/without_ending", 3, 3, 3, false);
    write_png(dir, ".hidden/x.png", 3, 3, 4, false);
    write_text(dir, "no/Thumbs.db", "no image");
    write_text(dir, "readme.txt", "x");
    nod_cohort *c = index_ok(dir, &o);
    const nod_cohort_info *info = nod_cohort_get_info(c);
    assert_int_equal(info->n_classes, 2);
    assert_string_equal(info->classes[0], "no");
    assert_string_equal(info->classes[1], "yes");
    assert_int_equal(info->positive, 1);
    assert_int_equal(info->positive_origin, NOD_POSITIVE_DERIVED);
    assert_int_equal(info->grouping, NOD_GROUPING_NONE);
    assert_string_equal(info->layout, "folder");
    assert_string_equal(info->source, ".");
    assert_int_equal(nod_cohort_size(c), 5);
    static const char *const files[] = {"no/c.png", "no/d.png", "no/without_ending",
                                        "yes/p1/a.PNG", "yes/p1/b.png"};
    for (size_t i = 0; i < 5; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        assert_string_equal(k->file, files[i]);
        assert_string_equal(label_of(c, i), i < 3 ? "no" : "yes");
        assert_int_equal(k->index, -1);
        assert_int_equal(k->official, NOD_PART_OUT);
        assert_true(strncmp(k->id, k->pixels, 12) == 0);
    }
    assert_int_equal(nod_cohort_get(c, 3)->height, 4);
    assert_int_equal(nod_cohort_get(c, 3)->width, 5);
    assert_true(nod_cohort_get(c, 1)->constant);
    assert_string_equal(nod_cohort_get(c, 0)->pixels, nod_cohort_get(c, 4)->pixels);
    assert_int_equal(strlen(nod_cohort_get(c, 0)->id), 12);
    assert_string_equal(nod_cohort_get(c, 4)->id + 12, "-2");
    nod_cohort_free(c);

    o.positive = "no";
    c = index_ok(dir, &o);
    assert_int_equal(nod_cohort_get_info(c)->positive, 0);
    assert_int_equal(nod_cohort_get_info(c)->positive_origin, NOD_POSITIVE_DECLARED);
    nod_cohort_free(c);
    o.positive = "nope";
    index_fails(dir, &o, NOD_EINVAL, "'nope' is not one of 'no', 'yes'");
}

static void test_folder_with_parts(void **state)
{
    char dir[512], elsewhere[512], path[600];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "parts");
    o.folder = sub(elsewhere, *state, "elsewhere");
    write_png(dir, "train/a/1.png", 3, 3, 1, false);
    write_png(dir, "train/b/2.png", 3, 3, 2, false);
    write_png(dir, "valid/b/3.png", 3, 3, 3, false);
    write_png(dir, "test/a/4.png", 3, 3, 4, false);
    nod_cohort *c = index_ok(dir, &o);
    assert_int_equal(nod_cohort_size(c), 4);
    assert_int_equal(nod_cohort_get_info(c)->n_classes, 2);
    assert_int_equal(nod_cohort_get_info(c)->positive_origin, NOD_POSITIVE_ASSUMED);
    for (size_t i = 0; i < 4; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        nod_part want = strstr(k->file, "/train/")  ? NOD_PART_TRAIN
                        : strstr(k->file, "/test/") ? NOD_PART_TEST
                                                    : NOD_PART_VAL;
        assert_int_equal(k->official, want);
        assert_true(k->file[0] == '/'); /* not below the cohort's folder */
    }
    /* Read back from its file, the cohort finds its images. */
    nod_error err = NOD_ERROR_INIT;
    snprintf(path, sizeof path, "%s/cohort.csv", elsewhere);
    if (nod_cohort_write(c, path, &err) != 0) fail_msg("%s", err.message);
    nod_cohort_free(c);
    assert_int_equal(nod_cohort_read(path, &c, &err), 0);
    char *file = nod_cohort_case_path(c, 0);
    assert_true(nod_path_is_file(file));
    free(file);
    nod_cohort_free(c);
}

static void test_folder_that_does_not_fit(void **state)
{
    char dir[512], path[600];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "bad");
    index_fails(dir, &o, NOD_EDATA, "0 class folders");
    write_png(dir, "yes/1.png", 3, 3, 1, false);
    index_fails(dir, &o, NOD_EDATA, "1 class folders");
    snprintf(path, sizeof path, "%s/no", dir);
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_dir_make(path, &err), 0);
    index_fails(dir, &o, NOD_EDATA, "class 'no' has no case");
    snprintf(path, sizeof path, "%s/nowhere", dir);
    index_fails(path, &o, NOD_ENOENT, "nowhere");
    write_text(dir, "x.dat", "x");
    snprintf(path, sizeof path, "%s/x.dat", dir);
    index_fails(path, &o, NOD_EFORMAT, "none of the layouts");
    o.layout = "foldr";
    index_fails(dir, &o, NOD_EINVAL, "did you mean 'folder'");
}

static void test_unreadable_images(void **state)
{
    char dir[512], path[600];
    heard h = {0};
    nod_log log = {hear, &h};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    nod_error err = NOD_ERROR_INIT;
    sub(dir, *state, "unreadable");
    o.folder = dir;
    o.log = &log;
    for (unsigned i = 0; i < 9; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%u.png", i % 2 ? "yes" : "no", i);
        write_png(dir, name, 9, 9, i, false);
    }
    write_text(dir, "no/empty.png", "");
    nod_cohort *c = index_ok(dir, &o); /* one of ten is allowed */
    assert_int_equal(nod_cohort_size(c), 9);
    assert_int_equal(nod_cohort_unreadable(c), 1);
    nod_unreadable u = nod_cohort_get_unreadable(c, 0);
    assert_string_equal(u.id, "u-ba5bc186df7b"); /* as in test_unreadable.c */
    assert_string_equal(u.file, "no/empty.png");
    assert_string_equal(u.reason, "the file is empty");
    assert_int_equal(h.warnings, 1);
    assert_string_equal(h.last, "left out: u-ba5bc186df7b: the file is empty");
    nod_cohort_free(c);

    /* A cut file beside it is one too many. */
    nod_bytes b;
    snprintf(path, sizeof path, "%s/no/0.png", dir);
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    assert_int_equal(nod_file_write(path, b.data, b.size / 2, &err), 0);
    nod_bytes_done(&b);
    index_fails(dir, &o, NOD_EDATA, "2 of 10 images cannot be read");
    o.max_unreadable = 0.2;
    c = index_ok(dir, &o);
    assert_int_equal(nod_cohort_unreadable(c), 2);
    nod_cohort_free(c);
    o.max_unreadable = 0;
    index_fails(dir, &o, NOD_EDATA, "--max-unreadable");
    o.max_unreadable = 2;
    index_fails(dir, &o, NOD_EINVAL, "2");

    sub(dir, *state, "all_unreadable");
    write_text(dir, "a/1.png", "");
    write_text(dir, "b/2.png", "PNG");
    o.max_unreadable = 1;
    o.folder = dir;
    index_fails(dir, &o, NOD_EDATA, "none of the 2 images");
}

static void test_patient_regex(void **state)
{
    char dir[512];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "regex");
    o.folder = dir;
    write_png(dir, "no/P01_1.png", 3, 3, 1, false);
    write_png(dir, "no/P01_2.png", 3, 3, 2, false);
    write_png(dir, "yes/P02_1.png", 3, 3, 3, false);
    o.patient_regex = "/(P[0-9]+)_";
    nod_cohort *c = index_ok(dir, &o);
    assert_int_equal(nod_cohort_get_info(c)->grouping, NOD_GROUPING_DERIVED);
    assert_string_equal(nod_cohort_get_info(c)->grouping_rule, o.patient_regex);
    assert_string_equal(nod_cohort_get(c, 0)->patient, "P01");
    assert_string_equal(nod_cohort_get(c, 1)->patient, "P01");
    assert_string_equal(nod_cohort_get(c, 2)->patient, "P02");
    nod_cohort_free(c);
    o.patient_regex = "/(P01)_";
    index_fails(dir, &o, NOD_EDATA,
                "finds no patient in an image; it must fit every image; "
                "--show-ids names files");
    o.show_ids = true;
    index_fails(dir, &o, NOD_EDATA, "finds no patient in yes/P02_1.png");
    o.show_ids = false;
    o.patient_regex = "P[0-9]+";
    index_fails(dir, &o, NOD_EINVAL, "no group");
    o.patient_regex = "(P[0-9+";
    index_fails(dir, &o, NOD_EINVAL, "patient rule");
}

/* --- npz ---------------------------------------------------------------------------------- */

typedef struct arrays {
    const char *names[12];
    nod_tensor t[12];
    size_t n;
} arrays;

/* Adds an array; values of images are i * 37 % 251, of others given. */
static void add(arrays *a, const char *name, nod_dtype dtype, nod_shape shape,
                const uint8_t *values)
{
    nod_error err = NOD_ERROR_INIT;
    nod_tensor *t = &a->t[a->n];
    if (nod_tensor_init(t, dtype, &shape, &err) != 0) fail_msg("%s", err.message);
    for (int64_t i = 0; i < nod_tensor_count(t); i++) {
        /* The analyser cannot see that the count is the shape's, so that of `values`. */
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign) */
        uint8_t v = values ? values[i] : (uint8_t)(((size_t)i * 37 + a->n) % 251);
        switch (dtype) {
        case NOD_DTYPE_U8:
            ((uint8_t *)t->data)[i] = v;
            break;
        case NOD_DTYPE_U16:
            ((uint16_t *)t->data)[i] = v;
            break;
        case NOD_DTYPE_I64:
            ((int64_t *)t->data)[i] = v;
            break;
        case NOD_DTYPE_F32:
            ((float *)t->data)[i] = (float)v;
            break;
        case NOD_DTYPE_F64:
            ((double *)t->data)[i] = (double)v;
            break;
        default:
            fail_msg("dtype");
        }
    }
    a->names[a->n++] = name;
}

static const char *save(arrays *a, char path[512], const char *folder, const char *name)
{
    nod_error err = NOD_ERROR_INIT;
    temp_path(path, folder, name);
    if (nod_npz_write(path, a->names, a->t, a->n, true, &err) != 0) fail_msg("%s", err.message);
    for (size_t i = 0; i < a->n; i++)
        nod_tensor_done(&a->t[i]);
    *a = (arrays){0};
    return path;
}

static void test_npz_with_parts(void **state)
{
    static const uint8_t l3[] = {0, 1, 2}, l2[] = {2, 10};
    char path[512];
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    add(&a, "train_images", NOD_DTYPE_U8, nod_shape_of(3, 3, 4, 5), NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(2, 3, 1), l3);
    add(&a, "test_images", NOD_DTYPE_U8, nod_shape_of(3, 2, 4, 5), NULL);
    add(&a, "test_labels", NOD_DTYPE_I64, nod_shape_of(1, 2), l2);
    nod_cohort *c = index_ok(save(&a, path, *state, "parts.npz"), &o);
    const nod_cohort_info *info = nod_cohort_get_info(c);
    assert_int_equal(info->n_classes, 4);
    assert_string_equal(info->classes[3], "10"); /* in the order of numbers */
    assert_int_equal(info->positive, -1);
    assert_string_equal(info->layout, "medmnist");
    assert_string_equal(info->source, "parts.npz");
    assert_int_equal(nod_cohort_size(c), 5);
    assert_string_equal(nod_cohort_get(c, 1)->id, "train-1");
    assert_string_equal(nod_cohort_get(c, 4)->id, "test-1");
    assert_string_equal(nod_cohort_get(c, 4)->array, "test_images");
    assert_int_equal(nod_cohort_get(c, 4)->index, 1);
    assert_int_equal(nod_cohort_get(c, 4)->official, NOD_PART_TEST);
    assert_string_equal(nod_cohort_get(c, 4)->file, "parts.npz");
    assert_int_equal(nod_cohort_get(c, 4)->height, 4);
    assert_string_equal(label_of(c, 4), "10");
    nod_cohort_free(c);
    o.positive = "1";
    index_fails(path, &o, NOD_EINVAL, "4");
    o.positive = NULL;
    o.patient_regex = "(x)";
    index_fails(path, &o, NOD_EINVAL, "no file names");
}

static void test_npz_volumes_and_patients(void **state)
{
    static const uint8_t labels[] = {0, 1, 1, 0}, patients[] = {7, 7, 8, 9};
    char path[512];
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    add(&a, "images", NOD_DTYPE_F32, nod_shape_of(4, 4, 5, 6, 7), NULL);
    add(&a, "labels", NOD_DTYPE_U8, nod_shape_of(1, 4), labels);
    add(&a, "patients", NOD_DTYPE_I64, nod_shape_of(2, 4, 1), patients);
    nod_cohort *c = index_ok(save(&a, path, *state, "volumes.npz"), &o);
    assert_int_equal(nod_cohort_get_info(c)->grouping, NOD_GROUPING_DECLARED);
    assert_string_equal(nod_cohort_get(c, 1)->patient, "7");
    assert_int_equal(nod_cohort_get(c, 1)->depth, 5);
    assert_int_equal(nod_cohort_get(c, 1)->width, 7);
    assert_string_equal(nod_cohort_get(c, 1)->sample, "f32");
    assert_int_equal(nod_cohort_get_info(c)->positive_origin, NOD_POSITIVE_ASSUMED);
    assert_int_equal(nod_cohort_get_info(c)->positive, 1);
    nod_cohort_free(c);
}

static void test_npz_multilabel_and_colour(void **state)
{
    static const uint8_t labels[] = {0, 0, 0, 1, 0, 1, 1, 1, 1};
    char path[512];
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    add(&a, "images", NOD_DTYPE_U16, nod_shape_of(4, 3, 5, 6, 3), NULL);
    add(&a, "labels", NOD_DTYPE_U8, nod_shape_of(2, 3, 3), labels);
    nod_cohort *c = index_ok(save(&a, path, *state, "multi.npz"), &o);
    assert_true(nod_cohort_get_info(c)->multilabel);
    assert_int_equal(nod_cohort_get_info(c)->n_classes, 3);
    assert_int_equal(nod_cohort_get(c, 0)->channels, 3);
    assert_int_equal(nod_cohort_get(c, 0)->depth, 1);
    assert_string_equal(nod_cohort_get(c, 0)->sample, "u16");
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(nod_cohort_has_label(c, i / 3, i % 3), labels[i]);
    nod_cohort_free(c);
}

static void test_npz_that_does_not_fit(void **state)
{
    static const uint8_t l3[] = {0, 1, 1}, l2[] = {0, 1}, bits[] = {0, 1, 2, 0, 1, 0};
    nod_shape im = nod_shape_of(3, 3, 4, 5);
    char path[512];
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    add(&a, "train_images", NOD_DTYPE_U8, im, NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(1, 2), l2);
    index_fails(save(&a, path, *state, "x1.npz"), &o, NOD_EDATA,
                "train_labels has 2 rows, train_images has 3 images");
    add(&a, "train_images", NOD_DTYPE_U8, im, NULL);
    index_fails(save(&a, path, *state, "x2.npz"), &o, NOD_EDATA, "train_labels is missing");
    add(&a, "train_images", NOD_DTYPE_F64, im, NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(1, 3), l3);
    index_fails(save(&a, path, *state, "x3.npz"), &o, NOD_ESHAPE, "dtype f64");
    add(&a, "train_images", NOD_DTYPE_U8, im, NULL);
    add(&a, "train_labels", NOD_DTYPE_F32, nod_shape_of(1, 3), l3);
    index_fails(save(&a, path, *state, "x4.npz"), &o, NOD_EDATA, "dtype f32");
    add(&a, "train_images", NOD_DTYPE_U8, nod_shape_of(2, 3, 4), NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(1, 3), l3);
    index_fails(save(&a, path, *state, "x5.npz"), &o, NOD_ESHAPE, "[3, 4]");
    add(&a, "train_images", NOD_DTYPE_U8, im, NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(2, 3, 2), bits);
    index_fails(save(&a, path, *state, "x6.npz"), &o, NOD_EDATA, "holds 2");
    add(&a, "volumes", NOD_DTYPE_U8, im, NULL);
    index_fails(save(&a, path, *state, "x7.npz"), &o, NOD_EDATA, "it has: volumes");

    /* Cut off anywhere: an error, no crash. */
    add(&a, "train_images", NOD_DTYPE_U8, im, NULL);
    add(&a, "train_labels", NOD_DTYPE_U8, nod_shape_of(1, 3), l3);
    save(&a, path, *state, "x8.npz");
    nod_error err = NOD_ERROR_INIT;
    nod_bytes b;
    assert_int_equal(nod_file_read(path, 1 << 20, &b, &err), 0);
    for (size_t size = 0; size < b.size; size += 13) {
        nod_cohort *c = NULL;
        assert_int_equal(nod_file_write(path, b.data, size, &err), 0);
        assert_int_not_equal(nod_index(path, &o, &c, &err), 0);
        expect_in(err.message, "x8.npz");
    }
    nod_bytes_done(&b);
}

static void test_npz_with_nan(void **state)
{
    static const uint8_t labels[] = {0, 1, 1, 0};
    char path[512];
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    o.folder = *state;
    o.max_unreadable = 0.25;
    add(&a, "images", NOD_DTYPE_F32, nod_shape_of(3, 4, 3, 3), NULL);
    add(&a, "labels", NOD_DTYPE_U8, nod_shape_of(1, 4), labels);
    ((float *)a.t[0].data)[9] = NAN;
    nod_cohort *c = index_ok(save(&a, path, *state, "nan.npz"), &o);
    assert_int_equal(nod_cohort_size(c), 3);
    assert_int_equal(nod_cohort_unreadable(c), 1);
    nod_cohort_free(c);
}

/* --- manifest ----------------------------------------------------------------------------- */

static void test_manifest(void **state)
{
    static const uint8_t labels[] = {0, 1};
    char dir[512], path[600], npz[512];
    heard h = {0};
    nod_log log = {hear, &h};
    arrays a = {0};
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "manifest");
    o.folder = *state;
    o.log = &log;
    write_png(dir, "im/1.png", 3, 3, 1, false);
    write_png(dir, "im/2.png", 3, 3, 2, false);
    add(&a, "scans", NOD_DTYPE_U8, nod_shape_of(3, 2, 3, 3), NULL);
    add(&a, "labels", NOD_DTYPE_U8, nod_shape_of(1, 2), labels);
    save(&a, npz, dir, "im/s.npz");
    write_text(dir, "list.csv",
               "path,label,pateint,patient,part,array,index,age\n"
               "im/1.png,normal,x,p1,train,,,50\n"
               "im/2.png,tumour,x,p2,validation,,,51\n"
               "im/s.npz,tumour,x,p1,test,scans,1,52\n");
    snprintf(path, sizeof path, "%s/list.csv", dir);
    nod_cohort *c = index_ok(path, &o);
    assert_int_equal(nod_cohort_size(c), 3);
    assert_int_equal(nod_cohort_get_info(c)->grouping, NOD_GROUPING_DECLARED);
    assert_int_equal(nod_cohort_get_info(c)->positive, 1);
    assert_int_equal(nod_cohort_get_info(c)->positive_origin, NOD_POSITIVE_DERIVED);
    assert_string_equal(nod_cohort_get(c, 0)->file, "manifest/im/1.png");
    assert_int_equal(nod_cohort_get(c, 1)->official, NOD_PART_VAL);
    assert_string_equal(nod_cohort_get(c, 2)->array, "scans");
    assert_int_equal(nod_cohort_get(c, 2)->index, 1);
    assert_string_equal(nod_cohort_get(c, 2)->patient, "p1");
    nod_cohort_free(c);
    assert_int_equal(h.warnings, 1);
    expect_in(h.last, "is 'patient' meant");

    o.patient_regex = "([0-9])";
    index_fails(path, &o, NOD_EINVAL, "names the patients itself");
}

static void test_manifest_that_does_not_fit(void **state)
{
    static const struct {
        const char *text;
        int rc;
        const char *part;
    } bad[] = {
        {"path,class\nim/1.png,a\n", NOD_EFORMAT, "column 'label' is missing"},
        {"path,label\nim/1.png,a\nim/2.png,\n", NOD_EDATA, "list.csv:3: the label is empty"},
        {"path,label\nim/1.png,a\n,b\n", NOD_EDATA, "list.csv:3: the path is empty"},
        {"path,label\nim/1.png,a\nim/1.png,b\n", NOD_EDATA,
         "list.csv:3: this image stands on line 2"},
        {"path,label,part\nim/1.png,a,exam\n", NOD_EDATA,
         "list.csv:2: the part is not train, val or test"},
        {"path,label,index\nim/1.png,a,-1\n", NOD_EDATA,
         "list.csv:2: the index is not a number from 0"},
        {"path,label,array\nim/1.png,a,x\n", NOD_EFORMAT, "needs the column 'index'"},
        {"path,label\nim/1.png,a\nim/2.png,a\n", NOD_EDATA, "this has 1"},
        {"path,label\nim/1.png,a,b\n", NOD_EFORMAT, "list.csv"},
        {"path,label\nim/1.png,a\nim/9.png,b\n", NOD_EDATA,
         "u-1: line 3 of the table: cannot open the file"},
        {"path,label\n", NOD_EDATA, "no images"},
        {"path,label\nim/1.png,a|b\nim/2.png,a||b\n", NOD_EDATA, "class name ''"},
    };
    char dir[512], path[600];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "bad_manifest");
    write_png(dir, "im/1.png", 3, 3, 1, false);
    write_png(dir, "im/2.png", 3, 3, 2, false);
    snprintf(path, sizeof path, "%s/list.csv", dir);
    o.folder = dir;
    for (size_t i = 0; i < NOD_COUNT(bad); i++) {
        write_text(dir, "list.csv", bad[i].text);
        index_fails(path, &o, bad[i].rc, bad[i].part);
    }
}

/* The same cohort for any number of threads. */
static void test_threads_do_not_matter(void **state)
{
    char dir[512];
    nod_index_options o = NOD_INDEX_OPTIONS_INIT;
    sub(dir, *state, "threads");
    o.folder = dir;
    for (unsigned i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%u.png", i % 3 ? "yes" : "no", i);
        write_png(dir, name, 5 + i % 7, 6, i, false);
    }
    o.threads = 1;
    nod_cohort *a = index_ok(dir, &o);
    o.threads = 5;
    nod_cohort *b = index_ok(dir, &o);
    assert_string_equal(nod_cohort_hash(a), nod_cohort_hash(b));
    nod_cohort_free(a);
    nod_cohort_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_folder_with_parts),
        cmocka_unit_test(test_folder_that_does_not_fit),
        cmocka_unit_test(test_unreadable_images),
        cmocka_unit_test(test_patient_regex),
        cmocka_unit_test(test_npz_with_parts),
        cmocka_unit_test(test_npz_volumes_and_patients),
        cmocka_unit_test(test_npz_multilabel_and_colour),
        cmocka_unit_test(test_npz_that_does_not_fit),
        cmocka_unit_test(test_npz_with_nan),
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_manifest_that_does_not_fit),
        cmocka_unit_test(test_threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
