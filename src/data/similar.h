/* similar.h: which of many images are copies of each other that are not equal.
 *
 * Each image's hash is held against the hashes of all others in every pose, whole and in windows;
 * the nearest are compared by correlation (imaging/signature.h). What is found does not depend on
 * the number of threads, nor on the order of the images but for which of equally near ones are
 * compared where there are more than NOD_SIMILAR_NEAREST. */
#ifndef NOD_DATA_SIMILAR_H
#define NOD_DATA_SIMILAR_H

#include "imaging/signature.h"

/* Candidates of an image that are compared, the nearest first. */
#define NOD_SIMILAR_NEAREST 12
/* Correlations from which two images count as copies, of everything and of the mean over tiles. A
 * window and a pose are chosen to fit, so that what was cropped, and turned besides, must fit better:
 * docs/near-duplicates.md says how these were found. */
typedef struct nod_similar_least {
    double correlation, local; /* without sign, 0 to 1 */
} nod_similar_least;
#define NOD_SIMILAR_WHOLE   ((nod_similar_least){0.94, 0.88})
#define NOD_SIMILAR_CROPPED ((nod_similar_least){0.955, 0.92})
#define NOD_SIMILAR_TURNED  ((nod_similar_least){0.967, 0.93}) /* cropped, and in a pose */

typedef struct nod_similar_pair {
    size_t i, j;               /* i < j */
    double correlation, local; /* negative: grey levels inverted */
    nod_pose pose;             /* in which j is laid over i, or i over j */
    bool resized;              /* sides differ, laid in the pose */
    double cropped;            /* share of the area that one lacks of the other */
} nod_similar_pair;

typedef struct nod_similar_options {
    const size_t *group; /* [n]: equal numbers are not compared; NULL: all are */
    int threads;         /* 0: those available */
} nod_similar_options;

/* *pairs is the caller's to free, in the order of i and j. Errors: ENOMEM. */
int nod_similar_find(const nod_signer *s, const nod_signature *images, size_t n,
                     const nod_similar_options *o, nod_similar_pair **pairs, size_t *n_pairs,
                     nod_error *err) NOD_MUST_CHECK;

/* "mirrored+resized", "cropped", "inverted" ...; "re-encoded" where nothing of it is so. */
void nod_similar_kind(const nod_similar_pair *p, char *out, size_t size);

#endif
