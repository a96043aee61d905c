/* aggregate.c: rows sorted by seed and unit, pooled run by run. */
#include "eval/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "eval/scorer.h"

static const char *const names[] = {"mean", "max"};

const char *nod_aggregation_name(nod_aggregation a)
{
    return names[a];
}

bool nod_aggregation_parse(const char *s, nod_aggregation *out)
{
    for (size_t i = 0; i < NOD_COUNT(names); i++)
        if (strcmp(s, names[i]) == 0) {
            *out = (nod_aggregation)i;
            return true;
        }
    return false;
}

/* --- logits of one unit ------------------------------------------------------------------- */

static void take_mean(size_t k, size_t n, const double *logits, double *out)
{
    for (size_t c = 0; c < k; c++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += logits[i * k + c];
        out[c] = sum / (double)n;
    }
}

/* The image that looks most like the positive class speaks for all. */
static void take_most_positive(int positive, size_t n, const double *logits, double *out)
{
    size_t best = 0, p = (size_t)positive, q = 1 - p;
    for (size_t i = 1; i < n; i++)
        if (logits[2 * i + p] - logits[2 * i + q] > logits[2 * best + p] - logits[2 * best + q])
            best = i;
    memcpy(out, logits + 2 * best, 2 * sizeof *out);
}

/* ln of the sum of exp z. */
static double log_sum(size_t k, const double *z)
{
    double top = z[0], sum = 0;
    for (size_t c = 1; c < k; c++)
        top = fmax(top, z[c]);
    for (size_t c = 0; c < k; c++)
        sum += exp(z[c] - top);
    return top + log(sum);
}

static void take_highest(nod_task task, size_t k, size_t n, const double *logits, double *out)
{
    for (size_t c = 0; c < k; c++)
        out[c] = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        const double *z = logits + i * k;
        double norm = task == NOD_TASK_MULTILABEL ? 0 : log_sum(k, z);
        for (size_t c = 0; c < k; c++)
            out[c] = fmax(out[c], z[c] - norm);
    }
}

void nod_aggregation_logits(nod_aggregation a, nod_task task, size_t k, int positive, size_t n,
                            const double *logits, double *out)
{
    NOD_ASSERT(n >= 1 && (task != NOD_TASK_BINARY || (k == 2 && positive >= 0)));
    if (n == 1)
        memcpy(out, logits, k * sizeof *out);
    else if (a == NOD_AGGREGATION_MEAN)
        take_mean(k, n, logits, out);
    else if (task == NOD_TASK_BINARY)
        take_most_positive(positive, n, logits, out);
    else
        take_highest(task, k, n, logits, out);
}

/* --- predictions of units ----------------------------------------------------------------- */

typedef struct row_key {
    int32_t seed;
    size_t unit, row;
} row_key;

static int compare_rows(const void *a, const void *b)
{
    const row_key *x = a, *y = b;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    if (x->unit != y->unit) return x->unit < y->unit ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Rows of one unit and seed, which begin at `begin`, to one of `out`; returns where they end. */
static int add_unit(nod_aggregation a, const nod_predictions *images, const row_key *rows,
                    size_t *begin, const nod_judged *units, double *work, nod_predictions *out,
                    nod_error *err)
{
    size_t first = *begin, end = first, k = images->k, u = rows[first].unit;
    for (; end < images->n && rows[end].unit == u && rows[end].seed == rows[first].seed; end++)
        memcpy(work + (end - first + 1) * k, images->logits + rows[end].row * k,
               k * sizeof *work);
    nod_aggregation_logits(a, images->task, k, images->positive, end - first, work + k, work);
    const int32_t *labels =
        units->labels ? units->labels + u * nod_predictions_labels(images) : NULL;
    *begin = end;
    return nod_predictions_add(out, units->id[u], units->patient[u], rows[first].seed, labels,
                               work, err);
}

static int add_units(nod_aggregation a, const nod_predictions *images, const row_key *rows,
                     const nod_judged *units, double *work, nod_predictions *out,
                     nod_error *err)
{
    size_t at = 0;
    while (at < images->n) {
        int32_t seed = rows[at].seed;
        for (size_t u = 0; u < units->n; u++) {
            if (at == images->n || rows[at].seed != seed || rows[at].unit != u)
                return nod_fail(err, NOD_EDATA, "'%s' has no image for seed %d", units->id[u],
                                seed);
            int rc = add_unit(a, images, rows, &at, units, work, out, err);
            if (rc) return rc;
        }
    }
    return 0;
}

int nod_aggregation_apply(nod_aggregation a, const nod_predictions *images, const size_t *unit,
                          const nod_judged *units, nod_predictions *out, nod_error *err)
{
    nod_predictions made = {0};
    row_key *rows = nod_calloc(images->n + 1, sizeof *rows);
    double *work = nod_calloc(images->n + 1, images->k * sizeof *work);
    int rc = 0;
    if (rows == NULL || work == NULL) {
        rc = nod_fail_memory(err, "predictions of units", images->n * sizeof *rows);
        goto out;
    }
    for (size_t i = 0; i < images->n; i++) {
        NOD_ASSERT(unit[i] < units->n);
        rows[i] = (row_key){images->seed[i], unit[i], i};
        for (size_t c = 0; c < images->k; c++)
            if (!isfinite(images->logits[i * images->k + c])) {
                rc = nod_fail(err, NOD_EDATA,
                              "case '%s' has no logits: images are joined by them",
                              images->id[i]);
                goto out;
            }
    }
    qsort(rows, images->n, sizeof *rows, compare_rows);
    NOD_TRY(nod_predictions_init(&made, images->task,
                                 (const char *const *)images->class_names.items, images->k,
                                 images->positive, err));
    NOD_TRY(add_units(a, images, rows, units, work, &made, err));
    *out = made;
    made = (nod_predictions){0};
out:
    nod_predictions_done(&made);
    nod_free(rows);
    nod_free(work);
    return rc;
}

/* --- choosing ----------------------------------------------------------------------------- */

static int auc_of(nod_aggregation a, const nod_predictions *images, const size_t *unit,
                  const nod_judged *units, double *out, nod_error *err)
{
    nod_predictions p = {0};
    nod_score score;
    int rc = 0;
    NOD_TRY(nod_aggregation_apply(a, images, unit, units, &p, err));
    NOD_TRY(nod_metric_from_logits(p.task, p.k, p.positive, p.n, p.labels, p.logits,
                                   NOD_METRIC_ROC_AUC, &score, err));
    *out = score.estimate.undefined ? NAN : score.estimate.value;
out:
    nod_predictions_done(&p);
    return rc;
}

int nod_aggregation_choose(const nod_predictions *images, const size_t *unit,
                           const nod_judged *units, nod_aggregation_choice *out, nod_error *err)
{
    nod_aggregation_choice c = {.n_units = units->n};
    NOD_ASSERT(nod_predictions_seeds(images) == 1);
    if (units->labels == NULL || images->n == 0)
        return nod_fail(err, NOD_EDATA, "no truth to choose the aggregation by");
    int rc = auc_of(NOD_AGGREGATION_MEAN, images, unit, units, &c.auc_mean, err);
    if (rc == 0) rc = auc_of(NOD_AGGREGATION_MAX, images, unit, units, &c.auc_max, err);
    if (rc) return rc;
    c.how = c.auc_max > c.auc_mean ? NOD_AGGREGATION_MAX : NOD_AGGREGATION_MEAN;
    *out = c;
    return 0;
}
