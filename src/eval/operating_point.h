/* operating_point.h: the threshold at which a probability becomes a decision, chosen on
 * validation predictions and frozen before the test.
 *
 * A case is called positive when its probability >= threshold. Candidates are the observed
 * probabilities. Youden: the largest sensitivity + specificity - 1; of equal ones the lowest
 * threshold (the higher sensitivity). Wanted sensitivity s: the largest threshold at which at
 * least a share s of the positive images is called.
 * Refused (EDATA), counted in patients where they are known:
 *   Youden: fewer than 10 patients with a positive or with a negative image;
 *   sensitivity s: fewer than max(10, ceil(1/(1-s))) patients with a positive image, because with
 *   fewer even one miss is more than the share that s allows. */
#ifndef NOD_EVAL_OPERATING_POINT_H
#define NOD_EVAL_OPERATING_POINT_H

#include "eval/estimate.h"
#include "eval/predictions.h"

#define NOD_POINT_MIN_PATIENTS 10

typedef enum nod_point_rule {
    NOD_POINT_FIXED, /* given, not fitted: 0.5 or the user's */
    NOD_POINT_YOUDEN,
    NOD_POINT_SENSITIVITY
} nod_point_rule;

typedef struct nod_operating_point {
    nod_point_rule rule;
    double threshold;          /* on the calibrated probability, 0..1 */
    double wanted_sensitivity; /* in (0, 1) for SENSITIVITY; else NaN */
    /* On the cases it was fitted on; NaN and 0 for FIXED. */
    double sensitivity, specificity;              /* specificity NaN without a negative case */
    int64_t n_positive, n_negative;               /* images */
    int64_t patients_positive, patients_negative; /* images where patients are unknown */
} nod_operating_point;

const char *nod_point_rule_name(nod_point_rule r); /* "fixed", "youden", "sensitivity" */
bool nod_point_rule_parse(const char *s, nod_point_rule *out) NOD_MUST_CHECK;

nod_operating_point nod_operating_point_fixed(double threshold);

/* Chooses for one column (binary: 0) of calibrated validation predictions of one seed.
 * Errors: EDATA as above or where truth is missing; EINVAL (wanted not in (0,1), multiclass). */
int nod_operating_point_choose(const nod_predictions *validation, size_t column,
                               nod_point_rule rule, double wanted_sensitivity,
                               nod_operating_point *out, nod_error *err) NOD_MUST_CHECK;

nod_json *nod_operating_point_json(const nod_operating_point *o);
int nod_operating_point_from_json(const nod_json *j, const char *where,
                                  nod_operating_point *out, nod_error *err) NOD_MUST_CHECK;

#endif
