/* reliability.h: do probabilities mean what they say? Logistic recalibration.
 *
 * logit P(y=1) = intercept + slope * log-odds, fitted to the cases: slope 1 and intercept 0 are
 * perfect; a slope below 1 means overconfident. Calibration in the large is the intercept with
 * the slope held at 1: above 0 the probabilities are too low on average.
 * Source: Cox, Biometrika 1958;45:562-565; Van Calster et al., BMC Med 2019;17:230. Intervals:
 * cluster-robust (sandwich) variance over patients, Liang and Zeger, Biometrika 1986;73:13-22,
 * times P/(P-1), with the t quantile of P-1 degrees of freedom. */
#ifndef NOD_EVAL_RELIABILITY_H
#define NOD_EVAL_RELIABILITY_H

#include <stdint.h>

#include "eval/cases.h"
#include "eval/estimate.h"
#include "eval/metric.h"

enum {
    NOD_RELIABILITY_SLOPE,
    NOD_RELIABILITY_INTERCEPT,
    NOD_RELIABILITY_LARGE,
    NOD_RELIABILITY_N
};

/* Which of the three a metric is; -1 for any other metric. */
int nod_reliability_index(nod_metric m);

typedef struct nod_reliability {
    nod_estimate value[NOD_RELIABILITY_N];
} nod_reliability;

/* One seed of one column. Fits to n cases. Not estimable: a class is absent, a probability is exactly 0 or 1, scores all
 * equal, or scores that separate the classes (slope and intercept; then the fit is at infinity).
 * `influence` (may be NULL) is [NOD_RELIABILITY_N][n_patients]: the patients' influences on each
 * estimable value, times `factor`, are added to it. Errors: ENOMEM. */
int nod_reliability_fit(size_t n, const double *log_odds, const uint8_t *y,
                        const size_t *patient, size_t n_patients, double factor,
                        nod_reliability *out, double *influence, nod_error *err) NOD_MUST_CHECK;

/* value +- t sqrt(P/(P-1) sum u^2) over patients' influences u [n_patients]. */
nod_interval nod_reliability_interval(double value, const double *u, size_t n_patients,
                                      double confidence);

/* One of the three for the task as a whole: mean over seeds, and over the columns where it is
 * estimable for every seed. */
typedef struct nod_reliability_mean {
    nod_estimate value;
    nod_interval interval;
    size_t n_used; /* columns */
    double *seeds; /* [n_seeds], given by the caller; NaN = not estimable */
} nod_reliability_mean;

/* out [NOD_RELIABILITY_N], with `seeds` set. Errors: ENOMEM. */
int nod_reliability_mean_of(const nod_cases *c, double confidence, nod_reliability_mean *out,
                            nod_error *err) NOD_MUST_CHECK;

#endif
