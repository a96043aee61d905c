/* dataset.h: the cases of one part: images through the preprocessing contract, labels.
 *
 * Images are decoded in parallel; each is checked to be the one that was indexed (size and pixel
 * hash), so that a file changed after the split is an error and not a silent other result. With a
 * cache (data/cache.h) that is done once and again when the file is touched. Images are held in
 * memory, or, where they are too many for that, read from the cache each time; their bits are the
 * same. */
#ifndef NOD_DATA_DATASET_H
#define NOD_DATA_DATASET_H

#include "base/log.h"
#include "data/examples.h"
#include "data/labels.h"
#include "imaging/contract.h"
#include "tensor/tensor.h"

typedef struct nod_dataset_options {
    int threads;       /* that decode; 0: those available */
    const char *cache; /* folder; NULL: none */
    /* Bytes that the images may take in memory while a cache holds them; 0: a quarter of what the
     * system can give. */
    size_t memory;
    const nod_log *log;
} nod_dataset_options;

typedef struct nod_dataset {
    nod_tensor images; /* f32 [N,C,(D,)H,W]; without data where they stay in the cache */
    nod_labels labels; /* N of them; labels.cases are the cohort's indices */
    struct nod_kept_images *kept; /* in the cache; else NULL */
} nod_dataset;

/* Bytes of the images, before anything is read. */
int nod_dataset_bytes(const nod_split *s, nod_part part, const nod_contract *k, size_t *out,
                      nod_error *err) NOD_MUST_CHECK;
/* The contract must be fitted if it has something to fit. Errors name the case: EDATA (its pixels
 * changed, no case in the part), ENOMEM (also where the images need more than the system can give and no
 * cache holds them), ESEAL, those of the readers. */
int nod_dataset_open(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_contract *k, const nod_look *look, const nod_dataset_options *o,
                     nod_dataset *out, nod_error *err) NOD_MUST_CHECK;
void nod_dataset_done(nod_dataset *d);

/* Images that are not like those of a contract's training part. */
typedef struct nod_unlike {
    size_t n;
    char first[256]; /* of the first, in the order of the cohort: why */
} nod_unlike;

/* Decodes every image of a part, without its label and past the cache, and holds it against the contract,
 * so that whatever stands in the way is known before a look is spent. Errors: those of
 * nod_dataset_open; an image that is unlike but could be taken is none. */
int nod_dataset_check(const nod_cohort *c, const nod_split *s, nod_part part,
                      const nod_contract *k, const nod_dataset_options *o, nod_unlike *out,
                      nod_error *err) NOD_MUST_CHECK;
/* Borrowed from the dataset, which must not be moved meanwhile. */
nod_examples nod_dataset_examples(const nod_dataset *d);

/* Fits what the contract fits to data, on the training part: it has no parameter for another. What is
 * fitted stays; what prediction will accept is measured where the cohort knows modalities or spacings,
 * and the cohort's policies are taken over unless the contract has its own. */
int nod_dataset_fit(const nod_cohort *c, const nod_split *s, const nod_dataset_options *o,
                    nod_contract *k, nod_error *err) NOD_MUST_CHECK;

#endif
