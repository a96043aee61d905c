/* acceptance.h: what kind of images a model was made from, so that others are refused.
 *
 * Fitted on the training part: modalities, photometric interpretations, orientations, and the
 * smallest and largest spacing and field of view. What some training image did not say is not
 * judged. docs/formats/contract.md. */
#ifndef NOD_IMAGING_ACCEPTANCE_H
#define NOD_IMAGING_ACCEPTANCE_H

#include "base/json.h"
#include "imaging/image.h"

#define NOD_ACCEPTANCE_TERMS 48 /* as many as there are orientations */
/* Spacing and field of view may go beyond those of the training part by this factor. */
#define NOD_ACCEPTANCE_MARGIN 1.25

typedef struct nod_terms {
    size_t n;
    char term[NOD_ACCEPTANCE_TERMS][17];
} nod_terms;

typedef struct nod_range {
    double low, high; /* 0, 0: not known */
} nod_range;

typedef struct nod_acceptance {
    int64_t n_images; /* 0: nothing was measured, nothing is judged */
    /* How many images said something of each; lists and ranges are of those. */
    int64_t n_modality, n_photometric, n_oriented, n_spaced;
    nod_terms modality, photometric, orientation;
    nod_range spacing_mm[3], extent_mm[3]; /* along i, j, k */
} nod_acceptance;

/* What one image says. */
void nod_acceptance_measure(const nod_image *im, nod_acceptance *out);
void nod_acceptance_merge(nod_acceptance *into, const nod_acceptance *of);
/* True if something is judged: all images said it. */
bool nod_acceptance_judges(const nod_acceptance *a);

/* Adds to `why` one line "spacing 3 mm along k, made for 0.8 to 1.25 mm" for each thing that lies
 * outside; returns how many. A contract that turns images takes any orientation (`turns`). */
int nod_acceptance_judge(const nod_acceptance *a, const nod_image *im, bool turns,
                         nod_strlist *why);

/* Only what is judged; `dims` 2 leaves k out. NULL where nothing is. */
nod_json *nod_acceptance_to_json(const nod_acceptance *a, int dims);
/* Strict; `where` begins the message (ERECIPE). */
int nod_acceptance_from_json(const nod_json *j, int dims, const char *where,
                             nod_acceptance *out, nod_error *err) NOD_MUST_CHECK;

#endif
