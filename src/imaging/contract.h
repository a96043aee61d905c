/* contract.h: the preprocessing contract: from a decoded image to what the network sees.
 *
 * Order: channels, scaling, padding to a square, resizing, padding, mean pooling, normalisation.
 * The contract is written into the recipe and the model, so prediction cannot skip it or do it
 * differently. What it fits (mean and sd) is fitted on the training part alone
 * (data/dataset.h). docs/formats/contract.md has the keys. */
#ifndef NOD_IMAGING_CONTRACT_H
#define NOD_IMAGING_CONTRACT_H

#include <stdbool.h>

#include "base/json.h"
#include "imaging/image.h"
#include "imaging/resize.h"

#define NOD_CONTRACT_CHANNELS_MAX 3
#define NOD_CONTRACT_SIDE_MAX     4096

typedef enum nod_scaling {
    NOD_SCALING_UNIT,  /* integers to [0,1] by the largest value of their type */
    NOD_SCALING_STORED /* as stored in the file */
} nod_scaling;

typedef enum nod_normalisation {
    NOD_NORMALISATION_NONE,
    NOD_NORMALISATION_DATASET, /* per channel, mean and sd of the training part */
    NOD_NORMALISATION_IMAGE    /* per channel, mean and sd of the image itself */
} nod_normalisation;

typedef struct nod_contract {
    int dims;        /* 2: planes, 3: volumes */
    int channels;    /* 1 or 3 */
    int64_t size[3]; /* D,H,W after resizing; D is 1 for planes */
    nod_interp interpolation;
    nod_scaling scaling;
    bool square;     /* pad with zeros to equal sides before resizing, so that shape is kept */
    int64_t pad[3];  /* D,H,W after padding with zeros, the centre kept; at least `size` */
    int64_t pool[3]; /* mean over blocks of this many voxels; must divide `pad` */
    nod_normalisation normalisation;
    bool fitted; /* DATASET: mean and sd below are set */
    double mean[NOD_CONTRACT_CHANNELS_MAX], sd[NOD_CONTRACT_CHANNELS_MAX];
} nod_contract;

/* 1 channel, linear, unit scaling, dataset normalisation, no padding or pooling. */
void nod_contract_init(nod_contract *k, int dims, int64_t depth, int64_t height, int64_t width);

/* Strict keys; absent ones get their default; `where` begins the message (ERECIPE). */
int nod_contract_from_json(const nod_json *j, const char *where, nod_contract *out,
                           nod_error *err) NOD_MUST_CHECK;
/* Every key; mean and sd where fitted. */
nod_json *nod_contract_to_json(const nod_contract *k);

/* D,H,W of the result. */
void nod_contract_result(const nod_contract *k, int64_t out[3]);
int64_t nod_contract_samples(const nod_contract *k); /* channels * D * H * W of the result */

/* dst has nod_contract_samples floats [C,D,H,W]. Errors: EDATA (a volume where a plane is wanted,
 * or the reverse), EINVAL (not fitted), ENUMERIC (not finite), ENOMEM. */
int nod_contract_apply(const nod_contract *k, const nod_image *im, float *dst,
                       nod_error *err) NOD_MUST_CHECK;

/* Fitting: images are added in any number of threads' own sums, then merged in the order of the
 * cases, so that the result does not depend on threads. */
typedef struct nod_contract_sums {
    double n, mean[NOD_CONTRACT_CHANNELS_MAX], m2[NOD_CONTRACT_CHANNELS_MAX];
} nod_contract_sums;
/* Of one image, preprocessed but not normalised. */
int nod_contract_measure(const nod_contract *k, const nod_image *im, nod_contract_sums *out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_contract_merge(nod_contract_sums *into, const nod_contract_sums *of, int channels);
/* EDATA where a channel has no variation. */
int nod_contract_fit(nod_contract *k, const nod_contract_sums *sums,
                     nod_error *err) NOD_MUST_CHECK;

#endif
