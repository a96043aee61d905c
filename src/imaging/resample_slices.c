/* resample_slices.c: slices by their true places onto an even grid with right angles.
 *
 * First each slice is moved along its own plane, then neighbours are mixed along the normal. A
 * shift by whole voxels and a place on a slice leave values as they are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/resample_internal.h"
#include "imaging/vec3.h"

typedef struct stack {
    const nod_image *im;
    double normal[3];
    double *height_mm; /* [depth] along the normal, from slice 0; ascending */
    double *shift[2];  /* [depth] along i, j in voxels, from slice 0 */
    int64_t low[2];    /* columns and rows added before the first */
    int64_t side[2];   /* columns and rows of the result */
    double spacing_mm; /* of the result, along the normal */
    int64_t n_out;     /* slices of the result */
    double *at;        /* [n_out] in slices of the source */
} stack;

static void stack_done(stack *s)
{
    nod_free(s->height_mm);
    nod_free(s->shift[0]);
    nod_free(s->shift[1]);
    nod_free(s->at);
}

/* Along the normal from the first slice to the last, whichever way the slices go. */
static void find_normal(stack *s, const double (*origin_mm)[3])
{
    const double *u = s->im->geometry.direction[0], *v = s->im->geometry.direction[1];
    int64_t last = s->im->depth - 1;
    double way[3], length = 0;
    nod_vec3_cross(u, v, s->normal);
    for (int r = 0; r < 3; r++) {
        way[r] = origin_mm[last][r] - origin_mm[0][r];
        length += s->normal[r] * s->normal[r];
    }
    double sign = (nod_vec3_dot(way, s->normal) < 0 ? -1 : 1) / sqrt(length);
    for (int r = 0; r < 3; r++)
        s->normal[r] *= sign;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Heights and shifts of the slices, and how far columns and rows go. */
static int place_slices(stack *s, const double (*origin_mm)[3], nod_error *err)
{
    const nod_geometry *g = &s->im->geometry;
    double low[2] = {0}, high[2] = {0};
    for (int64_t k = 0; k < s->im->depth; k++) {
        const double from[3] = {origin_mm[k][0] - origin_mm[0][0],
                                origin_mm[k][1] - origin_mm[0][1],
                                origin_mm[k][2] - origin_mm[0][2]};
        s->height_mm[k] = nod_vec3_dot(from, s->normal);
        if (k && !(s->height_mm[k] > s->height_mm[k - 1]))
            return nod_fail(
                err, NOD_EDATA,
                "slice %lld lies at %g mm along the normal, the one before it at %g "
                "mm: sort the slices and leave out duplicates",
                (long long)k, s->height_mm[k], s->height_mm[k - 1]);
        for (int a = 0; a < 2; a++) {
            double shift = nod_vec3_dot(from, g->direction[a]) / g->spacing_mm[a];
            if (fabs(shift - round(shift)) < NOD_RESAMPLE_SAME) shift = round(shift);
            s->shift[a][k] = shift;
            low[a] = fmin(low[a], shift);
            high[a] = fmax(high[a], shift);
        }
    }
    for (int a = 0; a < 2; a++) {
        double side = (double)g->size[a] + ceil(high[a]) - floor(low[a]);
        if (!(side <= NOD_IMAGE_MAX_SIDE))
            return nod_fail(err, NOD_EDATA, "slices are shifted by %g voxels along their plane",
                            high[a] - low[a]);
        s->low[a] = (int64_t)-floor(low[a]);
        s->side[a] = (int64_t)side;
    }
    return 0;
}

static int median_distance(const stack *s, double *out, nod_error *err)
{
    size_t n = (size_t)s->im->depth - 1;
    double *d = nod_calloc(n + 1, sizeof *d);
    if (!d) return nod_fail_memory(err, "distances of slices", n * sizeof *d);
    for (size_t k = 0; k < n; k++)
        d[k] = s->height_mm[k + 1] - s->height_mm[k];
    qsort(d, n, sizeof *d, compare);
    *out = n ? d[n / 2] : s->im->geometry.spacing_mm[2];
    nod_free(d);
    return 0;
}

/* Where the slices of the result lie between those of the source. */
static int place_results(stack *s, double spacing_mm, nod_error *err)
{
    int rc = 0;
    int64_t last = s->im->depth - 1, k = 0;
    s->spacing_mm = spacing_mm;
    if (!(spacing_mm > 0)) NOD_TRY(median_distance(s, &s->spacing_mm, err));
    double n = floor(s->height_mm[last] / s->spacing_mm + NOD_RESAMPLE_SAME) + 1;
    if (!(n <= NOD_IMAGE_MAX_SIDE))
        return nod_fail(err, NOD_ELIMIT, "%g slices of %g mm are too many", n, s->spacing_mm);
    s->n_out = (int64_t)n;
    s->at = nod_calloc((size_t)s->n_out, sizeof *s->at);
    if (!s->at) return nod_fail_memory(err, "places of slices", (size_t)s->n_out * 8);
    for (int64_t i = 0; i < s->n_out; i++) {
        double z = (double)i * s->spacing_mm;
        while (k + 1 < last && s->height_mm[k + 1] <= z)
            k++;
        double gap = last ? s->height_mm[k + 1] - s->height_mm[k] : 1;
        double c = (double)k + (z - s->height_mm[k]) / gap;
        if (fabs(c - round(c)) < NOD_RESAMPLE_SAME) c = round(c);
        s->at[i] = fmin(fmax(c, 0), (double)last);
    }
out:
    return rc;
}

static int init_stack(stack *s, const nod_image *im, const double (*origin_mm)[3],
                      double spacing_mm, nod_error *err)
{
    int rc = 0;
    s->im = im;
    if (im->geometry.space != NOD_SPACE_PATIENT)
        return nod_fail(err, NOD_EDATA, "the place of the slices in the patient is not known");
    s->height_mm = nod_calloc((size_t)im->depth, sizeof(double));
    s->shift[0] = nod_calloc((size_t)im->depth, sizeof(double));
    s->shift[1] = nod_calloc((size_t)im->depth, sizeof(double));
    if (!s->height_mm || !s->shift[0] || !s->shift[1])
        return nod_fail_memory(err, "places of slices", (size_t)im->depth * 24);
    find_normal(s, origin_mm);
    NOD_TRY(place_slices(s, origin_mm, err));
    NOD_TRY(place_results(s, spacing_mm, err));
out:
    return rc;
}

static nod_geometry geometry_of(const stack *s, const double first_mm[3])
{
    nod_geometry g = s->im->geometry;
    for (int r = 0; r < 3; r++) {
        g.origin_mm[r] = first_mm[r];
        for (int a = 0; a < 2; a++)
            g.origin_mm[r] -= (double)s->low[a] * g.spacing_mm[a] * g.direction[a][r];
    }
    memcpy(g.direction[2], s->normal, sizeof s->normal);
    g.size[0] = s->side[0];
    g.size[1] = s->side[1];
    g.size[2] = s->n_out;
    g.spacing_mm[2] = s->spacing_mm;
    return g;
}

/* Slice k of the source moved along its plane. */
static nod_resize_axis plane_axis(const stack *s, int a, int64_t k)
{
    return (nod_resize_axis){.n_in = s->im->geometry.size[a],
                             .n_out = s->side[a],
                             .step = 1,
                             .shift = -(double)s->low[a] - s->shift[a][k]};
}

static const nod_resize_axis one = {.n_in = 1, .n_out = 1, .step = 1};

static int move_slices(const stack *s, const float *src, float *dst, nod_error *err)
{
    const nod_image *im = s->im;
    int64_t n_in = im->width * im->height * im->channels,
            n_out = s->side[0] * s->side[1] * im->channels;
    for (int64_t i = 0; i < im->frames * im->depth; i++) {
        int64_t k = i % im->depth;
        const nod_resize_axis axes[3] = {one, plane_axis(s, 1, k), plane_axis(s, 0, k)};
        int rc = nod_resize_axes_f32(src + i * n_in, axes, im->channels, dst + i * n_out,
                                     NOD_INTERP_LINEAR, err);
        if (rc) return rc;
    }
    return 0;
}

static int mix_slices(const stack *s, const float *moved, nod_image *out, nod_error *err)
{
    int64_t plane = s->side[0] * s->side[1] * out->channels;
    nod_resize_axis axes[3] = {
        {.n_in = s->im->depth, .n_out = s->n_out, .at = s->at}, one, one};
    axes[1].n_in = axes[1].n_out = s->side[1];
    axes[2].n_in = axes[2].n_out = s->side[0];
    for (int64_t f = 0; f < out->frames; f++) {
        int rc = nod_resize_axes_f32(moved + f * s->im->depth * plane, axes, out->channels,
                                     (float *)out->data + f * s->n_out * plane,
                                     NOD_INTERP_LINEAR, err);
        if (rc) return rc;
    }
    return 0;
}

/* Voxel x,y of the result in the plane of source slice k: its nearest voxel, or -1. */
static int64_t source_of(const stack *s, int64_t f, int64_t k, int64_t y, int64_t x)
{
    const int64_t to[2] = {x, y};
    int64_t from[2];
    for (int a = 0; a < 2; a++) {
        from[a] = (int64_t)floor((double)(to[a] - s->low[a]) - s->shift[a][k] + 0.5);
        if (from[a] < 0 || from[a] >= s->im->geometry.size[a]) return -1;
    }
    return ((f * s->im->depth + k) * s->im->height + from[1]) * s->im->width + from[0];
}

static int mark(const stack *s, double fill, nod_image *out, nod_error *err)
{
    int rc = 0;
    int64_t n = 0;
    for (int64_t f = 0; f < out->frames; f++)
        for (int64_t z = 0; z < s->n_out; z++)
            for (int64_t y = 0; y < s->side[1]; y++)
                for (int64_t x = 0; x < s->side[0]; x++, n++) {
                    int64_t from = source_of(s, f, (int64_t)floor(s->at[z] + 0.5), y, x);
                    if (from < 0)
                        NOD_TRY(nod_resample_mark(out, n, 1, fill, err));
                    else if (nod_image_is_padding(s->im, from))
                        NOD_TRY(nod_image_set_padding(out, n, err));
                }
out:
    return rc;
}

int nod_image_resample_slices(const nod_image *im, const double (*origin_mm)[3],
                              double spacing_mm, double fill, nod_image *out, nod_error *err)
{
    stack s = {0};
    nod_image to = {0};
    float *owned = NULL, *moved = NULL;
    const float *src = NULL;
    int rc = 0;
    NOD_TRY(init_stack(&s, im, origin_mm, spacing_mm, err));
    NOD_TRY(nod_image_init_frames(&to, im->frames, s.n_out, s.side[1], s.side[0], im->channels,
                                  NOD_SAMPLE_F32, err));
    to.geometry = geometry_of(&s, origin_mm[0]);
    to.facts = im->facts;
    NOD_TRY(nod_resample_floats(im, &owned, &src, err));
    size_t n = (size_t)(im->frames * im->depth) * (size_t)(s.side[0] * s.side[1]) *
               (size_t)im->channels;
    moved = nod_calloc(n, sizeof *moved);
    if (!moved) {
        rc = nod_fail_memory(err, "slices", n * sizeof *moved);
        goto out;
    }
    NOD_TRY(move_slices(&s, src, moved, err));
    NOD_TRY(mix_slices(&s, moved, &to, err));
    NOD_TRY(mark(&s, fill, &to, err));
    *out = to;
    to = (nod_image){0};
out:
    stack_done(&s);
    nod_free(owned);
    nod_free(moved);
    nod_image_done(&to);
    return rc;
}
