/* shortcut.h: how well the label can be told from what is known about an image without looking at it.
 *
 * Cross-validated AUC of a random forest (forest.h) on such facts: folds hold whole groups
 * (patients) and are dealt class by class; the AUC is the mean over the held-out folds, over
 * repetitions with other folds, and over the yes/no questions that have enough groups. About .5: nothing is
 * told. Its interval comes from the groups' influences on that mean (delong.h), widened by
 * sqrt(1 + F/(F-1)) for F folds, because other training cases would have made other forests; on the
 * logit scale, t with as many degrees of freedom as the rarer side of the rarest question has groups, less one.
 * For each factor, which is one or several features that mean the same (height and width), two
 * numbers: the AUC by it alone, and how far the AUC falls when its values are shuffled among the
 * held-out cases. Of two factors that say the same, neither needs to fall.
 * Sources: LeDell, Petersen, van der Laan, Electron J Stat 2015;9:1583-1607 (the AUC over folds and
 * its variance); Nadeau and Bengio, Mach Learn 2003;52:239-281 (the factor: 1/F + 1/(F-1) for 1/F);
 * Breiman, Mach Learn 2001;45:5-32 (shuffling). */
#ifndef NOD_EVAL_SHORTCUT_H
#define NOD_EVAL_SHORTCUT_H

#include "eval/estimate.h"
#include "eval/forest.h"

#define NOD_SHORTCUT_FACTORS 32

typedef struct nod_shortcut_data {
    size_t n, k;
    const uint8_t *y;    /* [n][k] 0/1 */
    const size_t *group; /* [n] cases with the same number are never parted */
    size_t n_features;
    const nod_feature *features;
    const size_t *factor; /* [n_features] to which factor a feature belongs */
    size_t n_factors;     /* at most NOD_SHORTCUT_FACTORS */
} nod_shortcut_data;

typedef struct nod_shortcut_options {
    size_t n_folds;     /* 2..16; default 5 */
    size_t repetitions; /* of the folds, up to 64; 0, the default: 5000 by cases, 1 to 5 */
    size_t max_cases;   /* more are not looked at: whole groups are drawn; default 10000 */
    double confidence;  /* of the interval; default 0.95 */
    nod_forest_options forest; /* seed of everything; stream and excluded are not read */
} nod_shortcut_options;
#define NOD_SHORTCUT_OPTIONS_INIT                             \
    {                                                         \
        .n_folds = 5, .max_cases = 10000, .confidence = 0.95, \
        .forest = NOD_FOREST_OPTIONS_INIT                     \
    }

typedef struct nod_shortcut_factor {
    bool varies;  /* else there is nothing to be told from it: alone .5, fall 0 */
    double alone; /* AUC by this factor alone */
    double fall;  /* of the AUC by all when it is shuffled */
} nod_shortcut_factor;

typedef struct nod_shortcut {
    size_t n, n_groups; /* looked at */
    size_t n_questions; /* that had enough groups */
    nod_estimate auc;   /* not estimable: no question has a group on both sides in each fold */
    nod_interval interval; /* of auc */
    nod_shortcut_factor factors[NOD_SHORTCUT_FACTORS];
} nod_shortcut;

/* Where nothing varies the AUC is .5 and has no interval. Errors: ENOMEM. */
int nod_shortcut_find(const nod_shortcut_data *data, const nod_shortcut_options *options,
                      nod_shortcut *out, nod_error *err) NOD_MUST_CHECK;

#endif
