/* test_checkpoint.c: a checkpoint whose hash fits, but whose counters no training can have, is
 * refused before anything is taken from it: they are indices of what comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "temp_folder.h"
#include "train/trainer.h"

enum { CASES = 6, STEPS = 2, EPOCHS = 3 };

typedef struct training {
    float images[CASES * 4];
    int32_t labels[CASES];
    nod_recipe *recipe;
    nod_model *model;
    nod_trainer *trainer;
} training;

static training *start(void)
{
    static const char text[] = "input: {size: [2, 2]}\nbatch_size: 2\nepochs: 3\n"
                               "network: {name: mlp, hidden: [2]}\n";
    nod_error err = NOD_ERROR_INIT;
    nod_network_io io = {1, 2, {1, 2, 2}, 2};
    nod_patching whole = {.image = {1, 2, 2}};
    nod_trainer_options o = {.plan = NOD_PLAN_OPTIONS_INIT};
    training *t = nod_calloc(1, sizeof *t);
    assert_non_null(t);
    o.plan.backend = nod_backend_find("ref");
    for (int i = 0; i < CASES * 4; i++)
        t->images[i] = (float)(i % 5) / 4;
    for (int i = 0; i < CASES; i++)
        t->labels[i] = i % 2;
    nod_examples train = {.n = STEPS * 2, .images = t->images, .labels = t->labels};
    nod_examples validation = {.n = 2, .images = t->images + 16, .labels = t->labels + 4};
    if (nod_recipe_parse(text, sizeof text - 1, "text", &t->recipe, &err) != 0 ||
        nod_model_new(t->recipe->network, &io, 7, &t->model, &err) != 0 ||
        nod_trainer_new(t->recipe, t->model, &whole, &train, &validation, &o, &t->trainer,
                        &err) != 0)
        fail_msg("%s", err.message);
    return t;
}

static void stop(training *t)
{
    nod_trainer_free(t->trainer);
    nod_model_free(t->model);
    nod_recipe_free(t->recipe);
    nod_free(t);
}

/* Saves a training after its first epoch. */
static void save(const char *path)
{
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e;
    training *t = start();
    if (nod_trainer_epoch(t->trainer, &e, &err) != 0 ||
        nod_trainer_save(t->trainer, path, &err) != 0)
        fail_msg("%s", err.message);
    stop(t);
}

/* Puts another number under one key of the progress, and writes the file with its right hash. */
static void change(const char *path, const char *key, int64_t value)
{
    nod_error err = NOD_ERROR_INIT;
    nod_safetensors *s = NULL;
    nod_json *progress = NULL;
    char *text = NULL;
    assert_int_equal(nod_safetensors_read(path, &s, &err), 0);
    const char *old = nod_json_str(nod_json_get(s->metadata, "progress"));
    assert_int_equal(nod_json_parse(old, strlen(old), "progress", &progress, &err), 0);
    assert_non_null(nod_json_get(progress, key));
    nod_json_set_int(progress, key, value);
    assert_int_equal(nod_json_dump(progress, false, &text, &err), 0);
    nod_json_set_str(s->metadata, "progress", text);
    assert_int_equal(nod_safetensors_write(path, (const char *const *)s->names, s->tensors,
                                           s->n, s->metadata, &err),
                     0);
    nod_free(text);
    nod_json_free(progress);
    nod_safetensors_free(s);
}

/* Also says what the trainer has done by then: nothing, if the file was refused. */
static int load(const char *path, int64_t *epochs_done, nod_error *err)
{
    training *t = start();
    int rc = nod_trainer_load(t->trainer, path, err);
    *epochs_done = nod_trainer_epochs_done(t->trainer);
    stop(t);
    return rc;
}

static void test_a_good_one(void **state)
{
    char path[512];
    nod_error err = NOD_ERROR_INIT;
    int64_t done;
    temp_path(path, *state, "good");
    save(path);
    change(path, "bad_epochs", 0); /* rewritten, not altered */
    assert_int_equal(load(path, &done, &err), 0);
    assert_int_equal(done, 1);
}

static void test_impossible_progress(void **state)
{
    static const struct {
        const char *key;
        int64_t value;
    } wrong[] = {
        {"epochs_done", -1},          {"epochs_done", EPOCHS + 1},
        {"epochs_done", INT64_MAX},   {"step_in_epoch", -1},
        {"step_in_epoch", STEPS + 1}, {"step", STEPS + 1},
        {"optimiser_step", -1},       {"best_epoch", 2},
        {"bad_epochs", -1},           {"bad_epochs", 2},
        {"schedule_bad_epochs", -1},  {"schedule_scale", -1},
    };
    char path[512];
    temp_path(path, *state, "wrong");
    for (size_t i = 0; i < NOD_COUNT(wrong); i++) {
        nod_error err = NOD_ERROR_INIT;
        int64_t done;
        save(path);
        change(path, wrong[i].key, wrong[i].value);
        if (load(path, &done, &err) != NOD_EFORMAT)
            fail_msg("%s %lld: %s", wrong[i].key, (long long)wrong[i].value, err.message);
        assert_non_null(
            strstr(err.message, "this training, of 3 epochs of 2 steps, was never"));
        assert_int_equal(done, 0);
    }
}

static int setup(void **state)
{
    return temp_folder_make(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_one),
        cmocka_unit_test(test_impossible_progress),
    };
    return cmocka_run_group_tests(tests, setup, temp_folder_remove);
}
