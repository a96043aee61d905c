/* factors.h: the facts by which results are given apart (data/fact.h), as factors of predictions
 * (eval/subgroup.h): site, vendor, sex, and age in bands. */
#ifndef NOD_TRAIN_FACTORS_H
#define NOD_TRAIN_FACTORS_H

#include "data/labels.h"
#include "eval/subgroup.h"

/* Group of a unit whose cases have several values, such as a patient who was in two hospitals. */
#define NOD_FACTORS_SEVERAL "(several)"

typedef struct nod_factors {
    nod_factor items[NOD_FACTS];
    size_t n;
    const char **memory; /* [n][rows] */
} nod_factors;

/* For predictions of the part's units by n_seeds models, each in the order of the labels. Names are
 * borrowed from the cohort. */
int nod_factors_make(const nod_cohort *c, const nod_labels *l, size_t n_seeds, nod_factors *out,
                     nod_error *err) NOD_MUST_CHECK;
void nod_factors_done(nod_factors *f);

#endif
