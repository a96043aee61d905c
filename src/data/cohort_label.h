/* cohort_label.h: labels as they stand in a cohort, without asking who reads them.
 *
 * Private to src/data (tests/unit/data/test_labels.c fails on any other include): used to
 * write, split and group a cohort, and by labels.c, which asks. */
#ifndef NOD_DATA_COHORT_LABEL_H
#define NOD_DATA_COHORT_LABEL_H

#include "base/text.h"
#include "data/cohort.h"

/* Class index; only where not multi-label. */
int32_t nod_cohort_label(const nod_cohort *c, size_t i);
/* Whether case i has class k, for both kinds. */
bool nod_cohort_has_label(const nod_cohort *c, size_t i, size_t k);
bool nod_cohort_same_label(const nod_cohort *c, size_t i, size_t j);
/* The label as it is written in the CSV. */
void nod_cohort_add_label(const nod_cohort *c, size_t i, nod_strbuf *out);

#endif
