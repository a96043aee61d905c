/* labels.c: the gate in front of the labels. */
#include "data/labels.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/cohort_label.h"
#include "data/unit_label.h"

void nod_unit_id(const nod_cohort *c, size_t i_first, char out[NOD_UNIT_ID_MAX])
{
    nod_level unit = nod_cohort_get_info(c)->unit;
    bool is_image = unit == NOD_LEVEL_IMAGE;
    snprintf(out, NOD_UNIT_ID_MAX, "%s%s%s", is_image ? "" : nod_level_name(unit),
             is_image ? "" : "-", nod_cohort_get(c, i_first)->id);
}

static int serve_cases(const nod_cohort *c, const nod_split *s, nod_part part, nod_labels *l,
                       nod_error *err)
{
    size_t n = nod_split_counts(s, part).images, size, i_out = 0;
    size_t per_case = l->multilabel ? l->n_classes : 1;
    l->cases = nod_calloc(n, sizeof *l->cases);
    l->values = nod_size_mul(n, per_case, &size) ? nod_calloc(size, sizeof *l->values) : NULL;
    if (!l->cases || !l->values)
        return nod_fail_memory(err, "labels", n * per_case * sizeof *l->values);
    for (size_t i = 0; i < nod_cohort_size(c) && i_out < n; i++) {
        if (nod_split_part(s, i) != part) continue;
        if (l->multilabel)
            for (size_t k = 0; k < per_case; k++)
                l->values[i_out * per_case + k] = nod_cohort_has_label(c, i, k);
        else
            l->values[i_out] = nod_cohort_label(c, i);
        l->cases[i_out++] = i;
    }
    l->n = i_out;
    return 0;
}

/* Units of the whole cohort become those of the part, numbered anew. */
static int serve_units(const nod_cohort *c, nod_labels *l, nod_error *err)
{
    nod_units_of_cases u = {0};
    size_t per_unit = l->multilabel ? l->n_classes : 1, *number = NULL, *first = NULL;
    int32_t *all = NULL;
    int rc = 0;
    NOD_TRY(nod_units_of_cases_make(c, nod_cohort_get_info(c)->unit, &u, err));
    NOD_TRY(nod_unit_labels_make(c, &u, &all, err));
    number = nod_calloc(u.n_units + 1, sizeof *number);
    first = nod_calloc(u.n_units + 1, sizeof *first);
    l->unit = nod_calloc(l->n + 1, sizeof *l->unit);
    l->first = nod_calloc(l->n + 1, sizeof *l->first);
    l->unit_values = nod_calloc(l->n + 1, per_unit * sizeof *l->unit_values);
    if (!number || !first || !l->unit || !l->first || !l->unit_values) {
        rc = nod_fail_memory(err, "labels of units", u.n_units * 2 * sizeof *number);
        goto out;
    }
    for (size_t i = u.n; i-- > 0;)
        first[u.unit[i]] = i;
    for (size_t i = 0; i < l->n; i++) {
        size_t from = u.unit[l->cases[i]], to = number[from];
        if (to == 0) {
            to = number[from] = ++l->n_units;
            l->first[to - 1] = first[from];
            memcpy(l->unit_values + (to - 1) * per_unit, all + from * per_unit,
                   per_unit * sizeof *all);
        }
        l->unit[i] = to - 1;
    }
out:
    nod_units_of_cases_done(&u);
    nod_free(all);
    nod_free(number);
    nod_free(first);
    return rc;
}

int nod_labels_serve(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_look *look, nod_labels *out, nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    NOD_ASSERT(part < NOD_PARTS);
    if (strcmp(nod_cohort_hash(c), nod_split_cohort_hash(s)) != 0)
        return nod_fail(err, NOD_EDATA, "the split does not divide this cohort");
    if (part == NOD_PART_TEST) {
        int rc = nod_look_permits(look, nod_split_hash(s), err);
        if (rc) return rc;
    }
    nod_labels l = {.n_classes = info->n_classes, .multilabel = info->multilabel};
    int rc = serve_cases(c, s, part, &l, err);
    if (rc == 0) rc = serve_units(c, &l, err);
    if (rc)
        nod_labels_done(&l);
    else
        *out = l;
    return rc;
}

void nod_labels_done(nod_labels *l)
{
    nod_free(l->cases);
    nod_free(l->values);
    nod_free(l->unit);
    nod_free(l->first);
    nod_free(l->unit_values);
    *l = (nod_labels){0};
}

/* `n` rows of class indices, or of n_from yes and no. */
static int rename_values(const nod_labels *l, const int32_t *to, size_t n_classes, size_t n,
                         int32_t **values, nod_error *err)
{
    if (!l->multilabel) {
        for (size_t i = 0; i < n; i++)
            (*values)[i] = to[(*values)[i]];
        return 0;
    }
    int32_t *renamed = nod_calloc(n + 1, n_classes * sizeof *renamed);
    if (renamed == NULL) return nod_fail_memory(err, "labels", n * n_classes * sizeof *renamed);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < l->n_classes; k++)
            renamed[i * n_classes + (size_t)to[k]] = (*values)[i * l->n_classes + k];
    nod_free(*values);
    *values = renamed;
    return 0;
}

int nod_labels_rename(nod_labels *l, const int32_t *to, size_t n_classes, nod_error *err)
{
    int rc = rename_values(l, to, n_classes, l->n, &l->values, err);
    if (rc == 0) rc = rename_values(l, to, n_classes, l->n_units, &l->unit_values, err);
    if (rc == 0) l->n_classes = n_classes;
    return rc;
}
