/* predictions.c: the table of rows in columns of memory, and what one row says. */
#include "eval/predictions.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "eval/special.h"

const char *nod_task_name(nod_task t)
{
    switch (t) {
    case NOD_TASK_BINARY:
        return "binary";
    case NOD_TASK_MULTICLASS:
        return "multiclass";
    case NOD_TASK_MULTILABEL:
        return "multilabel";
    }
    return "unknown";
}

bool nod_task_parse(const char *s, nod_task *out)
{
    for (int t = NOD_TASK_BINARY; t <= NOD_TASK_MULTILABEL; t++)
        if (strcmp(s, nod_task_name((nod_task)t)) == 0) {
            *out = (nod_task)t;
            return true;
        }
    return false;
}

size_t nod_predictions_labels(const nod_predictions *p)
{
    return p->task == NOD_TASK_MULTILABEL ? p->k : 1;
}

size_t nod_task_columns(nod_task task, size_t k)
{
    return task == NOD_TASK_BINARY ? 1 : k;
}

static int check_names(nod_task task, const char *const *names, size_t k, nod_error *err)
{
    for (size_t i = 0; i < k; i++) {
        if (names[i] == NULL || names[i][0] == '\0')
            return nod_fail(err, NOD_EINVAL, "class %zu has no name", i);
        if (task == NOD_TASK_MULTILABEL && strchr(names[i], '|') != NULL)
            return nod_fail(err, NOD_EINVAL,
                            "label '%s' holds '|', which separates labels; rename it",
                            names[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return nod_fail(err, NOD_EINVAL, "classes %zu and %zu are both named '%s'", j,
                                i, names[i]);
    }
    return 0;
}

int nod_predictions_init(nod_predictions *p, nod_task task, const char *const *class_names,
                         size_t k, int positive, nod_error *err)
{
    if (k > NOD_PREDICTIONS_MAX_CLASSES)
        return nod_fail(err, NOD_ELIMIT, "%zu classes, at most %d are supported", k,
                        NOD_PREDICTIONS_MAX_CLASSES);
    if (task == NOD_TASK_BINARY && (k != 2 || positive < 0 || positive > 1))
        return nod_fail(err, NOD_EINVAL,
                        "a binary task needs two classes and one of them positive, got %zu "
                        "classes and positive class %d",
                        k, positive);
    if (k < (task == NOD_TASK_MULTILABEL ? 1u : 2u))
        return nod_fail(err, NOD_EINVAL, "a %s task with %zu classes", nod_task_name(task), k);
    int rc = check_names(task, class_names, k, err);
    if (rc != 0) return rc;
    nod_predictions made = {.task = task, .k = k, .has_logits = true};
    made.positive = task == NOD_TASK_BINARY ? positive : -1;
    for (size_t i = 0; i < k; i++)
        if (!nod_strlist_add(&made.class_names, class_names[i])) {
            nod_strlist_done(&made.class_names);
            return nod_fail_memory(err, "class names", k * sizeof(char *));
        }
    *p = made;
    return 0;
}

void nod_predictions_done(nod_predictions *p)
{
    for (size_t i = 0; i < p->n; i++) {
        nod_free(p->id[i]);
        nod_free(p->patient[i]);
        if (p->unit) nod_free(p->unit[i]);
    }
    nod_free(p->unit);
    nod_free(p->id);
    nod_free(p->patient);
    nod_free(p->seed);
    nod_free(p->labels);
    nod_free(p->logits);
    nod_free(p->log_odds);
    nod_free(p->probabilities);
    nod_strlist_done(&p->class_names);
    *p = (nod_predictions){0};
}

/* Each array on its own: after a failure some are longer than `capacity`, which is harmless. */
static bool resize(void **items, size_t capacity, size_t per_row, size_t size)
{
    void *p = nod_realloc(*items, capacity, per_row * size);
    if (p == NULL) return false;
    *items = p;
    return true;
}

static int reserve(nod_predictions *p, nod_error *err)
{
    if (p->n < p->capacity) return 0;
    if (p->n >= NOD_PREDICTIONS_MAX_ROWS)
        return nod_fail(err, NOD_ELIMIT, "more than %zu rows of predictions",
                        NOD_PREDICTIONS_MAX_ROWS);
    size_t capacity = NOD_MAX((size_t)64, 2 * p->capacity);
    if (!resize((void **)&p->id, capacity, 1, sizeof *p->id) ||
        !resize((void **)&p->patient, capacity, 1, sizeof *p->patient) ||
        (p->unit && !resize((void **)&p->unit, capacity, 1, sizeof *p->unit)) ||
        !resize((void **)&p->seed, capacity, 1, sizeof *p->seed) ||
        !resize((void **)&p->labels, capacity, nod_predictions_labels(p), sizeof *p->labels) ||
        !resize((void **)&p->logits, capacity, p->k, sizeof *p->logits) ||
        !resize((void **)&p->log_odds, capacity, p->k, sizeof *p->log_odds) ||
        !resize((void **)&p->probabilities, capacity, p->k, sizeof *p->probabilities))
        return nod_fail_memory(err, "predictions", capacity * p->k * 3 * sizeof(double));
    p->capacity = capacity;
    return 0;
}

/* Checks and copies what is the same for both ways to add; the row counts when n is raised. */
static int begin_row(nod_predictions *p, const char *id, const char *patient, int32_t seed,
                     const int32_t *labels, nod_error *err)
{
    if (id == NULL || id[0] == '\0')
        return nod_fail(err, NOD_EINVAL, "row %zu of the predictions has no id", p->n);
    if (seed < 0 || seed >= NOD_PREDICTIONS_MAX_SEEDS)
        return nod_fail(err, NOD_EINVAL, "case '%s': seed index %d is not in 0..%d", id, seed,
                        NOD_PREDICTIONS_MAX_SEEDS - 1);
    int rc = reserve(p, err);
    if (rc != 0) return rc;
    size_t n_labels = nod_predictions_labels(p);
    int32_t highest = p->task == NOD_TASK_MULTILABEL ? 1 : (int32_t)p->k - 1;
    int32_t *row = p->labels + p->n * n_labels;
    for (size_t j = 0; j < n_labels; j++) {
        row[j] = labels != NULL ? labels[j] : -1;
        if (row[j] < -1 || row[j] > highest)
            return nod_fail(err, NOD_EINVAL, "case '%s': label %d is not in 0..%d", id, row[j],
                            highest);
        if ((row[j] < 0) != (row[0] < 0))
            return nod_fail(err, NOD_EINVAL,
                            "case '%s': some of its labels are known and some are not", id);
    }
    char *id_copy = nod_strdup(id), *patient_copy = NULL;
    bool known = patient != NULL && patient[0] != '\0';
    if (known) patient_copy = nod_strdup(patient);
    if (id_copy == NULL || (known && patient_copy == NULL)) {
        nod_free(id_copy);
        nod_free(patient_copy);
        return nod_fail_memory(err, "a case's id", strlen(id));
    }
    p->id[p->n] = id_copy;
    p->patient[p->n] = patient_copy;
    if (p->unit) p->unit[p->n] = NULL;
    p->seed[p->n] = seed;
    return 0;
}

int nod_predictions_add(nod_predictions *p, const char *id, const char *patient, int32_t seed,
                        const int32_t *labels, const double *logits, nod_error *err)
{
    for (size_t c = 0; c < p->k; c++)
        if (!isfinite(logits[c]))
            return nod_fail(err, NOD_ENUMERIC, "case '%s': the logit of class '%s' is %g",
                            id != NULL ? id : "", p->class_names.items[c], logits[c]);
    int rc = begin_row(p, id, patient, seed, labels, err);
    if (rc != 0) return rc;
    memcpy(p->logits + p->n * p->k, logits, p->k * sizeof *logits);
    nod_predictions_transform(p->task, p->k, logits, p->log_odds + p->n * p->k,
                              p->probabilities + p->n * p->k);
    p->n++;
    return 0;
}

int nod_predictions_add_probabilities(nod_predictions *p, const char *id, const char *patient,
                                      int32_t seed, const int32_t *labels,
                                      const double *probabilities, const double *log_odds,
                                      const double *logits, nod_error *err)
{
    double sum = 0;
    const char *shown = id != NULL ? id : "";
    for (size_t c = 0; c < p->k; c++) {
        if (!(probabilities[c] >= 0 && probabilities[c] <= 1))
            return nod_fail(err, NOD_EINVAL,
                            "case '%s': the probability of '%s' is %g, not in 0..1", shown,
                            p->class_names.items[c], probabilities[c]);
        if (log_odds != NULL && isnan(log_odds[c]))
            return nod_fail(err, NOD_EINVAL, "case '%s': the log-odds of '%s' are no number",
                            shown, p->class_names.items[c]);
        if (logits != NULL && !isfinite(logits[c]))
            return nod_fail(err, NOD_ENUMERIC, "case '%s': the logit of class '%s' is %g",
                            shown, p->class_names.items[c], logits[c]);
        sum += probabilities[c];
    }
    if (p->task != NOD_TASK_MULTILABEL && !(fabs(sum - 1) <= 1e-4))
        return nod_fail(err, NOD_EINVAL, "case '%s': its probabilities sum to %.6g, not 1",
                        shown, sum);
    int rc = begin_row(p, id, patient, seed, labels, err);
    if (rc != 0) return rc;
    for (size_t c = 0; c < p->k; c++) {
        size_t at = p->n * p->k + c;
        p->logits[at] = logits != NULL ? logits[c] : NAN;
        p->probabilities[at] = probabilities[c];
        p->log_odds[at] = log_odds != NULL ? log_odds[c] : nod_logit(probabilities[c]);
    }
    if (logits == NULL) p->has_logits = false;
    p->n++;
    return 0;
}

int nod_predictions_set_unit(nod_predictions *p, size_t row, const char *unit, nod_error *err)
{
    NOD_ASSERT(row < p->n);
    if (p->unit == NULL) p->unit = nod_calloc(p->capacity, sizeof *p->unit);
    char *copy = p->unit ? nod_strdup(unit) : NULL;
    if (copy == NULL) return nod_fail_memory(err, "a unit's id", strlen(unit));
    nod_free(p->unit[row]);
    p->unit[row] = copy;
    return 0;
}

int nod_predictions_append(nod_predictions *p, const nod_predictions *from, nod_error *err)
{
    size_t k = p->k, n_labels = nod_predictions_labels(p);
    NOD_ASSERT(from->task == p->task && from->k == k);
    for (size_t i = 0; i < from->n; i++) {
        size_t bytes = k * sizeof(double);
        int rc = begin_row(p, from->id[i], from->patient[i], from->seed[i],
                           from->labels + i * n_labels, err);
        if (rc != 0) return rc;
        memcpy(p->logits + p->n * k, from->logits + i * k, bytes);
        memcpy(p->log_odds + p->n * k, from->log_odds + i * k, bytes);
        memcpy(p->probabilities + p->n * k, from->probabilities + i * k, bytes);
        p->n++;
        if (from->unit && from->unit[i])
            rc = nod_predictions_set_unit(p, p->n - 1, from->unit[i], err);
        if (rc != 0) return rc;
    }
    p->has_logits = p->has_logits && from->has_logits;
    return 0;
}

void nod_predictions_transform(nod_task task, size_t k, const double *logits, double *log_odds,
                               double *probabilities)
{
    if (task == NOD_TASK_MULTILABEL) {
        for (size_t c = 0; c < k; c++) {
            log_odds[c] = logits[c];
            probabilities[c] = nod_sigmoid(logits[c]);
        }
        return;
    }
    size_t top = 0;
    for (size_t c = 1; c < k; c++)
        if (logits[c] > logits[top]) top = c;
    double others = 0; /* sum over c != top of exp(z_c - z_top) */
    for (size_t c = 0; c < k; c++)
        if (c != top) others += exp(logits[c] - logits[top]);
    /* log-odds against the rest: z_c - ln(sum of exp of the others). For c = top the sum is
     * `others`; else it is 1 + others - exp(z_c - z_top) >= 1, so nothing cancels. Where all
     * others underflow, the sum is taken relative to the second highest. */
    double second = -INFINITY, tail = 0;
    for (size_t c = 0; c < k; c++)
        if (c != top) second = fmax(second, logits[c]);
    for (size_t c = 0; c < k; c++)
        if (c != top) tail += exp(logits[c] - second);
    for (size_t c = 0; c < k; c++) {
        double d = logits[c] - logits[top], e = exp(d);
        if (c == top)
            log_odds[c] = (logits[top] - second) - log(tail);
        else
            log_odds[c] = d - log1p(others - e);
        probabilities[c] = e / (1 + others);
    }
}

size_t nod_predictions_column_class(const nod_predictions *p, size_t c)
{
    return p->task == NOD_TASK_BINARY ? (size_t)p->positive : c;
}

bool nod_predictions_is_called(const nod_predictions *p, size_t row, size_t c, double threshold)
{
    return p->probabilities[row * p->k + nod_predictions_column_class(p, c)] >= threshold;
}

size_t nod_predictions_argmax(const nod_predictions *p, size_t row)
{
    const double *z = p->log_odds + row * p->k;
    size_t top = 0;
    for (size_t c = 1; c < p->k; c++)
        if (z[c] > z[top]) top = c;
    return top;
}

double nod_predictions_error(const nod_predictions *p, size_t row)
{
    const double *q = p->probabilities + row * p->k;
    if (p->task != NOD_TASK_MULTILABEL) {
        int32_t label = p->labels[row];
        return label < 0 ? NAN : 1 - q[label];
    }
    double worst = NAN;
    for (size_t c = 0; c < p->k; c++) {
        int32_t label = p->labels[row * p->k + c];
        if (label >= 0) worst = fmax(worst, label == 1 ? 1 - q[c] : q[c]);
    }
    return worst;
}

size_t nod_predictions_seeds(const nod_predictions *p)
{
    int32_t highest = 0;
    for (size_t i = 0; i < p->n; i++)
        highest = NOD_MAX(highest, p->seed[i]);
    return (size_t)highest + 1;
}
