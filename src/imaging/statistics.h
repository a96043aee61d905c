/* statistics.h: the values of an image in numbers. Padding, values that are not finite, and alpha are
 * left out; channels and frames are counted together. */
#ifndef NOD_IMAGING_STATISTICS_H
#define NOD_IMAGING_STATISTICS_H

#include "imaging/image.h"

#define NOD_STATISTICS_PERCENTS_MAX 8

typedef struct nod_image_statistics {
    int64_t n, n_padding, n_not_finite; /* samples; n is what the rest is about */
    double min, max, mean;              /* 0 where n is 0 */
} nod_image_statistics;

/* `percents` (0 to 100, at most NOD_STATISTICS_PERCENTS_MAX of them) give `percentiles`, interpolated
 * linearly between ranks as numpy's are; 0 where nothing is left. In two passes over the samples, sums
 * in their order: the bits do not depend on threads. */
int nod_image_measure(const nod_image *im, const double *percents, int n_percents,
                      nod_image_statistics *out, double *percentiles,
                      nod_error *err) NOD_MUST_CHECK;

#endif
