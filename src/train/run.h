/* run.h: a training on disk: from a recipe to a folder that anyone can read.
 *
 *   RUN/recipe.yaml                 every key, with what was fitted on the training part
 *   RUN/run.json                    cohort, split, seeds, ledger anchor, provenance
 *   RUN/seed_K/log.jsonl            one event a line
 *   RUN/seed_K/checkpoint.safetensors   atomic; resume has the bits of a run never stopped
 *   RUN/seed_K/model.safetensors    best epoch, calibrated, operating point frozen
 *   RUN/seed_K/validation.csv       per case, worst first
 * docs/formats/run.md has the fields. */
#ifndef NOD_TRAIN_RUN_H
#define NOD_TRAIN_RUN_H

#include "data/dataset.h"
#include "train/trainer.h"

typedef struct nod_run_watcher {
    void *ctx;
    void (*seed_begins)(void *ctx, int64_t i, int64_t n, uint64_t seed, int64_t epochs,
                        int64_t epochs_done, int64_t steps_per_epoch);
    void (*epoch_ends)(void *ctx, const nod_epoch *e);
    int (*step)(void *ctx, int64_t epoch, int64_t step, int64_t n_steps); /* nonzero: stop */
    void (*seed_ends)(void *ctx, int64_t i, int64_t best_epoch);
} nod_run_watcher;

typedef struct nod_run_options {
    const char *recipe; /* file; resume: may be NULL (the run's own) */
    const char *folder; /* RUN */
    int64_t n_seeds;    /* recipe's seed, seed+1, ... */
    bool resume;
    const char *backend; /* "cpu" */
    const char *command; /* for provenance */
    int threads;         /* that decode */
    const nod_log *log;
    nod_run_watcher watcher;
} nod_run_options;

/* Trains all seeds. EINVAL where the folder holds a run and `resume` is not set. */
int nod_run_train(const nod_run_options *o, nod_error *err) NOD_MUST_CHECK;

/* What a training would take, without starting it: bytes of the training plan and of the data. */
typedef struct nod_run_estimate {
    size_t plan_bytes, data_bytes, parameter_bytes;
    int64_t steps_per_epoch;
    double epoch_s; /* from one timed step */
} nod_run_estimate;
int nod_run_measure(const nod_run_options *o, nod_run_estimate *out,
                    nod_error *err) NOD_MUST_CHECK;

/* Cohort, split and recipe of a recipe file or of a run's folder. */
typedef struct nod_run_inputs {
    nod_recipe *recipe;
    nod_cohort *cohort;
    nod_split *split;
    char *cohort_path, *split_path;
} nod_run_inputs;
int nod_run_inputs_open(const char *recipe_path, nod_run_inputs *out,
                        nod_error *err) NOD_MUST_CHECK;
void nod_run_inputs_done(nod_run_inputs *i);

/* Models of a run in seed order: paths; the caller frees the list. ENOENT names what is missing. */
int nod_run_models(const char *folder, nod_strlist *out, nod_error *err) NOD_MUST_CHECK;
/* Identity of a run: SHA-256 over its models' files. */
int nod_run_hash(const char *folder, char out[65], nod_error *err) NOD_MUST_CHECK;

#endif
