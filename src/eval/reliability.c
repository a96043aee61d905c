/* reliability.c: two Newton fits and the patients' influences on them. */
#include "eval/reliability.h"

#include <stdbool.h>

#include "base/memory.h"
#include "eval/logistic.h"
#include "eval/special.h"

int nod_reliability_index(nod_metric m)
{
    switch (m) {
    case NOD_METRIC_CALIBRATION_SLOPE:
        return NOD_RELIABILITY_SLOPE;
    case NOD_METRIC_CALIBRATION_INTERCEPT:
        return NOD_RELIABILITY_INTERCEPT;
    case NOD_METRIC_CALIBRATION_IN_THE_LARGE:
        return NOD_RELIABILITY_LARGE;
    default:
        return -1;
    }
}

/* Why nothing, or only calibration in the large, can be fitted; NULL where all can. */
static const char *obstacle(size_t n, const double *x, const uint8_t *y, bool *large_too)
{
    double lowest[2] = {INFINITY, INFINITY}, highest[2] = {-INFINITY, -INFINITY};
    size_t count[2] = {0, 0};
    *large_too = true;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return "a probability is exactly 0 or 1";
        size_t c = y[i] ? 1 : 0;
        count[c]++;
        lowest[c] = fmin(lowest[c], x[i]);
        highest[c] = fmax(highest[c], x[i]);
    }
    if (count[0] == 0 || count[1] == 0) return "one class has no cases";
    *large_too = false;
    if (fmin(lowest[0], lowest[1]) == fmax(highest[0], highest[1]))
        return "all probabilities are equal";
    if (lowest[1] >= highest[0] || lowest[0] >= highest[1])
        return "the scores separate the classes: the fit is at infinity";
    return NULL;
}

static void add_influence(size_t n, const double *x, const double *target,
                          const size_t *patient, size_t n_patients, double factor,
                          const nod_logistic *fit, bool both, double *influence)
{
    for (size_t i = 0; i < n; i++) {
        double r = factor * (target[i] - nod_sigmoid(fit->intercept + fit->slope * x[i]));
        size_t at = patient[i];
        if (!both) {
            influence[NOD_RELIABILITY_LARGE * n_patients + at] += fit->inverse[0][0] * r;
            continue;
        }
        influence[NOD_RELIABILITY_INTERCEPT * n_patients + at] +=
            (fit->inverse[0][0] + fit->inverse[0][1] * x[i]) * r;
        influence[NOD_RELIABILITY_SLOPE * n_patients + at] +=
            (fit->inverse[1][0] + fit->inverse[1][1] * x[i]) * r;
    }
}

int nod_reliability_fit(size_t n, const double *log_odds, const uint8_t *y,
                        const size_t *patient, size_t n_patients, double factor,
                        nod_reliability *out, double *influence, nod_error *err)
{
    bool none;
    const char *why = obstacle(n, log_odds, y, &none);
    nod_reliability r;
    for (int v = 0; v < NOD_RELIABILITY_N; v++)
        r.value[v] = nod_estimate_none(why != NULL ? why : "the fit does not converge");
    *out = r;
    if (why != NULL && none) return 0;
    double *target = nod_calloc(n, sizeof *target);
    if (target == NULL) return nod_fail_memory(err, "a recalibration", n * sizeof *target);
    for (size_t i = 0; i < n; i++)
        target[i] = y[i] ? 1 : 0;
    nod_logistic large = {.slope = 1}, both = {.slope = 1};
    if (nod_logistic_fit(n, log_odds, target, NOD_LOGISTIC_INTERCEPT, &large)) {
        out->value[NOD_RELIABILITY_LARGE] = nod_estimate_of(large.intercept);
        both.intercept = large.intercept;
        if (influence != NULL)
            add_influence(n, log_odds, target, patient, n_patients, factor, &large, false,
                          influence);
    } else {
        out->value[NOD_RELIABILITY_LARGE] = nod_estimate_none("the fit does not converge");
    }
    if (why == NULL && nod_logistic_fit(n, log_odds, target, NOD_LOGISTIC_BOTH, &both)) {
        out->value[NOD_RELIABILITY_SLOPE] = nod_estimate_of(both.slope);
        out->value[NOD_RELIABILITY_INTERCEPT] = nod_estimate_of(both.intercept);
        if (influence != NULL)
            add_influence(n, log_odds, target, patient, n_patients, factor, &both, true,
                          influence);
    }
    nod_free(target);
    return 0;
}

nod_interval nod_reliability_interval(double value, const double *u, size_t n_patients,
                                      double confidence)
{
    if (n_patients < 2) return nod_interval_none("there is one patient only");
    double sum = 0, p = (double)n_patients;
    for (size_t i = 0; i < n_patients; i++)
        sum += u[i] * u[i];
    double half = nod_t_quantile(0.5 * (1 + confidence), p - 1) * sqrt(p / (p - 1) * sum);
    return nod_interval_of(NOD_INTERVAL_SANDWICH, value - half, value + half);
}

/* Averages value v over the fits of all seeds and columns; `u` holds every fit's influences
 * [n_seeds * n_columns][NOD_RELIABILITY_N][n_patients], `sum` is scratch [n_patients]. */
static void average(const nod_cases *c, const nod_reliability *fits, const double *u, int v,
                    double confidence, double *sum, nod_reliability_mean *out)
{
    size_t n_columns = c->n_columns, n_p = c->n_patients;
    nod_estimate total = nod_estimate_of(0), reason = nod_estimate_none("no cases");
    out->n_used = 0;
    for (size_t i = 0; i < n_p; i++)
        sum[i] = 0;
    for (size_t s = 0; s < c->n_seeds; s++)
        out->seeds[s] = 0;
    for (size_t col = 0; col < n_columns; col++) {
        bool all = true;
        for (size_t s = 0; s < c->n_seeds; s++) {
            const nod_estimate *e = &fits[s * n_columns + col].value[v];
            all = all && e->undefined == NULL;
            if (e->undefined != NULL) reason = *e;
        }
        if (!all) continue;
        out->n_used++;
        for (size_t s = 0; s < c->n_seeds; s++) {
            size_t b = s * n_columns + col;
            const double *of_fit = u + (b * NOD_RELIABILITY_N + (size_t)v) * n_p;
            out->seeds[s] += fits[b].value[v].value;
            total.value += fits[b].value[v].value;
            for (size_t i = 0; i < n_p; i++)
                sum[i] += of_fit[i];
        }
    }
    double used = (double)out->n_used, all_fits = used * (double)c->n_seeds;
    for (size_t s = 0; s < c->n_seeds; s++)
        out->seeds[s] /= used; /* 0/0 = NaN: not estimable */
    if (out->n_used == 0) {
        out->value = reason;
        out->interval = nod_interval_none("the metric is not estimable");
        return;
    }
    for (size_t i = 0; i < n_p; i++)
        sum[i] /= all_fits;
    total.value /= all_fits;
    out->value = total;
    out->interval = nod_reliability_interval(total.value, sum, n_p, confidence);
}

int nod_reliability_mean_of(const nod_cases *c, double confidence, nod_reliability_mean *out,
                            nod_error *err)
{
    size_t blocks = c->n_seeds * c->n_columns, n_p = c->n_patients;
    nod_reliability *fits = nod_calloc(blocks, sizeof *fits);
    double *u = nod_calloc(blocks * NOD_RELIABILITY_N, n_p * sizeof *u);
    double *sum = nod_calloc(n_p, sizeof *sum);
    int rc = 0;
    if (fits == NULL || u == NULL || sum == NULL) {
        rc = nod_fail_memory(err, "calibration", blocks * NOD_RELIABILITY_N * n_p * sizeof *u);
        goto out;
    }
    for (size_t b = 0; b < blocks; b++)
        NOD_TRY(nod_reliability_fit(c->n,
                                    nod_cases_log_odds(c, b / c->n_columns, b % c->n_columns),
                                    nod_cases_y(c, b % c->n_columns), c->patient, n_p, 1,
                                    &fits[b], u + b * NOD_RELIABILITY_N * n_p, err));
    for (int v = 0; v < NOD_RELIABILITY_N; v++)
        average(c, fits, u, v, confidence, sum, &out[v]);
out:
    nod_free(fits);
    nod_free(u);
    nod_free(sum);
    return rc;
}
