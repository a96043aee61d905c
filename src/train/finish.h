/* finish.h: the end of a training: best parameters, calibration and operating point on validation,
 * the model file, the validation predictions. Nothing here sees the test part. */
#ifndef NOD_TRAIN_FINISH_H
#define NOD_TRAIN_FINISH_H

#include "data/dataset.h"
#include "train/trainer.h"

typedef struct nod_finish_input {
    const nod_cohort *cohort;
    const nod_split *split;
    const nod_recipe *recipe;
    nod_trainer *trainer;
    nod_model *model;
    const nod_contract *contract;
    const nod_patching *patching;
    const nod_dataset *validation;
    nod_anchor anchor;    /* the ledger now: what a model was made after */
    int64_t looks_before; /* at the test part of the split, in that ledger */
    const char *folder, *command;
    const nod_log *log;
} nod_finish_input;

/* What cannot be fitted (too few positives ...) is left at its neutral value and said in the log. */
int nod_finish_seed(const nod_finish_input *f, int64_t *best_epoch,
                    nod_error *err) NOD_MUST_CHECK;

#endif
