/* subgroup.c: dividing predictions by factors and scoring each group; see subgroup.h. */
#include "eval/subgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/results_internal.h"

typedef struct group {
    const char *name; /* NULL: not known */
    size_t rows;      /* of the predictions */
    nod_results *results;
} group;

typedef struct factor {
    const char *name;
    group *groups; /* by name, then the others, then those not known */
    size_t n;
    size_t n_known; /* groups with a name of their own */
} factor;

struct nod_subgroups {
    nod_arena arena;
    factor *factors;
    size_t n;
};

/* --- age -------------------------------------------------------------------------------------- */

const char *nod_age_band(double years)
{
    static const struct {
        double below;
        const char *name;
    } bands[] = {{18, "0-17"}, {40, "18-39"}, {60, "40-59"}, {80, "60-79"}};
    if (!(years >= 0)) return "";
    for (size_t i = 0; i < NOD_COUNT(bands); i++)
        if (years < bands[i].below) return bands[i].name;
    return "80+";
}

/* --- which groups ------------------------------------------------------------------------------ */

static const char *name_of(const nod_factor *f, size_t row)
{
    const char *name = f->group[row];
    return name && *name ? name : NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const group *)a)->name, ((const group *)b)->name);
}

/* Those with most rows first; equal ones by name. */
static int compare_sizes(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->rows != y->rows) return x->rows > y->rows ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct names of the factor with their rows, in a new array; *n_unknown: rows without one. */
static int list_names(const nod_factor *f, size_t n_rows, group **out, size_t *n_out,
                      size_t *n_unknown, nod_error *err)
{
    const char **names = nod_calloc(n_rows + 1, sizeof *names);
    group *groups = nod_calloc(n_rows + 1, sizeof *groups);
    size_t n_names = 0, n = 0;
    if (!names || !groups) {
        nod_free(names);
        nod_free(groups);
        return nod_fail_memory(err, "groups of cases", n_rows * sizeof *groups);
    }
    for (size_t i = 0; i < n_rows; i++) {
        const char *name = name_of(f, i);
        if (name) names[n_names++] = name;
    }
    if (n_names > 1) qsort(names, n_names, sizeof *names, compare_text);
    for (size_t i = 0; i < n_names; i++) {
        if (n == 0 || strcmp(groups[n - 1].name, names[i]) != 0)
            groups[n++] = (group){.name = names[i]};
        groups[n - 1].rows++;
    }
    nod_free(names);
    *out = groups;
    *n_out = n;
    *n_unknown = n_rows - n_names;
    return 0;
}

/* Fills `to` with the groups that are shown. */
static int choose_groups(nod_subgroups *s, const nod_factor *f, size_t n_rows, factor *to,
                         nod_error *err)
{
    group *all = NULL;
    size_t n = 0, n_unknown = 0;
    int rc = list_names(f, n_rows, &all, &n, &n_unknown, err);
    if (rc) return rc;
    size_t shown = n > NOD_SUBGROUP_MAX ? NOD_SUBGROUP_MAX - 1 : n;
    to->name = nod_arena_strdup(&s->arena, f->name);
    to->groups = nod_arena_alloc(&s->arena, (shown + 2) * sizeof *to->groups);
    bool ok = to->name && to->groups;
    if (ok && n > shown) qsort(all, n, sizeof *all, compare_sizes);
    if (ok && shown > 1) qsort(all, shown, sizeof *all, compare_names);
    for (size_t i = 0; ok && i < shown; i++) {
        to->groups[i] = all[i];
        to->groups[i].name = nod_arena_strdup(&s->arena, all[i].name);
        ok = to->groups[i].name != NULL;
    }
    to->n = to->n_known = shown;
    if (ok && n > shown) {
        group *others = &to->groups[to->n++];
        others->name = nod_arena_printf(&s->arena, "%zu smaller groups", n - shown);
        ok = others->name != NULL;
        for (size_t i = shown; i < n; i++)
            others->rows += all[i].rows;
    }
    /* A factor that is not known at all divides nothing. */
    if (ok && n_unknown > 0 && n > 0) to->groups[to->n++] = (group){.rows = n_unknown};
    nod_free(all);
    return ok ? 0 : nod_fail_memory(err, "groups of cases", shown * sizeof *to->groups);
}

/* Which group of `t` a row belongs to. */
static size_t group_of(const factor *t, const char *name)
{
    if (name == NULL) return t->n - 1;
    size_t lo = 0, hi = t->n_known;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = strcmp(t->groups[mid].name, name);
        if (order == 0) return mid;
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return t->n_known;
}

/* --- scoring ----------------------------------------------------------------------------------- */

static const nod_metric scored[] = {NOD_METRIC_ROC_AUC, NOD_METRIC_SENSITIVITY,
                                    NOD_METRIC_SPECIFICITY, NOD_METRIC_ACCURACY,
                                    NOD_METRIC_CALIBRATION_IN_THE_LARGE};

/* The rows of one group as predictions of their own. */
static int take_rows(const nod_predictions *p, const nod_factor *f, const factor *t,
                     size_t i_group, nod_predictions *out, nod_error *err)
{
    size_t per_row = nod_predictions_labels(p);
    int rc = nod_predictions_init(out, p->task, (const char *const *)p->class_names.items, p->k,
                                  p->positive, err);
    for (size_t i = 0; i < p->n && !rc; i++) {
        if (group_of(t, name_of(f, i)) != i_group) continue;
        rc = nod_predictions_add_probabilities(
            out, p->id[i], p->patient[i], p->seed[i], p->labels + i * per_row,
            p->probabilities + i * p->k, p->log_odds + i * p->k,
            p->has_logits ? p->logits + i * p->k : NULL, err);
    }
    return rc;
}

static int score_group(const nod_predictions *p, const nod_operating_point *points,
                       const nod_factor *f, factor *t, size_t i_group,
                       const nod_results_options *options, nod_error *err)
{
    nod_predictions rows = {0};
    nod_results_options o = *options;
    o.metrics = scored;
    o.n_metrics = NOD_COUNT(scored);
    o.notes = NULL;
    o.n_notes = 0;
    o.calibration = o.provenance = NULL;
    int rc = take_rows(p, f, t, i_group, &rows, err);
    if (!rc) rc = nod_results_new(&rows, points, &o, &t->groups[i_group].results, err);
    nod_predictions_done(&rows);
    if (rc)
        nod_error_prefix(err, "group '%.60s' of %s",
                         t->groups[i_group].name ? t->groups[i_group].name : "unknown",
                         t->name);
    return rc;
}

int nod_subgroups_new(const nod_predictions *p, const nod_operating_point *points,
                      const nod_factor *factors, size_t n_factors,
                      const nod_results_options *options, nod_subgroups **out, nod_error *err)
{
    int rc = 0;
    nod_subgroups *s = nod_calloc(1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "groups of cases", sizeof *s);
    nod_arena_init(&s->arena);
    s->factors = nod_arena_alloc(&s->arena, (n_factors + 1) * sizeof *s->factors);
    if (s->factors == NULL) {
        rc = nod_fail_memory(err, "groups of cases", n_factors * sizeof *s->factors);
        goto out;
    }
    for (size_t i = 0; i < n_factors; i++) {
        NOD_TRY(choose_groups(s, &factors[i], p->n, &s->factors[i], err));
        s->n++;
        for (size_t g = 0; g < s->factors[i].n; g++)
            NOD_TRY(score_group(p, points, &factors[i], &s->factors[i], g, options, err));
    }
    *out = s;
    s = NULL;
out:
    nod_subgroups_free(s);
    return rc;
}

void nod_subgroups_free(nod_subgroups *s)
{
    if (s == NULL) return;
    for (size_t i = 0; s->factors && i < s->n; i++)
        for (size_t g = 0; g < s->factors[i].n; g++)
            nod_results_free(s->factors[i].groups[g].results);
    nod_arena_done(&s->arena);
    nod_free(s);
}

size_t nod_subgroups_count(const nod_subgroups *s, size_t i_factor)
{
    NOD_ASSERT(i_factor < s->n);
    return s->factors[i_factor].n;
}

nod_subgroup nod_subgroups_get(const nod_subgroups *s, size_t i_factor, size_t i_group)
{
    NOD_ASSERT(i_factor < s->n && i_group < s->factors[i_factor].n);
    const group *g = &s->factors[i_factor].groups[i_group];
    return (nod_subgroup){g->name, g->results};
}

/* --- JSON -------------------------------------------------------------------------------------- */

nod_json *nod_subgroups_json(const nod_subgroups *s)
{
    nod_json *all = nod_json_array();
    for (size_t i = 0; i < s->n; i++) {
        const factor *t = &s->factors[i];
        nod_json *j = nod_json_object(), *list = nod_json_array();
        for (size_t g = 0; g < t->n; g++) {
            const nod_results *r = t->groups[g].results;
            nod_json *e = nod_json_object();
            bool known = r->n_without_patient < r->n_images;
            nod_json_set_str(e, "group", t->groups[g].name);
            nod_json_set_int(e, "images", (int64_t)r->n_images);
            nod_json_set(e, "patients",
                         known ? nod_json_int((int64_t)r->n_patients) : nod_json_null());
            nod_json_set(e, "classes", nod_results_classes_json(r));
            nod_json_set(e, "metrics", nod_results_rows_json(r));
            nod_json_push(list, e);
        }
        nod_json_set_str(j, "by", t->name);
        nod_json_set(j, "groups", list);
        nod_json_push(all, j);
    }
    return all;
}

/* --- text -------------------------------------------------------------------------------------- */

/* Three of them fit into a line. */
static const struct {
    nod_metric metric;
    const char *title;
} shown[] = {{NOD_METRIC_ROC_AUC, "ROC AUC"},
             {NOD_METRIC_SENSITIVITY, "sensitivity"},
             {NOD_METRIC_SPECIFICITY, "specificity"}};

/* Returns whether the value is an average over fewer classes than there are. */
static bool add_cell(const nod_results *r, nod_metric metric, nod_strbuf *out)
{
    char cell[64];
    const nod_result_row *row = nod_results_find(r, metric, NULL);
    bool partial = row->n_columns > 1 && row->n_used != row->n_columns && !row->value.undefined;
    const char *mark = partial ? "*" : "";
    if (row->value.undefined)
        snprintf(cell, sizeof cell, "not estimable");
    else if (row->interval.undefined)
        snprintf(cell, sizeof cell, "%.3f%s", row->value.value, mark);
    else
        snprintf(cell, sizeof cell, "%.3f%s %.3f-%.3f", row->value.value, mark,
                 row->interval.lo, row->interval.hi);
    nod_strbuf_printf(out, "  %-17s", cell);
    return partial;
}

static bool add_group(const group *g, nod_strbuf *out)
{
    bool partial = false;
    const nod_results *r = g->results;
    nod_strbuf_printf(out, "  %-20.40s %7zu ", g->name ? g->name : "unknown", r->n_images);
    if (r->n_without_patient < r->n_images)
        nod_strbuf_printf(out, "%8zu", r->n_patients);
    else
        nod_strbuf_printf(out, "%8s", "unknown");
    for (size_t i = 0; i < NOD_COUNT(shown); i++)
        partial = add_cell(r, shown[i].metric, out) || partial;
    nod_strbuf_addc(out, '\n');
    return partial;
}

/* "site, age: not known for any case" */
static void add_unknown(const nod_subgroups *s, nod_strbuf *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->factors[i].n == 0)
            nod_strbuf_printf(out, "%s%s", n++ ? ", " : "\nno groups by ", s->factors[i].name);
    if (n) nod_strbuf_add(out, ": not known for any case\n");
}

static bool add_factor(const factor *t, nod_strbuf *out)
{
    bool partial = false;
    nod_strbuf_printf(out, "\n  %-20s %7s %8s", t->name,
                      t->groups[0].results->n_sources ? "units" : "images", "patients");
    for (size_t k = 0; k < NOD_COUNT(shown); k++)
        nod_strbuf_printf(out, "  %-17s", shown[k].title);
    nod_strbuf_addc(out, '\n');
    for (size_t g = 0; g < t->n; g++)
        partial = add_group(&t->groups[g], out) || partial;
    return partial;
}

void nod_subgroups_text(const nod_subgroups *s, nod_strbuf *out)
{
    bool titled = false, partial = false;
    for (size_t i = 0; i < s->n; i++) {
        const factor *t = &s->factors[i];
        if (t->n < 2) continue;
        if (!titled)
            nod_strbuf_printf(out,
                              "\ngroups apart, each with the %g %% interval of its own cases\n",
                              100 * t->groups[0].results->confidence);
        titled = true;
        partial = add_factor(t, out) || partial;
    }
    if (partial)
        nod_strbuf_add(out, "  * mean over the classes that the group has: not comparable with "
                            "other groups\n");
    for (size_t i = 0; i < s->n; i++)
        if (s->factors[i].n == 1)
            nod_strbuf_printf(out, "\nevery case has the %s '%.40s'\n", s->factors[i].name,
                              s->factors[i].groups[0].name);
    add_unknown(s, out);
}
