/* unit.c: cases sorted by the name of their unit. */
#include "data/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/groups.h"

/* What names a case's unit: words, of which the second may be "", and the first case of its patient. */
typedef struct named_case {
    const char *name, *side;
    size_t patient, i;
} named_case;

static int compare_names(const void *a, const void *b)
{
    const named_case *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order == 0) order = strcmp(x->side, y->side);
    if (order == 0) order = (x->patient > y->patient) - (x->patient < y->patient);
    return order ? order : (x->i > y->i) - (x->i < y->i);
}

static bool has_side(const nod_case *k)
{
    const char *side = k->facts[NOD_FACT_SIDE];
    return *side == 'L' || *side == 'R';
}

static const char *name_of(const nod_case *k, nod_level level)
{
    return level == NOD_LEVEL_SERIES  ? k->series
           : level == NOD_LEVEL_STUDY ? k->study
           : level == NOD_LEVEL_IMAGE ? k->id
                                      : "";
}

/* Series, studies and sides must be known; patients may be unknown. */
static int check_named(const nod_cohort *c, nod_level level, nod_error *err)
{
    size_t lacking = 0, first = 0;
    for (size_t i = nod_cohort_size(c); i-- > 0;) {
        const nod_case *k = nod_cohort_get(c, i);
        bool lacks = level == NOD_LEVEL_BREAST ? !has_side(k)
                     : level == NOD_LEVEL_SERIES || level == NOD_LEVEL_STUDY
                         ? *name_of(k, level) == '\0'
                         : false;
        if (!lacks) continue;
        lacking++;
        first = i;
    }
    if (lacking == 0) return 0;
    return nod_fail(
        err, NOD_EDATA,
        "%zu of %zu cases do not say their %s, the first is %s; judge another unit, or "
        "add what is missing",
        lacking, nod_cohort_size(c),
        level == NOD_LEVEL_BREAST ? "side (L or R)" : nod_level_name(level),
        nod_cohort_get(c, first)->id);
}

/* `work` [n]: first cases of patients. */
static int name_cases(const nod_cohort *c, nod_level level, size_t *work, named_case *out,
                      nod_error *err)
{
    bool by_patient = level == NOD_LEVEL_PATIENT || level == NOD_LEVEL_BREAST;
    int rc = by_patient ? nod_patients_find(c, work, err) : 0;
    for (size_t i = 0; i < nod_cohort_size(c) && rc == 0; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        out[i] = (named_case){.name = name_of(k, level),
                              .side = level == NOD_LEVEL_BREAST ? k->facts[NOD_FACT_SIDE] : "",
                              .patient = by_patient ? work[i] : 0,
                              .i = i};
    }
    return rc;
}

int nod_units_of_cases_make(const nod_cohort *c, nod_level level, nod_units_of_cases *out,
                            nod_error *err)
{
    size_t n = nod_cohort_size(c);
    nod_units_of_cases u = {.n = n};
    named_case *named = NULL;
    size_t *home = NULL; /* the first case of each case's unit */
    int rc = check_named(c, level, err);
    if (rc) return rc;
    u.unit = nod_calloc(n + 1, sizeof *u.unit);
    home = nod_calloc(n + 1, sizeof *home);
    named = nod_calloc(n + 1, sizeof *named);
    if (!u.unit || !home || !named) {
        rc = nod_fail_memory(err, "units of cases", n * sizeof *named);
        goto out;
    }
    NOD_TRY(name_cases(c, level, home, named, err));
    qsort(named, n, sizeof *named, compare_names);
    for (size_t i = 0; i < n; i++) {
        const named_case *k = &named[i], *last = i > 0 ? k - 1 : NULL;
        bool same = last && last->patient == k->patient && strcmp(last->name, k->name) == 0 &&
                    strcmp(last->side, k->side) == 0;
        home[k->i] = same ? home[last->i] : k->i;
    }
    for (size_t i = 0; i < n; i++)
        u.unit[i] = home[i] == i ? u.n_units++ : u.unit[home[i]];
    *out = u;
    u = (nod_units_of_cases){0};
out:
    nod_units_of_cases_done(&u);
    nod_free(home);
    nod_free(named);
    return rc;
}

void nod_units_of_cases_done(nod_units_of_cases *u)
{
    nod_free(u->unit);
    *u = (nod_units_of_cases){0};
}
