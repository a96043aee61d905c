/* signature_compare.c: the correlation of two signatures, one laid over a window of the other.
 *
 * Both reliefs are read at a grid of points by cubic interpolation: they hold half the
 * frequencies that their samples could (two thirds in a volume), so little is lost by it. The
 * sides of the window are moved one at a time by ever smaller steps while that helps. Points near
 * the edge are left out: a cosine transform continues an image by its mirror, and a cropped copy
 * is mirrored elsewhere. What looks like a copy is then compared once more, at the frequencies that
 * the window leaves to both. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "imaging/signature_internal.h"

#define TAPS     4
#define GRID_MAX 32
#define TILE     7 /* points along a tile's side */
/* Variance of a tile, as a share of the mean square of all points, from which it says something. */
#define TILE_LEAST 0.2
/* From here it is worth looking closely. */
#define PROMISING 0.75

/* One round of moves: by how much, and the correlation below which the search is given up. Of 1100
 * cropped copies that were found at last (docs/near-duplicates.md) one was below .6 after the first
 * round and none below .73 after the second. */
typedef struct round {
    double step, least;
} round_of_moves;
static const round_of_moves rough[] = {{0.02, 0.5}, {0.01, 0.7}, {0.005, 0.7}, {0.0025, 0.7}};
static const round_of_moves fine[] = {{0.005, 0}, {0.0025, 0}, {0.00125, 0}};

/* Where the points of a grid lie along one axis. */
typedef struct axis_taps {
    int n;
    int first[GRID_MAX][TAPS]; /* samples, those beyond an end at the end */
    float weight[GRID_MAX][TAPS];
} axis_taps;

typedef struct comparing {
    const nod_signer_plan *p;
    int first_axis; /* 1 of planes */
    float *whole;   /* relief of the whole */
    float *part; /* at first the relief of the other; then at the grid's points, normalised */
    float *work; /* [2][n_samples], of resampling */
    double sign;
    bool wide; /* the processor has AVX2 and FMA */
    axis_taps taps[3];
} comparing;

/* --- reading at points -------------------------------------------------------------------- */

static float keys(float x)
{
    x = fabsf(x);
    if (x < 1) return (1.5F * x - 2.5F) * x * x + 1;
    return x < 2 ? ((-0.5F * x + 2.5F) * x - 4) * x + 2 : 0;
}

/* The points of a grid over [lo, hi], without the margin's. */
static void make_taps(const nod_signer_plan *p, double lo, double hi, axis_taps *t)
{
    t->n = p->grid - 2 * p->margin;
    for (int g = 0; g < t->n; g++) {
        double at = (g + p->margin + 0.5) / p->grid;
        double x = (lo + (hi - lo) * at) * p->side - 0.5, base = floor(x);
        for (int k = 0; k < TAPS; k++) {
            int sample = (int)base - 1 + k;
            t->first[g][k] = NOD_MAX(0, NOD_MIN(sample, p->side - 1));
            t->weight[g][k] = keys((float)(x - base) + 1 - (float)k);
        }
    }
}

/* One axis: dst[o][g][i] from src[o][x][i]. */
NOD_INLINE void read_axis(const float *src, int outer, int side, int inner, const axis_taps *t,
                          float *NOD_RESTRICT dst)
{
    for (int o = 0; o < outer; o++)
        for (int g = 0; g < t->n; g++) {
            const float *from = src + (size_t)(o * side) * (size_t)inner, *w = t->weight[g];
            const float *a = from + t->first[g][0] * inner, *b = from + t->first[g][1] * inner;
            const float *c = from + t->first[g][2] * inner, *d = from + t->first[g][3] * inner;
            float *to = dst + (size_t)(o * t->n + g) * (size_t)inner;
            for (int i = 0; i < inner; i++)
                to[i] = w[0] * a[i] + w[1] * b[i] + w[2] * c[i] + w[3] * d[i];
        }
}

static size_t n_points(const comparing *c)
{
    size_t g = (size_t)(c->p->grid - 2 * c->p->margin);
    return c->p->n_axes == 3 ? g * g * g : g * g;
}

/* A relief at the grid's points, the last axis outermost (so that every pass runs along rows of many);
 * what is returned lies in `work`. */
NOD_INLINE const float *read_points(const comparing *c, const float *field)
{
    int s = c->p->side, g = c->taps[1].n, rows = g;
    float *work = c->work, *other = work + c->p->n_samples;
    if (c->p->n_axes == 3) {
        read_axis(field, 1, s, s * s, &c->taps[0], other);
        field = other;
        rows = g * g;
    }
    read_axis(field, rows / g, s, s, &c->taps[1], work);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < s; x++)
            other[x * rows + y] = work[y * s + x];
    read_axis(other, 1, s, rows, &c->taps[2], work);
    return work;
}

static void set_axis(comparing *c, const nod_likeness *l, int k)
{
    make_taps(c->p, l->lo[k], l->hi[k], &c->taps[k]);
}

static void set_axes(comparing *c, const nod_likeness *l)
{
    for (int k = c->first_axis; k < 3; k++)
        set_axis(c, l, k);
}

/* Exchanges the part's relief for its values at the points, of mean 0 and sum of squares 1. False
 * where there is nothing but the mean. */
static bool read_part(comparing *c)
{
    const nod_likeness all = {.hi = {1, 1, 1}};
    size_t n = n_points(c);
    double sum = 0, squares = 0;
    set_axes(c, &all);
    const float *v = read_points(c, c->part);
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i];
    for (size_t i = 0; i < n; i++) {
        double x = (double)v[i] - sum / (double)n;
        squares += x * x;
    }
    if (!(squares > 0)) return false;
    for (size_t i = 0; i < n; i++)
        c->part[i] = (float)(((double)v[i] - sum / (double)n) / sqrt(squares));
    return true;
}

/* --- correlation -------------------------------------------------------------------------- */

/* Over the window that the taps stand for, times the wanted sign. */
NOD_INLINE double correlate_inline(const comparing *c)
{
    const float *v = read_points(c, c->whole), *part = c->part;
    int n = (int)n_points(c);
    float sum = 0, squares = 0, product = 0;
#pragma omp simd reduction(+ : sum, squares, product)
    for (int i = 0; i < n; i++) {
        sum += v[i];
        squares += v[i] * v[i];
        product += v[i] * part[i];
    }
    double mean = (double)sum / n, spread = (double)squares - mean * mean * n;
    return spread > 0 ? c->sign * (double)product / sqrt(spread) : 0;
}

NOD_TARGET("avx2,fma")
static double correlate_wide(const comparing *c)
{
    return correlate_inline(c);
}

static double correlate_any(const comparing *c)
{
    return correlate_inline(c);
}

static double correlate(const comparing *c)
{
    return c->wide ? correlate_wide(c) : correlate_any(c);
}

/* Sums of one tile of both. */
typedef struct tile_sums {
    double a, b, aa, bb, ab;
} tile_sums;

static tile_sums sum_tile(const comparing *c, const float *v, const int tile[3])
{
    int g = c->taps[1].n, d = c->p->n_axes == 3 ? TILE : 1;
    tile_sums t = {0};
    for (int z = tile[0] * TILE; z < tile[0] * TILE + d; z++)
        for (int y = tile[1] * TILE; y < (tile[1] + 1) * TILE; y++)
            for (int x = tile[2] * TILE; x < (tile[2] + 1) * TILE; x++) {
                int i = (z * g + y) * g + x;
                double a = (double)v[i], b = (double)c->part[i];
                t.a += a;
                t.b += b;
                t.aa += a * a;
                t.bb += b * b;
                t.ab += a * b;
            }
    double n = d * TILE * TILE;
    t.aa -= t.a * t.a / n;
    t.bb -= t.b * t.b / n;
    t.ab -= t.a * t.b / n;
    return t;
}

/* Mean correlation of the tiles in which one of the two has something. */
static double correlate_tiles(const comparing *c)
{
    const float *v = read_points(c, c->whole);
    size_t n = n_points(c), n_tiles = 0;
    int side = c->taps[1].n / TILE, tile[3];
    double squares = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)v[i] * (double)v[i];
    double share = TILE_LEAST * (c->p->n_axes == 3 ? TILE : 1) * TILE * TILE / (double)n;
    for (tile[0] = 0; tile[0] < (c->p->n_axes == 3 ? side : 1); tile[0]++)
        for (tile[1] = 0; tile[1] < side; tile[1]++)
            for (tile[2] = 0; tile[2] < side; tile[2]++) {
                tile_sums t = sum_tile(c, v, tile);
                if (t.aa < share * squares && t.bb < share) continue;
                n_tiles++;
                if (t.aa > 0 && t.bb > 0) sum += t.ab / sqrt(t.aa * t.bb);
            }
    return n_tiles ? c->sign * sum / (double)n_tiles : 0;
}

/* --- search ------------------------------------------------------------------------------- */

/* Moves one side by `by` if that is allowed and helps. */
static bool try_move(comparing *c, nod_likeness *l, int k, bool high, double by)
{
    double *side = high ? &l->hi[k] : &l->lo[k], before = *side;
    double least = high ? 1 - NOD_SIGNATURE_MARGIN : 0, most = high ? 1 : NOD_SIGNATURE_MARGIN;
    *side = fmin(fmax(before + by, least), most);
    if (*side == before) return false;
    set_axis(c, l, k);
    double now = correlate(c);
    if (now > l->correlation) {
        l->correlation = now;
        return true;
    }
    *side = before;
    set_axis(c, l, k);
    return false;
}

/* False where it was given up. */
static bool search(comparing *c, nod_likeness *l, const round_of_moves *rounds, size_t n)
{
    l->correlation = correlate(c);
    for (size_t i = 0; i < n; i++) {
        bool moved = true;
        for (int sweep = 0; sweep < 3 && moved; sweep++) {
            moved = false;
            for (int k = c->first_axis; k < 3; k++)
                for (int high = 0; high < 2; high++)
                    moved |= try_move(c, l, k, high, rounds[i].step) ||
                             try_move(c, l, k, high, -rounds[i].step);
        }
        if (l->correlation < rounds[i].least) return false;
    }
    return true;
}

/* --- two signatures ----------------------------------------------------------------------- */

/* The relief of a signature laid in a pose. */
static void lay(const nod_signer_plan *p, const nod_signature *g, const nod_pose *pose,
                float *dst)
{
    int s = p->side, d = p->n_axes == 3 ? s : 1, at[3], of[3];
    for (at[0] = 0; at[0] < d; at[0]++)
        for (at[1] = 0; at[1] < s; at[1]++)
            for (at[2] = 0; at[2] < s; at[2]++) {
                for (int k = 0; k < 3; k++)
                    of[pose->axis[k]] = pose->flip[k] ? s - 1 - at[k] : at[k];
                *dst++ = g->relief[(of[0] * s + of[1]) * s + of[2]];
            }
}

/* Both reliefs at the frequencies that both images can hold, the part's at those that are left of
 * them in a window. */
static void lay_both(comparing *c, const nod_signature *whole, const nod_signature *part,
                     const nod_pose *pose, const nod_likeness *window)
{
    static const nod_pose as_it_is = {.axis = {0, 1, 2}};
    int band[3] = {1, 1, 1}, within[3] = {1, 1, 1};
    bool less_whole = false, less_part = false;
    for (int k = c->first_axis; k < 3; k++) {
        int of_part = part->band[pose->axis[k]];
        double share = window->hi[k] - window->lo[k];
        band[k] = NOD_MIN(whole->band[k], of_part);
        within[k] = NOD_MAX(1, (int)lrint(band[k] * share));
        less_whole |= band[k] < whole->band[k];
        less_part |= within[k] < of_part;
    }
    lay(c->p, whole, &as_it_is, c->whole);
    lay(c->p, part, pose, c->part);
    if (less_whole) nod_relief_filter(c->p, band, false, c->whole, c->work);
    if (less_part) nod_relief_filter(c->p, within, false, c->part, c->work);
}

static void compare(comparing *c, const nod_signature *whole, const nod_signature *part,
                    const nod_pose *pose, const uint8_t window[3], nod_likeness *l)
{
    const nod_likeness all = {.hi = {1, 1, 1}};
    *l = all;
    lay_both(c, whole, part, pose, &all);
    if (!read_part(c)) return;
    for (int k = c->first_axis; k < 3; k++) {
        l->lo[k] = c->p->lo[window[k]];
        l->hi[k] = c->p->hi[window[k]];
    }
    set_axes(c, l);
    if (search(c, l, rough, NOD_COUNT(rough)) && l->correlation >= PROMISING) {
        lay_both(c, whole, part, pose, l);
        if (read_part(c)) {
            set_axes(c, l);
            search(c, l, fine, NOD_COUNT(fine));
            l->local = c->sign * correlate_tiles(c);
        }
    }
    l->correlation *= c->sign;
}

int nod_signature_compare(const nod_signer *s, const nod_signature *whole, int i_window,
                          const nod_signature *part, int i_pose, bool inverted,
                          nod_likeness *out, nod_error *err)
{
    NOD_ASSERT(whole->n_axes > 0 && whole->n_axes == part->n_axes);
    const nod_signer_plan *p = nod_signer_plan_of(s, whole->n_axes);
    NOD_ASSERT(i_window >= 0 && i_window < p->n_windows);
    nod_pose pose = nod_pose_at(p->n_axes, i_pose);
    size_t n = p->n_samples;
    float *memory = nod_malloc(4 * n * sizeof *memory);
    if (memory == NULL) return nod_fail_memory(err, "comparing images", 4 * n * sizeof *memory);
    comparing c = {.p = p,
                   .first_axis = p->n_axes == 3 ? 0 : 1,
                   .whole = memory,
                   .part = memory + n,
                   .work = memory + 2 * n,
                   .sign = inverted ? -1 : 1,
                   .wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")};
    compare(&c, whole, part, &pose, p->window[i_window], out);
    nod_free(memory);
    return 0;
}
