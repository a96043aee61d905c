/* similar.c: candidates by the distance of hashes, then correlation.
 *
 * Planes and volumes are searched apart. The hashes of all images in one pose lie side by side, so
 * that one image is held against all of them by a loop over words; whoever is not hopelessly far as
 * a whole is held against its windows. All pairs are looked at in both roles: as the one that shows
 * everything, and as the copy that may lack a little at its ends. */
#include "data/similar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/workers.h"

#define BLOCK 1024 /* images that one is held against at a time */
/* Shares of a hash's bits: from a window to be compared, from the whole for the windows to be
 * looked at. */
#define NEAR 0.26
#define GATE 0.42
/* A side's loss below which a copy is not called cropped. */
#define UNCROPPED 0.012

/* Someone near: `image` laid in a pose over a window of the image whose candidate it is. */
typedef struct candidate {
    size_t whole, part; /* places in the scan's list */
    uint8_t pose, window;
    bool inverted;
    uint8_t distance;
} candidate;

/* What images of one number of axes are searched by. */
typedef struct scan {
    const nod_signer *signer;
    const nod_signature *images;
    const nod_similar_options *o;
    int n_axes, n_bits;
    size_t n, *index; /* [n] number of the image */
    nod_phash *posed; /* [poses][n] */
    candidate *near;  /* [n][NOD_SIMILAR_NEAREST] */
    size_t *n_near;   /* [n] */
    candidate *all;   /* those of all images, in order */
    size_t n_all;
    nod_likeness *likeness; /* [n_all] */
    bool wide;
} scan;

/* --- distances ---------------------------------------------------------------------------- */

NOD_INLINE int distance_of(const nod_phash *a, const nod_phash *b)
{
    return __builtin_popcountll(a->word[0] ^ b->word[0]) +
           __builtin_popcountll(a->word[1] ^ b->word[1]);
}

/* Distances of `a` to n hashes; the least distance to any of `windows` to one. */
NOD_INLINE void measure(const nod_phash *a, const nod_phash *b, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)distance_of(a, &b[i]);
}

NOD_TARGET("popcnt")
static void measure_wide(const nod_phash *a, const nod_phash *b, size_t n, uint8_t *out)
{
    measure(a, b, n, out);
}

static void measure_any(const nod_phash *a, const nod_phash *b, size_t n, uint8_t *out)
{
    measure(a, b, n, out);
}

static void measure_all(const scan *s, const nod_phash *a, const nod_phash *b, size_t n,
                        uint8_t *out)
{
    (s->wide ? measure_wide : measure_any)(a, b, n, out);
}

/* --- candidates --------------------------------------------------------------------------- */

static int compare_near(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return (x->pose > y->pose) - (x->pose < y->pose);
}

/* Keeps the nearest, sorted. */
static void keep(scan *s, const candidate *c)
{
    candidate *near = s->near + c->whole * NOD_SIMILAR_NEAREST;
    size_t n = s->n_near[c->whole], at = n;
    while (at > 0 && compare_near(c, &near[at - 1]) < 0)
        at--;
    if (at == NOD_SIMILAR_NEAREST) return;
    if (n == NOD_SIMILAR_NEAREST) n--;
    memmove(near + at + 1, near + at, (n - at) * sizeof *near);
    near[at] = *c;
    s->n_near[c->whole] = n + 1;
}

/* Holds the windows of image i against one hash, grey levels as they are and inverted. */
static void try_windows(scan *s, size_t i, size_t j, int pose)
{
    const nod_signature *g = &s->images[s->index[i]];
    uint8_t d[128];
    int n = nod_signer_windows(s->signer, s->n_axes);
    candidate c = {.whole = i, .part = j, .pose = (uint8_t)pose, .distance = UINT8_MAX};
    measure_all(s, &s->posed[(size_t)pose * s->n + j], g->windows, (size_t)n, d);
    for (int w = 0; w < n; w++)
        for (int inverted = 0; inverted < 2; inverted++) {
            int away = inverted ? s->n_bits - d[w] : d[w];
            if (away >= c.distance) continue;
            c.distance = (uint8_t)away;
            c.window = (uint8_t)w;
            c.inverted = inverted;
        }
    if (c.distance <= NEAR * s->n_bits) keep(s, &c);
}

static bool may_compare(const scan *s, size_t i, size_t j)
{
    const size_t *group = s->o->group;
    return i != j && (group == NULL || group[s->index[i]] != group[s->index[j]]);
}

/* The candidates of image i. */
static int scan_one(void *ctx, size_t i, nod_error *err)
{
    scan *s = ctx;
    uint8_t d[BLOCK];
    int gate = (int)(GATE * s->n_bits);
    (void)err;
    for (int pose = 0; pose < nod_pose_count(s->n_axes); pose++)
        for (size_t begin = 0; begin < s->n; begin += BLOCK) {
            size_t n = NOD_MIN((size_t)BLOCK, s->n - begin);
            measure_all(s, &s->posed[i], &s->posed[(size_t)pose * s->n + begin], n, d);
            for (size_t k = 0; k < n; k++)
                if ((d[k] <= gate || d[k] >= s->n_bits - gate) && may_compare(s, i, begin + k))
                    try_windows(s, i, begin + k, pose);
        }
    return 0;
}

/* --- correlation -------------------------------------------------------------------------- */

static int gather(scan *s, nod_error *err)
{
    for (size_t i = 0; i < s->n; i++)
        s->n_all += s->n_near[i];
    s->all = nod_calloc(s->n_all + 1, sizeof *s->all);
    s->likeness = nod_calloc(s->n_all + 1, sizeof *s->likeness);
    if (!s->all || !s->likeness)
        return nod_fail_memory(err, "pairs of images", s->n_all * sizeof *s->likeness);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->n_near[i]; k++)
            s->all[n++] = s->near[i * NOD_SIMILAR_NEAREST + k];
    return 0;
}

static int compare_one(void *ctx, size_t i, nod_error *err)
{
    scan *s = ctx;
    const candidate *c = &s->all[i];
    return nod_signature_compare(s->signer, &s->images[s->index[c->whole]], c->window,
                                 &s->images[s->index[c->part]], c->pose, c->inverted,
                                 &s->likeness[i], err);
}

static int scan_init(scan *s, const nod_signer *signer, const nod_signature *images, size_t n,
                     int n_axes, const nod_similar_options *o, nod_error *err)
{
    size_t n_poses = (size_t)nod_pose_count(n_axes);
    *s = (scan){.signer = signer,
                .images = images,
                .o = o,
                .n_axes = n_axes,
                .n_bits = nod_signer_bits(signer, n_axes),
                .wide = __builtin_cpu_supports("popcnt")};
    for (size_t i = 0; i < n; i++)
        s->n += images[i].n_axes == n_axes;
    s->index = nod_calloc(s->n + 1, sizeof *s->index);
    s->posed = nod_calloc(s->n * n_poses + 1, sizeof *s->posed);
    s->near = nod_calloc(s->n * NOD_SIMILAR_NEAREST + 1, sizeof *s->near);
    s->n_near = nod_calloc(s->n + 1, sizeof *s->n_near);
    if (!s->index || !s->posed || !s->near || !s->n_near)
        return nod_fail_memory(err, "a search for copies", s->n * 1024);
    for (size_t i = 0, k = 0; i < n; i++) {
        if (images[i].n_axes != n_axes) continue;
        for (size_t p = 0; p < n_poses; p++)
            s->posed[p * s->n + k] = images[i].poses[p];
        s->index[k++] = i;
    }
    return 0;
}

static void scan_done(scan *s)
{
    nod_free(s->index);
    nod_free(s->posed);
    nod_free(s->near);
    nod_free(s->n_near);
    nod_free(s->all);
    nod_free(s->likeness);
}

/* --- pairs -------------------------------------------------------------------------------- */

static nod_similar_pair pair_of(const scan *s, size_t k)
{
    const candidate *c = &s->all[k];
    const nod_likeness *l = &s->likeness[k];
    size_t whole = s->index[c->whole], part = s->index[c->part];
    nod_similar_pair p = {.i = NOD_MIN(whole, part),
                          .j = NOD_MAX(whole, part),
                          .correlation = l->correlation,
                          .local = l->local,
                          .pose = nod_pose_at(s->n_axes, c->pose)};
    double kept = 1;
    for (int a = 0; a < 3; a++) {
        double share = l->hi[a] - l->lo[a];
        int64_t size = s->images[part].size[p.pose.axis[a]];
        int64_t wanted = s->images[whole].size[a];
        if (1 - share >= UNCROPPED) {
            kept *= share;
            wanted = llrint(share * (double)wanted);
        }
        /* of a cropped copy the window's sides are known to a few hundredths */
        int64_t slack = share < 1 ? NOD_MAX(wanted / 25, (int64_t)2) : 0;
        p.resized |= llabs(size - wanted) > slack;
    }
    p.cropped = 1 - kept;
    return p;
}

static bool is_copy(const nod_similar_pair *p)
{
    nod_similar_least least = p->cropped == 0            ? NOD_SIMILAR_WHOLE
                              : *nod_pose_name(&p->pose) ? NOD_SIMILAR_TURNED
                                                         : NOD_SIMILAR_CROPPED;
    return fabs(p->correlation) >= least.correlation && fabs(p->local) >= least.local;
}

static int compare_pairs(const void *a, const void *b)
{
    const nod_similar_pair *x = a, *y = b;
    if (x->i != y->i) return x->i < y->i ? -1 : 1;
    if (x->j != y->j) return x->j < y->j ? -1 : 1;
    double cx = fabs(x->correlation), cy = fabs(y->correlation);
    return (cx < cy) - (cx > cy);
}

typedef struct pair_list {
    nod_similar_pair *items;
    size_t n, cap;
} pair_list;

static int search(scan *s, pair_list *out, nod_error *err)
{
    int rc = 0;
    if (s->n < 2) return 0;
    NOD_TRY(nod_workers_run(s->n, s->o->threads, scan_one, s, err));
    NOD_TRY(gather(s, err));
    NOD_TRY(nod_workers_run(s->n_all, s->o->threads, compare_one, s, err));
    for (size_t k = 0; k < s->n_all; k++) {
        const nod_similar_pair p = pair_of(s, k);
        if (!is_copy(&p)) continue;
        if (!nod_grow((void **)&out->items, &out->cap, out->n + 1, sizeof *out->items)) {
            rc = nod_fail_memory(err, "pairs of images", sizeof *out->items);
            goto out;
        }
        out->items[out->n++] = p;
    }
out:
    return rc;
}

int nod_similar_find(const nod_signer *s, const nod_signature *images, size_t n,
                     const nod_similar_options *o, nod_similar_pair **pairs, size_t *n_pairs,
                     nod_error *err)
{
    pair_list list = {0};
    int rc = 0;
    for (int n_axes = 2; n_axes <= 3 && rc == 0; n_axes++) {
        scan k = {0};
        rc = scan_init(&k, s, images, n, n_axes, o, err);
        if (rc == 0) rc = search(&k, &list, err);
        scan_done(&k);
    }
    if (rc) {
        nod_free(list.items);
        return rc;
    }
    if (list.n > 0) qsort(list.items, list.n, sizeof *list.items, compare_pairs);
    size_t kept = 0; /* of the ways in which a pair was found, the best */
    for (size_t k = 0; k < list.n; k++)
        if (kept == 0 || list.items[k].i != list.items[kept - 1].i ||
            list.items[k].j != list.items[kept - 1].j)
            list.items[kept++] = list.items[k];
    *pairs = list.items;
    *n_pairs = kept;
    return 0;
}

void nod_similar_kind(const nod_similar_pair *p, char *out, size_t size)
{
    const char *pose = nod_pose_name(&p->pose), *plus = *pose ? "+" : "";
    int n = snprintf(out, size, "%s", pose);
    const struct {
        bool is;
        const char *name;
    } more[] = {
        {p->resized, "resized"}, {p->cropped > 0, "cropped"}, {p->correlation < 0, "inverted"}};
    for (size_t i = 0; i < NOD_COUNT(more); i++) {
        if (!more[i].is || n < 0 || (size_t)n >= size) continue;
        n += snprintf(out + n, size - (size_t)n, "%s%s", plus, more[i].name);
        plus = "+";
    }
    if (n == 0) snprintf(out, size, "re-encoded");
}
