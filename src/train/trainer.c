/* trainer.c: the loop of training. A step is: bind the next batch (feed.c), run the plan (forward,
 * loss, backward), take an optimiser step. See trainer.h. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/rng.h"
#include "train/trainer_internal.h"

static bool is_softmax_loss(nod_loss_kind k)
{
    return k == NOD_LOSS_CROSS_ENTROPY || k == NOD_LOSS_FOCAL;
}

/* --- what is fitted on the training part -----------------------------------------------------
 */

static void fit_prior(nod_trainer *t)
{
    int64_t k = t->n_outputs, count[NOD_RECIPE_CLASSES_MAX] = {0};
    for (int64_t i = 0; i < t->train.n; i++) {
        if (t->recipe->task == NOD_TASK_MULTILABEL)
            for (int64_t c = 0; c < k; c++)
                count[c] += t->train.labels[i * k + c] != 0;
        else
            count[t->train.labels[i]]++;
    }
    for (int64_t c = 0; c < k; c++)
        t->natural[c] = (double)count[c] / (double)NOD_MAX(t->train.n, 1);
}

/* Class weights (softmax: n/(k*n_c); multi-label: negatives/positives) and what they, or
 * balanced sampling, teach the network as prevalence. */
static int fit_weights(nod_trainer *t, nod_error *err)
{
    const nod_recipe *r = t->recipe;
    int64_t k = t->n_outputs;
    double weight[NOD_RECIPE_CLASSES_MAX];
    bool multilabel = r->task == NOD_TASK_MULTILABEL;
    fit_prior(t);
    for (int64_t c = 0; c < k; c++) {
        double p = t->natural[c];
        weight[c] = 1;
        if (r->weighting == NOD_WEIGHTS_GIVEN) weight[c] = r->weights[c];
        if (r->weighting == NOD_WEIGHTS_BALANCED)
            weight[c] = p <= 0 || (multilabel && p >= 1) ? 1
                        : multilabel                     ? (1 - p) / p
                                                         : 1 / ((double)k * p);
    }
    if (r->weighting == NOD_WEIGHTS_GIVEN && r->n_weights != (size_t)k)
        return nod_fail(err, NOD_ERECIPE,
                        "loss.class_weights: has %zu entries, the task has %lld", r->n_weights,
                        (long long)k);
    nod_prior_effective(r->task, (size_t)k, t->natural, weight, t->effective);
    if (r->balanced_sampling)
        for (int64_t c = 0; c < k; c++)
            t->effective[c] = multilabel ? t->natural[c] : 1.0 / (double)k;
    if (r->weighting == NOD_WEIGHTS_NONE) return 0;
    t->class_weights = nod_calloc((size_t)k, sizeof(float));
    if (!t->class_weights)
        return nod_fail_memory(err, "class weights", (size_t)k * sizeof(float));
    for (int64_t c = 0; c < k; c++)
        t->class_weights[c] = (float)weight[c];
    return 0;
}

void nod_trainer_prior(const nod_trainer *t, double *natural, double *effective)
{
    memcpy(natural, t->natural, (size_t)t->n_outputs * sizeof *natural);
    memcpy(effective, t->effective, (size_t)t->n_outputs * sizeof *effective);
}

/* --- the training plan
 * ------------------------------------------------------------------------- */

typedef struct training_graph {
    nod_graph *g;
    int image, labels, weights, loss;
    int *wrt, *grads;
    size_t n;
} training_graph;

static int add_loss(const nod_trainer *t, training_graph *b, int logits)
{
    const nod_recipe *r = t->recipe;
    nod_attrs attr = nod_attrs_default();
    static const nod_op ops[] = {[NOD_LOSS_CROSS_ENTROPY] = NOD_OP_LOSS_CE,
                                 [NOD_LOSS_FOCAL] = NOD_OP_LOSS_FOCAL,
                                 [NOD_LOSS_BINARY_CROSS_ENTROPY] = NOD_OP_LOSS_BCE,
                                 [NOD_LOSS_MSE] = NOD_OP_LOSS_MSE,
                                 [NOD_LOSS_MAE] = NOD_OP_LOSS_MAE};
    bool softmax = is_softmax_loss(r->loss);
    bool weighted = t->class_weights && r->loss != NOD_LOSS_MSE && r->loss != NOD_LOSS_MAE;
    nod_shape shape =
        softmax ? nod_shape_of(1, t->batch) : nod_shape_of(2, t->batch, t->n_outputs);
    b->labels = nod_graph_input(b->g, "labels", shape, softmax);
    b->weights =
        weighted ? nod_graph_input(b->g, "class_weights", nod_shape_of(1, t->n_outputs), false)
                 : -1;
    attr.smoothing = r->smoothing;
    attr.gamma = r->gamma;
    int in[3] = {logits, b->labels, b->weights};
    bool third = r->loss != NOD_LOSS_MSE && r->loss != NOD_LOSS_MAE;
    int node = nod_graph_add_node(b->g, ops[r->loss], "loss", in, third ? 3 : 2, &attr);
    return nod_graph_out(b->g, node, 0);
}

static int build_graph(nod_trainer *t, training_graph *b, nod_error *err)
{
    int rc = 0, logits;
    NOD_TRY(nod_graph_new(&b->g, err));
    NOD_TRY(nod_network_build(t->model->network, &t->model->io, t->batch, true, b->g, &b->image,
                              &logits, err));
    NOD_TRY(nod_graph_fuse(b->g, false, err));
    b->loss = add_loss(t, b, logits);
    NOD_TRY(nod_graph_check(b->g, err));
    nod_graph_output(b->g, b->loss);
    b->wrt = nod_calloc(b->g->n_values, sizeof *b->wrt);
    b->grads = nod_calloc(b->g->n_values, sizeof *b->grads);
    if (!b->wrt || !b->grads)
        return nod_fail_memory(err, "gradients", b->g->n_values * sizeof(int));
    for (size_t i = 0; i < b->g->n_values; i++)
        if (b->g->values[i].kind == NOD_VALUE_PARAM) b->wrt[b->n++] = (int)i;
    NOD_TRY(nod_graph_backward(b->g, b->loss, b->wrt, b->n, b->grads, err));
    for (size_t i = 0; i < b->n; i++)
        if (b->grads[i] >= 0) nod_graph_output(b->g, b->grads[i]);
    NOD_TRY(nod_graph_prune(b->g, err));
out:
    return rc;
}

static int take_buffers(nod_trainer *t, nod_error *err)
{
    bool softmax = is_softmax_loss(t->recipe->loss);
    size_t rows = (size_t)(t->batch * t->n_outputs) * sizeof(float);
    if (!softmax) t->batch_targets = nod_aligned_calloc(rows);
    t->loss = nod_aligned_calloc(sizeof(float));
    t->grads = nod_aligned_calloc((size_t)t->model->params->size * sizeof(float));
    int64_t most = NOD_MAX(t->train.n, t->validation.n);
    t->logits = nod_calloc((size_t)(most * t->n_outputs + 1), sizeof(float));
    if ((!softmax && !t->batch_targets) || !t->loss || !t->grads || !t->logits)
        return nod_fail_memory(err, "gradients",
                               (size_t)t->model->params->size * sizeof(float));
    return 0;
}

static int make_plan(nod_trainer *t, nod_error *err)
{
    int rc = 0;
    training_graph b = {0};
    NOD_TRY(build_graph(t, &b, err));
    NOD_TRY(nod_plan_make(b.g, &t->options.plan, &t->plan, err));
    NOD_TRY(take_buffers(t, err));
    NOD_TRY(nod_params_bind(t->model->params, b.g, t->plan, err));
    t->image = b.image;
    t->labels = b.labels;
    if (b.weights >= 0) nod_plan_bind(t->plan, b.weights, t->class_weights);
    nod_plan_bind(t->plan, b.loss, t->loss);
    for (size_t i = 0; i < b.n; i++) {
        const nod_param *q = nod_params_find(t->model->params, b.g->values[b.wrt[i]].name);
        if (b.grads[i] >= 0) nod_plan_bind(t->plan, b.grads[i], t->grads + q->offset);
    }
    NOD_TRY(nod_plan_prepare(t->plan, err));
out:
    nod_free(b.wrt);
    nod_free(b.grads);
    nod_graph_free(b.g);
    return rc;
}

/* --- making
 * ------------------------------------------------------------------------------------- */

/* Images in memory and fetched ones of the same values have the same hash. */
static int hash_images(const nod_trainer *t, const nod_examples *e, nod_sha256 *h,
                       nod_error *err)
{
    size_t bytes = (size_t)t->image_size * sizeof(float);
    if (e->images) {
        nod_sha256_add(h, e->images, (size_t)e->n * bytes);
        return 0;
    }
    float *image = nod_malloc(bytes);
    int rc = image ? 0 : nod_fail_memory(err, "an image", bytes);
    for (int64_t i = 0; !rc && i < e->n; i++) {
        rc = e->fetch(e->fetch_ctx, i, image, err);
        if (!rc) nod_sha256_add(h, image, bytes);
    }
    nod_free(image);
    return rc;
}

static int identify(nod_trainer *t, nod_error *err)
{
    nod_sha256 *h = NULL;
    int rc = nod_recipe_hash(t->recipe, t->identity.recipe, err);
    if (!rc) rc = nod_params_hash(t->model->params, t->identity.network, err);
    if (!rc) rc = nod_sha256_new(&h, err);
    if (rc) return rc;
    const nod_examples *parts[] = {&t->train, &t->validation};
    int64_t labels = t->recipe->task == NOD_TASK_MULTILABEL ? t->n_outputs : 1;
    for (int i = 0; !rc && i < 2; i++) {
        nod_sha256_add_i64(h, parts[i]->n);
        rc = hash_images(t, parts[i], h, err);
        nod_sha256_add(h, parts[i]->labels, (size_t)(parts[i]->n * labels) * sizeof(int32_t));
    }
    if (!rc) nod_sha256_hex(h, t->identity.data);
    nod_sha256_free(h);
    return rc;
}

static void set_progress(nod_trainer *t)
{
    const nod_recipe *r = t->recipe;
    t->steps_per_epoch = t->train.n / t->batch;
    t->schedule = r->schedule;
    t->schedule.steps_per_epoch = t->steps_per_epoch;
    t->schedule.total_steps = t->steps_per_epoch * r->epochs;
    t->schedule.warmup_steps = (int64_t)llround(r->warmup_epochs * (double)t->steps_per_epoch);
    t->best_monitor = -HUGE_VAL;
}

static int make(nod_trainer *t, nod_error *err)
{
    int rc = 0;
    NOD_TRY(fit_weights(t, err));
    NOD_TRY(make_plan(t, err));
    NOD_TRY(nod_optimiser_new(t->model->params, &t->recipe->optimiser, &t->optimiser, err));
    NOD_TRY(nod_params_copy(t->model->params, &t->best, err));
    int64_t most = NOD_MAX(t->train.n, t->validation.n) * nod_patching_count(&t->patching);
    /* judged as `predict` and `test` will use it, on processors without bf16 too */
    nod_plan_options evaluation = t->options.plan;
    if (evaluation.precision == NOD_PRECISION_BF16) evaluation.precision = NOD_PRECISION_F32;
    NOD_TRY(nod_predictor_new(t->model, &t->patching, NOD_MIN(NOD_TRAINER_EVAL_BATCH, most),
                              &evaluation, &t->predictor, err));
    NOD_TRY(nod_trainer_feed_init(t, err));
    NOD_TRY(identify(t, err));
    set_progress(t);
out:
    return rc;
}

int nod_trainer_new(const nod_recipe *r, nod_model *model, const nod_patching *patching,
                    const nod_examples *train, const nod_examples *validation,
                    const nod_trainer_options *o, nod_trainer **out, nod_error *err)
{
    const nod_network_io *io = &model->io;
    if (train->n < 2)
        return nod_fail(err, NOD_EDATA,
                        "the training part has %lld cases; at least 2 are needed",
                        (long long)train->n);
    if (io->n_outputs > NOD_RECIPE_CLASSES_MAX)
        return nod_fail(err, NOD_ELIMIT, "%lld classes; at most %d", (long long)io->n_outputs,
                        NOD_RECIPE_CLASSES_MAX);
    nod_trainer *t = nod_calloc(1, sizeof *t);
    if (!t) return nod_fail_memory(err, "trainer", sizeof *t);
    t->recipe = r;
    t->model = model;
    t->patching = *patching;
    t->train = *train;
    t->validation = *validation;
    t->options = *o;
    t->n_outputs = io->n_outputs;
    t->image_size = io->channels * patching->image[0] * patching->image[1] * patching->image[2];
    t->window_size = io->channels * io->size[0] * io->size[1] * io->size[2];
    t->batch = r->batch_size > 0 ? NOD_MIN(r->batch_size, train->n) : train->n;
    int rc = nod_patching_check(patching, io, err);
    if (!rc) rc = make(t, err);
    if (rc) {
        nod_trainer_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void nod_trainer_free(nod_trainer *t)
{
    if (!t) return;
    nod_trainer_feed_done(t);
    nod_sampler_free(t->sampler);
    nod_plan_free(t->plan);
    nod_predictor_free(t->predictor);
    nod_optimiser_free(t->optimiser);
    nod_params_free(t->best);
    nod_free(t->batch_targets);
    nod_free(t->class_weights);
    nod_free(t->loss);
    nod_free(t->grads);
    nod_free(t->logits);
    nod_free(t);
}

/* --- one step
 * ----------------------------------------------------------------------------------- */

/* The step gave a loss that is not finite, or far above where training began: names the layer.
 */
static int diverged(nod_trainer *t, double lr, nod_error *err)
{
    const nod_run_context context = {.seed = t->recipe->seed, .step = (uint64_t)t->step};
    int rc = nod_plan_run_checked(t->plan, &context, err);
    if (rc)
        return nod_error_prefix(err, "training diverged in epoch %lld, step %lld",
                                (long long)t->epochs_done + 1, (long long)t->step_in_epoch + 1);
    return nod_fail(
        err, NOD_ENUMERIC,
        "training diverged in epoch %lld, step %lld: the loss is %g, %g at the start; "
        "lower optimiser.lr (now %g) or set optimiser.clip_norm",
        (long long)t->epochs_done + 1, (long long)t->step_in_epoch + 1, (double)t->loss[0],
        t->first_loss, lr);
}

int nod_trainer_step(nod_trainer *t, double *loss, nod_error *err)
{
    const nod_run_context context = {.seed = t->recipe->seed, .step = (uint64_t)t->step};
    double lr = nod_schedule_lr(&t->schedule, t->step);
    int rc = nod_trainer_feed(t, err);
    if (!rc) rc = nod_plan_run(t->plan, &context, err);
    if (rc) return rc;
    double value = (double)t->loss[0];
    if (t->step == 0) t->first_loss = value;
    if (!isfinite(value) || value > 1e4 * (1 + fabs(t->first_loss)))
        return diverged(t, lr, err);
    nod_optimiser_step(t->optimiser, t->model->params, t->grads, lr);
    t->loss_sum += value;
    t->step++;
    t->step_in_epoch++;
    if (t->step_in_epoch == t->steps_per_epoch && loss)
        t->step_in_epoch = 0; /* benchmarks go on */
    if (loss) *loss = value;
    return 0;
}

int nod_trainer_profile(nod_trainer *t, int runs, nod_error *err)
{
    const nod_run_context context = {.seed = t->recipe->seed, .step = (uint64_t)t->step};
    return nod_plan_profile(t->plan, &context, runs, err);
}

/* --- an epoch
 * ------------------------------------------------------------------------------------ */

int nod_trainer_logits(nod_trainer *t, const nod_examples *e, float *logits, nod_error *err)
{
    nod_predictor_refresh(t->predictor);
    if (!e->images) return nod_trainer_fetched_logits(t, e, logits, err);
    return nod_predictor_run(t->predictor, e->images, e->n, logits, err);
}

static int score_part(nod_trainer *t, const nod_examples *e, nod_part_score *out,
                      nod_error *err)
{
    int rc = nod_trainer_logits(t, e, t->logits, err);
    if (rc) return rc;
    int positive =
        t->recipe->task == NOD_TASK_BINARY ? 1 : -1; /* AUC of two classes is symmetric */
    return nod_part_score_from_logits(t->recipe->task, e->n, t->n_outputs, positive, t->logits,
                                      e->labels, out, err);
}

static double monitored(nod_monitor m, const nod_part_score *s)
{
    switch (m) {
    case NOD_MONITOR_LOSS:
        return -s->loss;
    case NOD_MONITOR_TOTAL_ERROR:
        return -s->total_error;
    case NOD_MONITOR_ACCURACY:
        return s->accuracy;
    case NOD_MONITOR_AUC:
        return s->auc;
    }
    NOD_ASSERT(!"a monitor of the table");
}

static void copy_params(nod_params *dst, const nod_params *src)
{
    memcpy(dst->data, src->data, (size_t)src->size * sizeof(float));
    memcpy(dst->state_data, src->state_data, (size_t)src->state_size * sizeof(float));
}

/* Exchanges the trained and the averaged weights. */
static void swap_average(nod_trainer *t)
{
    float *w = t->model->params->data, *a = t->optimiser->average;
    if (!a) return;
    for (int64_t i = 0; i < t->model->params->size; i++) {
        float v = w[i];
        w[i] = a[i];
        a[i] = v;
    }
}

static int score_epoch(nod_trainer *t, nod_epoch *e, nod_error *err)
{
    int rc = 0;
    swap_average(t);
    e->has_train = e->epoch % t->recipe->train_every == 0 || e->epoch == t->recipe->epochs;
    if (e->has_train) NOD_TRY(score_part(t, &t->train, &e->train, err));
    NOD_TRY(score_part(t, &t->validation, &e->validation, err));
    e->monitor = monitored(t->recipe->monitor, &e->validation);
    e->is_best = t->best_epoch == 0 || e->monitor > t->best_monitor;
    if (e->is_best) {
        copy_params(t->best, t->model->params);
        t->best_monitor = isnan(e->monitor) ? -HUGE_VAL : e->monitor;
        t->best_epoch = e->epoch;
        t->bad_epochs = 0;
    } else {
        t->bad_epochs++;
    }
    t->stopped = t->recipe->patience > 0 && t->bad_epochs >= t->recipe->patience;
    e->stop = t->stopped;
    nod_schedule_observe(&t->schedule, e->validation.loss);
out:
    swap_average(t);
    return rc;
}

int nod_trainer_epoch(nod_trainer *t, nod_epoch *out, nod_error *err)
{
    double start = nod_time_monotonic_s(), waited = nod_trainer_waited_s(t);
    nod_epoch e = {.epoch = t->epochs_done + 1};
    while (t->step_in_epoch < t->steps_per_epoch) {
        int rc = nod_trainer_step(t, NULL, err);
        if (rc) return rc;
        if (t->options.tick &&
            t->options.tick(t->options.ctx, e.epoch, t->step_in_epoch, t->steps_per_epoch))
            return nod_fail(err, NOD_EINTERRUPTED, "stopped in epoch %lld, step %lld",
                            (long long)e.epoch, (long long)t->step_in_epoch);
    }
    e.lr = nod_schedule_lr(&t->schedule, t->step - 1);
    e.loss = t->loss_sum / (double)t->steps_per_epoch;
    e.penalty = nod_optimiser_penalty(t->optimiser, t->model->params);
    e.grad_norm = t->optimiser->last_grad_norm;
    int rc = score_epoch(t, &e, err);
    if (rc) return rc;
    t->loss_sum = 0;
    t->step_in_epoch = 0;
    t->epochs_done++;
    e.time_s = nod_time_monotonic_s() - start;
    e.load_s = nod_trainer_waited_s(t) - waited;
    *out = e;
    return 0;
}

bool nod_trainer_finished(const nod_trainer *t)
{
    return t->stopped || t->epochs_done >= t->recipe->epochs;
}

int64_t nod_trainer_epochs_done(const nod_trainer *t)
{
    return t->epochs_done;
}

int64_t nod_trainer_steps_per_epoch(const nod_trainer *t)
{
    return t->steps_per_epoch;
}

nod_plan_memory nod_trainer_memory(const nod_trainer *t)
{
    return nod_plan_memory_of(t->plan);
}

nod_precision nod_trainer_precision(const nod_trainer *t)
{
    return t->options.plan.precision;
}

int nod_trainer_choices(const nod_trainer *t, nod_kernel_table *into, nod_error *err)
{
    int rc = nod_kernel_table_add(into, nod_plan_choices(t->plan), err);
    if (rc) return rc;
    return nod_kernel_table_add(into, nod_plan_choices(nod_predictor_plan(t->predictor)), err);
}

const nod_plan *nod_trainer_plan(const nod_trainer *t)
{
    return t->plan;
}

int64_t nod_trainer_take_best(nod_trainer *t)
{
    copy_params(t->model->params, t->best);
    return t->best_epoch;
}
