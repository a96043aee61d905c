/* groups.h: which cases belong together: equal decoded pixels, and the same patient.
 *
 * Constant images are nobody's copy and are ignored. A group is what must never be parted: the
 * union of "same pixels" and "same patient". */
#ifndef NOD_DATA_GROUPS_H
#define NOD_DATA_GROUPS_H

#include "data/cohort.h"

typedef struct nod_groups {
    size_t n;            /* cases */
    size_t *twin;        /* [n] first case with the same pixels; itself where there is none */
    bool *contradictory; /* [n] a case with the same pixels has another label */
    size_t *group;       /* [n] group number, 0.. in the order of the cases */
    size_t n_groups;
} nod_groups;

int nod_groups_make(const nod_cohort *c, nod_groups *out, nod_error *err) NOD_MUST_CHECK;
void nod_groups_done(nod_groups *g);

#endif
