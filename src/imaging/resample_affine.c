/* resample_affine.c: onto grids whose axes run across those of the source: nearest, trilinear or
 * tricubic at each voxel. Rows of the result are computed each by itself, so that threads change
 * nothing; what of a row lies inside of the source is one run, for the source is convex. Beyond the
 * outermost centres the border sample repeats. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"
#include "imaging/resample_internal.h"

#define TAPS 4

typedef struct crossing {
    const nod_image *im;
    const float *src; /* samples of `im` as floats */
    nod_image *out;
    nod_resample_map m;
    nod_interp interp;
    double fill;
    int64_t *inside; /* [rows][2]: first voxel inside, and the one behind the last */
} crossing;

/* Not fmin and fmax, which are calls where NaN must be heeded: there is none here. */
static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* Taps of one axis at coordinate c: samples and weights, borders repeated. */
static int find_taps(nod_interp interp, double c, int64_t n, int64_t at[TAPS], double w[TAPS])
{
    double low = floor(c), t = c - low;
    int n_taps = 2, before = 0;
    if (interp == NOD_INTERP_CUBIC) { /* Keys, a = -0.5 */
        w[0] = ((-0.5 * t + 1) * t - 0.5) * t;
        w[1] = (1.5 * t - 2.5) * t * t + 1;
        w[2] = ((-1.5 * t + 2) * t + 0.5) * t;
        w[3] = (0.5 * t - 0.5) * t * t;
        n_taps = 4;
        before = 1;
    } else {
        w[0] = 1 - t;
        w[1] = t;
    }
    for (int k = 0; k < n_taps; k++)
        at[k] = (int64_t)clamp(low - before + k, 0, (double)(n - 1));
    return n_taps;
}

/* All channels at one place, from the eight neighbours. */
static void interpolate_linear(const crossing *x, int64_t frame, const double c[3], float *dst)
{
    const nod_image *im = x->im;
    int64_t low[3], next[3];
    double t[3];
    for (int a = 0; a < 3; a++) {
        int64_t last = im->geometry.size[a] - 1;
        double at = clamp(c[a], 0, (double)last);
        low[a] = (int64_t)at;
        next[a] = low[a] < last;
        t[a] = at - (double)low[a];
    }
    int64_t dx = next[0] * im->channels, dy = next[1] * im->width * im->channels,
            dz = next[2] * im->height * im->width * im->channels;
    const float *p =
        x->src + (((frame * im->depth + low[2]) * im->height + low[1]) * im->width + low[0]) *
                     im->channels;
    for (int ch = 0; ch < im->channels; ch++, p++) {
        double v[4];
        for (int k = 0; k < 4; k++) {
            const float *q = p + (k & 1) * dy + (k >> 1) * dz;
            v[k] = (double)q[0] + t[0] * ((double)q[dx] - (double)q[0]);
        }
        double front = v[0] + t[1] * (v[1] - v[0]), back = v[2] + t[1] * (v[3] - v[2]);
        dst[ch] = (float)(front + t[2] * (back - front));
    }
}

/* The same for any kernel. */
static void interpolate(const crossing *x, int64_t frame, const double c[3], float *dst)
{
    const nod_image *im = x->im;
    int64_t at[3][TAPS];
    double w[3][TAPS], sum[4] = {0};
    int n = 0;
    for (int a = 0; a < 3; a++)
        n = find_taps(x->interp, c[a], im->geometry.size[a], at[a], w[a]);
    for (int k = 0; k < n; k++)
        for (int j = 0; j < n; j++) {
            double v = w[2][k] * w[1][j];
            const float *row =
                x->src + ((frame * im->depth + at[2][k]) * im->height + at[1][j]) * im->width *
                             im->channels;
            for (int i = 0; i < n; i++)
                for (int ch = 0; ch < im->channels; ch++)
                    sum[ch] += v * w[0][i] * (double)row[at[0][i] * im->channels + ch];
        }
    for (int ch = 0; ch < im->channels; ch++)
        dst[ch] = (float)sum[ch];
}

static void place_of(const crossing *x, int64_t i, int64_t j, int64_t k, double c[3])
{
    for (int a = 0; a < 3; a++)
        c[a] = x->m.first[a] + x->m.step[a][0] * (double)i + x->m.step[a][1] * (double)j +
               x->m.step[a][2] * (double)k;
}

static bool is_inside(const nod_image *im, const double c[3])
{
    for (int a = 0; a < 3; a++)
        if (!(c[a] >= -0.5 - 1e-6 && c[a] <= (double)im->geometry.size[a] - 0.5 + 1e-6))
            return false;
    return true;
}

static int64_t nearest(const nod_image *im, int64_t frame, const double c[3])
{
    int64_t at[3];
    for (int a = 0; a < 3; a++)
        at[a] = (int64_t)clamp(c[a] + 0.5, 0, (double)(im->geometry.size[a] - 1));
    return ((frame * im->depth + at[2]) * im->height + at[1]) * im->width + at[0];
}

/* Row `row` of all rows of all frames. */
static void cross_row(void *ctx, int64_t row)
{
    const crossing *x = ctx;
    nod_image *out = x->out;
    size_t voxel = nod_image_bytes(out) / (size_t)nod_image_voxels(out);
    int64_t j = row % out->height, k = row / out->height % out->depth,
            f = row / out->height / out->depth;
    char *dst = (char *)out->data + (size_t)(row * out->width) * voxel;
    int64_t *inside = x->inside + 2 * row;
    inside[0] = inside[1] = 0;
    for (int64_t i = 0; i < out->width; i++, dst += voxel) {
        double c[3];
        place_of(x, i, j, k, c);
        if (!is_inside(x->im, c)) continue;
        if (inside[1] == 0) inside[0] = i;
        inside[1] = i + 1;
        if (x->interp == NOD_INTERP_NEAREST)
            memcpy(dst, (const char *)x->im->data + (size_t)nearest(x->im, f, c) * voxel,
                   voxel);
        else if (x->interp == NOD_INTERP_CUBIC)
            interpolate(x, f, c, (float *)(void *)dst);
        else
            interpolate_linear(x, f, c, (float *)(void *)dst);
    }
}

/* Padding of the source that is nearest to voxels of the row. */
static int mark_source_padding(const crossing *x, int64_t row, nod_error *err)
{
    const nod_image *out = x->out;
    int64_t j = row % out->height, k = row / out->height % out->depth,
            f = row / out->height / out->depth;
    for (int64_t i = x->inside[2 * row]; i < x->inside[2 * row + 1]; i++) {
        double c[3];
        place_of(x, i, j, k, c);
        if (!nod_image_is_padding(x->im, nearest(x->im, f, c))) continue;
        int rc = nod_image_set_padding(x->out, row * out->width + i, err);
        if (rc) return rc;
    }
    return 0;
}

/* Bits lie across rows, so padding is marked in one thread. */
static int mark_padding(const crossing *x, nod_error *err)
{
    int rc = 0;
    int64_t width = x->out->width;
    for (int64_t row = 0; row < nod_image_voxels(x->out) / width; row++) {
        const int64_t *inside = x->inside + 2 * row;
        int64_t n = row * width;
        NOD_TRY(nod_resample_mark(x->out, n, inside[0], x->fill, err));
        NOD_TRY(nod_resample_mark(x->out, n + inside[1], width - inside[1], x->fill, err));
        if (x->im->padding) NOD_TRY(mark_source_padding(x, row, err));
    }
out:
    return rc;
}

int nod_resample_affine(const nod_image *im, const nod_geometry *target, nod_interp interp,
                        double fill, nod_image *out, nod_error *err)
{
    nod_image to = {0};
    float *owned = NULL;
    crossing x = {.im = im, .out = &to, .interp = interp, .fill = fill};
    bool keep = interp == NOD_INTERP_NEAREST;
    int rc = 0;
    NOD_TRY(nod_image_init_frames(&to, im->frames, target->size[2], target->size[1],
                                  target->size[0], im->channels,
                                  keep ? im->sample : NOD_SAMPLE_F32, err));
    to.geometry = *target;
    to.facts = im->facts;
    if (!keep) NOD_TRY(nod_resample_floats(im, &owned, &x.src, err));
    int64_t rows = to.frames * to.depth * to.height;
    x.inside = nod_calloc((size_t)rows, 2 * sizeof *x.inside);
    if (!x.inside) {
        rc = nod_fail_memory(err, "resampling", (size_t)rows * 2 * sizeof *x.inside);
        goto out;
    }
    nod_resample_map_init(&x.m, &im->geometry, target);
    nod_parallel_for(rows, cross_row, &x);
    NOD_TRY(mark_padding(&x, err));
    *out = to;
    to = (nod_image){0};
out:
    nod_free(owned);
    nod_free(x.inside);
    nod_image_done(&to);
    return rc;
}
