/* resize.c: separable resampling of planes and volumes.
 *
 * Each axis gets a table of taps: for output i the first input sample and the weights, in
 * double, summing to 1. A kernel that reaches over the edge puts its weight on the edge sample.
 * Axes are done one after the other, from the innermost outwards; an axis whose size stays is
 * left out, since every kernel here is the identity there.
 * Sources: Keys, IEEE Trans. ASSP 29(6), 1981, for the cubic. */
#include "imaging/resize.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define MAX_SIDE ((int64_t)1 << 31)

static const char *const names[] = {
    [NOD_INTERP_NEAREST] = "nearest",
    [NOD_INTERP_LINEAR] = "linear",
    [NOD_INTERP_CUBIC] = "cubic",
    [NOD_INTERP_AREA] = "area",
};

int nod_interp_from_name(const char *name)
{
    for (int i = 0; i < (int)NOD_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) return i;
    return -1;
}

const char *nod_interp_name(nod_interp interp)
{
    NOD_ASSERT((unsigned)interp < NOD_COUNT(names));
    return names[interp];
}

/* --- taps ------------------------------------------------------------------------------- */

typedef struct taps {
    int64_t n_out, width; /* weights of one output */
    int64_t *first;       /* [n_out] */
    double *weight;       /* [n_out][width], zero where fewer are needed */
} taps;

static void taps_done(taps *t)
{
    nod_free(t->first);
    nod_free(t->weight);
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    if (x < 2) return ((x - 5) * x + 8) * x * a - 4 * a;
    return 0;
}

/* Weight of input sample k for an output centred at input coordinate c (sample k at k). */
static double weight_of(nod_interp interp, double k, double c, double scale)
{
    double x = (k - c) / scale;
    switch (interp) {
    case NOD_INTERP_LINEAR:
        return fmax(0, 1 - fabs(x));
    case NOD_INTERP_CUBIC:
        return cubic(x);
    case NOD_INTERP_AREA: /* overlap of [k - .5, k + .5] with [c - scale/2, c + scale/2] */
        return fmax(0, fmin(k + 0.5, c + scale / 2) - fmax(k - 0.5, c - scale / 2));
    case NOD_INTERP_NEAREST:
        break;
    }
    return 1;
}

static int taps_init(taps *t, int64_t n_in, int64_t n_out, nod_interp interp, nod_error *err)
{
    double ratio = (double)n_in / (double)n_out, scale = fmax(ratio, 1);
    if (interp == NOD_INTERP_AREA && n_out >= n_in) interp = NOD_INTERP_LINEAR;
    double reach = interp == NOD_INTERP_CUBIC    ? 2 * scale
                   : interp == NOD_INTERP_LINEAR ? scale
                   : interp == NOD_INTERP_AREA   ? 0.5 * scale + 0.5
                                                 : 0;
    int64_t most = interp == NOD_INTERP_NEAREST ? 1 : (int64_t)ceil(2 * reach) + 2;
    *t = (taps){.n_out = n_out, .width = NOD_MIN(most, n_in)};
    size_t count;
    if (nod_size_mul((size_t)n_out, (size_t)t->width, &count)) {
        t->first = nod_calloc((size_t)n_out, sizeof *t->first);
        t->weight = nod_calloc(count, sizeof *t->weight);
    }
    if (t->first == NULL || t->weight == NULL)
        return nod_fail_memory(err, "resizing an image", (size_t)n_out * sizeof *t->first);
    for (int64_t i = 0; i < n_out; i++) {
        double c = ((double)i + 0.5) * ratio - 0.5, sum = 0;
        double *w = t->weight + i * t->width;
        if (interp == NOD_INTERP_NEAREST) {
            t->first[i] = NOD_MIN((int64_t)(c + 0.5), n_in - 1);
            w[0] = 1;
            continue;
        }
        int64_t lo = (int64_t)ceil(c - reach), hi = (int64_t)floor(c + reach);
        int64_t begin = NOD_MAX((int64_t)0, NOD_MIN(lo, n_in - t->width));
        for (int64_t k = lo; k <= hi; k++) {
            int64_t at = NOD_MAX((int64_t)0, NOD_MIN(k, n_in - 1)) - begin;
            double v = weight_of(interp, (double)k, c, scale);
            NOD_ASSERT(at >= 0 && at < t->width);
            w[at] += v;
            sum += v;
        }
        for (int64_t k = 0; k < t->width; k++)
            w[k] /= sum;
        t->first[i] = begin;
    }
    return 0;
}

/* --- passes ----------------------------------------------------------------------------- */

/* src [outer][n_in][inner] -> dst [outer][n_out][inner]; `row` has `inner` doubles. */
static void resample_axis(const float *src, float *dst, int64_t outer, int64_t n_in,
                          int64_t inner, const taps *t, double *row)
{
    for (int64_t o = 0; o < outer; o++, src += n_in * inner)
        for (int64_t i = 0; i < t->n_out; i++, dst += inner) {
            const double *w = t->weight + i * t->width;
            const float *from = src + t->first[i] * inner;
            if (inner == 1) {
                double sum = 0;
                for (int64_t k = 0; k < t->width; k++)
                    sum += w[k] * from[k];
                dst[0] = (float)sum;
                continue;
            }
            memset(row, 0, (size_t)inner * sizeof *row);
            for (int64_t k = 0; k < t->width; k++)
                for (int64_t x = 0; w[k] != 0 && x < inner; x++)
                    row[x] += w[k] * from[k * inner + x];
            for (int64_t x = 0; x < inner; x++)
                dst[x] = (float)row[x];
        }
}

static int check_sizes(const int64_t in[3], const int64_t out[3], nod_error *err)
{
    for (int d = 0; d < 3; d++)
        if (in[d] < 1 || out[d] < 1 || in[d] > MAX_SIDE || out[d] > MAX_SIDE)
            return nod_fail(err, NOD_ESHAPE,
                            "cannot resize %lld x %lld x %lld to %lld x %lld x "
                            "%lld: sides are 1 to 2^31",
                            (long long)in[0], (long long)in[1], (long long)in[2],
                            (long long)out[0], (long long)out[1], (long long)out[2]);
    return 0;
}

int nod_resize_f32(const float *src, const int64_t size_in[3], float *dst,
                   const int64_t size_out[3], nod_interp interp, nod_error *err)
{
    int rc = check_sizes(size_in, size_out, err);
    if (rc != 0) return rc;
    taps t[3] = {0};
    float *between[3] = {0}; /* what the pass over an axis leaves, unless it is dst */
    double *row = NULL;
    int64_t size[3] = {size_in[0], size_in[1], size_in[2]};
    int last = -1; /* axis of the last pass */
    for (int d = 2; d >= 0; d--)
        if (size_in[d] != size_out[d]) last = d;
    size_t n_row;
    if (!nod_size_mul((size_t)size_out[1], (size_t)size_out[2], &n_row) ||
        (row = nod_calloc(n_row, sizeof *row)) == NULL) {
        rc = nod_fail_memory(err, "resizing an image", (size_t)size_out[2] * sizeof *row);
        goto out;
    }
    /* All memory first, so that dst stays untouched on failure. */
    for (int d = 2; d >= 0; d--) {
        if (size_in[d] == size_out[d]) continue;
        NOD_TRY(taps_init(&t[d], size_in[d], size_out[d], interp, err));
        size[d] = size_out[d];
        if (d == last) break;
        size_t n;
        if (!nod_size_mul((size_t)size[0], (size_t)size[1], &n) ||
            !nod_size_mul(n, (size_t)size[2], &n) ||
            (between[d] = nod_calloc(n, sizeof(float))) == NULL) {
            rc = nod_fail_memory(err, "resizing an image", (size_t)size[2] * sizeof(float));
            goto out;
        }
    }
    if (last < 0) {
        memcpy(dst, src, (size_t)(size[0] * size[1] * size[2]) * sizeof *dst);
        goto out;
    }
    const float *from = src;
    memcpy(size, size_in, sizeof size);
    for (int d = 2; d >= 0; d--) {
        if (size_in[d] == size_out[d]) continue;
        float *to = d == last ? dst : between[d];
        int64_t outer = d == 0 ? 1 : d == 1 ? size[0] : size[0] * size[1];
        int64_t inner = d == 0 ? size[1] * size[2] : d == 1 ? size[2] : 1;
        resample_axis(from, to, outer, size[d], inner, &t[d], row);
        size[d] = size_out[d];
        from = to;
    }
out:
    for (int d = 0; d < 3; d++) {
        taps_done(&t[d]);
        nod_free(between[d]);
    }
    nod_free(row);
    return rc;
}
