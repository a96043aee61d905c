/* forest.c: bins, then trees grown from histograms of them. */
#include "eval/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"

#define BINS    NOD_FOREST_BINS
#define MISSING (BINS - 1)

/* --- bins --------------------------------------------------------------------------------- */

struct nod_forest_table {
    size_t n, n_features;
    uint8_t *bins;    /* [n][n_features] */
    bool *is_ordered; /* [n_features] numbers */
    bool *varies;     /* [n_features] */
};

typedef struct ranked {
    double value;
    size_t row;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Each value a bin of its own where they suffice, else bins of about as many rows; equal values
 * are never parted. */
static void bin_numbers(nod_forest_table *t, size_t feature, ranked *sorted, size_t n)
{
    size_t distinct = 0, next = 0, last = SIZE_MAX;
    qsort(sorted, n, sizeof *sorted, compare_ranked);
    for (size_t i = 0; i < n; i++)
        distinct += i == 0 || sorted[i].value != sorted[i - 1].value;
    for (size_t first = 0, end; first < n; first = end) {
        for (end = first; end < n && sorted[end].value == sorted[first].value;)
            end++;
        size_t wanted = distinct <= MISSING ? next : first * MISSING / n;
        if (wanted != last) {
            last = wanted;
            next++;
        }
        for (size_t i = first; i < end; i++)
            t->bins[sorted[i].row * t->n_features + feature] = (uint8_t)(next - 1);
    }
}

/* Categories by frequency; the rarest share the last bin. */
static int bin_categories(nod_forest_table *t, size_t feature, const nod_feature *f,
                          nod_error *err)
{
    ranked *by_count = nod_calloc(f->n_categories, sizeof *by_count);
    uint8_t *bin = nod_calloc(f->n_categories, 1);
    if (!by_count || !bin) {
        nod_free(by_count);
        nod_free(bin);
        return nod_fail_memory(err, "categories", f->n_categories * sizeof *by_count);
    }
    for (size_t c = 0; c < f->n_categories; c++)
        by_count[c].row = c;
    for (size_t i = 0; i < t->n; i++)
        if (!isnan(f->values[i])) {
            NOD_ASSERT(f->values[i] >= 0 && f->values[i] < (double)f->n_categories);
            by_count[(size_t)f->values[i]].value--;
        }
    qsort(by_count, f->n_categories, sizeof *by_count, compare_ranked);
    for (size_t c = 0; c < f->n_categories; c++)
        bin[by_count[c].row] = (uint8_t)NOD_MIN(c, (size_t)MISSING - 1);
    for (size_t i = 0; i < t->n; i++)
        if (!isnan(f->values[i]))
            t->bins[i * t->n_features + feature] = bin[(size_t)f->values[i]];
    nod_free(by_count);
    nod_free(bin);
    return 0;
}

static int bin_feature(nod_forest_table *t, size_t feature, const nod_feature *f,
                       ranked *sorted, nod_error *err)
{
    size_t n = 0;
    int rc = 0;
    t->is_ordered[feature] = f->n_categories == 0;
    for (size_t i = 0; i < t->n; i++) {
        t->bins[i * t->n_features + feature] = MISSING;
        if (!isnan(f->values[i])) sorted[n++] = (ranked){f->values[i], i};
    }
    if (f->n_categories)
        rc = bin_categories(t, feature, f, err);
    else
        bin_numbers(t, feature, sorted, n);
    for (size_t i = 1; i < t->n; i++)
        if (t->bins[i * t->n_features + feature] != t->bins[feature]) t->varies[feature] = true;
    return rc;
}

int nod_forest_table_new(size_t n, const nod_feature *features, size_t n_features,
                         nod_forest_table **out, nod_error *err)
{
    int rc = 0;
    size_t size = 0;
    nod_forest_table *t = nod_calloc(1, sizeof *t);
    ranked *sorted = nod_calloc(n + 1, sizeof *sorted);
    if (!t || !sorted || !nod_size_mul(n, n_features, &size)) {
        rc = nod_fail_memory(err, "a table for a forest", n * sizeof *sorted);
        goto out;
    }
    t->n = n;
    t->n_features = n_features;
    t->bins = nod_calloc(size + 1, 1);
    t->is_ordered = nod_calloc(n_features + 1, sizeof *t->is_ordered);
    t->varies = nod_calloc(n_features + 1, sizeof *t->varies);
    if (!t->bins || !t->is_ordered || !t->varies) {
        rc = nod_fail_memory(err, "a table for a forest", size);
        goto out;
    }
    for (size_t i = 0; i < n_features; i++)
        NOD_TRY(bin_feature(t, i, &features[i], sorted, err));
    *out = t;
    t = NULL;
out:
    nod_free(sorted);
    nod_forest_table_free(t);
    return rc;
}

void nod_forest_table_free(nod_forest_table *t)
{
    if (t == NULL) return;
    nod_free(t->bins);
    nod_free(t->is_ordered);
    nod_free(t->varies);
    nod_free(t);
}

const uint8_t *nod_forest_table_row(const nod_forest_table *t, size_t row)
{
    return t->bins + row * t->n_features;
}

bool nod_forest_table_varies(const nod_forest_table *t, size_t feature)
{
    return t->varies[feature];
}

/* --- growing one tree --------------------------------------------------------------------- */

/* Rows whose bin has its bit in `left` go to nodes[child], the others to nodes[child + 1]. A leaf
 * has child 0 and its shares at leaf [k]. */
typedef struct node {
    uint64_t left;
    uint32_t child;
    uint32_t feature_or_leaf;
} node;

typedef struct tree {
    node *nodes;
    size_t n_nodes, nodes_cap;
    double *shares; /* [leaves][k] */
    size_t n_leaves, shares_cap;
    bool failed; /* no memory */
} tree;

typedef struct segment {
    size_t node, first, end;
} segment;

typedef struct growth {
    const nod_forest_table *t;
    const nod_forest_options *o;
    const uint8_t *y;
    size_t k, n_tried;
    nod_rng rng;
    size_t *sample; /* rows, drawn with replacement; a node has a stretch of them */
    size_t *order;  /* [n_usable] features, shuffled for each node */
    size_t n_usable;
    double *sum;   /* [BINS][k] yeses in each bin */
    double *left;  /* [k] */
    double *total; /* [k] */
    double count[BINS];
} growth;

typedef struct best_split {
    double score; /* sum over sides and questions of yes^2/rows: the higher, the purer */
    uint64_t left;
    size_t feature;
} best_split;

static double score_of(const double *sum, size_t k, double n)
{
    double score = 0;
    for (size_t j = 0; j < k; j++)
        score += sum[j] * sum[j];
    return score / n;
}

/* Counts rows and yeses by bin; returns how many bins have rows. */
static size_t fill_histogram(growth *g, size_t feature, const segment *s)
{
    size_t n = 0;
    memset(g->count, 0, sizeof g->count);
    memset(g->sum, 0, BINS * g->k * sizeof *g->sum);
    for (size_t i = s->first; i < s->end; i++) {
        size_t row = g->sample[i], bin = g->t->bins[row * g->t->n_features + feature];
        n += g->count[bin] == 0;
        g->count[bin]++;
        for (size_t j = 0; j < g->k; j++)
            g->sum[bin * g->k + j] += g->y[row * g->k + j];
    }
    return n;
}

/* Bins with rows in the order in which they are parted. Numbers: ascending, without the missing
 * ones. Categories: by their rate of one question, the missing ones being a category. */
static size_t order_bins(growth *g, bool is_ordered, uint8_t order[BINS])
{
    size_t n = 0;
    size_t question = !is_ordered && g->k > 1 ? (size_t)nod_rng_below(&g->rng, g->k) : 0;
    ranked rates[BINS];
    for (size_t b = 0; b < (is_ordered ? MISSING : BINS); b++) {
        if (g->count[b] == 0) continue;
        rates[n++] = (ranked){is_ordered ? 0 : g->sum[b * g->k + question] / g->count[b], b};
    }
    if (!is_ordered) qsort(rates, n, sizeof *rates, compare_ranked);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint8_t)rates[i].row;
    return n;
}

/* Bins of the left side when `order` is parted after `last`. Of numbers what lies between two
 * bins with rows is halved; of the rest, what the node has not seen goes with the larger side. */
static uint64_t left_bins(const growth *g, bool is_ordered, const uint8_t *order, size_t n,
                          size_t last, bool missing_left, bool larger_left)
{
    uint64_t left = 0, missing = (uint64_t)1 << MISSING;
    if (is_ordered) {
        unsigned top =
            last + 1 < n ? (unsigned)(order[last] + order[last + 1]) / 2 : MISSING - 1;
        left = ((uint64_t)2 << top) - 1;
        bool to_left = g->count[MISSING] > 0 ? missing_left : larger_left;
        return to_left ? left | missing : left & ~missing;
    }
    for (size_t i = 0; i <= last; i++)
        left |= (uint64_t)1 << order[i];
    for (size_t b = 0; b < BINS && larger_left; b++)
        if (g->count[b] == 0) left |= (uint64_t)1 << b;
    return left;
}

/* Tries every place to part `order`, with the missing numbers on the given side. */
static void scan(growth *g, size_t feature, const uint8_t *order, size_t n, size_t n_rows,
                 bool missing_left, best_split *best)
{
    bool is_ordered = g->t->is_ordered[feature];
    double missing = is_ordered ? g->count[MISSING] : 0, rows = (double)n_rows;
    double n_left = missing_left ? missing : 0, least = (double)g->o->min_leaf;
    for (size_t j = 0; j < g->k; j++)
        g->left[j] = missing_left ? g->sum[MISSING * g->k + j] : 0;
    for (size_t i = 0; i < n; i++) {
        n_left += g->count[order[i]];
        double n_right = rows - n_left, right = 0;
        for (size_t j = 0; j < g->k; j++)
            g->left[j] += g->sum[order[i] * g->k + j];
        if (n_left < least || n_right < least || n_right == 0) continue;
        for (size_t j = 0; j < g->k; j++)
            right += (g->total[j] - g->left[j]) * (g->total[j] - g->left[j]);
        double score = score_of(g->left, g->k, n_left) + right / n_right;
        if (!(score > best->score)) continue;
        *best = (best_split){
            score, left_bins(g, is_ordered, order, n, i, missing_left, n_left >= n_right),
            feature};
    }
}

/* The best split of a node among n_tried features that vary in it; false: none is better than not to
 * split. */
static bool find_split(growth *g, const segment *s, best_split *best)
{
    size_t n_rows = s->end - s->first, tried = 0;
    memset(g->total, 0, g->k * sizeof *g->total);
    for (size_t i = s->first; i < s->end; i++)
        for (size_t j = 0; j < g->k; j++)
            g->total[j] += g->y[g->sample[i] * g->k + j];
    bool pure = true;
    for (size_t j = 0; j < g->k && pure; j++)
        pure = g->total[j] == 0 || g->total[j] == (double)n_rows;
    if (pure || n_rows < 2 * g->o->min_leaf) return false;
    double none = score_of(g->total, g->k, (double)n_rows);
    *best = (best_split){.score = none * (1 + 1e-12)};
    best->feature = SIZE_MAX;
    for (size_t f = 0; f < g->n_usable && tried < g->n_tried; f++) {
        size_t pick = f + (size_t)nod_rng_below(&g->rng, g->n_usable - f);
        size_t feature = g->order[pick];
        g->order[pick] = g->order[f];
        g->order[f] = feature;
        if (fill_histogram(g, feature, s) < 2) continue;
        tried++;
        uint8_t order[BINS];
        size_t n = order_bins(g, g->t->is_ordered[feature], order);
        scan(g, feature, order, n, n_rows, false, best);
        if (g->t->is_ordered[feature] && g->count[MISSING] > 0)
            scan(g, feature, order, n, n_rows, true, best);
    }
    return best->feature != SIZE_MAX;
}

/* Rows of the left side first; returns where the right side begins. */
static size_t part_rows(growth *g, const segment *s, const best_split *b)
{
    size_t i = s->first, end = s->end;
    while (i < end) {
        size_t row = g->sample[i];
        if (b->left >> g->t->bins[row * g->t->n_features + b->feature] & 1) {
            i++;
        } else {
            g->sample[i] = g->sample[--end];
            g->sample[end] = row;
        }
    }
    return i;
}

static bool add_leaf(const growth *g, tree *t, const segment *s)
{
    size_t need = (t->n_leaves + 1) * g->k;
    if (!nod_grow((void **)&t->shares, &t->shares_cap, need, sizeof *t->shares)) return false;
    double *share = t->shares + t->n_leaves * g->k;
    for (size_t j = 0; j < g->k; j++)
        share[j] = g->total[j] / (double)(s->end - s->first);
    t->nodes[s->node] = (node){0, 0, (uint32_t)t->n_leaves++};
    return true;
}

static bool add_nodes(tree *t, size_t n)
{
    if (!nod_grow((void **)&t->nodes, &t->nodes_cap, t->n_nodes + n, sizeof *t->nodes))
        return false;
    t->n_nodes += n;
    return true;
}

/* Depth first; the stack holds at most one open segment a level. */
static bool grow_tree(growth *g, tree *t, size_t n_rows)
{
    segment *stack = NULL;
    size_t depth = 0, cap = 0;
    bool ok = add_nodes(t, 1) && nod_grow((void **)&stack, &cap, 2, sizeof *stack);
    if (ok) stack[depth++] = (segment){0, 0, n_rows};
    while (ok && depth > 0) {
        segment s = stack[--depth];
        best_split best;
        if (!find_split(g, &s, &best)) {
            ok = add_leaf(g, t, &s);
            continue;
        }
        size_t child = t->n_nodes, middle = part_rows(g, &s, &best);
        ok = add_nodes(t, 2) && nod_grow((void **)&stack, &cap, depth + 2, sizeof *stack);
        if (!ok) break;
        t->nodes[s.node] = (node){best.left, (uint32_t)child, (uint32_t)best.feature};
        stack[depth++] = (segment){child + 1, middle, s.end};
        stack[depth++] = (segment){child, s.first, middle};
    }
    nod_free(stack);
    return ok;
}

/* --- the forest --------------------------------------------------------------------------- */

struct nod_forest {
    size_t k, n_trees;
    tree *trees;
};

typedef struct fitting {
    const nod_forest_table *t;
    const size_t *rows;
    size_t n_rows, k;
    const uint8_t *y;
    const nod_forest_options *o;
    nod_forest *f;
} fitting;

static void fit_tree(void *ctx, int64_t i)
{
    const fitting *x = ctx;
    size_t k = x->k, n_features = x->t->n_features;
    growth g = {.t = x->t, .o = x->o, .y = x->y, .k = k};
    g.rng = nod_rng_make(x->o->seed, NOD_RNG_FOREST, (x->o->stream << 20) + (uint64_t)i);
    g.sample = nod_calloc(x->n_rows, sizeof *g.sample);
    g.order = nod_calloc(n_features + 1, sizeof *g.order);
    g.sum = nod_calloc((BINS + 2) * k, sizeof *g.sum);
    bool ok = g.sample && g.order && g.sum;
    if (ok) {
        g.left = g.sum + BINS * k;
        g.total = g.left + k;
        for (size_t f = 0; f < n_features; f++)
            if (x->t->varies[f] && !(x->o->excluded && x->o->excluded[f]))
                g.order[g.n_usable++] = f;
        g.n_tried = x->o->n_tried ? x->o->n_tried : (size_t)lround(sqrt((double)g.n_usable));
        for (size_t r = 0; r < x->n_rows; r++)
            g.sample[r] = x->rows[nod_rng_below(&g.rng, x->n_rows)];
        ok = grow_tree(&g, &x->f->trees[i], x->n_rows);
    }
    x->f->trees[i].failed = !ok;
    nod_free(g.sample);
    nod_free(g.order);
    nod_free(g.sum);
}

int nod_forest_fit(const nod_forest_table *t, const size_t *rows, size_t n_rows,
                   const uint8_t *y, size_t k, const nod_forest_options *o, nod_forest **out,
                   nod_error *err)
{
    NOD_ASSERT(n_rows > 0 && n_rows <= UINT32_MAX / 4 && k > 0 && o->min_leaf > 0);
    NOD_ASSERT(o->n_trees > 0 && o->n_trees <= NOD_FOREST_MAX_TREES);
    nod_forest *f = nod_calloc(1, sizeof *f);
    if (f) f->trees = nod_calloc(o->n_trees, sizeof *f->trees);
    bool failed = !f || !f->trees;
    if (!failed) {
        f->k = k;
        f->n_trees = o->n_trees;
        fitting x = {t, rows, n_rows, k, y, o, f};
        nod_parallel_for((int64_t)o->n_trees, fit_tree, &x);
        for (size_t i = 0; i < o->n_trees; i++)
            failed = failed || f->trees[i].failed;
    }
    if (failed) {
        nod_forest_free(f);
        return nod_fail_memory(err, "a forest", o->n_trees * n_rows * sizeof(node));
    }
    *out = f;
    return 0;
}

void nod_forest_free(nod_forest *f)
{
    if (f == NULL) return;
    for (size_t i = 0; f->trees && i < f->n_trees; i++) {
        nod_free(f->trees[i].nodes);
        nod_free(f->trees[i].shares);
    }
    nod_free(f->trees);
    nod_free(f);
}

void nod_forest_predict(const nod_forest *f, const uint8_t *bins, double *p)
{
    memset(p, 0, f->k * sizeof *p);
    for (size_t i = 0; i < f->n_trees; i++) {
        const tree *t = &f->trees[i];
        const node *at = t->nodes;
        while (at->child) {
            bool left = at->left >> bins[at->feature_or_leaf] & 1;
            at = t->nodes + at->child + (left ? 0 : 1);
        }
        const double *share = t->shares + (size_t)at->feature_or_leaf * f->k;
        for (size_t j = 0; j < f->k; j++)
            p[j] += share[j];
    }
    for (size_t j = 0; j < f->k; j++)
        p[j] /= (double)f->n_trees;
}
