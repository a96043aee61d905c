/* trainer_internal.h: the trainer's state, shared by trainer.c, score.c and checkpoint.c. */
#ifndef NOD_TRAIN_TRAINER_INTERNAL_H
#define NOD_TRAIN_TRAINER_INTERNAL_H

#include "data/loader.h"
#include "train/trainer.h"

#define NOD_TRAINER_EVAL_BATCH 64 /* windows per run of the evaluation plan */

/* What a checkpoint must have in common with the training that it is loaded into, hashed. */
typedef struct nod_trainer_identity {
    char recipe[65];  /* nod_recipe_hash; has the seed */
    char network[65]; /* initial parameters: names, shapes, values */
    char data[65];    /* images and labels of both parts */
} nod_trainer_identity;

struct nod_trainer {
    const nod_recipe *recipe;
    nod_model *model;
    nod_patching patching;
    nod_examples train, validation;
    nod_trainer_options options;
    int64_t image_size;  /* floats of an example */
    int64_t window_size; /* floats of what the network sees */
    int64_t n_outputs;

    /* the training plan and what it is bound to */
    nod_plan *plan;
    int image, labels;    /* of the plan: what a batch is bound to */
    float *batch_targets; /* element losses; softmax losses read the batch's labels */
    float *class_weights; /* [n_outputs], NULL without */
    float *loss;          /* [1] */
    float *grads;         /* layout of params->data */
    nod_optimiser *optimiser;
    nod_schedule schedule;

    /* batches of the training part */
    nod_sampler *sampler;
    nod_loader *loader; /* opened where the training stands, when a step asks for a batch */
    double waited_s;    /* in loaders that are closed */

    nod_predictor *predictor; /* evaluation, on model's parameters */
    float *logits;            /* [max(train, validation)][n_outputs] */

    nod_params *best;
    double natural[NOD_RECIPE_CLASSES_MAX], effective[NOD_RECIPE_CLASSES_MAX];

    /* progress: everything below is in a checkpoint */
    int64_t batch, steps_per_epoch;
    int64_t epochs_done, step_in_epoch, step;
    double loss_sum;
    double first_loss; /* of the first epoch: what divergence is measured against */
    double best_monitor;
    int64_t best_epoch, bad_epochs;
    bool stopped;

    nod_trainer_identity identity;
};

/* feed.c: the training part in batches. */
int nod_trainer_feed_init(nod_trainer *t, nod_error *err) NOD_MUST_CHECK;
/* Binds the next batch of the training part to the plan. */
int nod_trainer_feed(nod_trainer *t, nod_error *err) NOD_MUST_CHECK;
/* Logits of examples that are not in memory. */
int nod_trainer_fetched_logits(nod_trainer *t, const nod_examples *e, float *logits,
                               nod_error *err) NOD_MUST_CHECK;
void nod_trainer_feed_done(nod_trainer *t); /* the next batch is taken from where `t` stands */

/* score.c: a part in evaluation mode from its logits. */
int nod_part_score_from_logits(nod_task task, int64_t n, int64_t k, int positive,
                               const float *logits, const int32_t *labels, nod_part_score *out,
                               nod_error *err) NOD_MUST_CHECK;

#endif
