/* aggregate.h: from what a model said about images to what is said about the units that are judged:
 * series, studies, breasts, patients.
 *
 * All is done on logits, before prior correction and calibration, which are then fitted on units:
 * a unit's row is a row of predictions like any other.
 *   mean: the mean of the logits of its images, class by class (a logarithmic pool of opinions; for
 *         two classes the mean of the log-odds).
 *   max:  binary: the logits of the image with the highest log-odds of the positive class (of equal
 *         ones the first): one image with the finding suffices. Multi-label: the highest logit of
 *         each label. Multiclass: the highest log-probability of each class.
 * For two classes and for labels prior correction and calibration, being rising and linear in
 * the log-odds, change nothing about which image speaks for its unit. */
#ifndef NOD_EVAL_AGGREGATE_H
#define NOD_EVAL_AGGREGATE_H

#include "eval/predictions.h"

typedef enum nod_aggregation { NOD_AGGREGATION_MEAN, NOD_AGGREGATION_MAX } nod_aggregation;

const char *nod_aggregation_name(nod_aggregation a); /* "mean", "max" */
bool nod_aggregation_parse(const char *s, nod_aggregation *out) NOD_MUST_CHECK;

/* logits [k] of a unit from those of its n >= 1 images [n][k], all finite. `positive` is the class
 * index of a binary task. `logits` and `out` do not overlap. */
void nod_aggregation_logits(nod_aggregation a, nod_task task, size_t k, int positive, size_t n,
                            const double *logits, double *out);

/* What is judged. Strings are borrowed. */
typedef struct nod_judged {
    size_t n;
    const char *const *id;      /* [n], unique */
    const char *const *patient; /* [n], an entry is NULL where the patient is not known */
    const int32_t *labels;      /* [n], multi-label [n][k]; NULL: not known */
} nod_judged;

/* A row for each unit and seed, uncalibrated, by seed and then in the order of `units`; `unit` says
 * for each row of `images` which unit it belongs to. Errors: EDATA (a row without logits, a unit
 * without an image for one of the seeds), ENOMEM. */
int nod_aggregation_apply(nod_aggregation a, const nod_predictions *images, const size_t *unit,
                          const nod_judged *units, nod_predictions *out,
                          nod_error *err) NOD_MUST_CHECK;

/* How a rule was come to. */
typedef struct nod_aggregation_choice {
    nod_aggregation how;
    size_t n_units;           /* that it was chosen on; 0: it was not chosen but given */
    double auc_mean, auc_max; /* of those units; NaN where it could not be estimated or was not
                                  asked for */
} nod_aggregation_choice;

/* The rule with the higher ROC AUC (macro where there are several columns) over the units of
 * validation predictions of one seed; mean where both are equal or one cannot be estimated. Errors as
 * nod_aggregation_apply; EDATA where labels are not known. */
int nod_aggregation_choose(const nod_predictions *images, const size_t *unit,
                           const nod_judged *units, nod_aggregation_choice *out,
                           nod_error *err) NOD_MUST_CHECK;

#endif
