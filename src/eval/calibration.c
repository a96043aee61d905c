/* calibration.c: prior correction, and fits of one or two parameters by Newton's method. */
#include "eval/calibration.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "eval/logistic.h"
#include "eval/special.h"

#define SLOPE_MIN (1.0 / 20) /* 1/temperature */
#define SLOPE_MAX 20.0

static const char *const kind_names[] = {"none", "temperature", "platt"};

const char *nod_calibration_kind_name(nod_calibration_kind kind)
{
    return (size_t)kind < NOD_COUNT(kind_names) ? kind_names[kind] : "unknown";
}

bool nod_calibration_kind_parse(const char *s, nod_calibration_kind *out)
{
    for (size_t i = 0; i < NOD_COUNT(kind_names); i++)
        if (strcmp(s, kind_names[i]) == 0) {
            *out = (nod_calibration_kind)i;
            return true;
        }
    return false;
}

int nod_calibration_init(nod_calibration *c, size_t k, nod_error *err)
{
    NOD_ASSERT(k <= NOD_PREDICTIONS_MAX_CLASSES);
    double *v = nod_calloc(3 * k, sizeof *v);
    if (v == NULL) return nod_fail_memory(err, "a calibration", 3 * k * sizeof *v);
    *c = (nod_calibration){.k = k, .shift = v, .slope = v + k, .intercept = v + 2 * k};
    c->loss_before = c->loss_after = NAN;
    for (size_t i = 0; i < k; i++)
        c->slope[i] = 1;
    return 0;
}

void nod_calibration_done(nod_calibration *c)
{
    nod_free(c->shift);
    *c = (nod_calibration){0};
}

void nod_prior_effective(nod_task task, size_t k, const double *natural, const double *weight,
                         double *effective)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += weight[i] * natural[i];
    for (size_t i = 0; i < k; i++)
        effective[i] = task == NOD_TASK_MULTILABEL
                           ? weight[i] * natural[i] / (weight[i] * natural[i] + 1 - natural[i])
                           : weight[i] * natural[i] / sum;
}

int nod_calibration_set_prior(nod_calibration *c, nod_task task, const double *natural,
                              const double *effective, nod_error *err)
{
    for (size_t i = 0; i < c->k; i++)
        if (!(natural[i] > 0 && natural[i] < 1) || !(effective[i] > 0 && effective[i] < 1))
            return nod_fail(err, NOD_EDATA,
                            "class %zu has prevalence %g (learnt: %g): a prior can only be "
                            "corrected for classes that training has seen",
                            i, natural[i], effective[i]);
    for (size_t i = 0; i < c->k; i++)
        c->shift[i] = task == NOD_TASK_MULTILABEL
                          ? nod_logit(natural[i]) - nod_logit(effective[i])
                          : log(natural[i]) - log(effective[i]);
    return 0;
}

/* --- fitting ------------------------------------------------------------------------------ */

/* Sum over classes of target times logit z [k]. The target is the true class, or, with `yes` [k],
 * the cases of each class, smoothed. */
static double target_logit(const nod_predictions *p, size_t row, const double *z,
                           const double *yes)
{
    size_t truth = (size_t)p->labels[row];
    if (yes == NULL) return z[truth];
    double sum = yes[truth] * z[truth];
    for (size_t c = 0; c < p->k; c++)
        sum += z[c];
    return sum / (yes[truth] + (double)p->k);
}

/* Target of one label, smoothed in the same way. */
static double target_label(const nod_predictions *p, size_t row, size_t label,
                           const double *yes)
{
    bool is_yes = p->labels[row * p->k + label] == 1;
    if (yes == NULL) return is_yes;
    return is_yes ? (yes[label] + 1) / (yes[label] + 2) : 1 / ((double)p->n - yes[label] + 2);
}

/* Mean loss over all rows with slope s on z = logits + shift, and its first two derivatives in
 * s. Softmax: ln sum exp(s z_c) - s z_y; multi-label: the sum over labels of the binary loss.
 * `yes` as above. */
static void temperature_loss(const nod_predictions *p, const double *shift, const double *yes,
                             double s, double *z, double out[3])
{
    out[0] = out[1] = out[2] = 0;
    for (size_t i = 0; i < p->n; i++) {
        double top = -INFINITY, sum = 0, first = 0, second = 0;
        for (size_t c = 0; c < p->k; c++) {
            z[c] = p->logits[i * p->k + c] + shift[c];
            top = fmax(top, s * z[c]);
        }
        if (p->task == NOD_TASK_MULTILABEL) {
            for (size_t c = 0; c < p->k; c++) {
                double y = target_label(p, i, c, yes), q = nod_sigmoid(s * z[c]);
                out[0] += nod_softplus(s * z[c]) - y * s * z[c];
                out[1] += (q - y) * z[c];
                out[2] += q * (1 - q) * z[c] * z[c];
            }
            continue;
        }
        for (size_t c = 0; c < p->k; c++)
            sum += exp(s * z[c] - top);
        for (size_t c = 0; c < p->k; c++) {
            double q = exp(s * z[c] - top) / sum;
            first += q * z[c];
            second += q * z[c] * z[c];
        }
        double z_true = target_logit(p, i, z, yes);
        out[0] += top + log(sum) - s * z_true;
        out[1] += first - z_true;
        out[2] += second - first * first;
    }
    for (int d = 0; d < 3; d++)
        out[d] /= (double)p->n;
}

/* The convex loss has one minimum over [SLOPE_MIN, SLOPE_MAX]: Newton inside a bracket of the
 * derivative's sign. */
static double find_temperature(const nod_predictions *p, const double *shift, const double *yes,
                               double *z, bool *at_bound)
{
    double lo = SLOPE_MIN, hi = SLOPE_MAX, d[3];
    *at_bound = true;
    temperature_loss(p, shift, yes, lo, z, d);
    if (d[1] >= 0) return lo;
    temperature_loss(p, shift, yes, hi, z, d);
    if (d[1] <= 0) return hi;
    *at_bound = false;
    double s = 1;
    for (int i = 0; i < 200; i++) {
        temperature_loss(p, shift, yes, s, z, d);
        if (d[1] > 0)
            hi = s;
        else
            lo = s;
        double next = d[2] > 0 ? s - d[1] / d[2] : lo;
        if (!(next > lo && next < hi)) next = 0.5 * (lo + hi);
        if (fabs(next - s) <= 1e-13 * s) return next;
        s = next;
    }
    return s;
}

/* Where the logits tell all cases apart the likelihood has no maximum, and the slope would run to its
 * limit: nearly 0 and nearly 1 from a handful of cases. There the targets are smoothed. */
static double fit_temperature(nod_calibration *made, const nod_predictions *p, double *z,
                              double *yes)
{
    double s = find_temperature(p, made->shift, NULL, z, &made->at_bound);
    if (s < SLOPE_MAX) return s;
    made->smoothed = true;
    for (size_t c = 0; c < p->k; c++) {
        yes[c] = 0;
        for (size_t i = 0; i < p->n; i++)
            yes[c] += p->task == NOD_TASK_MULTILABEL ? p->labels[i * p->k + c] == 1
                                                     : p->labels[i] == (int)c;
    }
    return find_temperature(p, made->shift, yes, z, &made->at_bound);
}

/* Platt's fit on one variable x with truths y [n]; false where Newton does not converge. */
static bool fit_platt(size_t n, const double *x, const double *y, double *target, double *slope,
                      double *intercept)
{
    double positives = 0;
    for (size_t i = 0; i < n; i++)
        positives += y[i];
    double high = (positives + 1) / (positives + 2);
    double low = 1 / ((double)n - positives + 2);
    for (size_t i = 0; i < n; i++)
        target[i] = y[i] > 0 ? high : low;
    nod_logistic fit = {.intercept = nod_logit((positives + 1) / ((double)n + 2))};
    if (!nod_logistic_fit(n, x, target, NOD_LOGISTIC_BOTH, &fit)) return false;
    *slope = fit.slope;
    *intercept = fit.intercept;
    return true;
}

/* Truth and margin of one yes/no question with the prior corrected. */
static void question(const nod_predictions *p, const double *shift, size_t column, double *x,
                     double *y)
{
    size_t c = nod_predictions_column_class(p, column);
    for (size_t i = 0; i < p->n; i++) {
        const double *z = p->logits + i * p->k;
        x[i] = z[c] + shift[c];
        if (p->task == NOD_TASK_BINARY) x[i] -= z[1 - c] + shift[1 - c];
        y[i] =
            p->task == NOD_TASK_MULTILABEL ? p->labels[i * p->k + c] : p->labels[i] == (int)c;
    }
}

static int check_counts(const nod_predictions *p, nod_calibration_kind kind, nod_error *err)
{
    size_t n_labels = nod_predictions_labels(p), usable = 0;
    if (!p->has_logits)
        return nod_fail(err, NOD_EDATA, "the predictions carry no logits to calibrate");
    for (size_t i = 0; i < p->n; i++)
        if (p->labels[i * n_labels] < 0)
            return nod_fail(err, NOD_EDATA,
                            "case '%s' has no truth: it cannot be calibrated on", p->id[i]);
    for (size_t c = 0; c < p->k; c++) {
        size_t yes = 0;
        for (size_t i = 0; i < p->n; i++)
            yes += n_labels > 1 || p->task == NOD_TASK_MULTILABEL ? p->labels[i * p->k + c] == 1
                                                                  : p->labels[i] == (int)c;
        bool enough = yes >= NOD_CALIBRATION_MIN_CASES;
        if (p->task == NOD_TASK_MULTILABEL)
            enough = enough && p->n - yes >= NOD_CALIBRATION_MIN_CASES;
        usable += enough;
        if (!enough && kind == NOD_CALIBRATION_PLATT)
            return nod_fail(err, NOD_EDATA,
                            "'%s' has %zu of %zu validation cases; Platt scaling needs %d of "
                            "each class: use temperature or none",
                            p->class_names.items[c], yes, p->n, NOD_CALIBRATION_MIN_CASES);
    }
    size_t needed = p->task == NOD_TASK_MULTILABEL ? 1 : 2;
    if (usable < needed)
        return nod_fail(err, NOD_EDATA,
                        "%zu classes have %d or more validation cases; calibration needs %zu",
                        usable, NOD_CALIBRATION_MIN_CASES, needed);
    return 0;
}

/* Mean loss of all rows under calibration c; one allocation by the caller: z [2k]. */
static double mean_loss(const nod_calibration *c, const nod_predictions *p, double *lo,
                        double *prob)
{
    double loss = 0;
    for (size_t i = 0; i < p->n; i++) {
        nod_calibration_apply_logits(c, p->task, p->logits + i * p->k, lo, prob);
        if (p->task != NOD_TASK_MULTILABEL) {
            loss += nod_softplus(-lo[p->labels[i]]);
            continue;
        }
        for (size_t j = 0; j < p->k; j++)
            loss += nod_softplus(p->labels[i * p->k + j] == 1 ? -lo[j] : lo[j]);
    }
    return loss / (double)p->n;
}

static int fit_kind(nod_calibration *made, nod_calibration_kind kind, const nod_predictions *p,
                    double *work, nod_error *err)
{
    if (kind == NOD_CALIBRATION_TEMPERATURE) {
        double s = fit_temperature(made, p, work, work + p->k);
        for (size_t c = 0; c < p->k; c++)
            made->slope[c] = s;
        return 0;
    }
    double *x = work, *y = work + p->n, *target = work + 2 * p->n;
    for (size_t col = 0; col < nod_task_columns(p->task, p->k); col++) {
        size_t c = nod_predictions_column_class(p, col);
        question(p, made->shift, col, x, y);
        if (!fit_platt(p->n, x, y, target, &made->slope[c], &made->intercept[c]))
            return nod_fail(err, NOD_ENUMERIC, "Platt scaling of '%s' does not converge",
                            p->class_names.items[c]);
        if (!(made->slope[c] > 0))
            return nod_fail(err, NOD_EDATA,
                            "Platt scaling of '%s' has slope %.3g: on the validation set the "
                            "scores do not rank positives above negatives, train longer or "
                            "look at the labels",
                            p->class_names.items[c], made->slope[c]);
        if (p->task == NOD_TASK_BINARY) made->slope[1 - c] = made->slope[c];
    }
    return 0;
}

int nod_calibration_fit(nod_calibration *c, nod_calibration_kind kind,
                        const nod_predictions *validation, nod_error *err)
{
    const nod_predictions *p = validation;
    nod_calibration made = {0};
    double *work = NULL;
    int rc = 0;
    if (p->k != c->k)
        return nod_fail(err, NOD_EINVAL, "a calibration of %zu classes for predictions of %zu",
                        c->k, p->k);
    if (kind == NOD_CALIBRATION_PLATT && p->task == NOD_TASK_MULTICLASS)
        return nod_fail(err, NOD_EUNSUPPORTED,
                        "Platt scaling is for binary and multi-label tasks; use temperature");
    NOD_TRY(nod_calibration_init(&made, c->k, err));
    memcpy(made.shift, c->shift, c->k * sizeof *c->shift);
    made.kind = kind;
    if (kind == NOD_CALIBRATION_NONE) goto out;
    NOD_TRY(check_counts(p, kind, err));
    work = nod_calloc(3 * p->n + 2 * p->k, sizeof *work);
    if (work == NULL) {
        rc = nod_fail_memory(err, "a calibration", 3 * p->n * sizeof *work);
        goto out;
    }
    made.n = (int64_t)p->n;
    made.loss_before = mean_loss(&made, p, work, work + p->k);
    NOD_TRY(fit_kind(&made, kind, p, work, err));
    made.loss_after = mean_loss(&made, p, work, work + p->k);
out:
    nod_free(work);
    if (rc != 0) {
        nod_calibration_done(&made);
        return rc;
    }
    nod_calibration_done(c);
    *c = made;
    return 0;
}

void nod_calibration_apply_logits(const nod_calibration *c, nod_task task, const double *logits,
                                  double *log_odds, double *probabilities)
{
    double z[NOD_PREDICTIONS_MAX_CLASSES];
    for (size_t i = 0; i < c->k; i++)
        z[i] = c->slope[i] * (logits[i] + c->shift[i]) + c->intercept[i];
    nod_predictions_transform(task, c->k, z, log_odds, probabilities);
}

int nod_calibration_apply(const nod_calibration *c, nod_predictions *p, int32_t seed,
                          nod_error *err)
{
    if (p->k != c->k)
        return nod_fail(err, NOD_EINVAL, "a calibration of %zu classes for predictions of %zu",
                        c->k, p->k);
    if (!p->has_logits)
        return nod_fail(err, NOD_EDATA, "the predictions carry no logits to calibrate");
    for (size_t i = 0; i < p->n; i++)
        if (seed < 0 || p->seed[i] == seed)
            nod_calibration_apply_logits(c, p->task, p->logits + i * p->k,
                                         p->log_odds + i * p->k, p->probabilities + i * p->k);
    return 0;
}

/* --- storing ------------------------------------------------------------------------------ */

static nod_json *reals(const double *v, size_t n)
{
    nod_json *a = nod_json_array();
    for (size_t i = 0; i < n; i++)
        nod_json_push(a, nod_json_real(v[i]));
    return a;
}

nod_json *nod_calibration_json(const nod_calibration *c)
{
    nod_json *j = nod_json_object();
    nod_json_set_str(j, "kind", nod_calibration_kind_name(c->kind));
    nod_json_set(j, "prior_shift", reals(c->shift, c->k));
    nod_json_set(j, "slope", reals(c->slope, c->k));
    nod_json_set(j, "intercept", reals(c->intercept, c->k));
    if (c->kind == NOD_CALIBRATION_TEMPERATURE)
        nod_json_set_real(j, "temperature", 1 / c->slope[0]);
    nod_json_set_int(j, "fitted_on_cases", c->n);
    nod_json_set_real(j, "loss_before", c->loss_before);
    nod_json_set_real(j, "loss_after", c->loss_after);
    nod_json_set_bool(j, "at_bound", c->at_bound);
    nod_json_set_bool(j, "smoothed", c->smoothed);
    return j;
}

static int read_reals(const nod_json *j, const char *where, const char *key, size_t k,
                      double *out, nod_error *err)
{
    nod_json *list;
    int rc = nod_json_need_array(j, where, key, &list, err);
    if (rc != 0) return rc;
    if (nod_json_count(list) != k)
        return nod_fail(err, NOD_EFORMAT, "%s: '%s' has %zu numbers, not %zu", where, key,
                        nod_json_count(list), k);
    for (size_t i = 0; i < k; i++) {
        nod_json *v = nod_json_at(list, i);
        if (!nod_json_is_number(v))
            return nod_fail(err, NOD_EFORMAT, "%s: %s[%zu] is not a number", where, key, i);
        out[i] = nod_json_f64(v);
    }
    return 0;
}

int nod_calibration_from_json(const nod_json *j, const char *where, size_t k,
                              nod_calibration *out, nod_error *err)
{
    nod_calibration made = {0};
    const char *kind;
    int rc;
    if (k > NOD_PREDICTIONS_MAX_CLASSES)
        return nod_fail(err, NOD_ELIMIT, "%s: %zu classes, at most %d are supported", where, k,
                        NOD_PREDICTIONS_MAX_CLASSES);
    NOD_TRY(nod_calibration_init(&made, k, err));
    NOD_TRY(nod_json_need_str(j, where, "kind", &kind, err));
    if (!nod_calibration_kind_parse(kind, &made.kind)) {
        rc = nod_fail(err, NOD_EFORMAT, "%s: unknown calibration '%s'", where, kind);
        goto out;
    }
    NOD_TRY(read_reals(j, where, "prior_shift", k, made.shift, err));
    NOD_TRY(read_reals(j, where, "slope", k, made.slope, err));
    NOD_TRY(read_reals(j, where, "intercept", k, made.intercept, err));
    for (size_t i = 0; i < k; i++)
        if (!(made.slope[i] > 0)) {
            rc = nod_fail(err, NOD_EFORMAT, "%s: slope[%zu] is %g, not positive", where, i,
                          made.slope[i]);
            goto out;
        }
    NOD_TRY(nod_json_need_i64(j, where, "fitted_on_cases", &made.n, err));
    made.loss_before = nod_json_f64(nod_json_get(j, "loss_before"));
    made.loss_after = nod_json_f64(nod_json_get(j, "loss_after"));
    made.at_bound = nod_json_truth(nod_json_get(j, "at_bound"));
    made.smoothed = nod_json_truth(nod_json_get(j, "smoothed"));
    *out = made;
    return 0;
out:
    nod_calibration_done(&made);
    return rc;
}
