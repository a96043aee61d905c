/* fuzz_checkpoint.c: any bytes as the checkpoint of a fixed small training, as they are and with
 * header size and hash put right. A training that took it goes on for an epoch. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "mend_tensors.h"
#include "train/trainer_internal.h"

enum { SIDE = 2, CASES = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct training {
    nod_recipe *recipe;
    nod_model *model;
    nod_trainer *trainer;
    float images[CASES * SIDE * SIDE];
    int32_t labels[CASES];
} training;

static void start(training *t)
{
    static const char text[] = "input: {size: [2, 2]}\nbatch_size: 2\nepochs: 3\n"
                               "network: {name: mlp, hidden: [2]}\n"
                               "optimiser: {name: adam, lr: 0.01, ema: 0.5}\n"
                               "schedule: {name: plateau}\n";
    nod_error err = NOD_ERROR_INIT;
    nod_network_io io = {1, 2, {1, SIDE, SIDE}, 2};
    nod_patching whole = {.image = {1, SIDE, SIDE}};
    nod_trainer_options o = {.plan = NOD_PLAN_OPTIONS_INIT};
    o.plan.backend = nod_backend_find("ref");
    for (int i = 0; i < CASES * SIDE * SIDE; i++)
        t->images[i] = (float)(i % 5) / 4;
    for (int i = 0; i < CASES; i++)
        t->labels[i] = i % 2;
    nod_examples train = {.n = 4, .images = t->images, .labels = t->labels};
    nod_examples validation = {
        .n = CASES - 4, .images = t->images + 4 * SIDE * SIDE, .labels = t->labels + 4};
    NOD_ASSERT(nod_recipe_parse(text, sizeof text - 1, "recipe", &t->recipe, &err) == 0);
    NOD_ASSERT(nod_model_new(t->recipe->network, &io, 7, &t->model, &err) == 0);
    NOD_ASSERT(nod_trainer_new(t->recipe, t->model, &whole, &train, &validation, &o,
                               &t->trainer, &err) == 0);
    /* Words that a corpus file can have for as long as it is kept. */
    snprintf(t->trainer->identity.recipe, sizeof t->trainer->identity.recipe, "recipe");
    snprintf(t->trainer->identity.network, sizeof t->trainer->identity.network, "network");
    snprintf(t->trainer->identity.data, sizeof t->trainer->identity.data, "data");
}

static void stop(training *t)
{
    nod_trainer_free(t->trainer);
    nod_model_free(t->model);
    nod_recipe_free(t->recipe);
}

/* What is true of every state that a training can be in. */
static void check(const nod_trainer *t)
{
    NOD_ASSERT(t->epochs_done >= 0 && t->epochs_done <= t->recipe->epochs);
    NOD_ASSERT(t->step_in_epoch >= 0 && t->step_in_epoch <= t->steps_per_epoch);
    NOD_ASSERT(t->step == t->epochs_done * t->steps_per_epoch + t->step_in_epoch);
    NOD_ASSERT(t->best_epoch >= 0 && t->best_epoch <= t->epochs_done);
    NOD_ASSERT(t->schedule.scale >= 0 && isfinite(t->schedule.scale));
}

static void try_file(int fd, const char *path, const uint8_t *data, size_t size)
{
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e;
    training t = {0};
    NOD_ASSERT(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    start(&t);
    int rc = nod_trainer_load(t.trainer, path, &err);
    if (rc == 0) {
        check(t.trainer);
        if (!nod_trainer_finished(t.trainer)) rc = nod_trainer_epoch(t.trainer, &e, &err);
    }
    NOD_ASSERT(rc == 0 || (err.code == rc && err.message[0] != '\0'));
    stop(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);
    uint8_t *mended = malloc(size + 1);
    NOD_ASSERT(mended != NULL && fd >= 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (size > 0) memcpy(mended, data, size);
    mend_tensors(mended, size);
    try_file(fd, path, data, size);
    if (size > 0 && memcmp(mended, data, size) != 0) try_file(fd, path, mended, size);
    free(mended);
    close(fd);
    return 0;
}
