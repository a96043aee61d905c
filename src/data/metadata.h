/* metadata.h: what is known of cases besides their pixels and their labels, as a plain table: the facts
 * that data/fact.h has audited, size, frames, channels, sample type, spacing, orientation, modality and
 * the reader's findings. The cohort alone is asked, no file. */
#ifndef NOD_DATA_METADATA_H
#define NOD_DATA_METADATA_H

#include "data/cohort.h"

typedef struct nod_metadata_column {
    size_t factor; /* columns of one factor mean the same: height and width are the size */
    size_t n_categories; /* 0: numbers */
    double *values;      /* [n]; NaN unknown; a category as a number 0..n_categories-1 */
} nod_metadata_column;

typedef struct nod_metadata {
    size_t n, n_columns, n_factors, columns_cap, factors_cap;
    nod_metadata_column *columns;
    const char **factors; /* [n_factors] "size", "site" ..., static */
} nod_metadata;

/* Of these n cases, in their order. */
int nod_metadata_make(const nod_cohort *c, const size_t *cases, size_t n, nod_metadata *out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_metadata_done(nod_metadata *m);

#endif
