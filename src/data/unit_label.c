/* unit_label.c: labels spread and joined. */
#include "data/unit_label.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cohort_label.h"

/* --- what was asked for ------------------------------------------------------------------- */

/* A study has images of both breasts, and a breast is in several studies: neither holds the other. */
static bool are_crossed(nod_level a, nod_level b)
{
    return (a == NOD_LEVEL_STUDY && b == NOD_LEVEL_BREAST) ||
           (a == NOD_LEVEL_BREAST && b == NOD_LEVEL_STUDY);
}

static int find_unit(const nod_unit_request *q, nod_level *out, nod_error *err)
{
    nod_level unit = q->masks ? NOD_LEVEL_IMAGE : q->labels;
    if (q->unit && !nod_level_parse(q->unit, &unit))
        return nod_fail(err, NOD_EINVAL,
                        "--unit %.40s: not known; there are image, series, study, breast and "
                        "patient",
                        q->unit);
    if (q->masks && unit != NOD_LEVEL_IMAGE)
        return nod_fail(err, NOD_EINVAL, "masks are judged image by image: take --unit image");
    if ((unit == NOD_LEVEL_PATIENT || unit == NOD_LEVEL_BREAST) && !q->patients_known)
        return nod_fail(
            err, NOD_EINVAL,
            "what is judged is the %s, and no patient is known: give --patient-regex, "
            "a column of patients, or judge another unit (--unit)",
            nod_level_name(unit));
    *out = unit;
    return 0;
}

static int find_rule(const nod_unit_request *q, nod_level level, nod_unit_label *out,
                     nod_error *err)
{
    bool crossed = are_crossed(q->labels, level);
    const char *labels = nod_level_name(q->labels), *unit = nod_level_name(level);
    nod_unit_label rule = NOD_UNIT_LABEL_SAME;
    if (q->joined && strcmp(q->joined, "any") == 0)
        rule = NOD_UNIT_LABEL_ANY;
    else if (q->joined && strcmp(q->joined, "same") != 0)
        return nod_fail(err, NOD_EINVAL,
                        "--unit-label %.40s: not known; there are same and any", q->joined);
    if ((level < q->labels || crossed) && !q->spread)
        return nod_fail(
            err, NOD_EINVAL,
            "labels are given by %s, and what is judged is the %s: each %s would get "
            "the label of its %s, on every follow-up too; judge the %s (--unit %s), or "
            "say that this is meant with --spread-labels",
            labels, unit, unit, labels, labels, labels);
    if ((level > q->labels || crossed) && !q->joined)
        return nod_fail(err, NOD_EINVAL,
                        "labels are given by %s, and what is judged is the %s: say with "
                        "--unit-label same that all of one %s must have one label, or with "
                        "--unit-label any that one with the finding suffices",
                        labels, unit, unit);
    *out = rule;
    return 0;
}

int nod_unit_request_check(const nod_unit_request *q, nod_level *unit, nod_unit_label *rule,
                           nod_error *err)
{
    nod_level level = NOD_LEVEL_IMAGE;
    nod_unit_label how = NOD_UNIT_LABEL_SAME;
    int rc = find_unit(q, &level, err);
    if (rc == 0 && !q->masks) rc = find_rule(q, level, &how, err);
    if (rc) return rc;
    *unit = level;
    *rule = how;
    return 0;
}

/* --- joining ------------------------------------------------------------------------------ */

static int contradict(const nod_cohort *c, size_t i, size_t j, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    const char *unit = nod_level_name(info->unit);
    return nod_fail(
        err, NOD_EDATA,
        "cases %s and %s are of one %s and have different labels; mend the labels, judge "
        "a finer unit, or say with --unit-label any that one with the finding suffices",
        nod_cohort_get(c, i)->id, nod_cohort_get(c, j)->id, unit);
}

/* The label of case i joins what its unit has so far. */
static void join_any(const nod_cohort *c, size_t i, bool is_first, int32_t *value)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    if (info->multilabel) {
        for (size_t k = 0; k < info->n_classes; k++)
            value[k] |= nod_cohort_has_label(c, i, k);
    } else if (is_first || nod_cohort_label(c, i) == (int32_t)info->positive) {
        *value = nod_cohort_label(c, i);
    }
}

int nod_unit_labels_make(const nod_cohort *c, const nod_units_of_cases *u, int32_t **out,
                         nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    size_t per_unit = info->multilabel ? info->n_classes : 1, size;
    size_t *first = nod_calloc(u->n_units + 1, sizeof *first);
    int32_t *values =
        nod_size_mul(u->n_units, per_unit, &size) ? nod_calloc(size + 1, sizeof *values) : NULL;
    int rc = 0;
    if (!first || !values) {
        rc = nod_fail_memory(err, "labels of units", u->n_units * per_unit * sizeof *values);
        goto out;
    }
    bool any = info->unit_label == NOD_UNIT_LABEL_ANY;
    if (any && !info->multilabel && info->positive < 0) {
        rc = nod_fail(
            err, NOD_EINVAL,
            "--unit-label any needs a positive class or a task of several labels, there are "
            "%zu classes: take --unit-label same",
            info->n_classes);
        goto out;
    }
    memset(first, 0xff, u->n_units * sizeof *first);
    for (size_t i = 0; i < u->n && rc == 0; i++) {
        size_t unit = u->unit[i];
        bool is_first = first[unit] == SIZE_MAX;
        if (is_first) first[unit] = i;
        if (any || is_first)
            join_any(c, i, is_first, values + unit * per_unit);
        else if (!nod_cohort_same_label(c, first[unit], i))
            rc = contradict(c, first[unit], i, err);
    }
    if (rc) goto out;
    *out = values;
    values = NULL;
out:
    nod_free(first);
    nod_free(values);
    return rc;
}

int nod_unit_labels_check(const nod_cohort *c, nod_error *err)
{
    nod_units_of_cases u = {0};
    int32_t *labels = NULL;
    const nod_cohort_info *info = nod_cohort_get_info(c);
    int rc = nod_units_of_cases_make(c, info->unit, &u, err);
    if (rc == 0 && !info->segmentation) rc = nod_unit_labels_make(c, &u, &labels, err);
    nod_units_of_cases_done(&u);
    nod_free(labels);
    return rc;
}

/* --- follow-ups --------------------------------------------------------------------------- */

/* A study by its UID, else by its day. */
typedef struct named_study {
    const char *patient, *study, *day;
    size_t i_case;
} named_study;

static int compare_studies(const void *a, const void *b)
{
    const named_study *x = a, *y = b;
    int order = strcmp(x->patient, y->patient);
    if (order == 0) order = strcmp(x->study, y->study);
    return order ? order : strcmp(x->day, y->day);
}

int nod_follow_ups_find(const nod_cohort *c, bool *marked, nod_follow_ups *out, nod_error *err)
{
    size_t n = nod_cohort_size(c), known = 0;
    nod_follow_ups f = {0};
    if (nod_cohort_get_info(c)->label_level != NOD_LEVEL_PATIENT) {
        *out = f;
        return 0;
    }
    named_study *s = nod_calloc(n + 1, sizeof *s);
    if (s == NULL) return nod_fail_memory(err, "a list of studies", n * sizeof *s);
    for (size_t i = 0; i < n; i++) {
        const nod_case *k = nod_cohort_get(c, i);
        const char *day = *k->study ? "" : k->facts[NOD_FACT_DATE];
        if (*k->patient && (*k->study || *day))
            s[known++] = (named_study){k->patient, k->study, day, i};
    }
    qsort(s, known, sizeof *s, compare_studies);
    for (size_t begin = 0, end; begin < known; begin = end) {
        size_t studies = 1;
        for (end = begin + 1; end < known && strcmp(s[end].patient, s[begin].patient) == 0;
             end++)
            studies += compare_studies(&s[end], &s[end - 1]) != 0;
        if (studies < 2) continue;
        f.patients++;
        f.studies += studies;
        for (size_t i = begin; i < end && marked; i++)
            marked[s[i].i_case] = true;
    }
    nod_free(s);
    *out = f;
    return 0;
}
