/* checkpoint.c: the whole state of a trainer in one safetensors file, written atomically.
 *
 * Tensors: params, states, best_params, best_states, and moment1, moment2, average where the
 * optimiser has them, each the flat buffer. Metadata: progress as JSON text, and the hashes of
 * recipe, network and data, whose training it is. Random numbers need no state: they are keyed by
 * epoch, step and case. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/trainer_internal.h"

#define SLICES_MAX 7

typedef struct slice {
    const char *name;
    float *data;
    int64_t n;
} slice;

static size_t slices_of(const nod_trainer *t, slice out[SLICES_MAX])
{
    const nod_params *p = t->model->params, *b = t->best;
    const nod_optimiser *o = t->optimiser;
    size_t n = 0;
    out[n++] = (slice){"params", p->data, p->size};
    out[n++] = (slice){"states", p->state_data, p->state_size};
    out[n++] = (slice){"best_params", b->data, b->size};
    out[n++] = (slice){"best_states", b->state_data, b->state_size};
    if (o->moment1) out[n++] = (slice){"moment1", o->moment1, o->size};
    if (o->moment2) out[n++] = (slice){"moment2", o->moment2, o->size};
    if (o->average) out[n++] = (slice){"average", o->average, o->size};
    return n;
}

/* Infinities have no JSON form; `best` only means something once there is a best epoch. */
static nod_json *progress_of(const nod_trainer *t)
{
    nod_json *j = nod_json_object();
    nod_json_set_int(j, "epochs_done", t->epochs_done);
    nod_json_set_int(j, "step_in_epoch", t->step_in_epoch);
    nod_json_set_int(j, "step", t->step);
    nod_json_set_int(j, "optimiser_step", t->optimiser->step);
    nod_json_set_real(j, "grad_norm", t->optimiser->last_grad_norm);
    nod_json_set_real(j, "loss_sum", t->loss_sum);
    nod_json_set_real(j, "first_loss", t->first_loss);
    nod_json_set_real(j, "best_monitor", isfinite(t->best_monitor) ? t->best_monitor : 0);
    nod_json_set_bool(j, "has_best", isfinite(t->best_monitor));
    nod_json_set_int(j, "best_epoch", t->best_epoch);
    nod_json_set_int(j, "bad_epochs", t->bad_epochs);
    nod_json_set_bool(j, "stopped", t->stopped);
    nod_json_set_real(j, "schedule_scale", t->schedule.scale);
    nod_json_set_real(j, "schedule_best", t->schedule.best);
    nod_json_set_bool(j, "schedule_has_best", t->schedule.has_best);
    nod_json_set_int(j, "schedule_bad_epochs", t->schedule.bad_epochs);
    return j;
}

int nod_trainer_save(const nod_trainer *t, const char *path, nod_error *err)
{
    int rc = 0;
    slice s[SLICES_MAX];
    const char *names[SLICES_MAX];
    nod_tensor tensors[SLICES_MAX];
    char *text = NULL;
    nod_json *meta = nod_json_object(), *progress = progress_of(t);
    size_t n = slices_of(t, s);
    for (size_t i = 0; i < n; i++) {
        nod_shape shape = nod_shape_of(1, s[i].n);
        names[i] = s[i].name;
        tensors[i] = nod_tensor_view(s[i].data, NOD_DTYPE_F32, &shape);
    }
    NOD_TRY(nod_json_dump(progress, false, &text, err));
    nod_json_set_str(meta, "format", "nodule-checkpoint");
    nod_json_set_str(meta, "format_version", "1");
    nod_json_set_str(meta, "recipe", t->identity.recipe);
    nod_json_set_str(meta, "network", t->identity.network);
    nod_json_set_str(meta, "data", t->identity.data);
    nod_json_set_str(meta, "progress", text);
    NOD_TRY(nod_safetensors_write(path, names, tensors, n, meta, err));
out:
    nod_json_free(meta);
    nod_json_free(progress);
    nod_free(text);
    return rc;
}

/* --- reading ------------------------------------------------------------------------------ */

typedef struct progress {
    int64_t epochs_done, step_in_epoch, step, optimiser_step, best_epoch, bad_epochs,
        plateau_bad;
    double grad_norm, loss_sum, first_loss, best_monitor, scale, plateau_best;
    bool has_best, stopped, plateau_has_best;
} progress;

static int read_progress(const nod_json *j, const char *f, progress *p, nod_error *err)
{
    int rc = 0;
    NOD_TRY(nod_json_need_i64(j, f, "epochs_done", &p->epochs_done, err));
    NOD_TRY(nod_json_need_i64(j, f, "step_in_epoch", &p->step_in_epoch, err));
    NOD_TRY(nod_json_need_i64(j, f, "step", &p->step, err));
    NOD_TRY(nod_json_need_i64(j, f, "optimiser_step", &p->optimiser_step, err));
    NOD_TRY(nod_json_need_f64(j, f, "grad_norm", &p->grad_norm, err));
    NOD_TRY(nod_json_need_f64(j, f, "loss_sum", &p->loss_sum, err));
    NOD_TRY(nod_json_need_f64(j, f, "first_loss", &p->first_loss, err));
    NOD_TRY(nod_json_need_f64(j, f, "best_monitor", &p->best_monitor, err));
    NOD_TRY(nod_json_need_bool(j, f, "has_best", &p->has_best, err));
    NOD_TRY(nod_json_need_i64(j, f, "best_epoch", &p->best_epoch, err));
    NOD_TRY(nod_json_need_i64(j, f, "bad_epochs", &p->bad_epochs, err));
    NOD_TRY(nod_json_need_bool(j, f, "stopped", &p->stopped, err));
    NOD_TRY(nod_json_need_f64(j, f, "schedule_scale", &p->scale, err));
    NOD_TRY(nod_json_need_f64(j, f, "schedule_best", &p->plateau_best, err));
    NOD_TRY(nod_json_need_bool(j, f, "schedule_has_best", &p->plateau_has_best, err));
    NOD_TRY(nod_json_need_i64(j, f, "schedule_bad_epochs", &p->plateau_bad, err));
out:
    return rc;
}

static bool has_other(const nod_json *meta, const char *key, const char *mine)
{
    return strcmp(nod_json_str(nod_json_get(meta, key)), mine) != 0;
}

/* Refuses the checkpoint of another training, and says in what it is another one. */
static int check_identity(const nod_json *meta, const char *path,
                          const nod_trainer_identity *mine, nod_error *err)
{
    const char *what = has_other(meta, "data", mine->data)       ? "with other images or labels"
                       : has_other(meta, "recipe", mine->recipe) ? "with another recipe or seed"
                       : has_other(meta, "network", mine->network) ? "for another network"
                                                                   : NULL;
    if (!what) return 0;
    return nod_fail(
        err, NOD_EINVAL,
        "%s: this checkpoint was made %s; resume with the run's own recipe.yaml and "
        "data, or train into a new folder",
        path, what);
}

static int check_slices(const nod_safetensors *s, const char *path, const slice *want, size_t n,
                        nod_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const nod_tensor *t = nod_safetensors_find(s, want[i].name);
        if (!t || t->dtype != NOD_DTYPE_F32 || nod_tensor_count(t) != want[i].n)
            return nod_fail(err, NOD_EFORMAT, "%s: tensor '%s' is missing or has another size",
                            path, want[i].name);
    }
    return 0;
}

/* Whether this training can have come there: counters are indices of what comes next. */
static int check_progress(const nod_trainer *t, const char *path, const progress *p,
                          nod_error *err)
{
    int64_t steps = t->steps_per_epoch, epochs = t->recipe->epochs;
    bool good =
        p->epochs_done >= 0 && p->epochs_done <= epochs && p->step_in_epoch >= 0 &&
        p->step_in_epoch <= steps && p->step == p->epochs_done * steps + p->step_in_epoch &&
        p->optimiser_step == p->step && p->best_epoch >= 0 && p->best_epoch <= p->epochs_done &&
        p->bad_epochs >= 0 && p->bad_epochs <= p->epochs_done && p->plateau_bad >= 0 &&
        p->plateau_bad <= p->epochs_done && p->scale >= 0;
    if (good) return 0;
    return nod_fail(
        err, NOD_EFORMAT,
        "%s: epoch %lld, step %lld of it, step %lld in all: this training, of %lld "
        "epochs of %lld steps, was never there; take the file from its source again",
        path, (long long)p->epochs_done, (long long)p->step_in_epoch, (long long)p->step,
        (long long)epochs, (long long)steps);
}

static void take_progress(nod_trainer *t, const progress *p)
{
    t->epochs_done = p->epochs_done;
    t->step_in_epoch = p->step_in_epoch;
    t->step = p->step;
    t->optimiser->step = p->optimiser_step;
    t->optimiser->last_grad_norm = p->grad_norm;
    t->loss_sum = p->loss_sum;
    t->first_loss = p->first_loss;
    t->best_monitor = p->has_best ? p->best_monitor : -HUGE_VAL;
    t->best_epoch = p->best_epoch;
    t->bad_epochs = p->bad_epochs;
    t->stopped = p->stopped;
    t->schedule.scale = p->scale;
    t->schedule.best = p->plateau_best;
    t->schedule.has_best = p->plateau_has_best;
    t->schedule.bad_epochs = p->plateau_bad;
    nod_trainer_feed_done(t);
}

int nod_trainer_load(nod_trainer *t, const char *path, nod_error *err)
{
    int rc = 0;
    slice want[SLICES_MAX];
    progress p;
    nod_json *j = NULL;
    nod_safetensors *s = NULL;
    size_t n = slices_of(t, want);
    NOD_TRY(nod_safetensors_read(path, &s, err));
    const char *format = nod_json_str(nod_json_get(s->metadata, "format"));
    const char *text = nod_json_str(nod_json_get(s->metadata, "progress"));
    if (strcmp(format, "nodule-checkpoint") != 0) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: not a checkpoint of this program", path);
        goto out;
    }
    NOD_TRY(nod_safetensors_need_hash(s, path, err));
    NOD_TRY(check_identity(s->metadata, path, &t->identity, err));
    NOD_TRY(nod_json_parse(text, strlen(text), path, &j, err));
    NOD_TRY(read_progress(j, path, &p, err));
    NOD_TRY(check_progress(t, path, &p, err));
    NOD_TRY(check_slices(s, path, want, n, err));
    for (size_t i = 0; i < n; i++)
        memcpy(want[i].data, nod_safetensors_find(s, want[i].name)->data,
               (size_t)want[i].n * sizeof(float));
    take_progress(t, &p);
out:
    nod_json_free(j);
    nod_safetensors_free(s);
    return rc;
}
