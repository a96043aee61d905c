/* test_real_data.c: real cohorts, where they are: $NODULE_DATA or ../shared/data.
 *
 * Expected numbers: tools/oracles/data_findings.py (numpy 2, Pillow 12), which finds equal pixels
 * on its own. */
#include "data/dataset.h"
#include "data/layout.h"
#include "sealed_world.h"

static const char *data_folder(void)
{
    const char *dir = getenv("NODULE_DATA");
    if (dir && nod_path_is_dir(dir)) return dir;
    return nod_path_is_dir("../shared/data") ? "../shared/data" : NULL;
}

typedef struct real {
    nod_cohort *c;
    nod_split *s;
    nod_cohort_findings f;
} real;

/* Indexes and splits; false: the data are not here. */
static bool open_real(const char *name, const char *regex, real *r)
{
    nod_error err = NOD_ERROR_INIT;
    nod_index_options io = NOD_INDEX_OPTIONS_INIT;
    nod_split_options so = NOD_SPLIT_OPTIONS_INIT;
    const char *dir = data_folder();
    char path[1024];
    if (dir) snprintf(path, sizeof path, "%s/%s", dir, name);
    if (dir == NULL || !nod_path_exists(path)) {
        print_message("SKIPPED: %s is not here (set NODULE_DATA)\n", name);
        return false;
    }
    io.folder = "/tmp";
    io.patient_regex = regex;
    if (nod_index(path, &io, &r->c, &err) != 0) fail_msg("%s", err.message);
    if (nod_split_make(r->c, &so, &r->s, &err) != 0) fail_msg("%s", err.message);
    if (nod_cohort_find_all(r->c, &r->f, &err) != 0) fail_msg("%s", err.message);
    return true;
}

static void real_done(real *r)
{
    nod_split_free(r->s);
    nod_cohort_free(r->c);
}

static size_t count_notes(const nod_split *s, nod_split_note_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < nod_split_notes(s); i++)
        n += nod_split_get_note(s, i)->kind == kind;
    return n;
}

static void expect_counts(const real *r, nod_part part, size_t images, size_t class_0,
                          size_t class_1)
{
    nod_part_counts n = nod_split_counts(r->s, part);
    assert_int_equal(n.images, images);
    assert_int_equal(n.class_images[0], class_0);
    assert_int_equal(n.class_images[1], class_1);
}

/* Decodes training and validation; the images are in the range of the contract. */
static void decode(const real *r, int dims, int64_t d, int64_t h, int64_t w)
{
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_contract_init(&k, dims, d, h, w);
    assert_int_equal(nod_dataset_fit(r->c, r->s, WITH_THREADS(0), &k, &err), 0);
    assert_true(k.mean[0] > 0 && k.mean[0] < 1 && k.sd[0] > 0 && k.sd[0] < 1);
    for (int p = 0; p < 2; p++) {
        nod_dataset data;
        double sum = 0, squares = 0;
        if (nod_dataset_open(r->c, r->s, (nod_part)p, &k, NULL, WITH_THREADS(0), &data, &err) !=
            0)
            fail_msg("%s", err.message);
        const float *v = data.images.data;
        int64_t n = nod_tensor_count(&data.images);
        for (int64_t i = 0; i < n; i++) {
            sum += (double)v[i];
            squares += (double)v[i] * (double)v[i];
        }
        if (p == NOD_PART_TRAIN) { /* fitted there: mean 0, sd 1 */
            assert_true(sum / (double)n > -1e-4 && sum / (double)n < 1e-4);
            assert_true(squares / (double)n > 0.999 && squares / (double)n < 1.001);
        }
        nod_dataset_done(&data);
    }
}

static void test_breastmnist(void **state)
{
    (void)state;
    real r;
    if (!open_real("medmnist/breastmnist.npz", NULL, &r)) return;
    assert_int_equal(r.f.duplicate_sets, 1);
    assert_int_equal(r.f.contradictory_sets, 1);
    assert_int_equal(r.f.parted_sets, 1);
    /* train 115 (malignant) has the pixels of test 76 (normal): left out; the other flagged. */
    assert_int_equal(nod_split_notes(r.s), 2);
    int64_t train = nod_cohort_find(r.c, "train-115"), test = nod_cohort_find(r.c, "test-76");
    assert_int_equal(nod_split_part(r.s, (size_t)train), NOD_PART_OUT);
    assert_int_equal(nod_split_part(r.s, (size_t)test), NOD_PART_TEST);
    assert_int_equal(count_notes(r.s, NOD_NOTE_PIXELS_IN_HIGHER), 1);
    assert_int_equal(count_notes(r.s, NOD_NOTE_CONTRADICTORY), 1);
    expect_counts(&r, NOD_PART_TRAIN, 545, 146, 399);
    expect_counts(&r, NOD_PART_VAL, 78, 21, 57);
    expect_counts(&r, NOD_PART_TEST, 156, 42, 114);
    assert_int_equal(nod_cohort_get_info(r.c)->positive_origin, NOD_POSITIVE_ASSUMED);
    assert_string_equal(nod_split_grouping(r.s), "none");
    decode(&r, 2, 1, 28, 28);
    real_done(&r);
}

static void test_pneumoniamnist(void **state)
{
    (void)state;
    real r;
    if (!open_real("medmnist/pneumoniamnist_variant_3882_524_624.npz", NULL, &r)) return;
    assert_int_equal(r.f.duplicate_sets, 26);
    assert_int_equal(r.f.duplicate_cases, 54);
    assert_int_equal(r.f.contradictory_sets, 0);
    assert_int_equal(r.f.parted_sets, 8);
    assert_int_equal(nod_split_notes(r.s), 10);
    assert_int_equal(count_notes(r.s, NOD_NOTE_PIXELS_IN_HIGHER), 10);
    static const int gone[] = {221, 492, 1067, 1344, 1500, 2300, 2327, 2847, 2968, 3096};
    for (size_t i = 0; i < NOD_COUNT(gone); i++) {
        char id[32];
        snprintf(id, sizeof id, "train-%d", gone[i]);
        int64_t at = nod_cohort_find(r.c, id);
        assert_int_equal(nod_split_part(r.s, (size_t)at), NOD_PART_OUT);
    }
    assert_int_equal(nod_split_counts(r.s, NOD_PART_TRAIN).images, 3872);
    expect_counts(&r, NOD_PART_VAL, 524, 135, 389);
    expect_counts(&r, NOD_PART_TEST, 624, 234, 390);
    decode(&r, 2, 1, 28, 28);
    real_done(&r);
}

static void test_adrenalmnist3d(void **state)
{
    (void)state;
    real r;
    if (!open_real("medmnist/adrenalmnist3d.npz", NULL, &r)) return;
    assert_int_equal(r.f.duplicate_sets, 0);
    assert_int_equal(nod_split_notes(r.s), 0);
    expect_counts(&r, NOD_PART_TRAIN, 1188, 929, 259);
    expect_counts(&r, NOD_PART_VAL, 98, 76, 22);
    expect_counts(&r, NOD_PART_TEST, 298, 229, 69);
    assert_int_equal(nod_cohort_get(r.c, 0)->depth, 28);
    decode(&r, 3, 28, 28, 28);
    real_done(&r);
}

static void test_brain_tumor_folder(void **state)
{
    (void)state;
    real r;
    if (!open_real("brain_tumor_yesno", NULL, &r)) return;
    const nod_cohort_info *info = nod_cohort_get_info(r.c);
    assert_int_equal(nod_cohort_size(r.c), 253);
    assert_int_equal(nod_cohort_unreadable(r.c), 0);
    assert_int_equal(r.f.duplicate_sets, 22);
    assert_int_equal(r.f.duplicate_cases, 47);
    assert_int_equal(r.f.contradictory_sets, 0);
    assert_string_equal(info->classes[info->positive], "yes");
    assert_int_equal(info->positive_origin, NOD_POSITIVE_DERIVED);
    /* 253 files less 25 further copies are 228 groups; none is parted. */
    size_t groups = 0, images = 0;
    for (int p = 0; p < NOD_PARTS; p++) {
        groups += nod_split_counts(r.s, (nod_part)p).groups;
        images += nod_split_counts(r.s, (nod_part)p).images;
    }
    assert_int_equal(images, 253);
    assert_int_equal(groups, 228);
    decode(&r, 2, 1, 64, 64);
    real_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_breastmnist),
        cmocka_unit_test(test_pneumoniamnist),
        cmocka_unit_test(test_adrenalmnist3d),
        cmocka_unit_test(test_brain_tumor_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
