/* tune.c: kernels chosen by measuring; see tune.h. */
#include "exec/tune.h"

#include <string.h>

#include "base/memory.h"
#include "exec/plan_internal.h"

#define CANDIDATES_MAX 8

/* One kind of node: all steps of one key. */
typedef struct kind {
    char *key;
    const char *candidates[CANDIDATES_MAX]; /* the first one is the present choice */
    size_t n_candidates, best;
    double time_s[CANDIDATES_MAX]; /* of all its steps */
} kind;

typedef struct tuner {
    const nod_tune_work *work;
    nod_kernel_table *table;
    kind *kinds;
    size_t n, cap, rounds;
    nod_strbuf key;
} tuner;

static kind *find(tuner *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->kinds[i].key, key) == 0) return &t->kinds[i];
    return NULL;
}

/* Kernels of the backend itself that compute this step between the same layouts: the reference is
 * never the faster one, and other layouts would move the cost to a neighbour. */
static void find_candidates(const nod_plan *p, const nod_step *s, kind *k)
{
    nod_kernel_query q = nod_plan_query(p, &s->node, s->preferred, s->fit.in);
    k->candidates[k->n_candidates++] = s->def->name;
    for (size_t i = 0; p->options.backend->kernels[i] != NULL; i++) {
        const nod_kernel_def *def = p->options.backend->kernels[i];
        nod_kernel_fit fit;
        bool known = false;
        for (size_t c = 0; c < k->n_candidates; c++)
            known = known || strcmp(k->candidates[c], def->name) == 0;
        if (known || k->n_candidates == CANDIDATES_MAX || !nod_kernel_fits(def, &q, &fit) ||
            memcmp(fit.in, s->fit.in, sizeof fit.in) != 0 ||
            memcmp(fit.out, s->fit.out, sizeof fit.out) != 0)
            continue;
        k->candidates[k->n_candidates++] = def->name;
    }
}

static int add_kind(tuner *t, const nod_plan *p, const nod_step *s, nod_error *err)
{
    kind k = {.key = nod_strdup(t->key.data)};
    if (k.key == NULL || !nod_grow((void **)&t->kinds, &t->cap, t->n + 1, sizeof *t->kinds)) {
        nod_free(k.key);
        return nod_fail_memory(err, "a tuning", t->n * sizeof *t->kinds);
    }
    find_candidates(p, s, &k);
    t->rounds = NOD_MAX(t->rounds, k.n_candidates);
    t->kinds[t->n++] = k;
    return 0;
}

/* Adds up the times of a measured plan, by kind, for the candidate of this round. */
static int take_times(tuner *t, const nod_plan *p, size_t round, double *all, nod_error *err)
{
    *all = 0;
    for (size_t i = 0; i < p->n_steps; i++) {
        const nod_step *s = &p->steps[i];
        *all += s->time_s;
        if (s->node.op == NOD_OP_REORDER) continue;
        nod_plan_key(p, &s->node, &t->key);
        if (t->key.failed) return nod_fail_memory(err, "the key of a kernel", 256);
        kind *k = find(t, t->key.data);
        if (k == NULL && round == 0) {
            int rc = add_kind(t, p, s, err);
            if (rc != 0) return rc;
            k = &t->kinds[t->n - 1];
        }
        if (k != NULL && round < k->n_candidates) k->time_s[round] += s->time_s;
    }
    return 0;
}

/* The table of a round: every kind its candidate `round`, or its best one. */
static int make_table(const tuner *t, size_t round, bool best, nod_kernel_table **out,
                      nod_error *err)
{
    nod_kernel_table *table = NULL;
    int rc = nod_kernel_table_new(&table, err);
    if (rc == 0) rc = nod_kernel_table_add(table, t->table, err);
    for (size_t i = 0; i < t->n && rc == 0; i++) {
        const kind *k = &t->kinds[i];
        size_t c = best ? k->best : round < k->n_candidates ? round : 0;
        if (c > 0) rc = nod_kernel_table_set(table, k->key, k->candidates[c], err);
    }
    if (rc != 0) {
        nod_kernel_table_free(table);
        return rc;
    }
    *out = table;
    return 0;
}

static int measure(tuner *t, size_t round, bool best, double *all, nod_error *err)
{
    const nod_plan *p = NULL;
    nod_kernel_table *table = NULL;
    int rc = make_table(t, round, best, &table, err);
    if (rc == 0) rc = t->work->measure(t->work->ctx, table, &p, err);
    if (rc == 0) rc = take_times(t, p, best ? CANDIDATES_MAX : round, all, err);
    nod_kernel_table_free(table);
    return rc;
}

static void choose(tuner *t, nod_tune_result *r)
{
    for (size_t i = 0; i < t->n; i++) {
        kind *k = &t->kinds[i];
        r->n_candidates += k->n_candidates - 1;
        for (size_t c = 1; c < k->n_candidates; c++)
            if (k->time_s[c] < k->time_s[k->best]) k->best = c;
        if (k->time_s[k->best] > (1 - NOD_TUNE_GAIN) * k->time_s[0]) k->best = 0;
        r->n_changed += k->best > 0;
    }
    r->n_keys = t->n;
}

static int keep(const tuner *t, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < t->n && rc == 0; i++)
        if (t->kinds[i].best > 0)
            rc = nod_kernel_table_set(t->table, t->kinds[i].key,
                                      t->kinds[i].candidates[t->kinds[i].best], err);
    return rc;
}

int nod_tune(const nod_tune_work *work, nod_kernel_table *table, nod_tune_result *out,
             nod_error *err)
{
    int rc = 0;
    nod_tune_result r = {0};
    tuner t = {.work = work, .table = table, .key = NOD_STRBUF_INIT};
    NOD_TRY(measure(&t, 0, false, &r.before_s, err));
    for (size_t round = 1; round < t.rounds; round++) {
        double ignored;
        NOD_TRY(measure(&t, round, false, &ignored, err));
    }
    choose(&t, &r);
    r.after_s = r.before_s;
    if (r.n_changed > 0) NOD_TRY(measure(&t, 0, true, &r.after_s, err));
    if (r.after_s < r.before_s) NOD_TRY(keep(&t, err));
    if (r.after_s >= r.before_s) r.n_changed = 0;
    *out = r;
out:
    for (size_t i = 0; i < t.n; i++)
        nod_free(t.kinds[i].key);
    nod_free(t.kinds);
    nod_strbuf_done(&t.key);
    return rc;
}
