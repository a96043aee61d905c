/* fuzz_predictions.c: both forms of the predictions file; what can be read is evaluated, so that no
 * table reaches an assertion. The first byte says how to read the rest. */
#include <stdint.h>
#include <stdlib.h>

#include "eval/cases.h"
#include "eval/delong.h"
#include "eval/operating_point.h"
#include "eval/scorer.h"

static void evaluate(nod_predictions *p)
{
    nod_error err = NOD_ERROR_INIT;
    nod_cases *c = NULL;
    nod_scorer *s = NULL;
    nod_scratch *t = NULL;
    nod_operating_point o;
    (void)!nod_operating_point_choose(p, 0, NOD_POINT_YOUDEN, 0, &o, &err);
    if (nod_cases_new(p, &c, &err) != 0) return;
    double *thresholds = calloc(c->n_seeds * c->n_columns, sizeof *thresholds);
    nod_row_spec rows[NOD_METRIC_COUNT];
    nod_score work[NOD_METRIC_COUNT], out[NOD_METRIC_COUNT];
    size_t n = 0;
    for (int m = 0; m < NOD_METRIC_COUNT; m++)
        if (m < NOD_METRIC_CALIBRATION_SLOPE || m == NOD_METRIC_ECE)
            rows[n++] = (nod_row_spec){(nod_metric)m, -1, 0};
    if (thresholds != NULL && nod_scorer_new(c, thresholds, 1, 10, &s, &err) == 0 &&
        nod_scratch_new(s, &t, &err) == 0)
        nod_scorer_mean(s, NULL, rows, n, t, work, out);
    nod_auc_sample sample = {.n = c->n,
                             .n_seeds = c->n_seeds,
                             .n_patients = c->n_patients,
                             .score = c->log_odds,
                             .stride = c->n * c->n_columns,
                             .y = c->y,
                             .patient = c->patient};
    nod_auc_variance v;
    if (nod_auc_variance_of(&sample, &v, &err) == 0) (void)nod_auc_interval(&v, 0.95);
    free(thresholds);
    nod_scratch_free(t);
    nod_scorer_free(s);
    nod_cases_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    nod_error err = NOD_ERROR_INIT;
    nod_predictions p;
    const char *text = (const char *)data + 1;
    nod_json *provenance = NULL;
    int rc;
    switch (data[0]) {
    case 'b':
        rc = nod_predictions_parse_csv(text, size - 1, "f", NOD_TASK_BINARY, "b", &p, &err);
        break;
    case 'm':
        rc =
            nod_predictions_parse_csv(text, size - 1, "f", NOD_TASK_MULTICLASS, NULL, &p, &err);
        break;
    case 'l':
        rc =
            nod_predictions_parse_csv(text, size - 1, "f", NOD_TASK_MULTILABEL, NULL, &p, &err);
        break;
    default:
        rc = nod_predictions_parse_json(text, size - 1, "f", &p, &provenance, &err);
        break;
    }
    if (rc != 0) return 0;
    evaluate(&p);
    nod_json_free(provenance);
    nod_predictions_done(&p);
    return 0;
}
