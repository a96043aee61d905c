/* run.h: a training on disk: from a recipe to a folder that anyone can read (run_folder.h).
 *
 * A killed training goes on from its last checkpoint, which is written after each epoch and every
 * minute within long ones; the weights are those of a training that never stopped. */
#ifndef NOD_TRAIN_RUN_H
#define NOD_TRAIN_RUN_H

#include "data/dataset.h"
#include "train/run_folder.h"
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
    const char *recipe;         /* file; resume: NULL, the run's own is used */
    const char *cohort, *split; /* in place of the recipe's (run_folder.h); resume: NULL */
    const char *folder;         /* RUN */
    int64_t n_seeds; /* recipe's seed, seed+1, ...; 0: 1, or as many as the run has */
    bool resume;
    const char *backend;             /* NULL: "cpu", or the run's */
    const nod_kernel_table *kernels; /* for a run that has chosen none yet; NULL: the rule */
    const char *ledger;              /* path; NULL: beside the cohort */
    const char *cache;   /* of decoded images: folder, "none"; NULL: beside the cohort */
    const char *command; /* for provenance */
    int threads;         /* that decode */
    const nod_log *log;
    nod_run_watcher watcher;
} nod_run_options;

/* Trains all seeds; finished ones are passed over. EINVAL where the folder holds a run and `resume`
 * is not set; ESEAL where the ledger is not the one that sealed the split. */
int nod_run_train(const nod_run_options *o, nod_error *err) NOD_MUST_CHECK;

/* What a training would take, without starting it: bytes of the training plan and of the data. */
typedef struct nod_run_estimate {
    size_t plan_bytes, data_bytes, parameter_bytes;
    int64_t steps_per_epoch;
    double epoch_s; /* from one timed step */
} nod_run_estimate;
int nod_run_measure(const nod_run_options *o, nod_run_estimate *out,
                    nod_error *err) NOD_MUST_CHECK;

#endif
