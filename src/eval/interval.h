/* interval.h: intervals that need counts alone, and what to expect before a test set is sealed.
 */
#ifndef NOD_EVAL_INTERVAL_H
#define NOD_EVAL_INTERVAL_H

#include "eval/estimate.h"

/* "Wilson", "DeLong, logit scale, t" ...: for tables and JSON. */
const char *nod_interval_name(nod_interval_method method);

/* Wilson's score interval for a proportion p of n (n > 0; p*n need not be whole).
 * Source: Wilson, J Am Stat Assoc 1927;22:209-212. `method` is what the result is to say. */
nod_interval nod_interval_wilson(double p, double n, double confidence,
                                 nod_interval_method method);

/* Mean of two proportions on different cases, from their own intervals.
 * Source: square-and-add, Newcombe, Stat Med 1998;17:873-890, method 10, for a mean. */
nod_interval nod_interval_square_add(double p1, const nod_interval *i1, double p2,
                                     const nod_interval *i2);

/* Newcombe's method 5 for an AUC with m positives and n negatives (m, n > 0): the limits solve
 * |auc - theta| = z sqrt(V(theta)), V = theta(1-theta)/(mn) *
 * {1 + N(1-theta)/(2-theta) + N theta/(1+theta)}, N = (m+n)/2 - 1. It has width at 0 and 1.
 * Source: Newcombe, Stat Med 2006;25:559-573. */
nod_interval nod_interval_newcombe5(double auc, double m, double n, double confidence);

/* Percentile interval of sorted replicates (quantiles of type 7, as NumPy's default). */
nod_interval nod_interval_percentile(const double *sorted, size_t n, double confidence);

/* Standard error of an AUC under the exponential model.
 * Source: Hanley and McNeil, Radiology 1982;143:29-36, equations 1 and 2. */
double nod_auc_expected_se(double auc, double n_positive, double n_negative);

/* Half the width to expect for n positives and n negatives, before any case is looked at: of the
 * AUC (normal quantile times Hanley and McNeil's error) and of a sensitivity (half of Wilson's
 * width). Not estimable without cases of a class. */
nod_estimate nod_auc_expected_half_width(double auc, double n_positive, double n_negative,
                                         double confidence);
nod_estimate nod_sensitivity_expected_half_width(double sensitivity, double n_positive,
                                                 double confidence);

#endif
