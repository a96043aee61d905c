/* score.c: loss, error, accuracy and AUC of a part in evaluation mode. */
#include <math.h>

#include "base/memory.h"
#include "eval/scorer.h"
#include "train/trainer_internal.h"

/* -log p and p of the true class of one row of logits. */
static double row_softmax(const float *z, int64_t k, int32_t truth, double *p_true,
                          bool *correct)
{
    double max = z[0], sum = 0;
    int64_t best = 0;
    for (int64_t c = 1; c < k; c++)
        if (z[c] > max) {
            max = z[c];
            best = c;
        }
    for (int64_t c = 0; c < k; c++)
        sum += exp((double)z[c] - max);
    double log_p = (double)z[truth] - max - log(sum);
    *p_true = exp(log_p);
    *correct = best == truth;
    return -log_p;
}

/* The same for independent labels: mean loss, p of the worst label, share of right labels. */
static double row_labels(const float *z, int64_t k, const int32_t *truth, double *p_worst,
                         double *right)
{
    double loss = 0, worst = 1, n_right = 0;
    for (int64_t c = 0; c < k; c++) {
        double s = truth[c] ? (double)z[c] : -(double)z[c]; /* logit of the truth */
        loss += s > 0 ? log1p(exp(-s)) : -s + log1p(exp(s));
        double p = 1 / (1 + exp(-s));
        worst = NOD_MIN(worst, p);
        n_right += s >= 0;
    }
    *p_worst = worst;
    *right = n_right / (double)k;
    return loss / (double)k;
}

static int auc_of(nod_task task, int64_t n, int64_t k, int positive, const float *logits,
                  const int32_t *labels, double *out, nod_error *err)
{
    nod_score score;
    double *wide = nod_calloc((size_t)(n * k), sizeof *wide);
    if (!wide) return nod_fail_memory(err, "logits of a part", (size_t)(n * k) * sizeof *wide);
    for (int64_t i = 0; i < n * k; i++)
        wide[i] = logits[i];
    int rc = nod_metric_from_logits(task, (size_t)k, positive, (size_t)n, labels, wide,
                                    NOD_METRIC_ROC_AUC, &score, err);
    nod_free(wide);
    if (!rc) *out = score.estimate.undefined ? NAN : score.estimate.value;
    return rc;
}

int nod_part_score_from_logits(nod_task task, int64_t n, int64_t k, int positive,
                               const float *logits, const int32_t *labels, nod_part_score *out,
                               nod_error *err)
{
    nod_part_score s = {.n = n, .auc = NAN};
    for (int64_t i = 0; i < n; i++) {
        double p, right;
        bool correct;
        if (task == NOD_TASK_MULTILABEL) {
            s.loss += row_labels(logits + i * k, k, labels + i * k, &p, &right);
            s.accuracy += right;
        } else {
            s.loss += row_softmax(logits + i * k, k, labels[i], &p, &correct);
            s.accuracy += correct;
        }
        s.total_error += 1 - p;
    }
    s.loss /= (double)NOD_MAX(n, 1);
    s.accuracy /= (double)NOD_MAX(n, 1);
    if (n > 0 && isfinite(s.loss)) {
        int rc = auc_of(task, n, k, positive, logits, labels, &s.auc, err);
        if (rc) return rc;
    }
    *out = s;
    return 0;
}
