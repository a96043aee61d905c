/* near.h: near-duplicates among the cases of a cohort, or between two cohorts: copies that are not
 * equal in their pixels (imaging/signature.h, data/similar.h). Every image is decoded once more. */
#ifndef NOD_DATA_NEAR_H
#define NOD_DATA_NEAR_H

#include "data/groups.h"
#include "data/similar.h"

typedef struct nod_near_options {
    int threads; /* that decode and compare; 0: those available */
    /* Called now and then, by one thread at a time; NULL: nobody wants to know. */
    void (*progress)(void *ctx, const char *what, size_t done, size_t total);
    void *ctx;
} nod_near_options;

typedef struct nod_near {
    nod_similar_pair *pairs; /* case i of the one; j of the same, then i < j, or of the other */
    size_t n;
    size_t n_silent; /* images of which nothing can be said: constant, or smaller than
                        NOD_SIGNATURE_MIN */
    size_t bytes;    /* of memory for the signatures */
} nod_near;

/* Between cases of different groups; of cases with equal pixels the first stands for all. */
int nod_near_find(const nod_cohort *c, const nod_groups *g, const nod_near_options *o,
                  nod_near *out, nod_error *err) NOD_MUST_CHECK;
/* Between a case of the one and a case of the other; equal pixels are found too. */
int nod_near_find_between(const nod_cohort *c, const nod_cohort *other,
                          const nod_near_options *o, nod_near *out,
                          nod_error *err) NOD_MUST_CHECK;
void nod_near_done(nod_near *n);

#endif
