/* recipe.h: everything a training run needs to know, as one strict YAML file.
 *
 * An unknown key, a wrong type or an impossible value is an error with file, line, column and
 * remedy. Every default is rendered into the run's copy (nod_recipe_render).
 * docs/formats/recipe.md has every key. */
#ifndef NOD_TRAIN_RECIPE_H
#define NOD_TRAIN_RECIPE_H

#include "backend/backend.h"
#include "base/json.h"
#include "data/level.h"
#include "eval/aggregate.h"
#include "eval/calibration.h"
#include "eval/operating_point.h"
#include "infer/predictor.h"
#include "model/network.h"
#include "train/optimiser.h"
#include "train/schedule.h"

#define NOD_RECIPE_CLASSES_MAX 64

typedef enum nod_loss_kind {
    NOD_LOSS_CROSS_ENTROPY,
    NOD_LOSS_FOCAL,
    NOD_LOSS_BINARY_CROSS_ENTROPY,
    NOD_LOSS_MSE,
    NOD_LOSS_MAE
} nod_loss_kind;

typedef enum nod_weighting {
    NOD_WEIGHTS_NONE,
    NOD_WEIGHTS_BALANCED,
    NOD_WEIGHTS_GIVEN
} nod_weighting;

typedef enum nod_monitor {
    NOD_MONITOR_LOSS,
    NOD_MONITOR_TOTAL_ERROR,
    NOD_MONITOR_ACCURACY,
    NOD_MONITOR_AUC
} nod_monitor;

typedef struct nod_recipe {
    nod_json *rendered;         /* every key, owned */
    const nod_json *input;      /* rendered's preprocessing contract */
    const nod_json *network;    /* rendered's network description */
    const char *cohort, *split; /* paths as written, relative to the recipe */
    nod_task task;
    uint64_t seed;
    int precision;   /* nod_precision, or -1: auto */
    int unit;        /* nod_level, or -1: the cohort's */
    int aggregation; /* nod_aggregation of a unit's images, or -1: chosen on validation */

    int64_t patch_size[3], patch_stride[3]; /* D,H,W; size 0: the whole image */
    nod_aggregate aggregate;
    int64_t top_k;

    nod_loss_kind loss;
    double smoothing, gamma;
    nod_weighting weighting;
    double weights[NOD_RECIPE_CLASSES_MAX];
    size_t n_weights;
    bool balanced_sampling;

    int64_t epochs, batch_size; /* batch 0: the whole training set (gradient descent) */
    nod_schedule schedule;      /* lr and kind; steps are set by the trainer */
    double warmup_epochs;
    nod_optimiser_options optimiser;

    nod_monitor monitor; /* chooses the best epoch and stops early; on validation */
    int64_t patience;    /* epochs without improvement; 0: never stop early */
    int64_t train_every; /* the training part is evaluated every k epochs */
    nod_calibration_kind calibration;
    nod_point_rule point_rule;
    double point_value; /* wanted sensitivity, or the fixed threshold */
} nod_recipe;

int nod_recipe_read(const char *path, nod_recipe **out, nod_error *err) NOD_MUST_CHECK;
int nod_recipe_parse(const char *text, size_t size, const char *name, nod_recipe **out,
                     nod_error *err) NOD_MUST_CHECK;
/* From a rendered copy (a run's recipe.yaml goes through nod_recipe_read). */
int nod_recipe_from_json(const nod_json *j, nod_recipe **out, nod_error *err) NOD_MUST_CHECK;
void nod_recipe_free(nod_recipe *r);
/* YAML text with every key. */
int nod_recipe_render(const nod_recipe *r, char **out, nod_error *err) NOD_MUST_CHECK;
/* SHA-256 of the canonical form without the paths of cohort and split, whose content has hashes of
 * its own: identity of a recipe in checkpoints and models, wherever its project lies. */
int nod_recipe_hash(const nod_recipe *r, char out[65], nod_error *err) NOD_MUST_CHECK;
const char *nod_monitor_name(nod_monitor m);

#endif
