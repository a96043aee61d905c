/* test_dataset.c: a part in memory, and what is fitted on the training part alone. */
#include <math.h>

#include "data/dataset.h"
#include "sealed_world.h"

static void test_images_go_through_the_contract(void **state)
{
    sealed_world w = sealed_world_make(*state, "contract", 10);
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_dataset d;
    nod_contract_init(&k, 2, 1, 5, 6);
    k.normalisation = NOD_NORMALISATION_NONE;
    if (nod_dataset_open(w.cohort, w.split, NOD_PART_TRAIN, &k, NULL, WITH_THREADS(3), &d,
                         &err) != 0)
        fail_msg("%s", err.message);
    size_t bytes;
    assert_int_equal(nod_dataset_bytes(w.split, NOD_PART_TRAIN, &k, &bytes, &err), 0);
    assert_int_equal(bytes, nod_tensor_bytes(&d.images));
    assert_int_equal(d.images.shape.rank, 4);
    assert_int_equal(d.images.shape.dim[0], d.labels.n);
    assert_int_equal(d.images.shape.dim[1], 1);
    assert_int_equal(d.images.shape.dim[3], 6);
    const float *v = d.images.data;
    for (size_t i = 0; i < d.labels.n; i++) {
        unsigned seed = 0; /* the file's name: see sealed_world_make */
        const char *file = nod_cohort_get(w.cohort, d.labels.cases[i])->file;
        assert_int_equal(sscanf(strchr(file, '/'), "/%u.png", &seed), 1);
        for (unsigned p = 0; p < 30; p++) {
            unsigned want = made_pixel(seed, p / 6, p % 6);
            assert_true(fabs((double)v[i * 30 + p] - want / 255.0) < 1e-6);
        }
        assert_int_equal(d.labels.values[i], file[0] == 'y');
    }
    nod_dataset_done(&d);
    /* Any number of threads, the same bytes. */
    nod_dataset one, many;
    k.normalisation = NOD_NORMALISATION_IMAGE;
    assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_VAL, &k, NULL,
                                      WITH_THREADS(1), &one, &err),
                     0);
    assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_VAL, &k, NULL,
                                      WITH_THREADS(7), &many, &err),
                     0);
    assert_memory_equal(one.images.data, many.images.data, nod_tensor_bytes(&one.images));
    nod_dataset_done(&one);
    nod_dataset_done(&many);
    sealed_world_done(&w);
}

static void test_test_images_are_sealed_too(void **state)
{
    sealed_world w = sealed_world_make(*state, "images", 10);
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_dataset d;
    nod_contract_init(&k, 2, 1, 5, 6);
    k.normalisation = NOD_NORMALISATION_NONE;
    assert_int_equal(
        nod_dataset_open(w.cohort, w.split, NOD_PART_TEST, &k, NULL, WITH_THREADS(1), &d, &err),
        NOD_ESEAL);
    nod_look *look = sealed_world_look(&w);
    assert_int_equal(
        nod_dataset_open(w.cohort, w.split, NOD_PART_TEST, &k, look, WITH_THREADS(1), &d, &err),
        0);
    nod_dataset_done(&d);
    nod_look_close(look);
    sealed_world_done(&w);
}

/* Mean and sd of all training pixels, computed here from the files' formula. */
static void test_fit_uses_training_alone(void **state)
{
    sealed_world w = sealed_world_make(*state, "fit", 10);
    nod_error err = NOD_ERROR_INIT;
    nod_contract k, k2;
    double n = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < 20; i++) {
        if (nod_split_part(w.split, i) != NOD_PART_TRAIN) continue;
        unsigned seed = 0;
        assert_int_equal(
            sscanf(strchr(nod_cohort_get(w.cohort, i)->file, '/'), "/%u.png", &seed), 1);
        for (unsigned p = 0; p < 30; p++) {
            double v = made_pixel(seed, p / 6, p % 6) / 255.0;
            n++;
            sum += v;
            squares += v * v;
        }
    }
    nod_contract_init(&k, 2, 1, 5, 6);
    k2 = k;
    assert_int_equal(nod_dataset_fit(w.cohort, w.split, WITH_THREADS(1), &k, &err), 0);
    assert_int_equal(nod_dataset_fit(w.cohort, w.split, WITH_THREADS(4), &k2, &err), 0);
    assert_true(k.fitted);
    assert_true(fabs(k.mean[0] - sum / n) < 1e-7);
    assert_true(fabs(k.sd[0] - sqrt(squares / n - sum / n * sum / n)) < 1e-6);
    assert_true(k.mean[0] == k2.mean[0] && k.sd[0] == k2.sd[0]); /* bit for bit */

    /* Other validation and test pixels do not change it: the files are overwritten. */
    for (size_t i = 0; i < 20; i++)
        if (nod_split_part(w.split, i) != NOD_PART_TRAIN)
            write_png(w.folder, nod_cohort_get(w.cohort, i)->file, 5, 6, 200, true);
    nod_contract k3;
    nod_contract_init(&k3, 2, 1, 5, 6);
    assert_int_equal(nod_dataset_fit(w.cohort, w.split, WITH_THREADS(1), &k3, &err), 0);
    assert_memory_equal(&k, &k3, sizeof k);
    sealed_world_done(&w);
}

/* A file that is not what was indexed: the error names the case. */
static void test_changed_files(void **state)
{
    sealed_world w = sealed_world_make(*state, "changed", 10);
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_dataset d = {0};
    size_t i = 0, last = 0;
    nod_contract_init(&k, 2, 1, 5, 6);
    k.normalisation = NOD_NORMALISATION_NONE;
    while (nod_split_part(w.split, i) != NOD_PART_TRAIN)
        i++;
    for (size_t j = i; j < 20; j++)
        if (nod_split_part(w.split, j) == NOD_PART_TRAIN) last = j;
    const nod_case *first = nod_cohort_get(w.cohort, i);
    write_png(w.folder, nod_cohort_get(w.cohort, last)->file, 5, 6, 77, true);
    for (int threads = 1; threads < 5; threads++) {
        assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TRAIN, &k, NULL,
                                          WITH_THREADS(threads), &d, &err),
                         NOD_EDATA);
        expect_in(err.message, nod_cohort_get(w.cohort, last)->id);
    }
    write_png(w.folder, first->file, 4, 6, 1, false); /* another size; the first one is named */
    for (int threads = 1; threads < 5; threads++) {
        assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TRAIN, &k, NULL,
                                          WITH_THREADS(threads), &d, &err),
                         NOD_EDATA);
        expect_in(err.message, first->id);
        expect_in(err.message, "not those that were indexed");
    }
    char *path = nod_cohort_case_path(w.cohort, i);
    unlink(path);
    free(path);
    assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TRAIN, &k, NULL,
                                      WITH_THREADS(2), &d, &err),
                     NOD_ENOENT);
    expect_in(err.message, first->id);
    assert_null(d.images.data);
    sealed_world_done(&w);
}

static void test_too_little_memory(void **state)
{
    sealed_world w = sealed_world_make(*state, "memory", 400);
    nod_error err = NOD_ERROR_INIT;
    nod_contract k;
    nod_dataset d = {0};
    nod_contract_init(&k, 2, 1, 4096, 4096);
    k.channels = 3;
    k.normalisation = NOD_NORMALISATION_NONE;
    size_t bytes = 0; /* 560 * 201 MB */
    assert_int_equal(nod_dataset_bytes(w.split, NOD_PART_TRAIN, &k, &bytes, &err), 0);
    if (nod_available_memory_bytes() > 0 && bytes > (size_t)nod_available_memory_bytes()) {
        assert_int_equal(nod_dataset_open(w.cohort, w.split, NOD_PART_TRAIN, &k, NULL,
                                          WITH_THREADS(1), &d, &err),
                         NOD_ENOMEM);
        expect_in(err.message, "the train part need");
    }
    sealed_world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_images_go_through_the_contract),
        cmocka_unit_test(test_test_images_are_sealed_too),
        cmocka_unit_test(test_fit_uses_training_alone),
        cmocka_unit_test(test_changed_files),
        cmocka_unit_test(test_too_little_memory),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
