/* signature_internal.h: the tables behind signature.h; private to signature*.c. */
#ifndef NOD_IMAGING_SIGNATURE_INTERNAL_H
#define NOD_IMAGING_SIGNATURE_INTERNAL_H

#include "imaging/signature.h"

#define NOD_SIDE_MAX    64
#define NOD_BAND_MAX    32
#define NOD_HASH_FREQ   16 /* frequencies of a hash along an axis, at most */
#define NOD_SPANS       5  /* of an axis: all of it, and four without a little at the ends */
#define NOD_WINDOWS_MAX 65

/* What planes are made with, or volumes. */
typedef struct nod_signer_plan {
    int n_axes, side;
    size_t n_samples; /* of a relief: side to the power of n_axes */
    int band_max;     /* frequencies kept along an axis */
    int grid, margin; /* points along an axis, and how many at each end are not correlated */
    int n_bits, n_freq;
    int8_t freq[NOD_PHASH_BITS][3]; /* of each bit: along depth, height, width */
    double lo[NOD_SPANS], hi[NOD_SPANS];
    float span[NOD_SPANS][NOD_SIDE_MAX * NOD_HASH_FREQ]; /* [side][n_freq] cosines in a span */
    int n_windows;
    uint8_t window[NOD_WINDOWS_MAX][3];         /* span of each axis */
    float cosine[NOD_SIDE_MAX * NOD_BAND_MAX];  /* [side][band_max], orthonormal */
    float inverse[NOD_BAND_MAX * NOD_SIDE_MAX]; /* [band_max][side], the same */
} nod_signer_plan;

struct nod_signer {
    nod_signer_plan plane, volume;
};

NOD_INLINE const nod_signer_plan *nod_signer_plan_of(const nod_signer *s, int n_axes)
{
    return n_axes == 3 ? &s->volume : &s->plane;
}

/* Keeps the first band[k] frequencies of each axis of a field of plan->n_samples, weighted by their
 * radius where asked, in place. `work` has as many floats. */
void nod_relief_filter(const nod_signer_plan *p, const int band[3], bool weigh, float *field,
                       float *work);

#endif
