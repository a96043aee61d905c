/* shortcut.c: folds by group, forests on the rest, AUCs on the fold. */
#include "eval/shortcut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "eval/delong.h"
#include "eval/interval.h"
#include "eval/special.h"

#define FOLDS_MAX 16

/* A mean of AUCs in the making. */
typedef struct mean_auc {
    double sum;
    size_t n;
} mean_auc;

typedef struct search {
    const nod_shortcut_data *d;
    const nod_shortcut_options *o;
    nod_forest_table *table;
    size_t n, n_groups; /* looked at */
    size_t *rows;       /* [n] of the data */
    size_t *unit;       /* [data n] group as 0..n_groups-1; SIZE_MAX: not looked at */
    bool *usable;       /* [k] */
    uint8_t *fold;      /* [n_groups] */
    size_t *train, *test, n_train, n_test;
    uint8_t *y, *bins;  /* of one question over the fold; of one row */
    double *scores, *p; /* [k][n_test], [k] */
    double *spare;      /* [n_groups] influences that nobody asks for */
    size_t *patient;    /* [n] group of each case of the fold */
    double *u;          /* [n_groups] influences on the sum of AUCs */
    bool *excluded;     /* [n_features] */
    mean_auc all, alone[NOD_SHORTCUT_FACTORS], shuffled[NOD_SHORTCUT_FACTORS];
    uint64_t n_fits;
    nod_error *err;
} search;

/* --- groups ------------------------------------------------------------------------------- */

typedef struct drawn {
    size_t group, first, n; /* its cases stand at by_group[first..] */
    size_t stratum;
} drawn;

static int compare_by_group(const void *a, const void *b, void *ctx)
{
    const size_t *group = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (group[i] != group[j]) return group[i] < group[j] ? -1 : 1;
    return (i > j) - (i < j);
}

static int compare_sizes(const void *a, const void *b)
{
    return (*(const size_t *)a > *(const size_t *)b) -
           (*(const size_t *)a < *(const size_t *)b);
}

/* Numbers the groups; where there are too many cases, as many whole ones as fit, drawn. */
static int choose_groups(search *s)
{
    const nod_shortcut_data *d = s->d;
    drawn *groups = nod_calloc(d->n, sizeof *groups);
    size_t *sorted = nod_calloc(d->n, sizeof *sorted), n = 0;
    if (!groups || !sorted) {
        nod_free(groups);
        nod_free(sorted);
        return nod_fail_memory(s->err, "groups", d->n * sizeof *groups);
    }
    for (size_t i = 0; i < d->n; i++) {
        sorted[i] = i;
        s->unit[i] = SIZE_MAX;
    }
    qsort_r(sorted, d->n, sizeof *sorted, compare_by_group, (void *)d->group);
    for (size_t i = 0; i < d->n; i++) {
        if (i == 0 || d->group[sorted[i]] != d->group[sorted[i - 1]])
            groups[n++] = (drawn){.first = i};
        groups[n - 1].n++;
    }
    if (d->n > s->o->max_cases) {
        nod_rng rng = nod_rng_make(s->o->forest.seed, NOD_RNG_FOLD, UINT64_MAX);
        nod_rng_shuffle(&rng, groups, n, sizeof *groups);
    }
    for (size_t g = 0; g < n && s->n < s->o->max_cases; g++, s->n_groups++)
        for (size_t i = 0; i < groups[g].n; i++) {
            s->unit[sorted[groups[g].first + i]] = s->n_groups;
            s->rows[s->n++] = sorted[groups[g].first + i];
        }
    qsort(s->rows, s->n, sizeof *s->rows, compare_sizes);
    nod_free(groups);
    nod_free(sorted);
    return 0;
}

/* Groups with a yes, and groups with a no, to one question. */
static void count_sides(const search *s, size_t question, bool *met, size_t sides[2])
{
    sides[0] = sides[1] = 0;
    memset(met, 0, 2 * s->n_groups * sizeof *met);
    for (size_t i = 0; i < s->n; i++) {
        size_t side = s->d->y[s->rows[i] * s->d->k + question];
        bool *m = &met[2 * s->unit[s->rows[i]] + side];
        sides[side] += !*m;
        *m = true;
    }
}

/* Questions with a group on both sides for each fold; `rarest` has the sides of the rarest, fewer first. */
static int find_usable(search *s, size_t *n_usable, size_t rarest[2])
{
    bool *met = nod_calloc(2 * s->n_groups + 1, sizeof *met);
    if (met == NULL) return nod_fail_memory(s->err, "groups", 2 * s->n_groups);
    *n_usable = 0;
    rarest[0] = rarest[1] = SIZE_MAX;
    for (size_t j = 0; j < s->d->k; j++) {
        size_t sides[2];
        count_sides(s, j, met, sides);
        size_t rare = NOD_MIN(sides[0], sides[1]);
        s->usable[j] = rare >= s->o->n_folds;
        if (!s->usable[j]) continue;
        ++*n_usable;
        if (rare >= rarest[0]) continue;
        rarest[0] = rare;
        rarest[1] = NOD_MAX(sides[0], sides[1]);
    }
    nod_free(met);
    return 0;
}

/* --- folds -------------------------------------------------------------------------------- */

static int compare_drawn(const void *a, const void *b)
{
    const drawn *x = a, *y = b;
    if (x->stratum != y->stratum) return x->stratum < y->stratum ? -1 : 1;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

/* The rarest question that a case of the group answers with yes; k: none. */
static void find_strata(const search *s, const size_t *yeses, drawn *groups)
{
    size_t k = s->d->k;
    for (size_t g = 0; g < s->n_groups; g++)
        groups[g] = (drawn){.group = g, .stratum = k};
    for (size_t i = 0; i < s->n; i++) {
        drawn *g = &groups[s->unit[s->rows[i]]];
        g->n++;
        for (size_t j = 0; j < k; j++)
            if (s->d->y[s->rows[i] * k + j] &&
                (g->stratum == k || yeses[j] < yeses[g->stratum]))
                g->stratum = j;
    }
}

/* Stratum by stratum, largest groups first, equal ones in a drawn order, each to the fold that has the
 * fewest cases of the stratum (of equal ones: the fewest cases). */
static int deal_folds(search *s, size_t repetition)
{
    size_t k = s->d->k, n_folds = s->o->n_folds, all[FOLDS_MAX] = {0}, of[FOLDS_MAX] = {0};
    drawn *groups = nod_calloc(s->n_groups, sizeof *groups);
    size_t *yeses = nod_calloc(k, sizeof *yeses);
    if (!groups || !yeses) {
        nod_free(groups);
        nod_free(yeses);
        return nod_fail_memory(s->err, "folds", s->n_groups * sizeof *groups);
    }
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < k; j++)
            yeses[j] += s->d->y[s->rows[i] * k + j];
    find_strata(s, yeses, groups);
    nod_rng rng = nod_rng_make(s->o->forest.seed, NOD_RNG_FOLD, repetition);
    nod_rng_shuffle(&rng, groups, s->n_groups, sizeof *groups);
    for (size_t g = 0; g < s->n_groups; g++)
        groups[g].first = g;
    qsort(groups, s->n_groups, sizeof *groups, compare_drawn);
    for (size_t g = 0; g < s->n_groups; g++) {
        size_t best = 0;
        if (g > 0 && groups[g].stratum != groups[g - 1].stratum) memset(of, 0, sizeof of);
        for (size_t f = 1; f < n_folds; f++)
            if (of[f] < of[best] || (of[f] == of[best] && all[f] < all[best])) best = f;
        of[best] += groups[g].n;
        all[best] += groups[g].n;
        s->fold[groups[g].group] = (uint8_t)best;
    }
    nod_free(groups);
    nod_free(yeses);
    return 0;
}

static void take_fold(search *s, size_t fold)
{
    s->n_train = s->n_test = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t row = s->rows[i];
        if (s->fold[s->unit[row]] == fold) {
            s->patient[s->n_test] = s->unit[row];
            s->test[s->n_test++] = row;
        } else {
            s->train[s->n_train++] = row;
        }
    }
}

/* --- one fold ----------------------------------------------------------------------------- */

/* Excludes all features but those of one factor (SIZE_MAX: none). */
static int fit(search *s, size_t only_factor, nod_forest **out)
{
    nod_forest_options o = s->o->forest;
    for (size_t f = 0; f < s->d->n_features; f++)
        s->excluded[f] = only_factor != SIZE_MAX && s->d->factor[f] != only_factor;
    o.excluded = s->excluded;
    o.stream = s->n_fits++;
    return nod_forest_fit(s->table, s->train, s->n_train, s->d->y, s->d->k, &o, out, s->err);
}

/* Scores of the fold; the features of a factor (SIZE_MAX: none) are those of the rows `other`. */
static void score(search *s, const nod_forest *f, size_t factor, const size_t *other)
{
    for (size_t i = 0; i < s->n_test; i++) {
        const uint8_t *own = nod_forest_table_row(s->table, s->test[i]);
        const uint8_t *from = other ? nod_forest_table_row(s->table, other[i]) : own;
        for (size_t j = 0; j < s->d->n_features; j++)
            s->bins[j] = s->d->factor[j] == factor ? from[j] : own[j];
        nod_forest_predict(f, s->bins, s->p);
        for (size_t q = 0; q < s->d->k; q++)
            s->scores[q * s->n_test + i] = s->p[q];
    }
}

/* Adds the AUCs of the fold to a mean, and the influences on their sum to u [n_groups]. */
static int add_aucs(search *s, mean_auc *to, double *u)
{
    for (size_t q = 0; q < s->d->k; q++) {
        size_t yes = 0;
        if (!s->usable[q]) continue;
        for (size_t i = 0; i < s->n_test; i++) {
            s->y[i] = s->d->y[s->test[i] * s->d->k + q];
            yes += s->y[i];
        }
        if (yes == 0 || yes == s->n_test) continue;
        const nod_auc_sample sample = {.n = s->n_test,
                                       .n_seeds = 1,
                                       .n_patients = s->n_groups,
                                       .score = s->scores + q * s->n_test,
                                       .stride = s->n_test,
                                       .y = s->y,
                                       .patient = s->patient};
        double auc;
        int rc = nod_auc_influence(&sample, 1, &auc, u, s->err);
        if (rc) return rc;
        to->sum += auc;
        to->n++;
    }
    return 0;
}

static int shuffle_factor(search *s, const nod_forest *f, size_t factor)
{
    size_t *other = nod_memdup(s->test, s->n_test * sizeof *other);
    if (other == NULL) return nod_fail_memory(s->err, "a fold", s->n_test * sizeof *other);
    nod_rng rng =
        nod_rng_make(s->o->forest.seed, NOD_RNG_PERMUTE, (s->n_fits << 20) + (uint64_t)factor);
    nod_rng_shuffle(&rng, other, s->n_test, sizeof *other);
    score(s, f, factor, other);
    nod_free(other);
    return add_aucs(s, &s->shuffled[factor], s->spare);
}

static int judge_fold(search *s, const nod_shortcut *out)
{
    nod_forest *f = NULL;
    int rc = 0;
    NOD_TRY(fit(s, SIZE_MAX, &f));
    score(s, f, SIZE_MAX, NULL);
    NOD_TRY(add_aucs(s, &s->all, s->u));
    for (size_t i = 0; i < s->d->n_factors; i++) {
        if (!out->factors[i].varies) continue;
        NOD_TRY(shuffle_factor(s, f, i));
    }
    for (size_t i = 0; i < s->d->n_factors; i++) {
        if (!out->factors[i].varies) continue;
        nod_forest_free(f);
        f = NULL;
        NOD_TRY(fit(s, i, &f));
        score(s, f, SIZE_MAX, NULL);
        NOD_TRY(add_aucs(s, &s->alone[i], s->spare));
    }
out:
    nod_forest_free(f);
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------- */

static double mean_of(const mean_auc *m)
{
    return m->n ? m->sum / (double)m->n : NAN;
}

static void conclude(const search *s, const size_t rarest[2], nod_shortcut *out)
{
    double auc = mean_of(&s->all), variance = 0, n = (double)s->n_groups;
    out->auc = nod_estimate_of(auc);
    for (size_t i = 0; i < s->n_groups; i++) {
        double u = s->u[i] / (double)s->all.n;
        variance += n / (n - 1) * u * u;
    }
    /* So far for these forests; that other training cases would make others, see the header. */
    double folds = (double)s->o->n_folds;
    variance *= 1 + folds / (folds - 1);
    for (size_t i = 0; i < s->d->n_factors; i++) {
        if (!out->factors[i].varies) continue;
        out->factors[i].alone = mean_of(&s->alone[i]);
        out->factors[i].fall = auc - mean_of(&s->shuffled[i]);
    }
    if (!(variance > 1e-24) || !(auc > 0 && auc < 1)) {
        out->interval =
            nod_interval_newcombe5(auc, (double)rarest[0], (double)rarest[1], s->o->confidence);
        return;
    }
    double t = nod_t_quantile(0.5 * (1 + s->o->confidence), (double)rarest[0] - 1);
    double half = t * sqrt(variance) / (auc * (1 - auc));
    out->interval = nod_interval_of(NOD_INTERVAL_INFLUENCE, nod_sigmoid(nod_logit(auc) - half),
                                    nod_sigmoid(nod_logit(auc) + half));
}

static int take_memory(search *s)
{
    const nod_shortcut_data *d = s->d;
    size_t n = d->n + 1;
    s->rows = nod_calloc(n, sizeof *s->rows);
    s->unit = nod_calloc(n, sizeof *s->unit);
    s->usable = nod_calloc(d->k + 1, sizeof *s->usable);
    s->fold = nod_calloc(n, sizeof *s->fold);
    s->train = nod_calloc(n, sizeof *s->train);
    s->test = nod_calloc(n, sizeof *s->test);
    s->y = nod_calloc(n, sizeof *s->y);
    s->bins = nod_calloc(d->n_features + 1, sizeof *s->bins);
    s->scores = nod_calloc(n, (d->k + 1) * sizeof *s->scores);
    s->p = nod_calloc(d->k + 1, sizeof *s->p);
    s->spare = nod_calloc(n, sizeof *s->spare);
    s->patient = nod_calloc(n, sizeof *s->patient);
    s->u = nod_calloc(n, sizeof *s->u);
    s->excluded = nod_calloc(d->n_features + 1, sizeof *s->excluded);
    if (!s->rows || !s->unit || !s->usable || !s->fold || !s->train || !s->test || !s->y ||
        !s->bins || !s->scores || !s->p || !s->spare || !s->patient || !s->u || !s->excluded)
        return nod_fail_memory(s->err, "a search for shortcuts", n * sizeof *s->scores);
    return nod_forest_table_new(d->n, d->features, d->n_features, &s->table, s->err);
}

static void free_memory(search *s)
{
    nod_free(s->rows);
    nod_free(s->unit);
    nod_free(s->usable);
    nod_free(s->fold);
    nod_free(s->train);
    nod_free(s->test);
    nod_free(s->y);
    nod_free(s->bins);
    nod_free(s->scores);
    nod_free(s->p);
    nod_free(s->spare);
    nod_free(s->patient);
    nod_free(s->u);
    nod_free(s->excluded);
    nod_forest_table_free(s->table);
}

int nod_shortcut_find(const nod_shortcut_data *data, const nod_shortcut_options *options,
                      nod_shortcut *out, nod_error *err)
{
    NOD_ASSERT(data->n_factors <= NOD_SHORTCUT_FACTORS && options->n_folds >= 2 &&
               options->n_folds <= FOLDS_MAX && options->repetitions <= 64);
    search s = {.d = data, .o = options, .err = err};
    nod_shortcut made = {0};
    size_t rarest[2] = {0};
    bool varies = false;
    int rc = 0;
    NOD_TRY(take_memory(&s));
    NOD_TRY(choose_groups(&s));
    NOD_TRY(find_usable(&s, &made.n_questions, rarest));
    made.n = s.n;
    made.n_groups = s.n_groups;
    for (size_t i = 0; i < data->n_factors; i++)
        made.factors[i].alone = 0.5;
    for (size_t f = 0; f < data->n_features; f++)
        if (nod_forest_table_varies(s.table, f))
            varies = made.factors[data->factor[f]].varies = true;
    const char *why = varies ? "too few groups of a class" : "nothing varies";
    made.interval = nod_interval_none(why);
    made.auc = varies ? nod_estimate_none(why) : nod_estimate_of(0.5);
    size_t repetitions = options->repetitions;
    if (repetitions == 0) repetitions = NOD_MAX(1, NOD_MIN(5, 5000 / (s.n + 1)));
    for (size_t r = 0; varies && made.n_questions && r < repetitions; r++) {
        NOD_TRY(deal_folds(&s, r));
        for (size_t f = 0; f < options->n_folds; f++) {
            take_fold(&s, f);
            NOD_TRY(judge_fold(&s, &made));
        }
    }
    if (s.all.n > 0) conclude(&s, rarest, &made);
    *out = made;
out:
    free_memory(&s);
    return rc;
}
