/* resample_internal.h: what the files of the resampling share. */
#ifndef NOD_IMAGING_RESAMPLE_INTERNAL_H
#define NOD_IMAGING_RESAMPLE_INTERNAL_H

#include "imaging/resample.h"

/* Index of the source = first + step * index of the target, i,j,k. */
typedef struct nod_resample_map {
    double first[3], step[3][3];
} nod_resample_map;

void nod_resample_map_init(nod_resample_map *m, const nod_geometry *source,
                           const nod_geometry *target);
/* The samples as floats: the image's own, or a copy in *owned, to be freed. */
int nod_resample_floats(const nod_image *im, float **owned, const float **out,
                        nod_error *err) NOD_MUST_CHECK;
/* Voxels n .. n + count - 1 become `fill` and padding. */
int nod_resample_mark(nod_image *im, int64_t n, int64_t count, double fill,
                      nod_error *err) NOD_MUST_CHECK;
/* Onto any grid, without anti-aliasing. */
int nod_resample_affine(const nod_image *im, const nod_geometry *target, nod_interp interp,
                        double fill, nod_image *out, nod_error *err) NOD_MUST_CHECK;

#endif
