/* statistics.c: order statistics without sorting.
 *
 * Samples are mapped to 32-bit keys of the same order. A histogram of the upper halves tells which
 * bins the wanted ranks lie in; a second pass counts the lower halves of those few. */
#include "imaging/statistics.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

#define BINS     65536
#define BIN_NONE 255

typedef struct rank {
    int64_t at; /* from 0; afterwards within its bin */
    int slot;   /* of the second histogram */
    uint32_t bin;
    double value;
} rank;

/* Two ranks a percentile. */
#define RANKS_MAX (2 * NOD_STATISTICS_PERCENTS_MAX)

typedef struct counting {
    const nod_image *im;
    int colours;           /* channels without alpha */
    int64_t upper[BINS];   /* counts of the keys' upper halves */
    uint8_t slot_of[BINS]; /* second histogram of an upper half, or BIN_NONE */
    int64_t (*lower)[BINS];
    rank ranks[RANKS_MAX];
    int n_slots;
} counting;

/* --- samples ------------------------------------------------------------------------------ */

/* Ascending with the float; equal zeros differ, which no rank can tell. */
static uint32_t key_of(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static double value_of(uint32_t key)
{
    uint32_t bits = key >> 31 ? key & 0x7fffffffu : ~key;
    float v;
    memcpy(&v, &bits, sizeof v);
    return (double)v;
}

static void count_upper(counting *c, nod_image_statistics *out)
{
    const nod_image *im = c->im;
    int64_t n_voxels = nod_image_voxels(im);
    double sum = 0;
    float low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < n_voxels; i++) {
        if (nod_image_is_padding(im, i)) {
            out->n_padding += c->colours;
            continue;
        }
        for (int k = 0; k < c->colours; k++) {
            float v = (float)nod_image_value(im, i * im->channels + k);
            if (!isfinite(v)) {
                out->n_not_finite++;
                continue;
            }
            c->upper[key_of(v) >> 16]++;
            low = v < low ? v : low;
            high = v > high ? v : high;
            sum += (double)v;
            out->n++;
        }
    }
    if (out->n == 0) return;
    out->min = (double)low;
    out->max = (double)high;
    out->mean = sum / (double)out->n;
}

static void count_lower(counting *c)
{
    const nod_image *im = c->im;
    int64_t n_voxels = nod_image_voxels(im);
    for (int64_t i = 0; i < n_voxels; i++) {
        if (nod_image_is_padding(im, i)) continue;
        for (int k = 0; k < c->colours; k++) {
            float v = (float)nod_image_value(im, i * im->channels + k);
            uint32_t key = key_of(v);
            uint8_t slot = c->slot_of[key >> 16];
            if (slot != BIN_NONE && isfinite(v)) c->lower[slot][key & (BINS - 1)]++;
        }
    }
}

/* --- ranks -------------------------------------------------------------------------------- */

/* The bin of a histogram that holds rank *at, which becomes the rank within it. */
static uint32_t find_bin(const int64_t *histogram, int64_t *at)
{
    uint32_t bin = 0;
    while (bin + 1 < BINS && *at >= histogram[bin])
        *at -= histogram[bin++];
    return bin;
}

/* Gives each rank the second histogram of its bin. */
static void find_slots(counting *c, int n_ranks)
{
    memset(c->slot_of, BIN_NONE, sizeof c->slot_of);
    for (int i = 0; i < n_ranks; i++) {
        rank *r = &c->ranks[i];
        r->bin = find_bin(c->upper, &r->at);
        if (c->slot_of[r->bin] == BIN_NONE) c->slot_of[r->bin] = (uint8_t)c->n_slots++;
        r->slot = c->slot_of[r->bin];
    }
}

static int select_ranks(counting *c, int n_ranks, nod_error *err)
{
    find_slots(c, n_ranks);
    c->lower = nod_calloc((size_t)c->n_slots, sizeof *c->lower);
    if (c->lower == NULL)
        return nod_fail_memory(err, "percentiles", (size_t)c->n_slots * sizeof *c->lower);
    count_lower(c);
    for (int i = 0; i < n_ranks; i++) {
        rank *r = &c->ranks[i];
        r->value = value_of(r->bin << 16 | find_bin(c->lower[r->slot], &r->at));
    }
    nod_free(c->lower);
    return 0;
}

int nod_image_measure(const nod_image *im, const double *percents, int n_percents,
                      nod_image_statistics *out, double *percentiles, nod_error *err)
{
    nod_image_statistics s = {0};
    double part[NOD_STATISTICS_PERCENTS_MAX];
    NOD_ASSERT(n_percents <= NOD_STATISTICS_PERCENTS_MAX);
    counting *c = nod_calloc(1, sizeof *c);
    if (c == NULL) return nod_fail_memory(err, "percentiles", sizeof *c);
    c->im = im;
    c->colours = im->channels - (im->channels % 2 == 0);
    count_upper(c, &s);
    for (int i = 0; i < n_percents; i++) {
        double at = percents[i] / 100 * (double)(s.n - 1), low = floor(at);
        part[i] = at - low;
        c->ranks[2 * i].at = (int64_t)low;
        c->ranks[2 * i + 1].at = part[i] > 0 ? (int64_t)low + 1 : (int64_t)low;
    }
    int rc = s.n > 0 && n_percents > 0 ? select_ranks(c, 2 * n_percents, err) : 0;
    for (int i = 0; rc == 0 && i < n_percents; i++) {
        double low = c->ranks[2 * i].value, high = c->ranks[2 * i + 1].value;
        percentiles[i] = s.n > 0 ? low + part[i] * (high - low) : 0;
    }
    if (rc == 0) *out = s;
    nod_free(c);
    return rc;
}
