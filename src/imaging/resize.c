/* resize.c: separable resampling of planes and volumes.
 *
 * Each axis gets a table of taps: for output i the first input sample and the weights, in
 * double, summing to 1. A kernel that reaches over the edge puts its weight on the edge sample.
 * Axes are done one after the other, from the innermost outwards; an axis that stays as it is is
 * left out, since every kernel here is the identity there. A pass is cut into lines of outputs,
 * each summed in the order of its taps: neither threads nor wider registers change a bit.
 * Sources: Keys, IEEE Trans. ASSP 29(6), 1981, for the cubic. */
#include "imaging/resize.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define MAX_SIDE ((int64_t)1 << 31)
#define LINE     512   /* sums held at a time */
#define GRAIN    16384 /* outputs that are worth a piece of work of their own */

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

nod_resize_axis nod_resize_axis_fit(int64_t n_in, int64_t n_out)
{
    return (nod_resize_axis){
        .n_in = n_in, .n_out = n_out, .step = (double)n_in / (double)n_out};
}

bool nod_resize_axis_is_identity(const nod_resize_axis *a)
{
    return a->n_in == a->n_out && a->at == NULL && a->step == 1 && a->shift == 0;
}

/* Weights of the output at coordinate c; a kernel that starts before the first sample or ends
 * behind the last puts what is over on that one. */
static int64_t weigh(nod_interp interp, double c, double scale, double reach, int64_t n_in,
                     int64_t width, double *w)
{
    double sum = 0, last = (double)n_in - 1;
    c = fmin(fmax(c, -reach), last + reach); /* all weight is on the edge beyond */
    int64_t lo = (int64_t)ceil(c - reach), hi = (int64_t)floor(c + reach);
    int64_t begin = NOD_MAX((int64_t)0, NOD_MIN(lo, n_in - width));
    for (int64_t k = lo; k <= hi; k++) {
        int64_t at = NOD_MAX((int64_t)0, NOD_MIN(k, n_in - 1)) - begin;
        double v = weight_of(interp, (double)k, c, scale);
        NOD_ASSERT(at >= 0 && at < width);
        w[at] += v;
        sum += v;
    }
    for (int64_t k = 0; k < width; k++)
        w[k] /= sum;
    return begin;
}

static int taps_init(taps *t, const nod_resize_axis *a, nod_interp interp, nod_error *err)
{
    int64_t n_in = a->n_in, n_out = a->n_out;
    /* a step beyond the whole axis widens no further: there is nothing left to average */
    double scale = a->at ? 1 : fmin(fmax(a->step, 1), (double)n_in);
    if (interp == NOD_INTERP_AREA && (a->at || a->step <= 1)) interp = NOD_INTERP_LINEAR;
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
        double c = a->at ? a->at[i] : ((double)i + 0.5) * a->step - 0.5 + a->shift;
        double *w = t->weight + i * t->width;
        if (interp == NOD_INTERP_NEAREST) {
            t->first[i] = (int64_t)fmin(fmax(c + 0.5, 0), (double)(n_in - 1));
            w[0] = 1;
        } else {
            t->first[i] = weigh(interp, c, scale, reach, n_in, t->width, w);
        }
    }
    return 0;
}

/* --- passes ----------------------------------------------------------------------------- */

/* One pass: src [outer][n_in][inner] -> dst [outer][n_out][inner]. */
typedef struct pass {
    const float *src;
    float *dst;
    int64_t outer, n_in, inner, grain; /* grain: lines of a piece */
    const taps *t;
    bool wide;
} pass;

/* dst[x] = sum over k of w[k] from[k * inner + x], at most LINE of them. */
NOD_INLINE void sum_line(const float *from, int64_t inner, const double *w, int64_t width,
                         int64_t n, float *dst)
{
    double row[LINE] = {0};
    for (int64_t k = 0; k < width; k++) {
        const float *f = from + k * inner;
        double v = w[k];
        if (v == 0) continue;
#pragma omp simd
        for (int64_t x = 0; x < n; x++)
            row[x] += v * (double)f[x];
    }
#pragma omp simd
    for (int64_t x = 0; x < n; x++)
        dst[x] = (float)row[x];
}

/* The same with wider registers; no fused multiply-add, so with the same bits. */
NOD_TARGET("avx2")
static void sum_line_wide(const float *from, int64_t inner, const double *w, int64_t width,
                          int64_t n, float *dst)
{
    sum_line(from, inner, w, width, n, dst);
}

static void sum_line_any(const float *from, int64_t inner, const double *w, int64_t width,
                         int64_t n, float *dst)
{
    sum_line(from, inner, w, width, n, dst);
}

/* Where neighbours are the taps: a line is a row of outputs. */
static void pass_rows(const pass *p, int64_t o)
{
    const taps *t = p->t;
    const float *src = p->src + o * p->n_in;
    float *dst = p->dst + o * t->n_out;
    for (int64_t i = 0; i < t->n_out; i++) {
        const double *w = t->weight + i * t->width;
        const float *from = src + t->first[i];
        double sum = 0;
        for (int64_t k = 0; k < t->width; k++)
            sum += w[k] * (double)from[k];
        dst[i] = (float)sum;
    }
}

/* Where taps are `inner` apart: a line is one output index of one block. */
static void pass_blocks(const pass *p, int64_t line)
{
    const taps *t = p->t;
    int64_t o = line / t->n_out, i = line % t->n_out;
    const float *from = p->src + (o * p->n_in + t->first[i]) * p->inner;
    const double *w = t->weight + i * t->width;
    float *dst = p->dst + line * p->inner;
    for (int64_t x = 0; x < p->inner; x += LINE)
        (p->wide ? sum_line_wide : sum_line_any)(from + x, p->inner, w, t->width,
                                                 NOD_MIN(LINE, p->inner - x), dst + x);
}

static void pass_piece(void *ctx, int64_t piece)
{
    const pass *p = ctx;
    int64_t lines = p->inner == 1 ? p->outer : p->outer * p->t->n_out;
    int64_t end = NOD_MIN((piece + 1) * p->grain, lines);
    for (int64_t line = piece * p->grain; line < end; line++)
        if (p->inner == 1)
            pass_rows(p, line);
        else
            pass_blocks(p, line);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): pass_piece writes to dst */
static void resample_axis(const float *src, float *dst, int64_t outer, int64_t n_in,
                          int64_t inner, const taps *t)
{
    pass p = {.src = src, .dst = dst, .outer = outer, .n_in = n_in, .inner = inner, .t = t};
    int64_t lines = inner == 1 ? outer : outer * t->n_out;
    p.grain = NOD_MAX(1, GRAIN / (inner == 1 ? t->n_out : inner));
    p.wide = __builtin_cpu_supports("avx2");
    nod_parallel_for((lines + p.grain - 1) / p.grain, pass_piece, &p);
}

static int check_sizes(const nod_resize_axis a[3], nod_error *err)
{
    for (int d = 0; d < 3; d++)
        if (a[d].n_in < 1 || a[d].n_out < 1 || a[d].n_in > MAX_SIDE || a[d].n_out > MAX_SIDE)
            return nod_fail(err, NOD_ESHAPE,
                            "cannot resize %lld x %lld x %lld to %lld x %lld x "
                            "%lld: sides are 1 to 2^31",
                            (long long)a[0].n_in, (long long)a[1].n_in, (long long)a[2].n_in,
                            (long long)a[0].n_out, (long long)a[1].n_out,
                            (long long)a[2].n_out);
    return 0;
}

int nod_resize_axes_f32(const float *src, const nod_resize_axis axes[3], int64_t channels,
                        float *dst, nod_interp interp, nod_error *err)
{
    int rc = check_sizes(axes, err);
    if (rc != 0) return rc;
    taps t[3] = {0};
    float *between[3] = {0}; /* what the pass over an axis leaves, unless it is dst */
    int64_t size[3] = {axes[0].n_in, axes[1].n_in, axes[2].n_in};
    int last = -1; /* axis of the last pass */
    for (int d = 2; d >= 0; d--)
        if (!nod_resize_axis_is_identity(&axes[d])) last = d;
    /* All memory first, so that dst stays untouched on failure. */
    for (int d = 2; d >= 0 && last >= 0; d--) {
        size_t n = (size_t)channels;
        if (nod_resize_axis_is_identity(&axes[d])) continue;
        NOD_TRY(taps_init(&t[d], &axes[d], interp, err));
        size[d] = axes[d].n_out;
        if (d == last) break;
        for (int e = 0; e < 3; e++)
            if (!nod_size_mul(n, (size_t)size[e], &n)) n = SIZE_MAX;
        if (n == SIZE_MAX || (between[d] = nod_calloc(n, sizeof(float))) == NULL) {
            rc = nod_fail_memory(err, "resizing an image", (size_t)size[2] * sizeof(float));
            goto out;
        }
    }
    if (last < 0) {
        memcpy(dst, src, (size_t)(size[0] * size[1] * size[2] * channels) * sizeof *dst);
        goto out;
    }
    const float *from = src;
    for (int d = 0; d < 3; d++)
        size[d] = axes[d].n_in;
    for (int d = 2; d >= 0; d--) {
        if (nod_resize_axis_is_identity(&axes[d])) continue;
        float *to = d == last ? dst : between[d];
        int64_t outer = d == 0 ? 1 : d == 1 ? size[0] : size[0] * size[1];
        int64_t inner = d == 0 ? size[1] * size[2] : d == 1 ? size[2] : 1;
        resample_axis(from, to, outer, size[d], inner * channels, &t[d]);
        size[d] = axes[d].n_out;
        from = to;
    }
out:
    for (int d = 0; d < 3; d++) {
        taps_done(&t[d]);
        nod_free(between[d]);
    }
    return rc;
}

int nod_resize_f32(const float *src, const int64_t size_in[3], float *dst,
                   const int64_t size_out[3], nod_interp interp, nod_error *err)
{
    nod_resize_axis axes[3];
    for (int d = 0; d < 3; d++)
        axes[d] = (nod_resize_axis){.n_in = size_in[d], .n_out = size_out[d], .step = 1};
    int rc = check_sizes(axes, err);
    for (int d = 0; d < 3 && rc == 0; d++)
        axes[d] = nod_resize_axis_fit(size_in[d], size_out[d]);
    return rc ? rc : nod_resize_axes_f32(src, axes, 1, dst, interp, err);
}
