/* estimate.h: a number that may not be estimable, and an interval that says how it was made.
 *
 * What cannot be computed from the data at hand (no positive case, a division by zero, scores
 * that separate the classes) is a state with its reason, never 0 and never 0.5. */
#ifndef NOD_EVAL_ESTIMATE_H
#define NOD_EVAL_ESTIMATE_H

#include <math.h>
#include <stddef.h>

typedef struct nod_estimate {
    double value;          /* NaN when not estimable */
    const char *undefined; /* NULL: estimable; else the reason (static text) */
} nod_estimate;

typedef enum nod_interval_method {
    NOD_INTERVAL_NONE,
    NOD_INTERVAL_WILSON,          /* one image a patient */
    NOD_INTERVAL_WILSON_PATIENTS, /* Wilson with the number of patients as sample size */
    NOD_INTERVAL_SQUARE_ADD,      /* mean of two Wilson intervals, Newcombe's square-and-add */
    NOD_INTERVAL_BOOTSTRAP,       /* percentile bootstrap over patients */
    NOD_INTERVAL_DELONG,          /* logit scale, t quantile */
    NOD_INTERVAL_OBUCHOWSKI,      /* the same, several images a patient */
    NOD_INTERVAL_NEWCOMBE5,       /* Newcombe's method 5 */
    NOD_INTERVAL_SANDWICH,        /* cluster-robust variance, t quantile */
    NOD_INTERVAL_PAIRED_DELONG,   /* difference of two AUCs, t quantile */
    NOD_INTERVAL_INFLUENCE,       /* patients' influences on a mean of AUCs, logit scale, t */
} nod_interval_method;

typedef struct nod_interval {
    nod_interval_method method; /* NONE when not estimable */
    double lo, hi;              /* NaN when not estimable */
    const char *undefined;      /* NULL: estimable; else the reason (static text) */
} nod_interval;

static inline nod_estimate nod_estimate_of(double value)
{
    nod_estimate e = {value, NULL};
    return e;
}

static inline nod_estimate nod_estimate_none(const char *reason)
{
    nod_estimate e = {NAN, reason};
    return e;
}

static inline nod_interval nod_interval_of(nod_interval_method method, double lo, double hi)
{
    nod_interval i = {method, lo, hi, NULL};
    return i;
}

static inline nod_interval nod_interval_none(const char *reason)
{
    nod_interval i = {NOD_INTERVAL_NONE, NAN, NAN, reason};
    return i;
}

#endif
