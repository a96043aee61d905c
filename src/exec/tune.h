/* tune.h: which of several kernels is the faster one on this machine, by measuring.
 *
 * A kernel is measured where it will run: in the whole plan, between its neighbours, with the
 * caches as they leave them. Each round gives every node its next candidate that keeps the layouts
 * as they are, so there are as many rounds as some node has candidates. */
#ifndef NOD_EXEC_TUNE_H
#define NOD_EXEC_TUNE_H

#include "exec/plan.h"

/* Faster by less than this is taken for noise. */
#define NOD_TUNE_GAIN 0.05

/* What is tuned: makes its plan with `table`, times each step (nod_plan_profile), and lends the plan
 * until the next call. */
typedef struct nod_tune_work {
    int (*measure)(void *ctx, const nod_kernel_table *table, const nod_plan **plan,
                   nod_error *err);
    void *ctx;
} nod_tune_work;

typedef struct nod_tune_result {
    size_t n_keys, n_candidates; /* kinds of nodes; kernels measured in place of the rule's */
    size_t n_changed;            /* kinds of nodes for which another kernel is faster */
    double before_s, after_s;    /* the whole plan, by the rule and by the table */
} nod_tune_result;

/* Adds to `table` the kernels that are faster than those it leads to now. Nothing is added where the
 * plan as a whole does not gain. */
int nod_tune(const nod_tune_work *work, nod_kernel_table *table, nod_tune_result *out,
             nod_error *err) NOD_MUST_CHECK;

#endif
