/* test_run.c: a run on disk through the library: images decoded by several threads, trained on `ref`,
 * the same for any number of them, and finished once.
 * LABELS: tsan */
#include "base/file.h"
#include "train/run.h"
#include "train/run_folder.h"
#include "unit/data/sealed_world.h"

static const char recipe[] = "cohort: cohort.csv\n"
                             "split: split.json\n"
                             "input: {size: [6, 6], normalisation: dataset}\n"
                             "network: {name: cnn, channels: [4, 4], dropout: 0.2}\n"
                             "batch_size: 8\n"
                             "epochs: 2\n";

/* Trains into FOLDER/name; the identity of the run's models. */
static void train(const char *folder, const char *name, int threads, char hash[65])
{
    nod_error err = NOD_ERROR_INIT;
    char path[600], run[600];
    snprintf(path, sizeof path, "%s/recipe.yaml", folder);
    snprintf(run, sizeof run, "%s/%s", folder, name);
    nod_run_options o = {.recipe = path,
                         .folder = run,
                         .n_seeds = 2,
                         .backend = "ref",
                         .command = "test",
                         .threads = threads};
    if (nod_run_train(&o, &err) != 0) fail_msg("%s", err.message);
    /* a second time is refused, and to resume what is finished changes nothing */
    assert_int_equal(nod_run_train(&o, &err), NOD_EINVAL);
    assert_non_null(strstr(err.message, "holds a run already"));
    err = (nod_error)NOD_ERROR_INIT;
    if (nod_run_hash(run, hash, &err) != 0) fail_msg("%s", err.message);
    o.resume = true;
    o.recipe = NULL;
    if (nod_run_train(&o, &err) != 0) fail_msg("%s", err.message);
    char again[65];
    assert_int_equal(nod_run_hash(run, again, &err), 0);
    assert_string_equal(hash, again);
}

/* Weights of seed 0, which hold no time and no path. */
static void weights(const char *folder, const char *name, char hash[65])
{
    nod_error err = NOD_ERROR_INIT;
    nod_model *m = NULL;
    char path[600];
    snprintf(path, sizeof path, "%s/%s/seed_0/model.safetensors", folder, name);
    if (nod_model_read(path, &m, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(nod_params_hash(m->params, hash, &err), 0);
    nod_model_free(m);
}

static void test_threads_that_decode_do_not_matter(void **state)
{
    sealed_world w = sealed_world_make(*state, "run", 20);
    nod_error err = NOD_ERROR_INIT;
    char path[600], run[65], one[65], many[65];
    snprintf(path, sizeof path, "%s/cohort.csv", w.folder);
    assert_int_equal(nod_cohort_write(w.cohort, path, &err), 0);
    snprintf(path, sizeof path, "%s/split.json", w.folder);
    assert_int_equal(nod_split_write(w.split, path, &err), 0);
    snprintf(path, sizeof path, "%s/recipe.yaml", w.folder);
    assert_int_equal(nod_file_write(path, recipe, strlen(recipe), &err), 0);
    train(w.folder, "one", 1, run);
    train(w.folder, "many", 5, run);
    weights(w.folder, "one", one);
    weights(w.folder, "many", many);
    assert_string_equal(one, many);
    sealed_world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_that_decode_do_not_matter)};
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
