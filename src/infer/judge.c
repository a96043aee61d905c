/* judge.c: names of cases, units and groups. */
#include "infer/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define GROUP_MAX 24

static int name_cases(nod_judge *j, const nod_cohort *c, const nod_split *s,
                      const nod_labels *l, nod_error *err)
{
    bool known = nod_cohort_get_info(c)->grouping != NOD_GROUPING_NONE;
    j->ids = nod_calloc(l->n + 1, sizeof *j->ids);
    j->patients = nod_calloc(l->n + 1, sizeof *j->patients);
    j->memory = nod_calloc(l->n + l->n_units + 1, GROUP_MAX + NOD_UNIT_ID_MAX);
    if (!j->ids || !j->patients || !j->memory)
        return nod_fail_memory(err, "names of cases", l->n * sizeof *j->ids);
    for (size_t i = 0; i < l->n; i++) {
        char *group = j->memory + i * GROUP_MAX;
        snprintf(group, GROUP_MAX, "g%zu", nod_split_group(s, l->cases[i]));
        j->ids[i] = nod_cohort_get(c, l->cases[i])->id;
        j->patients[i] = known ? group : NULL;
    }
    return 0;
}

static int name_units(nod_judge *j, const nod_cohort *c, const nod_labels *l, nod_error *err)
{
    const char **ids = nod_calloc(l->n_units + 1, sizeof *ids),
               **patients = nod_calloc(l->n_units + 1, sizeof *patients);
    char *names = j->memory + l->n * GROUP_MAX;
    j->units = (nod_judged){l->n_units, ids, patients, l->unit_values};
    if (!ids || !patients)
        return nod_fail_memory(err, "names of units", l->n_units * sizeof *ids);
    for (size_t u = 0; u < l->n_units; u++) {
        char *id = names + u * NOD_UNIT_ID_MAX;
        nod_unit_id(c, l->first[u], id);
        ids[u] = id;
    }
    for (size_t i = 0; i < l->n; i++)
        patients[l->unit[i]] = j->patients[i];
    return 0;
}

int nod_judge_init(nod_judge *j, const nod_cohort *c, const nod_split *s, const nod_labels *l,
                   nod_error *err)
{
    nod_judge made = {.n = l->n, .unit = l->unit};
    int rc = name_cases(&made, c, s, l, err);
    if (rc == 0) rc = name_units(&made, c, l, err);
    if (rc)
        nod_judge_done(&made);
    else
        *j = made;
    return rc;
}

void nod_judge_done(nod_judge *j)
{
    nod_free(j->ids);
    nod_free(j->patients);
    nod_free((void *)j->units.id);
    nod_free((void *)j->units.patient);
    nod_free(j->memory);
    *j = (nod_judge){0};
}

/* The unit of each row; rows of several seeds follow each other. */
static int units_of_rows(const nod_judge *j, const nod_predictions *cases, size_t **out,
                         nod_error *err)
{
    size_t *unit = nod_calloc(cases->n + 1, sizeof *unit);
    if (!unit) return nod_fail_memory(err, "units of rows", cases->n * sizeof *unit);
    for (size_t i = 0; i < cases->n; i++) {
        NOD_ASSERT(strcmp(cases->id[i], j->ids[i % j->n]) == 0);
        unit[i] = j->unit[i % j->n];
    }
    *out = unit;
    return 0;
}

int nod_judge_apply(const nod_judge *j, nod_aggregation a, const nod_predictions *cases,
                    nod_predictions *out, nod_error *err)
{
    size_t *unit = NULL;
    int rc = units_of_rows(j, cases, &unit, err);
    if (rc == 0) rc = nod_aggregation_apply(a, cases, unit, &j->units, out, err);
    nod_free(unit);
    return rc;
}

int nod_judge_mark(const nod_judge *j, nod_predictions *cases, nod_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < cases->n && rc == 0; i++)
        rc = nod_predictions_set_unit(cases, i, j->units.id[j->unit[i % j->n]], err);
    return rc;
}

int nod_judge_choose(const nod_judge *j, const nod_predictions *cases,
                     nod_aggregation_choice *out, nod_error *err)
{
    size_t *unit = NULL;
    int rc = units_of_rows(j, cases, &unit, err);
    if (rc == 0) rc = nod_aggregation_choose(cases, unit, &j->units, out, err);
    nod_free(unit);
    return rc;
}
