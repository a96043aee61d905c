/* resample.c: which grid a resampling goes to, and by which of three ways; see resample.h.
 *
 *   copy       the target lies on the source's voxels, or nearest neighbours are wanted: bytes
 *   separable  axes run along each other: nod_resize_axes_f32
 *   general    resample_affine.c, after a separable step that takes away what is too fine */
#include "imaging/resample.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "imaging/reorient.h"
#include "imaging/resample_internal.h"

/* From here on a voxel of an oblique target is so much larger than the source's that interpolation
 * alone would miss what lies between. */
#define SHRINK_FROM 1.25

/* --- grids ------------------------------------------------------------------------------------ */

/* Moves the origin by `voxels` of the grid along axis a. */
static void shift_origin(nod_geometry *g, int a, double voxels)
{
    for (int r = 0; r < 3; r++)
        g->origin_mm[r] += voxels * g->spacing_mm[a] * g->direction[a][r];
}

nod_geometry nod_geometry_with_spacing(const nod_geometry *g, const double spacing_mm[3])
{
    nod_geometry to = *g;
    for (int a = 0; a < 3; a++) {
        double n = round((double)g->size[a] * g->spacing_mm[a] / spacing_mm[a]);
        shift_origin(&to, a, (spacing_mm[a] / g->spacing_mm[a] - 1) / 2);
        to.size[a] = (int64_t)fmin(fmax(n, 1), NOD_IMAGE_MAX_SIDE + 1.0);
    }
    memcpy(to.spacing_mm, spacing_mm, sizeof to.spacing_mm);
    return to;
}

nod_geometry nod_geometry_with_size(const nod_geometry *g, const int64_t size[3])
{
    nod_geometry to = *g;
    for (int a = 0; a < 3; a++) {
        double ratio = (double)g->size[a] / (double)size[a];
        shift_origin(&to, a, (ratio - 1) / 2);
        to.size[a] = size[a];
        to.spacing_mm[a] = g->size[a] == size[a] ? g->spacing_mm[a] : g->spacing_mm[a] * ratio;
    }
    return to;
}

nod_geometry nod_geometry_centred(const nod_geometry *g, const int64_t size[3])
{
    nod_geometry to = *g;
    for (int a = 0; a < 3; a++) {
        int64_t lead = (size[a] - g->size[a]) / 2; /* towards 0, as padding has it */
        shift_origin(&to, a, -(double)lead);
        to.size[a] = size[a];
    }
    return to;
}

/* --- from index to index ---------------------------------------------------------------------- */

void nod_resample_map_init(nod_resample_map *m, const nod_geometry *source,
                           const nod_geometry *target)
{
    double world[3], at[3];
    nod_geometry_world(target, (const double[3]){0, 0, 0}, world);
    nod_geometry_index(source, world, m->first);
    for (int b = 0; b < 3; b++) {
        for (int r = 0; r < 3; r++)
            world[r] = source->origin_mm[r] + target->direction[b][r] * target->spacing_mm[b];
        nod_geometry_index(source, world, at);
        for (int a = 0; a < 3; a++)
            m->step[a][b] = at[a];
    }
}

/* The turn of the source after which axes run along each other, if there is one. */
static bool find_turn(const nod_resample_map *m, const nod_geometry *target, nod_turn *out)
{
    bool used[3] = {false};
    for (int b = 0; b < 3; b++) {
        int most = 0;
        for (int a = 1; a < 3; a++)
            if (fabs(m->step[a][b]) > fabs(m->step[most][b])) most = a;
        if (used[most]) return false;
        used[most] = true;
        out->from[b] = most;
        out->flip[b] = m->step[most][b] < 0;
    }
    for (int a = 0; a < 3; a++) {
        double astray = 0; /* along axis a, over the whole target */
        for (int b = 0; b < 3; b++)
            if (out->from[b] != a) astray += fabs(m->step[a][b]) * (double)target->size[b];
        if (astray > NOD_RESAMPLE_SAME) return false;
    }
    return true;
}

/* Axes i,j,k of the map as d,h,w of a resizing, whole voxels snapped. */
static void find_axes(const nod_resample_map *m, const nod_geometry *source,
                      const nod_geometry *target, nod_resize_axis out[3])
{
    for (int a = 0; a < 3; a++) {
        double step = m->step[a][a], first = m->first[a];
        if (fabs(step - 1) * (double)target->size[a] < NOD_RESAMPLE_SAME) {
            step = 1;
            if (fabs(first - round(first)) < NOD_RESAMPLE_SAME) first = round(first);
        }
        double shift = first + 0.5 - 0.5 * step;
        if (fabs(shift) < 1e-9) shift = 0; /* the outer corner is kept, but for rounding */
        out[2 - a] = (nod_resize_axis){
            .n_in = source->size[a], .n_out = target->size[a], .step = step, .shift = shift};
    }
}

static bool is_copy(const nod_resize_axis axes[3])
{
    for (int d = 0; d < 3; d++)
        if (axes[d].step != 1 || axes[d].shift != round(axes[d].shift)) return false;
    return true;
}

/* --- padding and copies along axes ------------------------------------------------------------ */

/* near[i]: the input sample nearest to output i, -1 outside. */
static void find_nearest(const nod_resize_axis *a, int64_t *near)
{
    for (int64_t i = 0; i < a->n_out; i++) {
        double c = a->at ? a->at[i] : ((double)i + 0.5) * a->step - 0.5 + a->shift;
        if (!(c >= -0.5 - 1e-6 &&
              c <= (double)a->n_in - 0.5 + 1e-6)) /* the outer half voxel is in */
            near[i] = -1;
        else
            near[i] = (int64_t)fmin(fmax(floor(c + 0.5), 0), (double)(a->n_in - 1));
    }
}

static void fill_voxels(nod_image *im, int64_t n, int64_t count, double fill)
{
    int64_t at = n * im->channels, end = (n + count) * im->channels;
    switch (im->sample) {
    case NOD_SAMPLE_U8:
        memset((uint8_t *)im->data + at, (uint8_t)fmin(fmax(fill, 0), UINT8_MAX),
               (size_t)(end - at));
        break;
    case NOD_SAMPLE_U16:
        for (; at < end; at++)
            ((uint16_t *)im->data)[at] = (uint16_t)fmin(fmax(fill, 0), UINT16_MAX);
        break;
    default:
        for (; at < end; at++)
            ((float *)im->data)[at] = (float)fill;
    }
}

int nod_resample_mark(nod_image *im, int64_t n, int64_t count, double fill, nod_error *err)
{
    fill_voxels(im, n, count, fill);
    for (int64_t i = n; i < n + count; i++) {
        int rc = nod_image_set_padding(im, i, err);
        if (rc) return rc;
    }
    return 0;
}

/* Of one row of the result: `near` says which voxel of the source's row `from` each is. */
static int settle_row(const nod_image *im, int64_t from, const int64_t *near, bool copy,
                      double fill, int64_t n, nod_image *out, nod_error *err)
{
    size_t voxel = nod_image_bytes(im) / (size_t)nod_image_voxels(im);
    int rc = 0;
    for (int64_t x = 0, run; x < out->width; x += run) {
        for (run = 1; x + run < out->width;
             run++) /* neighbours here and there, or all outside */
            if (near[x] < 0 ? near[x + run] >= 0 : near[x + run] != near[x] + run) break;
        if (near[x] < 0) {
            NOD_TRY(nod_resample_mark(out, n + x, run, fill, err));
            continue;
        }
        if (copy)
            memcpy((char *)out->data + (size_t)(n + x) * voxel,
                   (const char *)im->data + (size_t)(from + near[x]) * voxel,
                   (size_t)run * voxel);
        for (int64_t i = 0; im->padding && i < run; i++)
            if (nod_image_is_padding(im, from + near[x] + i))
                NOD_TRY(nod_image_set_padding(out, n + x + i, err));
    }
out:
    return rc;
}

static bool has_outside(const int64_t *near, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (near[i] < 0) return true;
    return false;
}

/* Goes through all voxels of the result, copying the nearest where `copy`, and marks padding. */
static int settle(const nod_image *im, const nod_resize_axis axes[3], bool copy, double fill,
                  nod_image *out, nod_error *err)
{
    int rc = 0;
    int64_t *near[3] = {0}, n = 0;
    bool outside = false;
    for (int d = 0; d < 3; d++) {
        near[d] = nod_calloc((size_t)axes[d].n_out, sizeof **near);
        if (!near[d]) {
            rc = nod_fail_memory(err, "resampling", (size_t)axes[d].n_out * sizeof **near);
            goto out;
        }
        find_nearest(&axes[d], near[d]);
        outside = outside || has_outside(near[d], axes[d].n_out);
    }
    if (!copy && !outside && !im->padding) goto out;
    for (int64_t f = 0; f < im->frames; f++)
        for (int64_t z = 0; z < out->depth; z++)
            for (int64_t y = 0; y < out->height; y++, n += out->width) {
                int64_t from =
                    ((f * im->depth + near[0][z]) * im->height + near[1][y]) * im->width;
                if (near[0][z] < 0 || near[1][y] < 0)
                    NOD_TRY(nod_resample_mark(out, n, out->width, fill, err));
                else
                    NOD_TRY(settle_row(im, from, near[2], copy, fill, n, out, err));
            }
out:
    for (int d = 0; d < 3; d++)
        nod_free(near[d]);
    return rc;
}

/* --- the three ways --------------------------------------------------------------------------- */

int nod_resample_floats(const nod_image *im, float **owned, const float **out, nod_error *err)
{
    int64_t n = nod_image_samples(im);
    *owned = NULL;
    if (im->sample == NOD_SAMPLE_F32) {
        *out = im->data;
        return 0;
    }
    float *v = nod_calloc((size_t)n, sizeof *v);
    if (!v) return nod_fail_memory(err, "resampling", (size_t)n * sizeof *v);
    if (im->sample == NOD_SAMPLE_U8)
        for (int64_t i = 0; i < n; i++)
            v[i] = ((const uint8_t *)im->data)[i];
    else
        for (int64_t i = 0; i < n; i++)
            v[i] = ((const uint16_t *)im->data)[i];
    *owned = v;
    *out = v;
    return 0;
}

static int new_like(const nod_image *im, const nod_geometry *target, nod_sample sample,
                    nod_image *out, nod_error *err)
{
    int rc = nod_image_init_frames(out, im->frames, target->size[2], target->size[1],
                                   target->size[0], im->channels, sample, err);
    if (rc) return rc;
    out->geometry = *target;
    out->facts = im->facts;
    return 0;
}

/* Axes of `im` run along those of the target. */
static int resample_along(const nod_image *im, const nod_geometry *target,
                          const nod_resize_axis axes[3], nod_interp interp, double fill,
                          nod_image *out, nod_error *err)
{
    nod_image to = {0};
    float *owned = NULL;
    const float *src = NULL;
    int rc = 0;
    bool copy = interp == NOD_INTERP_NEAREST || is_copy(axes);
    NOD_TRY(new_like(im, target, copy ? im->sample : NOD_SAMPLE_F32, &to, err));
    if (!copy) {
        int64_t n_in = nod_image_samples(im) / im->frames,
                n_out = nod_image_samples(&to) / im->frames;
        NOD_TRY(nod_resample_floats(im, &owned, &src, err));
        for (int64_t f = 0; f < im->frames; f++)
            NOD_TRY(nod_resize_axes_f32(src + f * n_in, axes, im->channels,
                                        (float *)to.data + f * n_out, interp, err));
    }
    NOD_TRY(settle(im, axes, copy, fill, &to, err));
    *out = to;
    to = (nod_image){0};
out:
    nod_free(owned);
    nod_image_done(&to);
    return rc;
}

/* Where voxels of the target are larger than the source's, the source is shrunk first: its own axes,
 * edges kept, to about the size that the target sees of it. */
static int resample_across(const nod_image *im, const nod_geometry *target,
                           const nod_resample_map *m, nod_interp interp, double fill,
                           nod_image *out, nod_error *err)
{
    int64_t size[3];
    bool shrinks = false;
    for (int a = 0; a < 3; a++) {
        double footprint = sqrt(m->step[a][0] * m->step[a][0] + m->step[a][1] * m->step[a][1] +
                                m->step[a][2] * m->step[a][2]);
        if (footprint < SHRINK_FROM) footprint = 1;
        size[a] = (int64_t)fmax(round((double)im->geometry.size[a] / footprint), 1);
        shrinks = shrinks || size[a] < im->geometry.size[a];
    }
    if (!shrinks || interp == NOD_INTERP_NEAREST)
        return nod_resample_affine(im, target, interp, fill, out, err);
    nod_image coarse = {0};
    nod_geometry g = nod_geometry_with_size(&im->geometry, size);
    /* by numbers of voxels: places far away are too coarse to tell that axes are the same */
    const nod_resize_axis axes[3] = {nod_resize_axis_fit(im->depth, size[2]),
                                     nod_resize_axis_fit(im->height, size[1]),
                                     nod_resize_axis_fit(im->width, size[0])};
    int rc = resample_along(im, &g, axes, interp, fill, &coarse, err);
    if (!rc) rc = nod_resample_affine(&coarse, target, interp, fill, out, err);
    nod_image_done(&coarse);
    return rc;
}

int nod_image_resample(const nod_image *im, const nod_geometry *target, nod_interp interp,
                       double fill, nod_image *out, nod_error *err)
{
    nod_resample_map m;
    nod_resize_axis axes[3];
    nod_turn turn;
    nod_image turned = {0};
    if ((im->geometry.space == NOD_SPACE_PATIENT) != (target->space == NOD_SPACE_PATIENT))
        return nod_fail(err, NOD_EDATA,
                        "cannot go from one grid to another when the place in the patient of "
                        "only one is known");
    nod_resample_map_init(&m, &im->geometry, target);
    if (!find_turn(&m, target, &turn))
        return resample_across(im, target, &m, interp, fill, out, err);
    bool stays = nod_turn_is_identity(&turn);
    int rc = stays ? 0 : nod_turn_image(&turn, im, &turned, err);
    if (rc) return rc;
    nod_resample_map_init(&m, stays ? &im->geometry : &turned.geometry, target);
    find_axes(&m, stays ? &im->geometry : &turned.geometry, target, axes);
    rc = resample_along(stays ? im : &turned, target, axes, interp, fill, out, err);
    nod_image_done(&turned);
    return rc;
}

int nod_image_resize(const nod_image *im, const int64_t size[3], nod_interp interp,
                     nod_image *out, nod_error *err)
{
    nod_resize_axis axes[3];
    for (int a = 0; a < 3; a++) {
        if (size[a] < 1)
            return nod_fail(err, NOD_ESHAPE, "an image cannot have %lld voxels along %c",
                            (long long)size[a], 'i' + a);
        axes[2 - a] = nod_resize_axis_fit(im->geometry.size[a], size[a]);
    }
    nod_geometry g = nod_geometry_with_size(&im->geometry, size);
    return resample_along(im, &g, axes, interp, 0, out, err);
}
