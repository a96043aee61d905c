/* cases.c: sorts rows by (seed, id), checks that every seed has the same cases, and lays the
 * scores out by column. */
#include "eval/cases.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct row_key {
    int32_t seed;
    const char *id;
    size_t row;
} row_key;

static int compare_rows(const void *a, const void *b)
{
    const row_key *x = a, *y = b;
    if (x->seed != y->seed) return x->seed < y->seed ? -1 : 1;
    return strcmp(x->id, y->id);
}

void nod_cases_free(nod_cases *c)
{
    if (c == NULL) return;
    nod_free(c->id);
    nod_free(c->label);
    nod_free(c->y);
    nod_free(c->patient);
    nod_free(c->log_odds);
    nod_free(c->p);
    nod_free(c->seed);
    nod_free(c);
}

static bool same_patient(const char *a, const char *b)
{
    if (a == NULL || b == NULL) return a == b;
    return strcmp(a, b) == 0;
}

/* Counts seeds and cases of the sorted rows, and compares every seed's cases with the first's.
 */
static int check_rows(const nod_predictions *p, const row_key *rows, nod_cases *c,
                      nod_error *err)
{
    size_t n_labels = nod_predictions_labels(p);
    for (size_t i = 0; i < p->n; i++) {
        if (i > 0 && compare_rows(&rows[i - 1], &rows[i]) == 0)
            return nod_fail(err, NOD_EDATA, "case '%s' is there twice for seed %d", rows[i].id,
                            rows[i].seed);
        if (i == 0 || rows[i].seed != rows[i - 1].seed) c->n_seeds++;
        if (rows[i].seed == rows[0].seed) c->n++;
        if (p->labels[rows[i].row * n_labels] < 0)
            return nod_fail(err, NOD_EDATA, "case '%s' has no truth: it cannot be evaluated",
                            rows[i].id);
    }
    NOD_ASSERT(c->n > 0 || p->n == 0);
    for (size_t i = c->n; i < p->n; i++) {
        const row_key *a = &rows[i % c->n], *b = &rows[i];
        if (p->n % c->n != 0 || strcmp(a->id, b->id) != 0 || b->seed != rows[i - i % c->n].seed)
            return nod_fail(err, NOD_EDATA,
                            "seeds %d and %d do not have the same cases (near case '%s')",
                            a->seed, b->seed, b->id);
        if (memcmp(p->labels + a->row * n_labels, p->labels + b->row * n_labels,
                   n_labels * sizeof *p->labels) != 0)
            return nod_fail(err, NOD_EDATA,
                            "case '%s': its truth is not the same for seeds %d and %d", b->id,
                            a->seed, b->seed);
        if (!same_patient(p->patient[a->row], p->patient[b->row]))
            return nod_fail(err, NOD_EDATA,
                            "case '%s': its patient is not the same for seeds %d and %d", b->id,
                            a->seed, b->seed);
    }
    return 0;
}

typedef struct patient_key {
    const char *key; /* NULL: none */
    size_t i;
} patient_key;

static int compare_patients(const void *a, const void *b)
{
    const patient_key *x = a, *y = b;
    if (x->key == NULL || y->key == NULL) {
        if ((x->key == NULL) != (y->key == NULL)) return x->key == NULL ? 1 : -1;
        return (x->i > y->i) - (x->i < y->i);
    }
    int c = strcmp(x->key, y->key);
    return c != 0 ? c : (x->i > y->i) - (x->i < y->i);
}

/* Numbers the patients by sorted key, so that neither row order nor hashing decides. */
static int number_patients(const nod_predictions *p, const row_key *rows, nod_cases *c,
                           nod_error *err)
{
    patient_key *keys = nod_calloc(c->n, sizeof *keys);
    if (keys == NULL) return nod_fail_memory(err, "patients", c->n * sizeof *keys);
    for (size_t i = 0; i < c->n; i++)
        keys[i] = (patient_key){p->patient[rows[i].row], i};
    qsort(keys, c->n, sizeof *keys, compare_patients);
    for (size_t i = 0; i < c->n; i++) {
        bool known = keys[i].key != NULL;
        if (!known) c->n_without_patient++;
        if (i == 0 || !known || !same_patient(keys[i - 1].key, keys[i].key)) c->n_patients++;
        c->patient[keys[i].i] = c->n_patients - 1;
    }
    nod_free(keys);
    return 0;
}

static int allocate(nod_cases *c, nod_error *err)
{
    size_t scores = c->n_seeds * c->n_columns; /* bounded by the rows' own memory */
    c->id = nod_calloc(c->n, sizeof *c->id);
    c->patient = nod_calloc(c->n, sizeof *c->patient);
    c->y = nod_calloc(c->n, c->n_columns);
    c->seed = nod_calloc(c->n_seeds, sizeof *c->seed);
    c->log_odds = nod_calloc(c->n, scores * sizeof *c->log_odds);
    c->p = nod_calloc(c->n, scores * sizeof *c->p);
    bool ok = c->id && c->patient && c->y && c->seed && c->log_odds && c->p;
    if (c->task != NOD_TASK_MULTILABEL) {
        c->label = nod_calloc(c->n, sizeof *c->label);
        ok = ok && c->label != NULL;
    }
    return ok ? 0 : nod_fail_memory(err, "cases", c->n * scores * 2 * sizeof(double));
}

static void fill(const nod_predictions *p, const row_key *rows, nod_cases *c)
{
    size_t n_labels = nod_predictions_labels(p);
    for (size_t i = 0; i < c->n; i++) {
        const int32_t *label = p->labels + rows[i].row * n_labels;
        c->id[i] = rows[i].id;
        if (c->label != NULL) c->label[i] = label[0];
        for (size_t col = 0; col < c->n_columns; col++) {
            int32_t of_column = (int32_t)nod_predictions_column_class(p, col);
            bool yes = c->label != NULL ? label[0] == of_column : label[col] == 1;
            c->y[col * c->n + i] = yes;
        }
    }
    for (size_t r = 0; r < p->n; r++) {
        size_t s = r / c->n, i = r % c->n;
        c->seed[s] = rows[r].seed;
        for (size_t col = 0; col < c->n_columns; col++) {
            size_t from = rows[r].row * p->k + nod_predictions_column_class(p, col);
            size_t to = (s * c->n_columns + col) * c->n + i;
            c->log_odds[to] = p->log_odds[from];
            c->p[to] = p->probabilities[from];
        }
    }
}

int nod_cases_new(const nod_predictions *p, nod_cases **out, nod_error *err)
{
    if (p->n == 0) return nod_fail(err, NOD_EDATA, "there are no predictions to evaluate");
    row_key *rows = nod_calloc(p->n, sizeof *rows);
    nod_cases *c = nod_calloc(1, sizeof *c);
    int rc = 0;
    if (rows == NULL || c == NULL) {
        rc = nod_fail_memory(err, "cases", p->n * sizeof *rows);
        goto out;
    }
    for (size_t i = 0; i < p->n; i++)
        rows[i] = (row_key){p->seed[i], p->id[i], i};
    qsort(rows, p->n, sizeof *rows, compare_rows);
    c->task = p->task;
    c->k = p->k;
    c->n_columns = nod_task_columns(p->task, p->k);
    NOD_TRY(check_rows(p, rows, c, err));
    NOD_TRY(allocate(c, err));
    fill(p, rows, c);
    NOD_TRY(number_patients(p, rows, c, err));
    *out = c;
    c = NULL;
out:
    nod_free(rows);
    nod_cases_free(c);
    return rc;
}

int nod_cases_match(const nod_cases *a, const nod_cases *b, nod_error *err)
{
    if (a->task != b->task || a->k != b->k)
        return nod_fail(err, NOD_EDATA,
                        "the runs answer different questions: %s with %zu "
                        "classes, and %s with %zu",
                        nod_task_name(a->task), a->k, nod_task_name(b->task), b->k);
    if (a->n != b->n)
        return nod_fail(err, NOD_EDATA,
                        "the runs have %zu and %zu cases; a comparison needs "
                        "the same cases",
                        a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->id[i], b->id[i]) != 0)
            return nod_fail(err, NOD_EDATA, "case '%s' is in one run only",
                            strcmp(a->id[i], b->id[i]) < 0 ? a->id[i] : b->id[i]);
        for (size_t c = 0; c < a->n_columns; c++)
            if (a->y[c * a->n + i] != b->y[c * b->n + i])
                return nod_fail(err, NOD_EDATA, "case '%s' has another truth in the other run",
                                a->id[i]);
        if (a->patient[i] != b->patient[i])
            return nod_fail(err, NOD_EDATA, "case '%s' has another patient in the other run",
                            a->id[i]);
    }
    return 0;
}

bool nod_cases_one_image_a_patient(const nod_cases *c)
{
    return c->n_patients == c->n;
}
