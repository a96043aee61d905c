/* signature.c: poses, tables, and making a signature; comparing two is in signature_compare.c.
 *
 * A cosine transform of even symmetry turns a mirrored axis into changed signs of the odd
 * frequencies and exchanged axes into exchanged frequencies, so one transform gives the hash of
 * every pose. The coefficients of a window are sums over it with cosines stretched to its length,
 * integrated over each sample, so a window may begin and end inside one.
 * Source of the idea (signs of low cosine coefficients): Zauner, "Implementation and benchmarking of
 * perceptual image hash functions", 2010, 3.2.1; poses and windows are ours. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/resize.h"
#include "imaging/signature_internal.h"
#include "imaging/statistics.h"

/* Ends of a window: a copy that lacks up to a tenth of a side at an end is at most a fortieth of it
 * away from one of them. */
static const double ends[] = {0.025, 0.075};

/* --- poses -------------------------------------------------------------------------------- */

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

int nod_pose_count(int n_axes)
{
    return n_axes == 3 ? 48 : 8;
}

nod_pose nod_pose_at(int n_axes, int i)
{
    NOD_ASSERT(i >= 0 && i < nod_pose_count(n_axes));
    int n_flips = n_axes == 3 ? 8 : 4, order = i / n_flips, flips = i % n_flips;
    nod_pose p = {.axis = {orders[order][0], orders[order][1], orders[order][2]}};
    for (int k = 0; k < 3; k++)
        p.flip[2 - k] = flips >> k & 1;
    return p;
}

const char *nod_pose_name(const nod_pose *p)
{
    int flips = p->flip[0] + p->flip[1] + p->flip[2], fixed = 0;
    for (int k = 0; k < 3; k++)
        fixed += p->axis[k] == k;
    bool odd = fixed == 1; /* one exchange; three axes in a ring are two */
    if (fixed == 3 && flips == 0) return "";
    if (((flips & 1) != 0) == odd) return "rotated";
    return fixed == 3 && flips == 1 ? "mirrored" : "mirrored+rotated";
}

/* --- tables ------------------------------------------------------------------------------- */

/* Frequencies (u, v, w) of at most this squared radius, without the mean. */
static int count_within(int n_axes, int radius2)
{
    int n = 0, most = (int)sqrt((double)radius2);
    for (int u = 0; u <= (n_axes == 3 ? most : 0); u++)
        for (int v = 0; v <= most; v++)
            for (int w = 0; w <= most; w++)
                n += u * u + v * v + w * w <= radius2;
    return n - 1;
}

/* A whole shell at a time: poses exchange frequencies of one radius. */
static void choose_bits(nod_signer_plan *p)
{
    int radius2 = 1;
    while (count_within(p->n_axes, radius2 + 1) <= NOD_PHASH_BITS)
        radius2++;
    int most = (int)sqrt((double)radius2);
    p->n_freq = most + 1;
    for (int u = 0; u <= (p->n_axes == 3 ? most : 0); u++)
        for (int v = 0; v <= most; v++)
            for (int w = 0; w <= most; w++) {
                if (u + v + w == 0 || u * u + v * v + w * w > radius2) continue;
                int8_t *f = p->freq[p->n_bits++];
                f[0] = (int8_t)u;
                f[1] = (int8_t)v;
                f[2] = (int8_t)w;
            }
}

/* Integral of cos(pi u (x - lo) / (hi - lo)) over what [a, b] and [lo, hi] share. */
static double cosine_over(double a, double b, double lo, double hi, int u)
{
    a = fmax(a, lo);
    b = fmin(b, hi);
    if (b <= a) return 0;
    if (u == 0) return b - a;
    double k = M_PI * u / (hi - lo);
    return (sin(k * (b - lo)) - sin(k * (a - lo))) / k;
}

static void fill_spans(nod_signer_plan *p)
{
    p->hi[0] = 1;
    for (int i = 0; i < 4; i++) {
        p->lo[i + 1] = ends[i / 2];
        p->hi[i + 1] = 1 - ends[i % 2];
    }
    for (int i = 0; i < NOD_SPANS; i++)
        for (int x = 0; x < p->side; x++)
            for (int u = 0; u < p->n_freq; u++)
                p->span[i][x * p->n_freq + u] = (float)cosine_over(
                    (double)x / p->side, (double)(x + 1) / p->side, p->lo[i], p->hi[i], u);
}

static void fill_windows(nod_signer_plan *p)
{
    p->n_windows = 1; /* the first is the whole */
    for (int a = 1; a < (p->n_axes == 3 ? NOD_SPANS : 2); a++)
        for (int b = 1; b < NOD_SPANS; b++)
            for (int c = 1; c < NOD_SPANS; c++) {
                uint8_t *w = p->window[p->n_windows++];
                w[0] = p->n_axes == 3 ? (uint8_t)a : 0;
                w[1] = (uint8_t)b;
                w[2] = (uint8_t)c;
            }
}

static void fill_cosines(nod_signer_plan *p)
{
    for (int x = 0; x < p->side; x++)
        for (int u = 0; u < p->band_max; u++) {
            double scale = sqrt((u ? 2.0 : 1.0) / p->side);
            double v = scale * cos(M_PI * u * (x + 0.5) / p->side);
            p->cosine[x * p->band_max + u] = (float)v;
            p->inverse[u * p->side + x] = (float)v;
        }
}

static void make_plan(nod_signer_plan *p, int n_axes, int side, int band, int grid, int margin)
{
    p->n_axes = n_axes;
    p->side = side;
    p->n_samples = (size_t)side * (size_t)side * (size_t)(n_axes == 3 ? side : 1);
    p->band_max = band;
    p->grid = grid;
    p->margin = margin;
    choose_bits(p);
    NOD_ASSERT(p->n_freq <= NOD_HASH_FREQ);
    fill_spans(p);
    fill_windows(p);
    fill_cosines(p);
}

int nod_signer_new(nod_signer **out, nod_error *err)
{
    nod_signer *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "tables of signatures", sizeof *s);
    make_plan(&s->plane, 2, 64, 32, 32, 2);
    make_plan(&s->volume, 3, 24, 16, 16, 1);
    *out = s;
    return 0;
}

void nod_signer_free(nod_signer *s)
{
    nod_free(s);
}

int nod_signer_bits(const nod_signer *s, int n_axes)
{
    return nod_signer_plan_of(s, n_axes)->n_bits;
}

int nod_signer_windows(const nod_signer *s, int n_axes)
{
    return nod_signer_plan_of(s, n_axes)->n_windows;
}

/* --- transforms --------------------------------------------------------------------------- */

/* dst[o][k][i] = sum over x of m[x][k] src[o][x][i], m of `stride` columns. */
static void transform(const float *src, int outer, int n_in, int inner, const float *m,
                      int stride, int n_out, float *dst)
{
    memset(dst, 0, sizeof *dst * (size_t)outer * (size_t)n_out * (size_t)inner);
    for (int o = 0; o < outer; o++)
        for (int x = 0; x < n_in; x++) {
            const float *row = m + (size_t)x * (size_t)stride;
            const float *from = src + ((size_t)o * (size_t)n_in + (size_t)x) * (size_t)inner;
            float *to = dst + (size_t)o * (size_t)n_out * (size_t)inner;
            if (inner == 1) {
                for (int k = 0; k < n_out; k++)
                    to[k] += row[k] * from[0];
                continue;
            }
            for (int k = 0; k < n_out; k++)
                for (int i = 0; i < inner; i++)
                    to[k * inner + i] += row[k] * from[i];
        }
}

void nod_relief_filter(const nod_signer_plan *p, const int band[3], bool weigh, float *field,
                       float *work)
{
    int s = p->side, d = p->n_axes == 3 ? s : 1, m = p->band_max;
    int nd = p->n_axes == 3 ? band[0] : 1, nh = band[1], nw = band[2];
    transform(field, d * s, s, 1, p->cosine, m, nw, work);
    transform(work, d, s, nw, p->cosine, m, nh, field);
    if (d > 1)
        transform(field, 1, d, nh * nw, p->cosine, m, nd, work);
    else
        memcpy(work, field, sizeof *work * (size_t)(nh * nw));
    for (int u = 0; u < nd && weigh; u++)
        for (int v = 0; v < nh; v++)
            for (int w = 0; w < nw; w++)
                work[(u * nh + v) * nw + w] *= (float)sqrt((double)(u * u + v * v + w * w));
    if (d > 1)
        transform(work, 1, nd, nh * nw, p->inverse, s, d, field);
    else
        memcpy(field, work, sizeof *field * (size_t)(nh * nw));
    transform(field, d, nh, nw, p->inverse, s, s, work);
    transform(work, d * s, nw, 1, p->inverse, s, s, field);
}

/* --- making ------------------------------------------------------------------------------- */

/* Luminance of slice z of the first frame; what was not measured gets `background`. */
static int take_slice(const nod_image *im, int64_t z, float background, float *plane,
                      nod_error *err)
{
    int64_t n = im->height * im->width;
    size_t bytes = nod_image_bytes(im) / (size_t)(im->frames * im->depth);
    nod_image slice = *im;
    slice.frames = slice.depth = 1;
    slice.data = (char *)im->data + (size_t)z * bytes;
    int rc = nod_image_to_f32(&slice, 1, plane, err);
    for (int64_t i = 0; im->padding && i < n; i++)
        if (nod_image_is_padding(im, z * n + i)) plane[i] = background;
    return rc;
}

/* Smallest measured value in units of nod_image_to_f32: what padding looks like. */
static int find_background(const nod_image *im, float *out, nod_error *err)
{
    nod_image_statistics m = {0};
    double none;
    if (im->padding == NULL) return 0;
    int rc = nod_image_measure(im, NULL, 0, &m, &none, err);
    double full = im->sample == NOD_SAMPLE_U8 ? 255 : im->sample == NOD_SAMPLE_U16 ? 65535 : 1;
    if (rc == 0) *out = (float)(m.min / full);
    return rc;
}

/* The first frame at the plan's sides. */
static int shrink(const nod_signer_plan *p, const nod_image *im, float *field, nod_error *err)
{
    int64_t s = p->side, d = im->depth;
    int64_t from[3] = {1, im->height, im->width}, to[3] = {1, s, s};
    float background = 0, *plane = nod_malloc(sizeof *plane * (size_t)(from[1] * from[2]));
    float *stack = d > 1 ? nod_malloc(sizeof *stack * (size_t)(d * s * s)) : NULL;
    int rc = 0;
    if (plane == NULL || (d > 1 && stack == NULL)) {
        rc = nod_fail_memory(err, "a small picture",
                             sizeof *plane * (size_t)(from[1] * from[2]));
        goto out;
    }
    NOD_TRY(find_background(im, &background, err));
    for (int64_t z = 0; z < d; z++) {
        NOD_TRY(take_slice(im, z, background, plane, err));
        NOD_TRY(nod_resize_f32(plane, from, d > 1 ? stack + z * s * s : field, to,
                               NOD_INTERP_AREA, err));
    }
    if (d > 1) {
        const int64_t thick[3] = {d, s, s}, cube[3] = {s, s, s};
        NOD_TRY(nod_resize_f32(stack, thick, field, cube, NOD_INTERP_AREA, err));
    }
out:
    nod_free(plane);
    nod_free(stack);
    return rc;
}

/* Frequencies that `size` samples hold with some certainty. */
static int band_of(const nod_signer_plan *p, int64_t size)
{
    int64_t most = NOD_MAX((int64_t)2, size * 3 / 4);
    return (int)NOD_MIN(most, (int64_t)p->band_max);
}

static void hash_window(const nod_signer_plan *p, const float *coefficients, nod_phash *out)
{
    int n = p->n_freq;
    for (int b = 0; b < p->n_bits; b++) {
        const int8_t *f = p->freq[b];
        if (coefficients[(f[0] * n + f[1]) * n + f[2]] > 0)
            out->word[b / 64] |= (uint64_t)1 << (b % 64);
    }
}

/* The signs of a whole image in a pose. */
static void hash_pose(const nod_signer_plan *p, const float *coefficients, const nod_pose *pose,
                      nod_phash *out)
{
    int n = p->n_freq;
    for (int b = 0; b < p->n_bits; b++) {
        int of[3], odd = 0;
        for (int k = 0; k < 3; k++) {
            of[pose->axis[k]] = (unsigned char)p->freq[b][k]; /* from 0 */
            odd ^= pose->flip[k] && (p->freq[b][k] & 1);
        }
        float v = coefficients[(of[0] * n + of[1]) * n + of[2]];
        if ((odd ? -v : v) > 0) out->word[b / 64] |= (uint64_t)1 << (b % 64);
    }
}

/* Hashes of all windows, and of all poses of the whole. `work` has three times n_samples. */
static void hash_all(const nod_signer_plan *p, const float *field, float *work,
                     nod_signature *out)
{
    int s = p->side, d = p->n_axes == 3 ? s : 1, n = p->n_freq;
    float *rows = work, *planes = rows + p->n_samples, *cube = planes + p->n_samples;
    for (int i = 0; i < p->n_windows; i++) {
        const uint8_t *w = p->window[i];
        transform(field, d * s, s, 1, p->span[w[2]], n, n, rows);
        transform(rows, d, s, n, p->span[w[1]], n, n, planes);
        const float *coefficients = planes;
        if (d > 1) {
            transform(planes, 1, d, n * n, p->span[w[0]], n, n, cube);
            coefficients = cube;
        }
        hash_window(p, coefficients, &out->windows[i]);
        for (int k = 0; i == 0 && k < nod_pose_count(p->n_axes); k++) {
            nod_pose pose = nod_pose_at(p->n_axes, k);
            hash_pose(p, coefficients, &pose, &out->poses[k]);
        }
    }
}

/* To 16 bits, its largest value at the end of their range. False where nothing stands out from
 * the rounding of the image's own floats. */
static bool store_relief(const float *field, size_t n, float scale, int16_t *out)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(field[i]));
    if (!(most > scale * 1e-5F) || !isfinite(most)) return false;
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)lrintf(field[i] / most * 32767);
    return true;
}

int nod_signature_make(const nod_signer *s, const nod_image *im, nod_signature *out,
                       nod_error *err)
{
    const nod_signer_plan *p = im->depth > 1 ? &s->volume : &s->plane;
    nod_signature g = {.size = {im->depth, im->height, im->width}};
    float *field = nod_calloc(p->n_samples, 4 * sizeof *field), scale = 0;
    int rc = 0;
    g.relief = nod_calloc(p->n_samples, sizeof *g.relief);
    g.windows = nod_calloc((size_t)p->n_windows, sizeof *g.windows);
    if (!field || !g.relief || !g.windows) {
        rc = nod_fail_memory(err, "a signature", p->n_samples * 4 * sizeof *field);
        goto out;
    }
    for (int k = 0; k < 3; k++)
        g.band[k] = band_of(p, g.size[k]);
    NOD_TRY(shrink(p, im, field, err));
    for (size_t i = 0; i < p->n_samples; i++)
        scale = fmaxf(scale, fabsf(field[i]));
    nod_relief_filter(p, g.band, true, field, field + p->n_samples);
    bool small =
        NOD_MIN(im->height, im->width) < NOD_SIGNATURE_MIN ||
        (im->depth > 1 && im->depth * im->height * im->width < NOD_SIGNATURE_MIN_VOXELS);
    if (!small && store_relief(field, p->n_samples, scale, g.relief)) {
        g.n_axes = p->n_axes;
        hash_all(p, field, field + p->n_samples, &g);
    }
    *out = g;
    g = (nod_signature){0};
out:
    nod_free(field);
    nod_signature_done(&g);
    return rc;
}

void nod_signature_done(nod_signature *g)
{
    nod_free(g->relief);
    nod_free(g->windows);
    *g = (nod_signature){0};
}

size_t nod_signature_bytes(const nod_signer *s, const nod_signature *g)
{
    const nod_signer_plan *p = nod_signer_plan_of(s, g->n_axes);
    return sizeof *g + p->n_samples * sizeof *g->relief +
           (size_t)p->n_windows * sizeof *g->windows;
}
