/* dataset.h: the cases of one part in memory: images through the preprocessing contract, labels.
 *
 * Images are decoded in parallel; each is checked to be the one that was indexed (size and pixel
 * hash), so that a file changed after the split is an error and not a silent other result. */
#ifndef NOD_DATA_DATASET_H
#define NOD_DATA_DATASET_H

#include "data/labels.h"
#include "imaging/contract.h"
#include "tensor/tensor.h"

typedef struct nod_dataset {
    nod_tensor images; /* f32 [N,C,(D,)H,W] */
    nod_labels labels; /* N of them; labels.cases are the cohort's indices */
} nod_dataset;

/* Bytes of the images, before anything is read. */
int nod_dataset_bytes(const nod_split *s, nod_part part, const nod_contract *k, size_t *out,
                      nod_error *err) NOD_MUST_CHECK;
/* The contract must be fitted if it has something to fit. `threads` 0: those available. Errors
 * name the case: EDATA (its pixels changed, no case in the part), ENOMEM (also where the images
 * need more than the system can give), ESEAL, those of the readers. */
int nod_dataset_open(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_contract *k, const nod_look *look, int threads, nod_dataset *out,
                     nod_error *err) NOD_MUST_CHECK;
void nod_dataset_done(nod_dataset *d);

/* Fits what the contract fits to data, on the training part: it has no parameter for another. What is
 * fitted stays; what prediction will accept is measured where the cohort knows modalities or spacings,
 * and the cohort's policies are taken over unless the contract has its own. */
int nod_dataset_fit(const nod_cohort *c, const nod_split *s, int threads, nod_contract *k,
                    nod_error *err) NOD_MUST_CHECK;

#endif
