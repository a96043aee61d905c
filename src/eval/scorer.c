/* scorer.c: sorts, bins and decides once; then each run is linear in the number of cases. */
#include "eval/scorer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/special.h"

struct nod_scorer {
    const nod_cases *cases;
    size_t n_points, n_bins, n_units;
    double *thresholds; /* [n_points][n_seeds][n_columns] */
    uint32_t *order;    /* [n_seeds][n_columns][n], highest log-odds first */
    int32_t *argmax;    /* multiclass: [n_seeds][n] */
    /* Per seed and unit (multiclass 1, else columns), [n]: */
    double *brier, *log_loss;
    double *confidence; /* the probability that is binned */
    uint8_t *hit;       /* what it predicts came true */
    uint16_t *bin;
};

struct nod_scratch {
    nod_confusion *confusion; /* [n_points][n_columns] */
    double *matrix;           /* multiclass: [k][k] */
    double *bins;             /* [n_bins][2] */
    /* AUC and average precision of a column come from one pass and are asked for several times
     * in a run. */
    struct ranking {
        bool known;
        nod_estimate auc, average_precision;
    } * ranking; /* [n_columns] */
};

/* --- preparation -------------------------------------------------------------------------- */

static size_t block(const nod_scorer *s, size_t seed, size_t unit)
{
    return (seed * s->n_units + unit) * s->cases->n;
}

typedef struct ranked {
    double score;
    uint32_t i;
} ranked;

static int compare_down(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->i > y->i) - (x->i < y->i);
}

static int sort_columns(nod_scorer *s, nod_error *err)
{
    const nod_cases *c = s->cases;
    ranked *r = nod_calloc(c->n, sizeof *r);
    if (r == NULL) return nod_fail_memory(err, "the ranking of cases", c->n * sizeof *r);
    for (size_t block_i = 0; block_i < c->n_seeds * c->n_columns; block_i++) {
        const double *score = c->log_odds + block_i * c->n;
        for (size_t i = 0; i < c->n; i++)
            r[i] = (ranked){score[i], (uint32_t)i};
        qsort(r, c->n, sizeof *r, compare_down);
        for (size_t i = 0; i < c->n; i++)
            s->order[block_i * c->n + i] = r[i].i;
    }
    nod_free(r);
    return 0;
}

/* Bins are (lo, hi] with edges b * (1/n), as scikit-learn's calibration_curve has them. */
static uint16_t bin_of(double p, size_t n_bins)
{
    double step = 1.0 / (double)n_bins;
    size_t b = (size_t)fmax(0.0, ceil(p / step) - 1);
    if (b >= n_bins) b = n_bins - 1;
    while (b > 0 && p <= (double)b * step)
        b--;
    while (b + 1 < n_bins && p > (double)(b + 1) * step)
        b++;
    return (uint16_t)b;
}

static void prepare_column(nod_scorer *s, size_t seed, size_t column)
{
    const nod_cases *c = s->cases;
    const double *p = nod_cases_p(c, seed, column), *z = nod_cases_log_odds(c, seed, column);
    const uint8_t *y = nod_cases_y(c, column);
    size_t at = block(s, seed, column);
    for (size_t i = 0; i < c->n; i++) {
        double d = p[i] - y[i];
        s->brier[at + i] = d * d;
        s->log_loss[at + i] = nod_softplus(y[i] ? -z[i] : z[i]);
        s->confidence[at + i] = p[i];
        s->hit[at + i] = y[i];
        s->bin[at + i] = bin_of(p[i], s->n_bins);
    }
}

static void prepare_multiclass(nod_scorer *s, size_t seed)
{
    const nod_cases *c = s->cases;
    size_t at = block(s, seed, 0);
    for (size_t i = 0; i < c->n; i++) {
        size_t top = 0, truth = (size_t)c->label[i];
        double brier = 0;
        for (size_t k = 0; k < c->k; k++) {
            if (nod_cases_log_odds(c, seed, k)[i] > nod_cases_log_odds(c, seed, top)[i])
                top = k;
            double d = nod_cases_p(c, seed, k)[i] - (k == truth);
            brier += d * d;
        }
        s->argmax[seed * c->n + i] = (int32_t)top;
        s->brier[at + i] = brier;
        s->log_loss[at + i] = nod_softplus(-nod_cases_log_odds(c, seed, truth)[i]);
        s->confidence[at + i] = nod_cases_p(c, seed, top)[i];
        s->hit[at + i] = top == truth;
        s->bin[at + i] = bin_of(s->confidence[at + i], s->n_bins);
    }
}

int nod_scorer_new(const nod_cases *cases, const double *thresholds, size_t n_points,
                   size_t n_bins, nod_scorer **out, nod_error *err)
{
    const nod_cases *c = cases;
    NOD_ASSERT(n_bins >= 1 && n_bins <= 1000 && c->n <= UINT32_MAX);
    nod_scorer *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "a scorer", sizeof *s);
    bool multiclass = c->task == NOD_TASK_MULTICLASS;
    NOD_ASSERT(multiclass ? n_points == 1 : thresholds != NULL && n_points > 0);
    s->cases = c;
    s->n_points = n_points;
    s->n_bins = n_bins;
    s->n_units = multiclass ? 1 : c->n_columns;
    size_t n_thresholds = n_points * c->n_seeds * c->n_columns;
    size_t units = c->n_seeds * s->n_units;
    s->thresholds = nod_calloc(n_thresholds, sizeof *s->thresholds);
    s->order = nod_calloc(c->n, c->n_seeds * c->n_columns * sizeof *s->order);
    s->argmax = nod_calloc(c->n, c->n_seeds * sizeof *s->argmax);
    s->brier = nod_calloc(c->n, units * sizeof *s->brier);
    s->log_loss = nod_calloc(c->n, units * sizeof *s->log_loss);
    s->confidence = nod_calloc(c->n, units * sizeof *s->confidence);
    s->hit = nod_calloc(c->n, units);
    s->bin = nod_calloc(c->n, units * sizeof *s->bin);
    int rc = 0;
    if (!s->thresholds || !s->order || !s->argmax || !s->brier || !s->log_loss ||
        !s->confidence || !s->hit || !s->bin)
        rc = nod_fail_memory(err, "a scorer", c->n * units * 32);
    if (rc == 0) rc = sort_columns(s, err);
    if (rc != 0) {
        nod_scorer_free(s);
        return rc;
    }
    if (thresholds != NULL)
        memcpy(s->thresholds, thresholds, n_thresholds * sizeof *thresholds);
    for (size_t seed = 0; seed < c->n_seeds; seed++) {
        if (multiclass) prepare_multiclass(s, seed);
        for (size_t u = 0; !multiclass && u < s->n_units; u++)
            prepare_column(s, seed, u);
    }
    *out = s;
    return 0;
}

void nod_scorer_free(nod_scorer *s)
{
    if (s == NULL) return;
    nod_free(s->thresholds);
    nod_free(s->order);
    nod_free(s->argmax);
    nod_free(s->brier);
    nod_free(s->log_loss);
    nod_free(s->confidence);
    nod_free(s->hit);
    nod_free(s->bin);
    nod_free(s);
}

int nod_scratch_new(const nod_scorer *s, nod_scratch **out, nod_error *err)
{
    const nod_cases *c = s->cases;
    nod_scratch *t = nod_calloc(1, sizeof *t);
    if (t == NULL) return nod_fail_memory(err, "a scorer's scratch", sizeof *t);
    t->confusion = nod_calloc(s->n_points * c->n_columns, sizeof *t->confusion);
    t->matrix = nod_calloc(c->k, c->k * sizeof *t->matrix);
    t->bins = nod_calloc(s->n_bins, 2 * sizeof *t->bins);
    t->ranking = nod_calloc(c->n_columns, sizeof *t->ranking);
    if (!t->confusion || !t->matrix || !t->bins || !t->ranking) {
        nod_scratch_free(t);
        return nod_fail_memory(err, "a scorer's scratch", c->k * c->k * sizeof(double));
    }
    *out = t;
    return 0;
}

void nod_scratch_free(nod_scratch *t)
{
    if (t == NULL) return;
    nod_free(t->confusion);
    nod_free(t->matrix);
    nod_free(t->bins);
    nod_free(t->ranking);
    nod_free(t);
}

/* --- counts ------------------------------------------------------------------------------- */

bool nod_scorer_called(const nod_scorer *s, size_t seed, size_t point, size_t column, size_t i)
{
    const nod_cases *c = s->cases;
    if (c->task == NOD_TASK_MULTICLASS) return s->argmax[seed * c->n + i] == (int32_t)column;
    double t = s->thresholds[(point * c->n_seeds + seed) * c->n_columns + column];
    return nod_cases_p(c, seed, column)[i] >= t;
}

static nod_confusion count_column(const nod_scorer *s, size_t seed, size_t point, size_t column,
                                  const double *w)
{
    const nod_cases *c = s->cases;
    const uint8_t *y = nod_cases_y(c, column);
    double counts[4] = {0, 0, 0, 0}; /* index: 2 * truth + called */
    for (size_t i = 0; i < c->n; i++) {
        size_t cell = 2u * y[i] + nod_scorer_called(s, seed, point, column, i);
        counts[cell] += w != NULL ? w[i] : 1;
    }
    return (nod_confusion){.tn = counts[0], .fp = counts[1], .fn = counts[2], .tp = counts[3]};
}

static void count_matrix(const nod_scorer *s, size_t seed, const double *w, double *matrix)
{
    const nod_cases *c = s->cases;
    memset(matrix, 0, c->k * c->k * sizeof *matrix);
    for (size_t i = 0; i < c->n; i++)
        matrix[(size_t)c->label[i] * c->k + (size_t)s->argmax[seed * c->n + i]] +=
            w != NULL ? w[i] : 1;
}

/* One-vs-rest counts of class `column` of a k x k table. */
static nod_confusion collapse(const double *matrix, size_t k, size_t column)
{
    nod_confusion m = {0, 0, 0, 0};
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
            double v = matrix[i * k + j];
            if (i == column && j == column)
                m.tp += v;
            else if (i == column)
                m.fn += v;
            else if (j == column)
                m.fp += v;
            else
                m.tn += v;
        }
    return m;
}

static void count_all(const nod_scorer *s, size_t seed, const double *w, nod_scratch *t)
{
    const nod_cases *c = s->cases;
    if (c->task == NOD_TASK_MULTICLASS) {
        count_matrix(s, seed, w, t->matrix);
        for (size_t col = 0; col < c->n_columns; col++)
            t->confusion[col] = collapse(t->matrix, c->k, col);
        return;
    }
    for (size_t point = 0; point < s->n_points; point++)
        for (size_t col = 0; col < c->n_columns; col++)
            t->confusion[point * c->n_columns + col] = count_column(s, seed, point, col, w);
}

nod_confusion nod_scorer_confusion(const nod_scorer *s, size_t seed, size_t point,
                                   size_t column)
{
    return count_column(s, seed, point, column, NULL);
}

void nod_scorer_matrix(const nod_scorer *s, size_t seed, double *counts)
{
    count_matrix(s, seed, NULL, counts);
}

/* --- from scores -------------------------------------------------------------------------- */

static void rank_column(const nod_scorer *s, size_t seed, size_t column, const double *w,
                        struct ranking *out)
{
    const nod_cases *c = s->cases;
    const double *z = nod_cases_log_odds(c, seed, column);
    const uint8_t *y = nod_cases_y(c, column);
    const uint32_t *order = s->order + (seed * c->n_columns + column) * c->n;
    double tp = 0, fp = 0, area = 0, precision_sum = 0;
    for (size_t first = 0, end; first < c->n; first = end) {
        double positives = 0, negatives = 0, score = z[order[first]];
        for (end = first; end < c->n && z[order[end]] == score; end++) {
            double weight = w != NULL ? w[order[end]] : 1;
            if (y[order[end]])
                positives += weight;
            else
                negatives += weight;
        }
        area += negatives * (tp + 0.5 * positives);
        tp += positives;
        fp += negatives;
        if (positives > 0) precision_sum += positives * (tp / (tp + fp));
    }
    out->known = true;
    out->auc = out->average_precision = nod_estimate_none("no positive case");
    if (!(tp > 0)) return;
    out->average_precision = nod_estimate_of(precision_sum / tp);
    out->auc =
        fp > 0 ? nod_estimate_of(area / (tp * fp)) : nod_estimate_none("no negative case");
}

static nod_estimate weighted_mean(const double *v, const double *w, size_t n)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        double weight = w != NULL ? w[i] : 1;
        if (weight == 0) continue; /* 0 times an infinite loss is no loss */
        sum += weight * v[i];
        total += weight;
    }
    if (!(total > 0)) return nod_estimate_none("no cases");
    if (!isfinite(sum)) return nod_estimate_none("a true class has probability 0");
    return nod_estimate_of(sum / total);
}

static void fill_bins(const nod_scorer *s, size_t seed, size_t unit, const double *w,
                      double *bins, double *counts)
{
    size_t at = block(s, seed, unit);
    memset(bins, 0, 2 * s->n_bins * sizeof *bins);
    for (size_t i = 0; i < s->cases->n; i++) {
        double weight = w != NULL ? w[i] : 1;
        size_t b = s->bin[at + i];
        bins[2 * b] += weight * s->confidence[at + i];
        bins[2 * b + 1] += weight * s->hit[at + i];
        if (counts != NULL) counts[b] += weight;
    }
}

static nod_estimate ece(const nod_scorer *s, size_t seed, size_t unit, const double *w,
                        nod_scratch *t)
{
    double total = 0, gap = 0;
    for (size_t i = 0; i < s->cases->n; i++)
        total += w != NULL ? w[i] : 1;
    if (!(total > 0)) return nod_estimate_none("no cases");
    fill_bins(s, seed, unit, w, t->bins, NULL);
    for (size_t b = 0; b < s->n_bins; b++)
        gap += fabs(t->bins[2 * b] - t->bins[2 * b + 1]);
    return nod_estimate_of(gap / total);
}

void nod_scorer_bins(const nod_scorer *s, size_t seed, size_t unit, nod_ece_bin *out)
{
    double step = 1.0 / (double)s->n_bins;
    size_t at = block(s, seed, unit);
    for (size_t b = 0; b < s->n_bins; b++)
        out[b] = (nod_ece_bin){.lo = (double)b * step, .hi = (double)(b + 1) * step};
    out[s->n_bins - 1].hi = 1;
    for (size_t i = 0; i < s->cases->n; i++) {
        nod_ece_bin *bin = &out[s->bin[at + i]];
        bin->count++;
        bin->mean_probability += s->confidence[at + i];
        bin->observed += s->hit[at + i];
    }
    for (size_t b = 0; b < s->n_bins; b++) {
        out[b].mean_probability /= out[b].count; /* 0/0 = NaN in an empty bin */
        out[b].observed /= out[b].count;
    }
}

size_t nod_scorer_units(const nod_scorer *s)
{
    return s->n_units;
}

/* --- rows --------------------------------------------------------------------------------- */

static nod_estimate column_metric(const nod_scorer *s, size_t seed, const double *w,
                                  nod_metric m, size_t column, int point, nod_scratch *t)
{
    size_t n = s->cases->n, at = block(s, seed, s->n_units > 1 ? column : 0);
    if (nod_metric_info_get(m)->from_decisions) {
        NOD_ASSERT(point >= 0 && (size_t)point < s->n_points);
        return nod_confusion_metric(&t->confusion[(size_t)point * s->cases->n_columns + column],
                                    m);
    }
    /* A class of a multiclass task has no loss or bins of its own. */
    NOD_ASSERT(s->n_units == s->cases->n_columns || column == 0 || m == NOD_METRIC_ROC_AUC ||
               m == NOD_METRIC_AVERAGE_PRECISION);
    switch (m) {
    case NOD_METRIC_ROC_AUC:
    case NOD_METRIC_AVERAGE_PRECISION: {
        struct ranking *r = &t->ranking[column];
        if (!r->known) rank_column(s, seed, column, w, r);
        return m == NOD_METRIC_ROC_AUC ? r->auc : r->average_precision;
    }
    case NOD_METRIC_BRIER:
        return weighted_mean(s->brier + at, w, n);
    case NOD_METRIC_LOG_LOSS:
        return weighted_mean(s->log_loss + at, w, n);
    case NOD_METRIC_ECE:
        return ece(s, seed, s->n_units > 1 ? column : 0, w, t);
    default:
        break;
    }
    NOD_ASSERT(!"a metric that the scorer does not know");
    return nod_estimate_none("unknown");
}

static nod_score macro(const nod_scorer *s, size_t seed, const double *w, nod_metric m,
                       int point, nod_scratch *t)
{
    double sum = 0;
    size_t used = 0;
    nod_estimate last = nod_estimate_none("no cases");
    for (size_t c = 0; c < s->cases->n_columns; c++) {
        nod_estimate e = column_metric(s, seed, w, m, c, point, t);
        if (e.undefined != NULL) {
            last = e;
            continue;
        }
        sum += e.value;
        used++;
    }
    if (used == 0) return (nod_score){last, 0};
    return (nod_score){nod_estimate_of(sum / (double)used), used};
}

static nod_score multiclass_score(const nod_scorer *s, size_t seed, const double *w,
                                  nod_metric m, nod_scratch *t)
{
    size_t k = s->cases->k;
    double correct = 0, total = 0;
    switch (m) {
    case NOD_METRIC_ACCURACY:
        for (size_t i = 0; i < k * k; i++) {
            total += t->matrix[i];
            if (i % (k + 1) == 0) correct += t->matrix[i];
        }
        if (!(total > 0)) return (nod_score){nod_estimate_none("no cases"), 1};
        return (nod_score){nod_estimate_of(correct / total), 1};
    case NOD_METRIC_BALANCED_ACCURACY: {
        nod_score r = macro(s, seed, w, NOD_METRIC_SENSITIVITY, 0, t);
        if (r.n_used < 2) r.estimate = nod_estimate_none("fewer than two classes have cases");
        return r;
    }
    case NOD_METRIC_MCC:
        return (nod_score){nod_confusion_mcc(t->matrix, k), 1};
    case NOD_METRIC_BRIER:
    case NOD_METRIC_LOG_LOSS:
    case NOD_METRIC_ECE:
        return (nod_score){column_metric(s, seed, w, m, 0, -1, t), 1};
    default:
        return macro(s, seed, w, m, 0, t);
    }
}

void nod_scorer_run(const nod_scorer *s, size_t seed, const double *w, const nod_row_spec *rows,
                    size_t n_rows, nod_scratch *t, nod_score *out)
{
    count_all(s, seed, w, t);
    for (size_t c = 0; c < s->cases->n_columns; c++)
        t->ranking[c].known = false;
    for (size_t r = 0; r < n_rows; r++) {
        const nod_row_spec *row = &rows[r];
        bool single = s->cases->n_columns == 1;
        if (row->column >= 0 || single) {
            size_t column = row->column >= 0 ? (size_t)row->column : 0;
            NOD_ASSERT(column < s->cases->n_columns);
            out[r].estimate = column_metric(s, seed, w, row->metric, column, row->point, t);
            out[r].n_used = 1;
        } else if (s->cases->task == NOD_TASK_MULTICLASS) {
            out[r] = multiclass_score(s, seed, w, row->metric, t);
        } else {
            out[r] = macro(s, seed, w, row->metric, row->point, t);
        }
    }
}

void nod_scorer_mean(const nod_scorer *s, const double *w, const nod_row_spec *rows,
                     size_t n_rows, nod_scratch *t, nod_score *work, nod_score *out)
{
    size_t n_seeds = s->cases->n_seeds;
    for (size_t seed = 0; seed < n_seeds; seed++) {
        nod_scorer_run(s, seed, w, rows, n_rows, t, work);
        for (size_t r = 0; r < n_rows; r++) {
            if (seed == 0) {
                out[r] = work[r];
                continue;
            }
            if (out[r].estimate.undefined == NULL && work[r].estimate.undefined != NULL)
                out[r].estimate = work[r].estimate;
            out[r].estimate.value += work[r].estimate.value;
            out[r].n_used = NOD_MIN(out[r].n_used, work[r].n_used);
        }
    }
    for (size_t r = 0; r < n_rows; r++)
        out[r].estimate.value /= (double)n_seeds;
}
