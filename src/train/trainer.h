/* trainer.h: one training in memory: forward, backward, step, and what is measured per epoch.
 *
 * The trainer owns the training plan, the gradients, the optimiser, and two copies of the
 * parameters: the best ones by the monitor and, with EMA, the averaged ones. It knows examples
 * (data/examples.h), not files: train/run.h reads and writes those. All state that decides what comes next is in
 * nod_trainer_save, so that a resumed training has the bits of one that never stopped. */
#ifndef NOD_TRAIN_TRAINER_H
#define NOD_TRAIN_TRAINER_H

#include "base/log.h"
#include "data/examples.h"
#include "model/safetensors.h"
#include "train/recipe.h"

/* How a part fares in evaluation mode: no dropout, smoothing or class weights. */
typedef struct nod_part_score {
    int64_t n;
    double loss; /* mean cross-entropy of the true class (multi-label: mean over labels) */
    double total_error; /* sum over examples of 1 - probability of the true class */
    double accuracy;    /* highest probability (multi-label: labels at 0.5) */
    double auc;         /* binary; else macro one-vs-rest; NaN: not estimable */
} nod_part_score;

typedef struct nod_epoch {
    int64_t epoch; /* 1-based */
    double lr;     /* of its last step */
    double loss;   /* optimised: mean over its batches, with weights, smoothing, dropout */
    double penalty, grad_norm;
    bool has_train;
    nod_part_score train, validation;
    double monitor;     /* validation value that chooses, larger is better */
    bool is_best, stop; /* stop: patience is over */
    double time_s;
    double load_s; /* of it, waiting for batches */
} nod_epoch;

typedef struct nod_trainer nod_trainer;

typedef struct nod_trainer_options {
    nod_plan_options plan;
    const nod_log *log;
    /* Threads that load images which are not in memory, 0 to 16 (data/loader.h). Those in memory
     * are only copied, which the trainer does itself. */
    int loading_threads;
    /* Called after every step; nonzero stops with NOD_EINTERRUPTED. May be NULL. */
    int (*tick)(void *ctx, int64_t epoch, int64_t step, int64_t n_steps);
    void *ctx;
} nod_trainer_options;

/* `model` is borrowed and trained in place; class weights and prior are fitted on `train`. */
int nod_trainer_new(const nod_recipe *r, nod_model *model, const nod_patching *patching,
                    const nod_examples *train, const nod_examples *validation,
                    const nod_trainer_options *o, nod_trainer **out,
                    nod_error *err) NOD_MUST_CHECK;
void nod_trainer_free(nod_trainer *t);

/* Runs the next epoch (or the rest of an interrupted one). ENUMERIC names the layer where the
 * first NaN or infinity arose. */
int nod_trainer_epoch(nod_trainer *t, nod_epoch *out, nod_error *err) NOD_MUST_CHECK;
bool nod_trainer_finished(const nod_trainer *t);
int64_t nod_trainer_epochs_done(const nod_trainer *t);
int64_t nod_trainer_steps_per_epoch(const nod_trainer *t);
nod_plan_memory nod_trainer_memory(const nod_trainer *t); /* of the training plan */
const nod_plan *nod_trainer_plan(const nod_trainer *t);
nod_precision nod_trainer_precision(const nod_trainer *t);
/* Adds the choices of kernels that the plans of training and evaluation made. */
int nod_trainer_choices(const nod_trainer *t, nod_kernel_table *into,
                        nod_error *err) NOD_MUST_CHECK;

/* Puts the best parameters into the model; the epoch they are from. */
int64_t nod_trainer_take_best(nod_trainer *t);
/* Logits [n][n_outputs] of examples with the model's present parameters. */
int nod_trainer_logits(nod_trainer *t, const nod_examples *e, float *logits,
                       nod_error *err) NOD_MUST_CHECK;
/* Prevalence [n_outputs] in the training part, and the one the network was taught by weights or
 * balanced sampling. */
void nod_trainer_prior(const nod_trainer *t, double *natural, double *effective);

/* One step on the next batch, alone: for benchmarks and comparisons. */
int nod_trainer_step(nod_trainer *t, double *loss, nod_error *err) NOD_MUST_CHECK;
/* Seconds that the steps so far have waited for their batches. */
double nod_trainer_waited_s(const nod_trainer *t);
/* Times each step of the plan over `runs` runs on the last batch; read with nod_trainer_plan. */
int nod_trainer_profile(nod_trainer *t, int runs, nod_error *err) NOD_MUST_CHECK;

/* --- checkpoint.c ---------------------------------------------------------------------------
 */
int nod_trainer_save(const nod_trainer *t, const char *path, nod_error *err) NOD_MUST_CHECK;
/* Refuses a checkpoint of another recipe, network or data (EINVAL, naming what differs). */
int nod_trainer_load(nod_trainer *t, const char *path, nod_error *err) NOD_MUST_CHECK;

#endif
