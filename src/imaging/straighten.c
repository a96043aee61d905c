/* straighten.c: the grid at right angles that holds a sheared one. */
#include "imaging/straighten.h"

#include <math.h>

#include "imaging/resample.h"
#include "imaging/vec3.h"

#define GROWTH_MAX 16   /* voxels for one: more shear than that is a fault of the header */
#define ROUNDING   1e-3 /* voxels that a corner may lie beyond the last one by */

/* The unit vector at right angles to a and b, on the side of `side`; returns its cosine to it. */
static double normal(const double a[3], const double b[3], const double side[3], double out[3])
{
    nod_vec3_cross(a, b, out);
    double length = sqrt(nod_vec3_dot(out, out)) * (nod_vec3_dot(out, side) < 0 ? -1 : 1);
    for (int r = 0; r < 3; r++)
        out[r] /= length;
    return nod_vec3_dot(out, side);
}

nod_geometry nod_geometry_straight(const nod_geometry *g)
{
    nod_geometry t = *g;
    const double(*d)[3] = g->direction;
    double corner[8][3], from[3];
    t.spacing_mm[2] *= normal(d[0], d[1], d[2], t.direction[2]);
    t.spacing_mm[1] *= normal(d[0], t.direction[2], d[1], t.direction[1]);
    nod_geometry_corners(g, corner);
    for (int a = 0; a < 3; a++) {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (int n = 0; n < 8; n++) {
            for (int r = 0; r < 3; r++)
                from[r] = corner[n][r] - g->origin_mm[r];
            double at = nod_vec3_dot(from, t.direction[a]) / t.spacing_mm[a];
            low = fmin(low, at);
            high = fmax(high, at);
        }
        double size = ceil(high - low - ROUNDING);
        t.size[a] = (int64_t)fmax(1, fmin(size, NOD_IMAGE_MAX_SIDE));
        for (int r = 0; r < 3; r++)
            t.origin_mm[r] += (low + 0.5) * t.spacing_mm[a] * t.direction[a][r];
    }
    return t;
}

static double lowest_value(const nod_image *im)
{
    double lowest = HUGE_VAL;
    for (int64_t k = 0; k < nod_image_samples(im); k++)
        lowest = fmin(lowest, nod_image_value(im, k));
    return lowest;
}

int nod_image_straighten(nod_image *im, nod_error *err)
{
    nod_image even = {0};
    if (!nod_geometry_is_sheared(&im->geometry)) return 0;
    nod_geometry target = nod_geometry_straight(&im->geometry);
    double n = (double)target.size[0] * (double)target.size[1] * (double)target.size[2];
    double n_now = (double)im->width * (double)im->height * (double)im->depth;
    if (n > GROWTH_MAX * n_now)
        return nod_fail(err, NOD_ELIMIT,
                        "axes so sheared (cosine %.4f) that a grid at right angles needs %.0f "
                        "voxels for %.0f",
                        nod_geometry_shear(&im->geometry), n, n_now);
    int rc = nod_image_resample(im, &target, NOD_INTERP_LINEAR, lowest_value(im), &even, err);
    if (rc) return rc;
    nod_image_done(im);
    *im = even;
    return 0;
}
