/* percentile.h: percentiles of an image's values. */
#ifndef NOD_IMAGING_PERCENTILE_H
#define NOD_IMAGING_PERCENTILE_H

#include "imaging/image.h"

/* Two percentiles (0 to 100) of all samples of an f32 image of one channel, padding left out; 0, 0
 * where all voxels are padding. The definition of numpy's percentile (linear). */
void nod_image_percentiles(const nod_image *im, const double percent[2], double out[2]);

#endif
