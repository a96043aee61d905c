/* scorer.h: every metric of one seed, for weighted cases.
 *
 * Weights are what makes the bootstrap cheap: a replicate is a weight for every patient, scores
 * are sorted once. A row asks for one metric of one column (or of all: macro over the columns
 * where it is estimable; multiclass accuracy, MCC, Brier score, log loss and ECE have their own
 * form) at one operating point.
 *   Brier: binary and per label mean (p-y)^2; multiclass mean of sum_c (p_c - y_c)^2.
 *   log loss: mean -ln p(truth); multi-label: mean over labels.
 *   average precision: sum over thresholds of (R_i - R_i-1) P_i, equal scores as one step.
 *   ECE: n_bins bins of equal width over [0, 1], (lo, hi], the first with 0; sum over bins of
 *   share * |mean probability - observed share|. Binary and per label: of the positive class;
 *   multiclass: of the top class (Guo et al., ICML 2017). */
#ifndef NOD_EVAL_SCORER_H
#define NOD_EVAL_SCORER_H

#include "eval/cases.h"
#include "eval/metric.h"

#define NOD_ECE_BINS 10

typedef struct nod_row_spec {
    nod_metric metric;
    int column; /* -1: all */
    int point; /* index of the operating point; -1 where the metric needs none; multiclass: 0 */
} nod_row_spec;

typedef struct nod_score {
    nod_estimate estimate;
    size_t n_used; /* columns that a macro average used; else 1 */
} nod_score;

typedef struct nod_scorer nod_scorer;
typedef struct nod_scratch nod_scratch; /* one per thread */

/* `cases` is borrowed; `thresholds` [n_points][n_seeds][n_columns] is copied; multiclass decides by
 * the highest probability: n_points 1, thresholds NULL. */
int nod_scorer_new(const nod_cases *cases, const double *thresholds, size_t n_points,
                   size_t n_bins, nod_scorer **out, nod_error *err) NOD_MUST_CHECK;
void nod_scorer_free(nod_scorer *s);
int nod_scratch_new(const nod_scorer *s, nod_scratch **out, nod_error *err) NOD_MUST_CHECK;
void nod_scratch_free(nod_scratch *t);

/* Scores the rows for one seed under weights [n] (NULL = 1 each). Calibration slope, intercept and
 * in-the-large are not scored here (reliability.h): asking is a broken promise. */
void nod_scorer_run(const nod_scorer *s, size_t seed, const double *w, const nod_row_spec *rows,
                    size_t n_rows, nod_scratch *t, nod_score *out);
/* Averages over seeds; not estimable where one seed is not. */
void nod_scorer_mean(const nod_scorer *s, const double *w, const nod_row_spec *rows,
                     size_t n_rows, nod_scratch *t, nod_score *work, nod_score *out);

/* Counts, unweighted: of one column; for multiclass counts[truth][decision] [k][k]. */
nod_confusion nod_scorer_confusion(const nod_scorer *s, size_t seed, size_t point,
                                   size_t column);
void nod_scorer_matrix(const nod_scorer *s, size_t seed, double *counts);
/* Was case i called positive? */
bool nod_scorer_called(const nod_scorer *s, size_t seed, size_t point, size_t column, size_t i);

/* One bin of the ECE; unit: the column, 0 for multiclass. */
typedef struct nod_ece_bin {
    double lo, hi;
    double count, mean_probability, observed; /* NaN where empty */
} nod_ece_bin;
void nod_scorer_bins(const nod_scorer *s, size_t seed, size_t unit, nod_ece_bin *out);
size_t nod_scorer_units(const nod_scorer *s); /* multiclass 1, else the columns */

/* One metric straight from logits [n][k] and labels ([n], multi-label [n][k]) with threshold 0.5:
 * what is watched during training. */
int nod_metric_from_logits(nod_task task, size_t k, int positive, size_t n,
                           const int32_t *labels, const double *logits, nod_metric metric,
                           nod_score *out, nod_error *err) NOD_MUST_CHECK;

#endif
