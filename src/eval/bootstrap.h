/* bootstrap.h: resampling of patients.
 *
 * A replicate draws as many patients as there are, with replacement, within strata of the
 * patient's class: binary: has a positive image or not; multiclass: the class of most of the
 * patient's images (the lowest of equal ones); multi-label: one stratum. All images of a drawn
 * patient come along. A draw in which a column that has both classes lacks one (a one-class
 * draw) is drawn anew and counted. Replicate b uses the random stream (seed,
 * NOD_RNG_BOOTSTRAP, b): the same numbers for any number of threads. */
#ifndef NOD_EVAL_BOOTSTRAP_H
#define NOD_EVAL_BOOTSTRAP_H

#include "eval/cases.h"
#include "eval/estimate.h"

#define NOD_BOOTSTRAP_REPLICATES 2000
#define NOD_BOOTSTRAP_PIECES     32 /* replicates run in this many pieces, whatever the threads */
#define NOD_BOOTSTRAP_TRIES      1000 /* draws for one replicate before it is given up */
#define NOD_BOOTSTRAP_MIN_SHARE  0.95 /* of the replicates must be defined for an interval */

/* Computes n_values numbers under weights w [n]; NaN = not estimable. `piece` <
 * NOD_BOOTSTRAP_PIECES names the scratch to use: no two calls with one piece overlap. */
typedef void (*nod_bootstrap_fn)(void *ctx, size_t piece, const double *w, double *values);

typedef struct nod_bootstrap {
    size_t n_values, n_replicates;
    double *values;    /* [n_values][n_replicates], each row sorted, NaN last */
    size_t *n_defined; /* [n_values] */
    size_t redrawn;    /* one-class draws thrown away */
    size_t given_up;   /* replicates without a usable draw */
} nod_bootstrap;

int nod_bootstrap_run(const nod_cases *c, uint64_t seed, size_t n_replicates, size_t n_values,
                      nod_bootstrap_fn fn, void *ctx, nod_bootstrap **out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_bootstrap_free(nod_bootstrap *b);

/* Percentile interval of one value; not estimable where too few replicates are defined. */
nod_interval nod_bootstrap_interval(const nod_bootstrap *b, size_t value, double confidence);
/* All defined replicates are equal (up to rounding): the bootstrap has no width. */
bool nod_bootstrap_is_flat(const nod_bootstrap *b, size_t value);

#endif
