/* resize.h: resampling of a plane or volume of floats to another grid size.
 *
 * Voxel edges are kept: output sample i sits at input coordinate (i + 0.5) * n_in/n_out - 0.5.
 * Shrinking is anti-aliased: the kernel is widened by the factor. Edges repeat the last sample.
 */
#ifndef NOD_IMAGING_RESIZE_H
#define NOD_IMAGING_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef enum nod_interp {
    NOD_INTERP_NEAREST,
    NOD_INTERP_LINEAR, /* triangle filter, widened when shrinking */
    NOD_INTERP_CUBIC,  /* Keys a = -0.5, widened when shrinking */
    NOD_INTERP_AREA /* box filter: mean over the covered input; shrinking only, else linear */
} nod_interp;

/* One axis of a separable resampling: output i sits at input coordinate
 * (i + 0.5) * step - 0.5 + shift, sample k at k; where step > 1 the kernel is widened by it. */
typedef struct nod_resize_axis {
    int64_t n_in, n_out;
    double step, shift;
    const double
        *at; /* [n_out] input coordinates instead of step and shift, never widened; NULL */
} nod_resize_axis;

/* Edges kept: step n_in/n_out, no shift. */
nod_resize_axis nod_resize_axis_fit(int64_t n_in, int64_t n_out);
/* True where every output is the input of the same index. */
bool nod_resize_axis_is_identity(const nod_resize_axis *a);

/* src [d][h][w][channels] of axes' n_in, dst of n_out; axes in the order d,h,w. Separable passes,
 * weights in double, on the budget's threads; the bits do not depend on their number. */
int nod_resize_axes_f32(const float *src, const nod_resize_axis axes[3], int64_t channels,
                        float *dst, nod_interp interp, nod_error *err) NOD_MUST_CHECK;
/* The same of one channel from size_in to size_out, edges kept. */
int nod_resize_f32(const float *src, const int64_t size_in[3], float *dst,
                   const int64_t size_out[3], nod_interp interp, nod_error *err) NOD_MUST_CHECK;
/* "nearest" ... or -1. */
int nod_interp_from_name(const char *name);
const char *nod_interp_name(nod_interp interp);

#endif
