/* contract.h: the preprocessing contract: from a decoded image to what the network sees.
 *
 * Order: which images at all, frames, channels, scaling, window or clip, turning, then either
 * resampling and cropping in millimetres or (padding to a square and) resizing, padding, mean
 * pooling, normalisation. The contract is written into the recipe and the model, so prediction
 * cannot skip it or do it differently. What it fits is fitted on the training part alone
 * (data/dataset.h). docs/formats/contract.md has the keys.
 *
 * Voxels that an image marks as padding stay out of every statistic. */
#ifndef NOD_IMAGING_CONTRACT_H
#define NOD_IMAGING_CONTRACT_H

#include <stdbool.h>

#include "base/json.h"
#include "imaging/acceptance.h"
#include "imaging/finding.h"
#include "imaging/image.h"
#include "imaging/resize.h"

/* To be raised with every change of what the same contract makes of the same image: kept images of
 * before are then made anew (data/cache.h). */
#define NOD_CONTRACT_REVISION 1

#define NOD_CONTRACT_CHANNELS_MAX 64
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

typedef enum nod_fit {
    NOD_FIT_RESIZE, /* the whole image is stretched to `size` */
    NOD_FIT_CROP    /* voxels of `spacing`; `size` of them about the middle */
} nod_fit;

typedef enum nod_frames {
    NOD_FRAMES_ONE, /* an image with a fourth axis is refused */
    NOD_FRAMES_FIRST,
    NOD_FRAMES_MEAN,
    NOD_FRAMES_ALL /* each is a channel */
} nod_frames;

typedef enum nod_intensity {
    NOD_INTENSITY_ALL,    /* values as `scaling` leaves them */
    NOD_INTENSITY_WINDOW, /* Hounsfield units in `window` become [0,1], what lies outside 0 or 1 */
    NOD_INTENSITY_CLIP    /* the same between two percentiles */
} nod_intensity;

typedef struct nod_contract {
    int dims;        /* 2: planes, 3: volumes */
    int channels;    /* 1 or 3; frames: all: as many as there are frames */
    int64_t size[3]; /* D,H,W after resizing or cropping; D is 1 for planes */
    nod_interp interpolation;
    nod_scaling scaling;
    bool square;     /* pad with zeros to equal sides before resizing, so that shape is kept */
    int64_t pad[3];  /* D,H,W after padding with zeros, the centre kept; at least `size` */
    int64_t pool[3]; /* mean over blocks of this many voxels; must divide `pad` */
    nod_normalisation normalisation;
    bool fitted; /* DATASET: mean and sd below are set */
    double mean[NOD_CONTRACT_CHANNELS_MAX], sd[NOD_CONTRACT_CHANNELS_MAX];

    nod_terms modality; /* n 0: any */
    nod_frames frames;
    char orientation[4]; /* "": as it is */
    nod_fit fit;
    double spacing_mm[3]; /* D,H,W; 0: as it is. FIT_CROP alone */
    nod_intensity intensity;
    double window[2];     /* centre, width */
    bool takes_hu;        /* values of images that do not say their unit are Hounsfield units */
    double clip[2];       /* percentiles, 0 to 100 */
    bool clip_by_dataset; /* the mean over the training images of their percentiles */
    bool clip_fitted;     /* clip_by_dataset: clip_range is set */
    double clip_range[2];
    bool foreground;   /* mean and sd are over voxels above the image's mean */
    bool has_policies; /* how images are read; else preset ones, or the cohort's */
    nod_policies policies;
    nod_acceptance accepts; /* fitted; what prediction refuses */
} nod_contract;

/* 1 channel, linear, unit scaling, dataset normalisation, no padding or pooling, any image of one
 * frame stretched to the size. */
void nod_contract_init(nod_contract *k, int dims, int64_t depth, int64_t height, int64_t width);

/* Strict keys; absent ones get their default; `where` begins the message (ERECIPE). */
int nod_contract_from_json(const nod_json *j, const char *where, nod_contract *out,
                           nod_error *err) NOD_MUST_CHECK;
/* Every key of planes and volumes without place and unit, the others where they are not at their
 * default; mean and sd where fitted. */
nod_json *nod_contract_to_json(const nod_contract *k);

/* D,H,W of the result. */
void nod_contract_result(const nod_contract *k, int64_t out[3]);
int64_t nod_contract_samples(const nod_contract *k); /* channels * D * H * W of the result */

/* dst has nod_contract_samples floats [C,D,H,W]. Errors: EDATA (a volume where a plane is wanted, a
 * modality, unit, place or spacing that the contract needs and the image lacks), EINVAL (not
 * fitted), ENUMERIC (not finite), ENOMEM. */
int nod_contract_apply(const nod_contract *k, const nod_image *im, float *dst,
                       nod_error *err) NOD_MUST_CHECK;

/* EDATA where the image is not of the kind that the training images were: every reason, with value,
 * range and remedy. `name` begins the message. */
int nod_contract_check(const nod_contract *k, const nod_image *im, const char *name,
                       nod_error *err) NOD_MUST_CHECK;

/* The grid of the result for an image on `source`, in the patient where that is known; EDATA as in
 * nod_contract_apply. */
int nod_contract_grid(const nod_contract *k, const nod_geometry *source, nod_geometry *out,
                      nod_error *err) NOD_MUST_CHECK;
/* What was computed on the result's grid (masks, maps; any channels and frames) on that of the image
 * itself: voxels are equal where nothing was resampled, labels by their largest share, other values
 * linear; 0 outside of what the network saw. ESHAPE: not of the result's size. */
int nod_contract_restore(const nod_contract *k, const nod_geometry *source,
                         const nod_image *result, bool is_labels, nod_image *out,
                         nod_error *err) NOD_MUST_CHECK;

/* Fitting: images are added in any number of threads' own sums, then merged in the order of the
 * cases, so that the result does not depend on threads. What is fitted later rests on what is fitted
 * before: while not nod_contract_is_fitted, measure all training images and fit. */
typedef struct nod_contract_sums {
    double n[NOD_CONTRACT_CHANNELS_MAX], mean[NOD_CONTRACT_CHANNELS_MAX],
        m2[NOD_CONTRACT_CHANNELS_MAX];
    double clip_low, clip_high; /* sums over images */
    nod_acceptance accepts;
} nod_contract_sums;
bool nod_contract_is_fitted(const nod_contract *k);
/* Of one image, preprocessed but not normalised. */
int nod_contract_measure(const nod_contract *k, const nod_image *im, nod_contract_sums *out,
                         nod_error *err) NOD_MUST_CHECK;
/* nod_contract_apply in two steps, for whoever keeps what the first one gives (data/cache.h). The first
 * needs everything fitted but DATASET's mean and sd, which are the second; dst has
 * nod_contract_samples floats, out what nod_contract_measure says before mean and sd are fitted. */
bool nod_contract_can_prepare(const nod_contract *k);
int nod_contract_prepare(const nod_contract *k, const nod_image *im, float *dst,
                         nod_contract_sums *out, nod_error *err) NOD_MUST_CHECK;
void nod_contract_normalise(const nod_contract *k, const float *src, float *dst);
/* All that the first step depends on: nod_contract_to_json without what only the second or prediction
 * uses. */
nod_json *nod_contract_prepare_json(const nod_contract *k);
void nod_contract_merge(nod_contract_sums *into, const nod_contract_sums *of, int channels);
/* EDATA where a channel has no variation. */
int nod_contract_fit(nod_contract *k, const nod_contract_sums *sums,
                     nod_error *err) NOD_MUST_CHECK;

#endif
