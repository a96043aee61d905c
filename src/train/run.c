/* run.c: a training on disk; see run.h. */
#include "train/run.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "train/finish.h"

#define CHECKPOINT_EVERY_S 60 /* within long epochs */

/* --- inputs --------------------------------------------------------------------------------- */

/* `path` as written in a file that lies in `folder`, absolute where it exists: a run's own recipe
 * lies elsewhere than the one it was made from. */
static char *beside(const char *folder, const char *path)
{
    char *joined = nod_path_join(folder, path), *real = joined ? nod_path_real(joined) : NULL;
    if (!real) return joined;
    nod_free(joined);
    return real;
}

int nod_run_inputs_open(const char *recipe_path, nod_run_inputs *out, nod_error *err)
{
    int rc = 0;
    nod_run_inputs in = {0};
    char *folder = nod_path_dir(recipe_path);
    NOD_TRY(nod_recipe_read(recipe_path, &in.recipe, err));
    in.cohort_path = folder ? beside(folder, in.recipe->cohort) : NULL;
    in.split_path = folder ? beside(folder, in.recipe->split) : NULL;
    if (!in.cohort_path || !in.split_path) {
        rc = nod_fail_memory(err, "paths of a run", 4096);
        goto out;
    }
    NOD_TRY(nod_cohort_read(in.cohort_path, &in.cohort, err));
    NOD_TRY(nod_split_read(in.split_path, in.cohort, &in.split, err));
    *out = in;
    memset(&in, 0, sizeof in);
out:
    nod_free(folder);
    nod_run_inputs_done(&in);
    return rc;
}

void nod_run_inputs_done(nod_run_inputs *i)
{
    nod_split_free(i->split);
    nod_cohort_free(i->cohort);
    nod_recipe_free(i->recipe);
    nod_free(i->cohort_path);
    nod_free(i->split_path);
    memset(i, 0, sizeof *i);
}

/* --- one training being set up --------------------------------------------------------------- */

typedef struct session {
    const nod_run_options *o;
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
    if (task == s->in.recipe->task) return 0;
    return nod_fail(err, NOD_ERECIPE, "task: the recipe says %s, the cohort is %s",
                    nod_task_name(s->in.recipe->task), nod_task_name(task));
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

static nod_examples examples_of(const nod_dataset *d)
{
    return (nod_examples){(int64_t)d->labels.n, d->images.data, d->labels.values};
}

static int load_data(session *s, nod_error *err)
{
    int rc = 0, threads = s->o->threads;
    if (s->contract.normalisation == NOD_NORMALISATION_DATASET && !s->contract.fitted)
        NOD_TRY(nod_dataset_fit(s->in.cohort, s->in.split, threads, &s->contract, err));
    NOD_TRY(nod_dataset_open(s->in.cohort, s->in.split, NOD_PART_TRAIN, &s->contract, NULL,
                             threads, &s->train, err));
    NOD_TRY(nod_dataset_open(s->in.cohort, s->in.split, NOD_PART_VAL, &s->contract, NULL,
                             threads, &s->validation, err));
    s->train_examples = examples_of(&s->train);
    s->validation_examples = examples_of(&s->validation);
out:
    return rc;
}

static int open_session(session *s, const nod_run_options *o, const char *recipe,
                        nod_error *err)
{
    int rc = 0;
    s->o = o;
    NOD_TRY(nod_run_inputs_open(recipe, &s->in, err));
    NOD_TRY(check_task(s, err));
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
}

/* The recipe with its seed replaced, complete and with the fitted contract. */
static nod_json *recipe_json(const session *s, uint64_t seed, nod_error *err)
{
    char *text = NULL;
    nod_json *j = NULL;
    if (nod_json_dump(s->in.recipe->rendered, false, &text, err) == 0 &&
        nod_json_parse(text, strlen(text), "recipe", &j, err) == 0) {
        nod_json_set_int(j, "seed", (int64_t)seed);
        nod_json_set(j, "input", nod_contract_to_json(&s->contract));
        nod_json_set_str(j, "cohort", s->in.cohort_path);
        nod_json_set_str(j, "split", s->in.split_path);
    }
    nod_free(text);
    return j;
}

static int tick(void *ctx, int64_t epoch, int64_t step, int64_t n_steps)
{
    session *s = ctx;
    nod_error ignored = NOD_ERROR_INIT;
    int stop =
        s->o->watcher.step ? s->o->watcher.step(s->o->watcher.ctx, epoch, step, n_steps) : 0;
    double now = nod_time_monotonic_s();
    if (stop || now - s->saved_s > CHECKPOINT_EVERY_S) {
        /* a disk that is full now is reported at the end of the epoch */
        (void)!nod_trainer_save(s->trainer, s->checkpoint_path, &ignored);
        s->saved_s = now;
    }
    return stop;
}

static int new_trainer(session *s, uint64_t seed, nod_error *err)
{
    int rc = 0;
    nod_trainer_options t = {
        .plan = NOD_PLAN_OPTIONS_INIT, .log = s->o->log, .tick = tick, .ctx = s};
    nod_json *j = recipe_json(s, seed, err);
    if (!j) return err->code;
    t.plan.backend = nod_backend_find(s->o->backend);
    if (!t.plan.backend) {
        rc = nod_fail(err, NOD_EINVAL, "no backend is named '%s'; there are cpu and ref",
                      s->o->backend);
        goto out;
    }
    NOD_TRY(nod_recipe_from_json(j, &s->recipe, err));
    t.plan.precision =
        s->recipe->precision < 0 ? NOD_PRECISION_F32 : (nod_precision)s->recipe->precision;
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
    return rc;
}

/* --- the log --------------------------------------------------------------------------------- */

static nod_json *score_json(const nod_part_score *p)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "n", p->n);
    nod_json_set_real(j, "loss", p->loss);
    nod_json_set_real(j, "total_error", p->total_error);
    nod_json_set_real(j, "mean_error", p->total_error / (double)NOD_MAX(p->n, 1));
    nod_json_set_real(j, "accuracy", p->accuracy);
    nod_json_set_real(j, "auc", p->auc);
    return j;
}

static int log_event(const session *s, nod_json *j_take, nod_error *err)
{
    char *text = NULL;
    int rc = nod_json_dump(j_take, false, &text, err);
    if (!rc) rc = nod_file_append_line(s->log_path, text, err);
    nod_free(text);
    nod_json_free(j_take);
    return rc;
}

static int log_epoch(const session *s, const nod_epoch *e, nod_error *err)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "event", "epoch");
    nod_json_set_int(j, "epoch", e->epoch);
    nod_json_set_real(j, "lr", e->lr);
    nod_json_set_real(j, "loss_optimised", e->loss);
    nod_json_set_real(j, "penalty", e->penalty);
    nod_json_set_real(j, "grad_norm", e->grad_norm);
    if (e->has_train) nod_json_set(j, "train", score_json(&e->train));
    nod_json_set(j, "validation", score_json(&e->validation));
    nod_json_set_bool(j, "best", e->is_best);
    nod_json_set_real(j, "time_s", e->time_s);
    return log_event(s, j, err);
}

/* After a resume: drops a torn last line and the epochs that will be run again. */
static int mend_log(const session *s, int64_t epochs_done, nod_error *err)
{
    nod_bytes b = {0};
    nod_strbuf kept = NOD_STRBUF_INIT;
    int rc = 0;
    if (!nod_path_is_file(s->log_path)) return 0;
    NOD_TRY(nod_file_read(s->log_path, (size_t)1 << 30, &b, err));
    for (size_t at = 0; at < b.size;) {
        const char *line = (const char *)b.data + at, *end = memchr(line, '\n', b.size - at);
        nod_error ignored = NOD_ERROR_INIT;
        nod_json *j = NULL;
        if (!end) break; /* torn */
        size_t len = (size_t)(end - line);
        bool good = nod_json_parse(line, len, s->log_path, &j, &ignored) == 0;
        const char *event = good ? nod_json_str(nod_json_get(j, "event")) : "";
        bool later =
            strcmp(event, "epoch") == 0 && nod_json_i64(nod_json_get(j, "epoch")) > epochs_done;
        if (good && !later && strcmp(event, "end") != 0) nod_strbuf_addn(&kept, line, len + 1);
        nod_json_free(j);
        at += len + 1;
    }
    if (kept.failed)
        rc = nod_fail_memory(err, "log", b.size);
    else
        rc = nod_file_write(s->log_path, kept.data, kept.len, err);
out:
    nod_bytes_done(&b);
    nod_strbuf_done(&kept);
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

static int log_start(const session *s, uint64_t seed, nod_error *err)
{
    nod_json *j = nod_json_object();
    nod_plan_memory m = nod_trainer_memory(s->trainer);
    char now[32];
    nod_time_utc(now, sizeof now);
    nod_json_set_str(j, "event", "start");
    nod_json_set_str(j, "time", now);
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "command", s->o->command);
    nod_json_set_int(j, "seed", (int64_t)seed);
    nod_json_set_str(j, "backend", s->o->backend);
    nod_json_set_str(j, "isa", nod_backend_find(s->o->backend)->isa());
    nod_json_set_int(j, "plan_bytes", (int64_t)(m.arena + m.scratch));
    nod_json_set_int(j, "train_cases", s->train_examples.n);
    nod_json_set_int(j, "validation_cases", s->validation_examples.n);
    return log_event(s, j, err);
}

static int train_seed(session *s, int64_t i, nod_error *err)
{
    int rc = 0;
    const nod_run_watcher *w = &s->o->watcher;
    uint64_t seed = s->in.recipe->seed + (uint64_t)i;
    NOD_TRY(seed_paths(s, i, err));
    NOD_TRY(new_trainer(s, seed, err));
    if (s->o->resume && nod_path_is_file(s->checkpoint_path)) {
        NOD_TRY(nod_trainer_load(s->trainer, s->checkpoint_path, err));
        NOD_TRY(mend_log(s, nod_trainer_epochs_done(s->trainer), err));
    } else {
        NOD_TRY(nod_file_write(s->log_path, "", 0, err));
        NOD_TRY(log_start(s, seed, err));
    }
    if (w->seed_begins)
        w->seed_begins(w->ctx, i, s->o->n_seeds, seed, s->recipe->epochs,
                       nod_trainer_epochs_done(s->trainer),
                       nod_trainer_steps_per_epoch(s->trainer));
    s->saved_s = nod_time_monotonic_s();
    while (!nod_trainer_finished(s->trainer)) {
        nod_epoch e;
        NOD_TRY(nod_trainer_epoch(s->trainer, &e, err));
        NOD_TRY(log_epoch(s, &e, err));
        NOD_TRY(nod_trainer_save(s->trainer, s->checkpoint_path, err));
        if (w->epoch_ends) w->epoch_ends(w->ctx, &e);
    }
    nod_finish_input f = {s->in.cohort, s->in.split,   s->recipe,    s->trainer,
                          s->model,     &s->contract,  &s->patching, &s->validation,
                          s->folder,    s->o->command, s->o->log};
    int64_t best = 0;
    NOD_TRY(nod_finish_seed(&f, &best, err));
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "event", "end");
    nod_json_set_int(j, "best_epoch", best);
    NOD_TRY(log_event(s, j, err));
    if (w->seed_ends) w->seed_ends(w->ctx, i, best);
out:
    return rc;
}

/* --- a run -------------------------------------------------------------------------------------- */

static int write_run(const session *s, nod_error *err)
{
    int rc = 0;
    nod_json *j = NULL, *recipe = recipe_json(s, s->in.recipe->seed, err);
    nod_recipe *complete = NULL;
    char *recipe_path = nod_path_join(s->o->folder, "recipe.yaml"), *text = NULL;
    char *json_path = nod_path_join(s->o->folder, "run.json");
    if (!recipe || !recipe_path || !json_path) {
        rc = recipe ? nod_fail_memory(err, "paths of a run", 4096) : err->code;
        goto out;
    }
    NOD_TRY(nod_recipe_from_json(recipe, &complete, err));
    NOD_TRY(nod_recipe_render(complete, &text, err));
    NOD_TRY(nod_file_write(recipe_path, text, strlen(text), err));
    j = nod_json_object();
    nod_json_set_str(j, "format", "nodule-run");
    nod_json_set_int(j, "format_version", 1);
    nod_json_set_int(j, "seeds", s->o->n_seeds);
    nod_json_set_str(j, "version", NODULE_VERSION);
    nod_json_set_str(j, "command", s->o->command);
    nod_json_set_str(j, "split_hash", nod_split_hash(s->in.split));
    nod_json_set_str(j, "cohort_hash", nod_split_cohort_hash(s->in.split));
    NOD_TRY(nod_json_write(j, json_path, err));
out:
    nod_recipe_free(complete);
    nod_json_free(j);
    nod_json_free(recipe);
    nod_free(recipe_path);
    nod_free(json_path);
    nod_free(text);
    return rc;
}

/* The recipe to read: the run's own when resuming. */
static int choose_recipe(const nod_run_options *o, char **out, nod_error *err)
{
    char *own = nod_path_join(o->folder, "recipe.yaml");
    if (!own) return nod_fail_memory(err, "path of a recipe", 4096);
    bool exists = nod_path_is_file(own);
    int rc = 0;
    if (o->resume && !exists)
        rc = nod_fail(err, NOD_ENOENT, "%s: there is no run to resume (no recipe.yaml)",
                      o->folder);
    else if (!o->resume && exists)
        rc = nod_fail(err, NOD_EINVAL,
                      "%s holds a run already: give another folder with -o, or --resume",
                      o->folder);
    if (!rc && !o->resume) {
        nod_free(own);
        own = nod_strdup(o->recipe);
        if (!own) rc = nod_fail_memory(err, "path of a recipe", 4096);
    }
    if (rc)
        nod_free(own);
    else
        *out = own;
    return rc;
}

int nod_run_train(const nod_run_options *o, nod_error *err)
{
    int rc = 0;
    session s = {0};
    char *recipe = NULL;
    NOD_TRY(choose_recipe(o, &recipe, err));
    NOD_TRY(open_session(&s, o, recipe, err));
    if (!o->resume) {
        NOD_TRY(nod_dir_make(o->folder, err));
        NOD_TRY(write_run(&s, err));
    }
    for (int64_t i = 0; i < o->n_seeds; i++) {
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
    session s = {0};
    double loss;
    NOD_TRY(open_session(&s, o, o->recipe, err));
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

/* --- models of a run ------------------------------------------------------------------------------ */

int nod_run_models(const char *folder, nod_strlist *out, nod_error *err)
{
    int64_t n = 0;
    nod_json *j = NULL;
    char *json_path = nod_path_join(folder, "run.json");
    int rc = json_path ? 0 : nod_fail_memory(err, "path of a run", 4096);
    if (!rc) rc = nod_json_read(json_path, (size_t)1 << 20, &j, err);
    if (!rc) rc = nod_json_need_i64(j, json_path, "seeds", &n, err);
    for (int64_t i = 0; i < n && !rc; i++) {
        nod_strbuf b = NOD_STRBUF_INIT;
        nod_strbuf_printf(&b, "%s/seed_%lld/model.safetensors", folder, (long long)i);
        if (b.failed || !nod_strlist_add(out, b.data))
            rc = nod_fail_memory(err, "models of a run", 4096);
        else if (!nod_path_is_file(b.data))
            rc = nod_fail(err, NOD_ENOENT,
                          "%s: not there: the training has not finished; go on with "
                          "'nodule train --resume -o %s'",
                          b.data, folder);
        nod_strbuf_done(&b);
    }
    nod_json_free(j);
    nod_free(json_path);
    return rc;
}

int nod_run_hash(const char *folder, char out[65], nod_error *err)
{
    nod_strlist models = NOD_STRLIST_INIT;
    nod_sha256 *h = NULL;
    int rc = nod_run_models(folder, &models, err);
    if (!rc) rc = nod_sha256_new(&h, err);
    for (size_t i = 0; i < models.n && !rc; i++) {
        char one[NOD_SHA256_HEX];
        rc = nod_sha256_of_file(models.items[i], one, err);
        if (!rc) nod_sha256_add_str(h, one);
    }
    if (!rc) nod_sha256_hex(h, out);
    nod_sha256_free(h);
    nod_strlist_done(&models);
    return rc;
}
