/* schedule.h: the learning rate as a function of progress.
 *
 * Progress is counted in optimiser steps. Warm-up rises linearly from lr/warmup_steps to lr
 * over the first warmup_steps; the schedule then runs over what is left. `plateau` alone keeps
 * a state, fed once per epoch with the monitored loss. */
#ifndef NOD_TRAIN_SCHEDULE_H
#define NOD_TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum nod_schedule_kind {
    NOD_SCHEDULE_CONSTANT,
    NOD_SCHEDULE_STEP,        /* lr * factor^(epoch / every) */
    NOD_SCHEDULE_EXPONENTIAL, /* lr * factor^epoch */
    NOD_SCHEDULE_POLYNOMIAL,  /* lr * (1 - t)^power, t in [0,1] (nnU-Net: power .9) */
    NOD_SCHEDULE_COSINE,      /* lr_min + (lr - lr_min) * (1 + cos(pi t)) / 2 */
    NOD_SCHEDULE_ONE_CYCLE,   /* Smith 2018: cosine up from lr/div to lr over pct of the steps,
                                 cosine   down to lr/(div*final_div) */
    NOD_SCHEDULE_PLATEAU      /* lr * factor after `patience` epochs without improvement */
} nod_schedule_kind;

typedef struct nod_schedule {
    nod_schedule_kind kind;
    double lr;             /* peak, > 0 */
    double lr_min;         /* cosine, polynomial, plateau; >= 0 */
    double factor;         /* step, exponential, plateau; in (0,1) */
    double power;          /* polynomial */
    double div, final_div; /* one-cycle; defaults 25 and 1e4 */
    double pct;            /* one-cycle: share of the steps spent rising, default .3 */
    int64_t every;         /* step: epochs */
    int64_t patience;      /* plateau: epochs */
    double threshold;      /* plateau: relative improvement that counts, default 1e-4 */
    int64_t warmup_steps, total_steps, steps_per_epoch; /* set by the trainer */
    /* plateau state, kept in checkpoints */
    double scale, best;
    int64_t bad_epochs;
    bool has_best;
} nod_schedule;

/* Defaults of the kind; the state cleared. */
nod_schedule nod_schedule_default(nod_schedule_kind kind, double lr);
/* Learning rate of step `step` (0-based). */
double nod_schedule_lr(const nod_schedule *s, int64_t step);
/* Plateau: tells the loss of an epoch. No effect on other kinds. */
void nod_schedule_observe(nod_schedule *s, double loss);
int nod_schedule_from_name(const char *name); /* -1 if unknown */
const char *nod_schedule_name(nod_schedule_kind kind);

#endif
