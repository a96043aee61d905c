/* metric_logits.c: one metric straight from logits, as training watches it. It takes the same way
 * as the final results: predictions, cases, scorer. */
#include <stdio.h>

#include "base/memory.h"
#include "eval/reliability.h"
#include "eval/scorer.h"

static int add_logits(nod_predictions *p, size_t n, const int32_t *labels, const double *logits,
                      nod_error *err)
{
    size_t n_labels = nod_predictions_labels(p);
    int rc = 0;
    char id[32];
    for (size_t i = 0; rc == 0 && i < n; i++) {
        snprintf(id, sizeof id, "%012zu", i);
        rc = nod_predictions_add(p, id, NULL, 0, labels + i * n_labels, logits + i * p->k, err);
    }
    return rc;
}

static int reliability_score(const nod_cases *c, nod_metric metric, nod_score *out,
                             nod_error *err)
{
    double seeds[NOD_RELIABILITY_N];
    nod_reliability_mean mean[NOD_RELIABILITY_N];
    for (int v = 0; v < NOD_RELIABILITY_N; v++)
        mean[v].seeds = &seeds[v];
    int rc = nod_reliability_mean_of(c, 0.95, mean, err);
    if (rc != 0) return rc;
    const nod_reliability_mean *which = &mean[nod_reliability_index(metric)];
    *out = (nod_score){which->value, which->n_used};
    return 0;
}

int nod_metric_from_logits(nod_task task, size_t k, int positive, size_t n,
                           const int32_t *labels, const double *logits, nod_metric metric,
                           nod_score *out, nod_error *err)
{
    const char **names = nod_calloc(k, sizeof *names);
    char(*text)[24] = nod_calloc(k, sizeof *text);
    double *thresholds = nod_calloc(k, sizeof *thresholds);
    nod_predictions p = {0};
    nod_cases *c = NULL;
    nod_scorer *s = NULL;
    nod_scratch *t = NULL;
    int rc = 0;
    if (names == NULL || text == NULL || thresholds == NULL) {
        rc = nod_fail_memory(err, "class names", k * 24);
        goto out;
    }
    for (size_t i = 0; i < k; i++) {
        snprintf(text[i], sizeof text[i], "%zu", i);
        names[i] = text[i];
        thresholds[i] = 0.5;
    }
    NOD_TRY(nod_predictions_init(&p, task, names, k, positive, err));
    NOD_TRY(add_logits(&p, n, labels, logits, err));
    NOD_TRY(nod_cases_new(&p, &c, err));
    if (nod_reliability_index(metric) >= 0) {
        rc = reliability_score(c, metric, out, err);
        goto out;
    }
    NOD_TRY(nod_scorer_new(c, thresholds, 1, NOD_ECE_BINS, &s, err));
    NOD_TRY(nod_scratch_new(s, &t, err));
    nod_row_spec row = {metric, -1, 0};
    nod_scorer_run(s, 0, NULL, &row, 1, t, out);
out:
    nod_scratch_free(t);
    nod_scorer_free(s);
    nod_cases_free(c);
    nod_predictions_done(&p);
    nod_free(names);
    nod_free(text);
    nod_free(thresholds);
    return rc;
}
