/* test_trainer.c: the loop of training as a whole: it learns, it resumes with the same bits, it does
 * not depend on the number of threads, and backends agree.
 *
 * Data: images of noise in which class 1 has a brighter square; closed questions, no oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "temp_folder.h"
#include "train/trainer.h"

#define SIDE 12
#define N    96

typedef struct fixture {
    float images[N * SIDE * SIDE];
    int32_t labels[N];
    nod_examples train, validation;
    nod_recipe *recipe;
    nod_model *model;
    nod_trainer *trainer;
} fixture;

static const char head[] = "input: {size: [12, 12]}\nbatch_size: 16\nseed: 3\n";
static const char mlp[] = "network: {name: mlp, hidden: [8], bias: true, dropout: 0.2}\n"
                          "epochs: 12\noptimiser: {name: adam, lr: 0.01}\n";
static const char cnn[] = "network: {name: cnn, channels: [8, 16]}\nepochs: 4\n"
                          "optimiser: {name: momentum, lr: 0.05, ema: 0.5, clip_norm: 1.0}\n"
                          "schedule: {name: plateau}\n";
static const char resnet[] = "network: {name: resnet18, width: 8}\nepochs: 2\n"
                             "optimiser: {name: adamw, lr: 0.002}\n";

static void make_images(fixture *f)
{
    nod_rng r = nod_rng_make(1, NOD_RNG_TEST, 0);
    for (int i = 0; i < N; i++) {
        f->labels[i] = i % 2;
        for (int p = 0; p < SIDE * SIDE; p++) {
            int y = p / SIDE, x = p % SIDE;
            double on = f->labels[i] && y > 3 && y < 8 && x > 3 && x < 8 ? 1.0 : 0;
            f->images[i * SIDE * SIDE + p] = (float)(on + 0.5 * nod_rng_normal(&r));
        }
    }
    f->train = (nod_examples){.n = 64, .images = f->images, .labels = f->labels};
    f->validation = (nod_examples){
        .n = 32, .images = f->images + 64 * SIDE * SIDE, .labels = f->labels + 64};
}

static int layout = -1;      /* of activations; -1: the backend's */
static int fetchers = -1;    /* threads that fetch images; -1: images are in memory */
static int64_t missing = -1; /* image that cannot be fetched */

static int fetch(const void *ctx, int64_t i, float *dst, nod_error *err)
{
    if (i == missing) return nod_fail(err, NOD_EIO, "case c%lld: is gone", (long long)i);
    memcpy(dst, (const float *)ctx + i * SIDE * SIDE, SIDE * SIDE * sizeof *dst);
    return 0;
}

static fixture *start_in(nod_precision precision, const char *body, const char *backend)
{
    nod_error err = NOD_ERROR_INIT;
    char text[1024];
    fixture *f = nod_calloc(1, sizeof *f);
    assert_non_null(f);
    make_images(f);
    snprintf(text, sizeof text, "%s%s", head, body);
    if (nod_recipe_parse(text, strlen(text), "test", &f->recipe, &err))
        fail_msg("%s", err.message);
    nod_network_io io = {1, 2, {1, SIDE, SIDE}, 2};
    nod_patching whole = {.image = {1, SIDE, SIDE}};
    if (nod_model_new(f->recipe->network, &io, 7, &f->model, &err)) fail_msg("%s", err.message);
    nod_trainer_options o = {.plan = NOD_PLAN_OPTIONS_INIT};
    o.plan.backend = nod_backend_find(backend);
    o.plan.precision = precision;
    o.plan.layout = layout;
    if (fetchers >= 0) {
        f->train.fetch_ctx = f->train.images;
        f->validation.fetch_ctx = f->validation.images;
        f->train.fetch = f->validation.fetch = fetch;
        f->train.images = f->validation.images = NULL;
        o.loading_threads = fetchers;
    }
    if (nod_trainer_new(f->recipe, f->model, &whole, &f->train, &f->validation, &o, &f->trainer,
                        &err))
        fail_msg("%s", err.message);
    return f;
}

static fixture *start(const char *body, const char *backend)
{
    return start_in(NOD_PRECISION_F32, body, backend);
}

/* What the cpu backend trains in on this processor. */
static size_t precisions(nod_precision out[2])
{
    size_t n = 0;
    out[n++] = NOD_PRECISION_F32;
    if (nod_backend_find("cpu")->has_precision(NOD_PRECISION_BF16))
        out[n++] = NOD_PRECISION_BF16;
    else
        print_message("bf16: not on this processor\n");
    return n;
}

static void stop(fixture *f)
{
    nod_trainer_free(f->trainer);
    nod_model_free(f->model);
    nod_recipe_free(f->recipe);
    nod_free(f);
}

static nod_epoch run(fixture *f)
{
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e = {0};
    while (!nod_trainer_finished(f->trainer))
        if (nod_trainer_epoch(f->trainer, &e, &err)) fail_msg("%s", err.message);
    return e;
}

static void hash_of(const fixture *f, char out[65])
{
    nod_error err = NOD_ERROR_INIT;
    assert_int_equal(nod_params_hash(f->model->params, out, &err), 0);
}

static void test_it_learns(void **state)
{
    static const char *const bodies[] = {mlp, cnn, resnet};
    static const char *const backends[] = {"ref", "cpu"};
    (void)state;
    for (size_t b = 0; b < 3; b++)
        for (size_t k = 0; k < 2; k++) {
            fixture *f = start(bodies[b], backends[k]);
            nod_epoch e = run(f);
            print_message("%s %zu: train loss %.4f auc %.3f, validation loss %.4f auc %.3f\n",
                          backends[k], b, e.train.loss, e.train.auc, e.validation.loss,
                          e.validation.auc);
            assert_true(e.train.auc > 0.9);
            assert_true(e.train.total_error < 32); /* 0.5 each is what guessing gives */
            stop(f);
        }
}

/* Both backends start from the same weights and see the same batches: after one epoch the losses are
 * equal to rounding. */
static void test_backends_agree(void **state)
{
    static const char *const bodies[] = {mlp, cnn, resnet};
    (void)state;
    for (size_t b = 0; b < 3; b++) {
        nod_epoch e[2];
        nod_error err = NOD_ERROR_INIT;
        for (int k = 0; k < 2; k++) {
            fixture *f = start(bodies[b], k ? "cpu" : "ref");
            assert_int_equal(nod_trainer_epoch(f->trainer, &e[k], &err), 0);
            assert_int_equal(nod_trainer_epoch(f->trainer, &e[k], &err), 0);
            stop(f);
        }
        assert_true(fabs(e[0].loss - e[1].loss) < 1e-3 * (1 + e[0].loss));
        /* evaluation packs weights once per refresh: it must see those of this epoch */
        assert_true(fabs(e[0].train.loss - e[1].train.loss) < 1e-3 * (1 + e[0].train.loss));
        assert_true(fabs(e[0].validation.loss - e[1].validation.loss) <
                    1e-3 * (1 + e[0].validation.loss));
    }
}

/* bf16 keeps 8 bits of a number: the first losses are equal to some thousandths. */
static void test_bf16_is_near_f32(void **state)
{
    static const char *const bodies[] = {mlp, cnn, resnet};
    nod_precision p[2] = {NOD_PRECISION_F32, NOD_PRECISION_F32};
    (void)state;
    if (precisions(p) < 2) skip();
    for (size_t b = 0; b < 3; b++) {
        nod_epoch e[2];
        nod_error err = NOD_ERROR_INIT;
        for (int k = 0; k < 2; k++) {
            fixture *f = start_in(p[k], bodies[b], "cpu");
            assert_int_equal(nod_trainer_epoch(f->trainer, &e[k], &err), 0);
            stop(f);
        }
        print_message("%zu: loss %.5f in f32, %.5f in bf16\n", b, e[0].loss, e[1].loss);
        assert_true(fabs(e[0].loss - e[1].loss) < 2e-2 * e[0].loss);
        /* the dense network has no value that would be stored in bf16 */
        assert_true((b == 0) == (e[0].loss == e[1].loss));
    }
}

/* In the backend's layouts, and in channels-last, which only AMX takes by itself. */
static void test_threads_do_not_matter(void **state)
{
    static const char *const bodies[] = {mlp, cnn, resnet};
    nod_precision p[2];
    size_t n = precisions(p);
    (void)state;
    for (size_t b = 0; b < 2 * 3 * n; b++) {
        char hash[2][65];
        layout = b / 3 / n == 1 ? (int)NOD_LAYOUT_LAST : -1;
        for (int k = 0; k < 2; k++) {
            nod_threads_set(k + 1);
            fixture *f = start_in(p[b / 3 % n], bodies[b % 3], "cpu");
            run(f);
            hash_of(f, hash[k]);
            stop(f);
        }
        nod_threads_set(0);
        assert_string_equal(hash[0], hash[1]);
    }
    layout = -1;
}

/* Stops in the middle of an epoch, as a killed process would after its last checkpoint. */
static int stop_at(void *ctx, int64_t epoch, int64_t step, int64_t n_steps)
{
    (void)n_steps;
    return epoch == 2 && step == *(int64_t *)ctx;
}

/* Images that are fetched one by one train the weights of those in memory, and a checkpoint of the
 * one is a checkpoint of the other; an image that is gone is named. */
static void test_fetched_images(void **state)
{
    char want[65], got[65], path[512];
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e;
    temp_path(path, *state, "fetched.safetensors");
    fixture *f = start(cnn, "cpu");
    run(f);
    hash_of(f, want);
    stop(f);
    for (fetchers = 0; fetchers < 4; fetchers += 3) {
        f = start(cnn, "cpu");
        assert_int_equal(nod_trainer_epoch(f->trainer, &e, &err), 0);
        assert_true(e.load_s >= 0 && e.load_s <= e.time_s);
        assert_int_equal(nod_trainer_step(f->trainer, NULL, &err), 0);
        assert_int_equal(nod_trainer_save(f->trainer, path, &err), 0);
        run(f);
        hash_of(f, got);
        assert_string_equal(got, want);
        stop(f);
    }
    fetchers = -1;
    f = start(cnn, "cpu");
    if (nod_trainer_load(f->trainer, path, &err)) fail_msg("%s", err.message);
    run(f);
    hash_of(f, got);
    assert_string_equal(got, want);
    stop(f);

    fetchers = 2;
    f = start(cnn, "cpu");
    missing = 9;
    assert_int_equal(nod_trainer_epoch(f->trainer, &e, &err), NOD_EIO);
    assert_non_null(strstr(err.message, "case c9"));
    missing = fetchers = -1;
    stop(f);
}

static void test_resume_has_the_same_bits(void **state)
{
    static const char *const bodies[] = {mlp, cnn, resnet};
    nod_precision precision[2];
    size_t n = precisions(precision);
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e;
    const char *folder = *state;
    for (size_t i = 0; i < 3 * n; i++) {
        char want[65], got[65], path[512];
        int64_t at = 2;
        size_t b = i % 3;
        nod_precision p = precision[i / 3];
        snprintf(path, sizeof path, "%s/c%zu", folder, i);
        fixture *f = start_in(p, bodies[b], "cpu");
        run(f);
        hash_of(f, want);
        stop(f);

        f = start_in(p, bodies[b], "cpu");
        nod_trainer_options o = {.plan = NOD_PLAN_OPTIONS_INIT, .tick = stop_at, .ctx = &at};
        nod_patching whole = {.image = {1, SIDE, SIDE}};
        o.plan.backend = nod_backend_find("cpu");
        o.plan.precision = p;
        nod_trainer_free(f->trainer);
        assert_int_equal(nod_trainer_new(f->recipe, f->model, &whole, &f->train, &f->validation,
                                         &o, &f->trainer, &err),
                         0);
        assert_int_equal(nod_trainer_epoch(f->trainer, &e, &err), 0);
        assert_int_equal(nod_trainer_epoch(f->trainer, &e, &err), NOD_EINTERRUPTED);
        assert_int_equal(nod_trainer_save(f->trainer, path, &err), 0);
        stop(f);

        f = start_in(p, bodies[b], "cpu");
        if (nod_trainer_load(f->trainer, path, &err)) fail_msg("%s", err.message);
        run(f);
        hash_of(f, got);
        stop(f);
        assert_string_equal(want, got);

        f = start_in(p, bodies[(b + 1) % 3], "cpu"); /* the checkpoint of another recipe */
        assert_int_equal(nod_trainer_load(f->trainer, path, &err), NOD_EINVAL);
        stop(f);
    }
}

static void test_divergence_names_the_layer(void **state)
{
    nod_error err = NOD_ERROR_INIT;
    nod_epoch e;
    (void)state;
    fixture *f = start(mlp, "cpu");
    f->images[5] = NAN;
    int rc = nod_trainer_epoch(f->trainer, &e, &err);
    assert_int_equal(rc, NOD_ENUMERIC);
    assert_non_null(strstr(err.message, "image"));
    stop(f);
    f = start(mlp, "cpu");
    nod_params_data(f->model->params, "hidden1.dense.weight")[0] = INFINITY;
    rc = nod_trainer_epoch(f->trainer, &e, &err);
    assert_int_equal(rc, NOD_ENUMERIC);
    assert_non_null(strstr(err.message, "hidden1"));
    stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_learns),
        cmocka_unit_test(test_backends_agree),
        cmocka_unit_test(test_bf16_is_near_f32),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_fetched_images),
        cmocka_unit_test(test_resume_has_the_same_bits),
        cmocka_unit_test(test_divergence_names_the_layer),
    };
    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
