/* run.c: a training on disk; see run.h. */
#include "train/run.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/threads.h"
#include "train/finish.h"
#include "train/run_log.h"

#define CHECKPOINT_EVERY_S 60 /* within long epochs */

/* --- one training being set up --------------------------------------------------------------- */

typedef struct session {
    const nod_run_options *o;
    const char *recipe_path;
    nod_run_info info;
    int lock; /* of the run's folder */
    nod_run_inputs in;
    nod_contract contract;
    nod_patching patching;
    nod_network_io io;
    nod_dataset train, validation;
    nod_examples train_examples, validation_examples;
    nod_recipe *recipe; /* of the seed at hand */
    nod_model *model;
    nod_trainer *trainer;
    char *folder; /* of the seed at hand */
    char *log_path, *checkpoint_path;
    nod_kernel_table *kernels; /* of the run, once it has chosen; else NULL */
    double saved_s;
} session;

static nod_task task_of(const nod_cohort_info *info)
{
    return info->multilabel       ? NOD_TASK_MULTILABEL
           : info->n_classes == 2 ? NOD_TASK_BINARY
                                  : NOD_TASK_MULTICLASS;
}

static int check_task(const session *s, nod_error *err)
{
    nod_task task = task_of(nod_cohort_get_info(s->in.cohort));
    int rc = nod_cohort_need_labels(s->in.cohort, err);
    if (rc) return rc;
    if (task == s->in.recipe->task) return 0;
    return nod_fail(err, NOD_ERECIPE, "task: the recipe says %s, the cohort is %s",
                    nod_task_name(s->in.recipe->task), nod_task_name(task));
}

/* Calibration and thresholds are about what the split counted. */
static int check_unit(const session *s, nod_error *err)
{
    nod_level unit = nod_cohort_get_info(s->in.cohort)->unit;
    int asked = s->in.recipe->unit;
    if (asked < 0 || asked == (int)unit) return 0;
    return nod_fail(
        err, NOD_ERECIPE,
        "unit.level: the recipe says %s, the cohort is judged by %s; index and split it "
        "with --unit %s, or leave the key out",
        nod_level_name((nod_level)asked), nod_level_name(unit),
        nod_level_name((nod_level)asked));
}

/* A part of one class has no AUC, so none of its epochs would be the best. */
static int check_monitor(const session *s, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(s->in.cohort);
    nod_part_counts n = nod_split_counts(s->in.split, NOD_PART_VAL);
    size_t present = 0;
    for (size_t k = 0; k < info->n_classes; k++)
        present += n.class_images[k] > 0;
    if (s->in.recipe->monitor != NOD_MONITOR_AUC || info->multilabel || present > 1) return 0;
    return nod_fail(
        err, NOD_EDATA,
        "%s: validation.monitor: the validation part has cases of one class only, so "
        "no auc: take monitor: loss",
        s->recipe_path);
}

static void set_shapes(session *s)
{
    const nod_recipe *r = s->in.recipe;
    nod_contract_result(&s->contract, s->patching.image);
    memcpy(s->patching.size, r->patch_size, sizeof s->patching.size);
    memcpy(s->patching.stride, r->patch_stride, sizeof s->patching.stride);
    s->patching.how = r->aggregate;
    s->patching.k = NOD_MAX(r->top_k, 1);
    s->patching.multilabel = r->task == NOD_TASK_MULTILABEL;
    s->io =
        (nod_network_io){.channels = s->contract.channels,
                         .nd = s->contract.dims,
                         .n_outputs = (int64_t)nod_cohort_get_info(s->in.cohort)->n_classes};
    memcpy(s->io.size, s->patching.size[1] ? s->patching.size : s->patching.image,
           sizeof s->io.size);
}

static int load_data(session *s, nod_error *err)
{
    int rc = 0;
    char *cache = NULL;
    NOD_TRY(nod_run_cache(s->o->cache, s->in.cohort_path, &cache, err));
    const nod_dataset_options o = {.threads = s->o->threads, .cache = cache, .log = s->o->log};
    NOD_TRY(nod_dataset_fit(s->in.cohort, s->in.split, &o, &s->contract, err));
    NOD_TRY(nod_dataset_open(s->in.cohort, s->in.split, NOD_PART_TRAIN, &s->contract, NULL, &o,
                             &s->train, err));
    NOD_TRY(nod_dataset_open(s->in.cohort, s->in.split, NOD_PART_VAL, &s->contract, NULL, &o,
                             &s->validation, err));
    s->train_examples = nod_dataset_examples(&s->train);
    s->validation_examples = nod_dataset_examples(&s->validation);
out:
    nod_free(cache);
    return rc;
}

static int open_session(session *s, const nod_run_options *o, const char *recipe,
                        nod_error *err)
{
    int rc = 0;
    s->o = o;
    s->recipe_path = recipe;
    s->lock = -1;
    NOD_TRY(nod_run_inputs_open(recipe, o->cohort, o->split, &s->in, err));
    NOD_TRY(check_task(s, err));
    NOD_TRY(check_unit(s, err));
    NOD_TRY(check_monitor(s, err));
    NOD_TRY(nod_contract_from_json(s->in.recipe->input, "input", &s->contract, err));
    set_shapes(s);
    NOD_TRY(load_data(s, err));
out:
    return rc;
}

static void close_seed(session *s)
{
    nod_trainer_free(s->trainer);
    nod_model_free(s->model);
    nod_recipe_free(s->recipe);
    nod_free(s->folder);
    nod_free(s->log_path);
    nod_free(s->checkpoint_path);
    s->trainer = NULL;
    s->model = NULL;
    s->recipe = NULL;
    s->folder = s->log_path = s->checkpoint_path = NULL;
}

static void close_session(session *s)
{
    close_seed(s);
    nod_dataset_done(&s->train);
    nod_dataset_done(&s->validation);
    nod_run_inputs_done(&s->in);
    nod_kernel_table_free(s->kernels);
    nod_dir_unlock(s->lock);
}

/* The recipe with its seed replaced, complete and with the fitted contract. */
static int recipe_json(const session *s, uint64_t seed, nod_json **out, nod_error *err)
{
    int rc = nod_json_copy(s->in.recipe->rendered, out, err);
    if (rc) return rc;
    nod_json_set_int(*out, "seed", (int64_t)seed);
    nod_json_set(*out, "input", nod_contract_to_json(&s->contract));
    return 0;
}

static int tick(void *ctx, int64_t epoch, int64_t step, int64_t n_steps)
{
    session *s = ctx;
    const nod_run_watcher *w = &s->o->watcher;
    double now = nod_time_monotonic_s();
    if (now - s->saved_s > CHECKPOINT_EVERY_S) {
        nod_error why = NOD_ERROR_INIT; /* the older checkpoint is as good, only older */
        if (nod_trainer_save(s->trainer, s->checkpoint_path, &why))
            nod_warn(s->o->log, "no checkpoint within this epoch: %s", why.message);
        s->saved_s = now;
    }
    return w->step ? w->step(w->ctx, epoch, step, n_steps) : 0;
}

static int new_trainer(session *s, uint64_t seed, nod_error *err)
{
    int rc = 0;
    nod_trainer_options t = {.plan = NOD_PLAN_OPTIONS_INIT,
                             .log = s->o->log,
                             .loading_threads = nod_threads_loading(nod_threads_get()),
                             .tick = tick,
                             .ctx = s};
    nod_json *j = NULL;
    t.plan.backend = nod_backend_find(s->info.backend);
    if (!t.plan.backend)
        return nod_fail(err, NOD_EINVAL, "no backend is named '%s'; there are cpu and ref",
                        s->info.backend);
    NOD_TRY(recipe_json(s, seed, &j, err));
    NOD_TRY(nod_recipe_from_json(j, &s->recipe, err));
    t.plan.table = s->kernels ? s->kernels : s->o->kernels;
    t.plan.precision = s->recipe->precision < 0
                           ? nod_precision_auto(t.plan.backend, t.plan.table)
                           : (nod_precision)s->recipe->precision;
    if (t.plan.precision == NOD_PRECISION_F64) {
        rc = nod_fail(err, NOD_EUNSUPPORTED,
                      "precision: f64 is for gradient checks; train in f32");
        goto out;
    }
    NOD_TRY(nod_model_new(s->recipe->network, &s->io, seed, &s->model, err));
    NOD_TRY(nod_trainer_new(s->recipe, s->model, &s->patching, &s->train_examples,
                            &s->validation_examples, &t, &s->trainer, err));
out:
    nod_json_free(j);
    if (rc == NOD_ENOMEM)
        nod_error_prefix(err, "%s: a smaller network, image or batch_size may fit",
                         s->recipe_path);
    else if (rc)
        nod_error_prefix(err, "%s", s->recipe_path);
    return rc;
}

/* --- kernels ---------------------------------------------------------------------------------- */

static char *kernels_path(const session *s)
{
    return nod_path_join(s->o->folder, "kernels.json");
}

/* What the run chose when its first trainer was made. */
static int read_kernels(session *s, nod_error *err)
{
    char *path = kernels_path(s);
    int rc = path ? 0 : nod_fail_memory(err, "paths of a run", 4096);
    if (!rc && nod_path_exists(path)) rc = nod_kernel_table_read(path, &s->kernels, err);
    nod_free(path);
    return rc;
}

/* Before the first step, so that whoever goes on with this run chooses the same. */
static int keep_kernels(session *s, nod_error *err)
{
    int rc = 0;
    nod_kernel_table *t = NULL;
    char *path = kernels_path(s);
    if (!path) return nod_fail_memory(err, "paths of a run", 4096);
    NOD_TRY(nod_kernel_table_new(&t, err));
    NOD_TRY(nod_trainer_choices(s->trainer, t, err));
    NOD_TRY(nod_precision_settle(t, nod_backend_find(s->info.backend),
                                 nod_trainer_precision(s->trainer), err));
    NOD_TRY(nod_kernel_table_write(t, path, err));
    s->kernels = t;
    t = NULL;
out:
    nod_kernel_table_free(t);
    nod_free(path);
    return rc;
}

/* --- a seed ------------------------------------------------------------------------------------ */

static int seed_paths(session *s, int64_t i, nod_error *err)
{
    char name[32];
    snprintf(name, sizeof name, "seed_%lld", (long long)i);
    s->folder = nod_path_join(s->o->folder, name);
    s->log_path = s->folder ? nod_path_join(s->folder, "log.jsonl") : NULL;
    s->checkpoint_path = s->folder ? nod_path_join(s->folder, "checkpoint.safetensors") : NULL;
    if (!s->log_path || !s->checkpoint_path)
        return nod_fail_memory(err, "paths of a run", 4096);
    return nod_dir_make(s->folder, err);
}

/* Where the ledger stands, which must be the one that sealed the split and in which the run was begun;
 * and how many looks at the test part it has. */
static int ask_ledger(const session *s, nod_anchor *out, int64_t *looks, nod_error *err)
{
    int rc = 0;
    nod_ledger *l = NULL;
    nod_anchor sealed = nod_split_anchor(s->in.split);
    char *path =
        s->o->ledger ? nod_strdup(s->o->ledger) : nod_ledger_default_path(s->in.cohort_path);
    if (!path) return nod_fail_memory(err, "path of a ledger", 4096);
    NOD_TRY(nod_ledger_open(path, NOD_LEDGER_READ, &l, err));
    NOD_TRY(nod_ledger_check_anchor(l, &sealed, s->in.split_path, err));
    if (s->info.begun.length)
        NOD_TRY(nod_ledger_check_anchor(l, &s->info.begun, s->o->folder, err));
    *out = nod_ledger_anchor(l);
    NOD_TRY(nod_ledger_looks_before(l, nod_split_hash(s->in.split), out->length, looks, err));
out:
    nod_ledger_close(l);
    nod_free(path);
    return rc;
}

/* A new log, or the checkpoint's state and a log that ends where it does. */
static int begin_or_resume(session *s, uint64_t seed, nod_error *err)
{
    int rc = 0;
    nod_anchor now;
    nod_run_author author = {.command = s->o->command,
                             .backend = s->info.backend,
                             .isa = nod_backend_find(s->info.backend)->isa()};
    NOD_TRY(ask_ledger(s, &now, &author.looks_before, err));
    if (author.looks_before)
        nod_warn(s->o->log,
                 "this model will be marked as made after look %lld at the test part",
                 (long long)author.looks_before);
    if (s->o->resume && nod_path_is_file(s->checkpoint_path)) {
        rc = nod_trainer_load(s->trainer, s->checkpoint_path, err);
        if (rc == NOD_EFORMAT)
            nod_error_prefix(err,
                             "no use to resume from (remove it and this seed begins anew)");
        if (rc) return rc;
        return nod_run_log_resume(s->log_path, &author, nod_trainer_epochs_done(s->trainer),
                                  err);
    }
    nod_plan_memory m = nod_trainer_memory(s->trainer);
    return nod_run_log_start(s->log_path, &author, seed, (int64_t)(m.arena + m.scratch),
                             s->train_examples.n, s->validation_examples.n, err);
out:
    return rc;
}

static int run_epochs(session *s, nod_error *err)
{
    int rc = 0;
    const nod_run_watcher *w = &s->o->watcher;
    s->saved_s = nod_time_monotonic_s();
    while (!nod_trainer_finished(s->trainer)) {
        nod_epoch e;
        rc = nod_trainer_epoch(s->trainer, &e, err);
        if (rc == NOD_EINTERRUPTED) {
            nod_error why = NOD_ERROR_INIT;
            if (nod_trainer_save(s->trainer, s->checkpoint_path, &why)) {
                *err = why;
                rc = nod_error_prefix(err, "stopped, but this epoch is not kept");
            }
        }
        if (rc) return rc;
        NOD_TRY(nod_run_log_epoch(s->log_path, &e, err));
        NOD_TRY(nod_trainer_save(s->trainer, s->checkpoint_path, err));
        s->saved_s = nod_time_monotonic_s();
        if (w->epoch_ends) w->epoch_ends(w->ctx, &e);
    }
out:
    return rc;
}

static int finish_seed(session *s, int64_t *best, nod_error *err)
{
    nod_finish_input f = {.cohort = s->in.cohort,
                          .split = s->in.split,
                          .recipe = s->recipe,
                          .trainer = s->trainer,
                          .model = s->model,
                          .contract = &s->contract,
                          .patching = &s->patching,
                          .validation = &s->validation,
                          .folder = s->folder,
                          .command = s->o->command,
                          .log = s->o->log};
    int rc = ask_ledger(s, &f.anchor, &f.looks_before, err);
    if (!rc) rc = nod_finish_seed(&f, best, err);
    if (!rc) rc = nod_run_log_end(s->log_path, *best, err);
    return rc;
}

static int train_seed(session *s, int64_t i, nod_error *err)
{
    int rc = 0;
    const nod_run_watcher *w = &s->o->watcher;
    uint64_t seed = s->in.recipe->seed + (uint64_t)i;
    int64_t best = 0;
    bool finished = false;
    NOD_TRY(seed_paths(s, i, err));
    if (s->o->resume) NOD_TRY(nod_run_log_has_end(s->log_path, &finished, err));
    if (finished) {
        nod_info(s->o->log, "seed %llu (%lld of %lld) is finished", (unsigned long long)seed,
                 (long long)i + 1, (long long)s->info.n_seeds);
        return 0;
    }
    if (!s->trainer) NOD_TRY(new_trainer(s, seed, err));
    if (!s->kernels) NOD_TRY(keep_kernels(s, err));
    NOD_TRY(begin_or_resume(s, seed, err));
    if (w->seed_begins)
        w->seed_begins(w->ctx, i, s->info.n_seeds, seed, s->recipe->epochs,
                       nod_trainer_epochs_done(s->trainer),
                       nod_trainer_steps_per_epoch(s->trainer));
    NOD_TRY(run_epochs(s, err));
    NOD_TRY(finish_seed(s, &best, err));
    if (w->seed_ends) w->seed_ends(w->ctx, i, best);
out:
    return rc;
}

/* --- a run -------------------------------------------------------------------------------------- */

/* recipe.yaml of the run, which names cohort and split as seen from its folder. */
static int write_recipe(const session *s, nod_error *err)
{
    int rc = 0;
    nod_json *j = NULL;
    nod_recipe *complete = NULL;
    char *path = nod_path_join(s->o->folder, "recipe.yaml"), *text = NULL;
    char *folder = nod_path_real(s->o->folder);
    char *cohort = folder ? nod_path_relative(folder, s->in.cohort_path) : NULL;
    char *split = folder ? nod_path_relative(folder, s->in.split_path) : NULL;
    if (!path || !cohort || !split) {
        rc = nod_fail_memory(err, "paths of a run", 4096);
        goto out;
    }
    NOD_TRY(recipe_json(s, s->in.recipe->seed, &j, err));
    nod_json_set_str(j, "cohort", cohort);
    nod_json_set_str(j, "split", split);
    NOD_TRY(nod_recipe_from_json(j, &complete, err));
    NOD_TRY(nod_recipe_render(complete, &text, err));
    NOD_TRY(nod_file_write(path, text, strlen(text), err));
out:
    nod_recipe_free(complete);
    nod_json_free(j);
    nod_free(path);
    nod_free(folder);
    nod_free(cohort);
    nod_free(split);
    nod_free(text);
    return rc;
}

/* The first trainer is made before anything is written: a network that does not fit leaves no
 * folder behind. */
static int begin_run(session *s, nod_error *err)
{
    int rc = 0;
    int64_t looks = 0;
    const nod_run_options *o = s->o;
    NOD_TRY(ask_ledger(s, &s->info.begun, &looks, err));
    snprintf(s->info.backend, sizeof s->info.backend, "%s", o->backend ? o->backend : "cpu");
    NOD_TRY(new_trainer(s, s->in.recipe->seed, err));
    s->info.n_seeds = NOD_MAX(o->n_seeds, 1);
    snprintf(s->info.split_hash, sizeof s->info.split_hash, "%s", nod_split_hash(s->in.split));
    snprintf(s->info.cohort_hash, sizeof s->info.cohort_hash, "%s",
             nod_split_cohort_hash(s->in.split));
    NOD_TRY(nod_dir_make(o->folder, err));
    NOD_TRY(nod_run_lock(o->folder, &s->lock, err));
    NOD_TRY(nod_run_info_write(o->folder, &s->info, o->command, err));
    NOD_TRY(write_recipe(s, err));
out:
    return rc;
}

/* What was decided when the run was begun stays so. */
static int go_on(session *s, nod_error *err)
{
    const nod_run_options *o = s->o;
    int rc = nod_run_lock(o->folder, &s->lock, err);
    if (rc) return rc;
    rc = nod_run_info_read(o->folder, &s->info, err);
    if (rc) return rc;
    if (o->n_seeds && o->n_seeds != s->info.n_seeds)
        return nod_fail(err, NOD_EINVAL,
                        "%s was begun with %lld seeds: go on without --seeds, or train into a "
                        "new folder",
                        o->folder, (long long)s->info.n_seeds);
    if (o->backend && strcmp(o->backend, s->info.backend) != 0)
        return nod_fail(err, NOD_EINVAL,
                        "%s was begun on backend %s: go on without --backend, or train into a "
                        "new folder",
                        o->folder, s->info.backend);
    if (strcmp(s->info.split_hash, nod_split_hash(s->in.split)) != 0)
        return nod_fail(
            err, NOD_ESEAL,
            "%s was begun with split %.12s, %s is split %.12s: put the old one back, "
            "or train into a new folder",
            o->folder, s->info.split_hash, s->in.split_path, nod_split_hash(s->in.split));
    return read_kernels(s, err);
}

/* The recipe to read: the run's own when resuming. The caller frees it. */
static int choose_recipe(const nod_run_options *o, char **out, nod_error *err)
{
    bool there = nod_run_is_there(o->folder);
    if (o->resume && !there)
        return nod_fail(err, NOD_ENOENT, "%s: there is no run to resume (no recipe.yaml)",
                        o->folder);
    if (!o->resume && there)
        return nod_fail(err, NOD_EINVAL,
                        "%s holds a run already: give another folder with -o, or --resume",
                        o->folder);
    *out = o->resume ? nod_path_join(o->folder, "recipe.yaml") : nod_strdup(o->recipe);
    return *out ? 0 : nod_fail_memory(err, "path of a recipe", 4096);
}

int nod_run_train(const nod_run_options *o, nod_error *err)
{
    int rc = 0;
    session s = {.lock = -1};
    char *recipe = NULL;
    NOD_TRY(choose_recipe(o, &recipe, err));
    NOD_TRY(open_session(&s, o, recipe, err));
    rc = o->resume ? go_on(&s, err) : begin_run(&s, err);
    if (rc) goto out;
    for (int64_t i = 0; i < s.info.n_seeds; i++) {
        NOD_TRY(train_seed(&s, i, err));
        close_seed(&s);
    }
out:
    close_session(&s);
    nod_free(recipe);
    return rc;
}

int nod_run_measure(const nod_run_options *o, nod_run_estimate *out, nod_error *err)
{
    int rc = 0;
    session s = {.lock = -1};
    double loss;
    NOD_TRY(open_session(&s, o, o->recipe, err));
    snprintf(s.info.backend, sizeof s.info.backend, "%s", o->backend ? o->backend : "cpu");
    NOD_TRY(new_trainer(&s, s.in.recipe->seed, err));
    NOD_TRY(nod_trainer_step(s.trainer, &loss, err)); /* first touch of the memory */
    double start = nod_time_monotonic_s();
    NOD_TRY(nod_trainer_step(s.trainer, &loss, err));
    double step = nod_time_monotonic_s() - start;
    nod_plan_memory m = nod_trainer_memory(s.trainer);
    *out = (nod_run_estimate){.plan_bytes = m.arena + m.scratch,
                              .data_bytes = nod_tensor_bytes(&s.train.images) +
                                            nod_tensor_bytes(&s.validation.images),
                              .parameter_bytes = (size_t)s.model->params->size * sizeof(float),
                              .steps_per_epoch = nod_trainer_steps_per_epoch(s.trainer),
                              .epoch_s = step * (double)nod_trainer_steps_per_epoch(s.trainer)};
out:
    close_session(&s);
    return rc;
}
