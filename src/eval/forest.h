/* forest.h: a random forest on a plain table of numbers and categories, both with missing values.
 *
 * Yes/no questions y [n][k] are learned together: a split lowers the sum over the questions of
 * p(1-p), which is Gini's impurity for one question and for classes as one-hot columns. Each tree
 * sees a bootstrap sample; each split the best of n_tried features that vary in its node. Values
 * are sorted into NOD_FOREST_BINS bins beforehand, the last of them for missing ones, which go to
 * the side that fits better. Categories are split after sorting them by their rate of one question
 * (exact for one question, Fisher 1958; else the question is drawn). A bin that a node has not seen
 * goes with the larger side. Tree i draws from (seed, NOD_RNG_FOREST, stream * 2^20 + i) and votes are
 * added in the order of the trees: the same bits for any number of threads.
 * Sources: Breiman, Mach Learn 2001;45:5-32; Fisher, J Am Stat Assoc 1958;53:789-798; missing
 * values as in scikit-learn's trees. */
#ifndef NOD_EVAL_FOREST_H
#define NOD_EVAL_FOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define NOD_FOREST_BINS      64
#define NOD_FOREST_MAX_TREES ((size_t)1 << 20)

typedef struct nod_feature {
    const double
        *values; /* [n]; NaN = missing; a category is a whole number 0..n_categories-1 */
    size_t n_categories; /* 0: numbers. Beyond NOD_FOREST_BINS-1 the rarest are joined */
} nod_feature;

/* The bins of a table; the features may go afterwards. */
typedef struct nod_forest_table nod_forest_table;
int nod_forest_table_new(size_t n, const nod_feature *features, size_t n_features,
                         nod_forest_table **out, nod_error *err) NOD_MUST_CHECK;
void nod_forest_table_free(nod_forest_table *t);
/* The bins [n_features] of a row. */
const uint8_t *nod_forest_table_row(const nod_forest_table *t, size_t row);
/* Whether the rows differ in a feature at all. */
bool nod_forest_table_varies(const nod_forest_table *t, size_t feature);

typedef struct nod_forest_options {
    size_t n_trees;  /* 1..NOD_FOREST_MAX_TREES */
    size_t min_leaf; /* fewest rows of a leaf, at least 1 */
    size_t n_tried;  /* features for each split; 0: the root of their number, rounded */
    uint64_t seed;
    uint64_t stream;      /* fits that differ in it draw other numbers */
    const bool *excluded; /* [n_features] not to be used; NULL: none */
} nod_forest_options;
#define NOD_FOREST_OPTIONS_INIT       \
    {                                 \
        .n_trees = 100, .min_leaf = 3 \
    }

typedef struct nod_forest nod_forest;

/* Learns y [n][k] of 0/1 from these rows of the table (at least one, k at least 1). ENOMEM only. */
int nod_forest_fit(const nod_forest_table *t, const size_t *rows, size_t n_rows,
                   const uint8_t *y, size_t k, const nod_forest_options *o, nod_forest **out,
                   nod_error *err) NOD_MUST_CHECK;
void nod_forest_free(nod_forest *f);

/* Mean share of yes [k] in the leaves that bins [n_features] of a row reach. */
void nod_forest_predict(const nod_forest *f, const uint8_t *bins, double *p);

#endif
