/* resize.h: resampling of a plane or volume of floats to another grid size.
 *
 * Voxel edges are kept: output sample i sits at input coordinate (i + 0.5) * n_in/n_out - 0.5.
 * Shrinking is anti-aliased: the kernel is widened by the factor. Edges repeat the last sample.
 */
#ifndef NOD_IMAGING_RESIZE_H
#define NOD_IMAGING_RESIZE_H

#include <stdint.h>

#include "base/error.h"

typedef enum nod_interp {
    NOD_INTERP_NEAREST,
    NOD_INTERP_LINEAR, /* triangle filter, widened when shrinking */
    NOD_INTERP_CUBIC,  /* Keys a = -0.5, widened when shrinking */
    NOD_INTERP_AREA /* box filter: mean over the covered input; shrinking only, else linear */
} nod_interp;

/* src [d][h][w] of size_in[3], dst of size_out[3]. Separable passes; weights in double. */
int nod_resize_f32(const float *src, const int64_t size_in[3], float *dst,
                   const int64_t size_out[3], nod_interp interp, nod_error *err) NOD_MUST_CHECK;
/* "nearest" ... or -1. */
int nod_interp_from_name(const char *name);
const char *nod_interp_name(nod_interp interp);

#endif
