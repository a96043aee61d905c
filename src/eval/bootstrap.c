/* bootstrap.c: patients sorted by stratum; a draw is a weight for each patient. */
#include "eval/bootstrap.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/interval.h"

typedef struct plan {
    const nod_cases *cases;
    uint64_t seed;
    size_t n_replicates, n_values, n_strata;
    size_t *members; /* [n_patients], grouped by stratum */
    size_t *begin;   /* [n_strata + 1] */
    bool *needed;    /* [n_columns] both classes are there */
    nod_bootstrap_fn fn;
    void *ctx;
    nod_bootstrap *out;
    struct piece {
        double *patient_w, *w, *values;
        size_t redrawn, given_up;
    } pieces[NOD_BOOTSTRAP_PIECES];
} plan;

/* Stratum of every patient into `stratum` [n_patients]. */
static int find_strata(const nod_cases *c, size_t *stratum, nod_error *err)
{
    if (c->task == NOD_TASK_MULTILABEL) return 0; /* zeroed: one stratum */
    if (c->task == NOD_TASK_BINARY) {
        for (size_t i = 0; i < c->n; i++)
            if (nod_cases_y(c, 0)[i]) stratum[c->patient[i]] = 1;
        return 0;
    }
    uint32_t *votes = nod_calloc(c->n_patients, c->k * sizeof *votes);
    if (votes == NULL)
        return nod_fail_memory(err, "strata", c->n_patients * c->k * sizeof *votes);
    for (size_t i = 0; i < c->n; i++)
        votes[c->patient[i] * c->k + (size_t)c->label[i]]++;
    for (size_t i = 0; i < c->n_patients; i++)
        for (size_t k = 1; k < c->k; k++)
            if (votes[i * c->k + k] > votes[i * c->k + stratum[i]]) stratum[i] = k;
    nod_free(votes);
    return 0;
}

static int make_plan(plan *p, nod_error *err)
{
    const nod_cases *c = p->cases;
    p->n_strata = NOD_MAX(c->k, (size_t)2);
    size_t *stratum = nod_calloc(c->n_patients, sizeof *stratum);
    p->members = nod_calloc(c->n_patients, sizeof *p->members);
    p->begin = nod_calloc(p->n_strata + 1, sizeof *p->begin);
    p->needed = nod_calloc(c->n_columns, sizeof *p->needed);
    int rc = 0;
    if (!stratum || !p->members || !p->begin || !p->needed)
        rc = nod_fail_memory(err, "the bootstrap", c->n_patients * 2 * sizeof *stratum);
    if (rc == 0) rc = find_strata(c, stratum, err);
    if (rc == 0) {
        size_t at = 0;
        for (size_t s = 0; s < p->n_strata; s++) {
            p->begin[s] = at;
            for (size_t i = 0; i < c->n_patients; i++)
                if (stratum[i] == s) p->members[at++] = i;
        }
        p->begin[p->n_strata] = at;
        for (size_t col = 0; col < c->n_columns; col++) {
            size_t yes = 0;
            for (size_t i = 0; i < c->n; i++)
                yes += nod_cases_y(c, col)[i];
            p->needed[col] = yes > 0 && yes < c->n;
        }
    }
    for (size_t i = 0; rc == 0 && i < NOD_BOOTSTRAP_PIECES; i++) {
        p->pieces[i].patient_w = nod_calloc(c->n_patients, sizeof(double));
        p->pieces[i].w = nod_calloc(c->n, sizeof(double));
        p->pieces[i].values = nod_calloc(p->n_values, sizeof(double));
        if (!p->pieces[i].patient_w || !p->pieces[i].w || !p->pieces[i].values)
            rc = nod_fail_memory(err, "the bootstrap", c->n * sizeof(double));
    }
    nod_free(stratum);
    return rc;
}

static void plan_done(plan *p)
{
    nod_free(p->members);
    nod_free(p->begin);
    nod_free(p->needed);
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++) {
        nod_free(p->pieces[i].patient_w);
        nod_free(p->pieces[i].w);
        nod_free(p->pieces[i].values);
    }
}

static void draw(const plan *p, nod_rng *rng, double *patient_w, double *w)
{
    const nod_cases *c = p->cases;
    memset(patient_w, 0, c->n_patients * sizeof *patient_w);
    for (size_t s = 0; s < p->n_strata; s++) {
        size_t size = p->begin[s + 1] - p->begin[s];
        for (size_t i = 0; i < size; i++)
            patient_w[p->members[p->begin[s] + nod_rng_below(rng, size)]]++;
    }
    for (size_t i = 0; i < c->n; i++)
        w[i] = patient_w[c->patient[i]];
}

static bool is_one_class(const plan *p, const double *w)
{
    const nod_cases *c = p->cases;
    for (size_t col = 0; col < c->n_columns; col++) {
        if (!p->needed[col]) continue;
        const uint8_t *y = nod_cases_y(c, col);
        bool yes = false, no = false;
        for (size_t i = 0; i < c->n && !(yes && no); i++) {
            yes = yes || (w[i] > 0 && y[i]);
            no = no || (w[i] > 0 && !y[i]);
        }
        if (!yes || !no) return true;
    }
    return false;
}

static void run_piece(void *ctx, int64_t piece_index)
{
    plan *p = ctx;
    size_t k = (size_t)piece_index;
    struct piece *piece = &p->pieces[k];
    for (size_t b = k; b < p->n_replicates; b += NOD_BOOTSTRAP_PIECES) {
        nod_rng rng = nod_rng_make(p->seed, NOD_RNG_BOOTSTRAP, b);
        size_t tries = 0;
        do
            draw(p, &rng, piece->patient_w, piece->w);
        while (is_one_class(p, piece->w) && ++tries < NOD_BOOTSTRAP_TRIES);
        piece->redrawn += tries;
        bool usable = tries < NOD_BOOTSTRAP_TRIES;
        piece->given_up += !usable;
        if (usable) p->fn(p->ctx, k, piece->w, piece->values);
        for (size_t v = 0; v < p->n_values; v++)
            p->out->values[v * p->n_replicates + b] = usable ? piece->values[v] : NAN;
    }
}

static int compare_nan_last(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

int nod_bootstrap_run(const nod_cases *c, uint64_t seed, size_t n_replicates, size_t n_values,
                      nod_bootstrap_fn fn, void *ctx, nod_bootstrap **out, nod_error *err)
{
    NOD_ASSERT(n_values > 0 && n_replicates > 0);
    plan p = {.cases = c,
              .seed = seed,
              .n_replicates = n_replicates,
              .n_values = n_values,
              .fn = fn,
              .ctx = ctx};
    nod_bootstrap *b = nod_calloc(1, sizeof *b);
    int rc = 0;
    if (b == NULL) return nod_fail_memory(err, "the bootstrap", sizeof *b);
    b->n_values = n_values;
    b->n_replicates = n_replicates;
    b->values = nod_calloc(n_replicates, n_values * sizeof *b->values);
    b->n_defined = nod_calloc(n_values, sizeof *b->n_defined);
    p.out = b;
    if (b->values == NULL || b->n_defined == NULL) {
        rc = nod_fail_memory(err, "the bootstrap", n_replicates * n_values * sizeof(double));
        goto out;
    }
    NOD_TRY(make_plan(&p, err));
    nod_parallel_for(NOD_BOOTSTRAP_PIECES, run_piece, &p);
    for (size_t i = 0; i < NOD_BOOTSTRAP_PIECES; i++) {
        b->redrawn += p.pieces[i].redrawn;
        b->given_up += p.pieces[i].given_up;
    }
    for (size_t v = 0; v < n_values; v++) {
        double *row = b->values + v * n_replicates;
        qsort(row, n_replicates, sizeof *row, compare_nan_last);
        while (b->n_defined[v] < n_replicates && !isnan(row[b->n_defined[v]]))
            b->n_defined[v]++;
    }
    *out = b;
    b = NULL;
out:
    plan_done(&p);
    nod_bootstrap_free(b);
    return rc;
}

void nod_bootstrap_free(nod_bootstrap *b)
{
    if (b == NULL) return;
    nod_free(b->values);
    nod_free(b->n_defined);
    nod_free(b);
}

nod_interval nod_bootstrap_interval(const nod_bootstrap *b, size_t value, double confidence)
{
    size_t n = b->n_defined[value];
    if ((double)n < NOD_BOOTSTRAP_MIN_SHARE * (double)b->n_replicates)
        return nod_interval_none("not estimable in more than 5 % of the bootstrap replicates");
    return nod_interval_percentile(b->values + value * b->n_replicates, n, confidence);
}

bool nod_bootstrap_is_flat(const nod_bootstrap *b, size_t value)
{
    size_t n = b->n_defined[value];
    const double *row = b->values + value * b->n_replicates;
    return n == 0 || row[n - 1] - row[0] <= 1e-12 * (1 + fabs(row[0]));
}
