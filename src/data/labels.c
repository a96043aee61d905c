/* labels.c: the gate in front of the labels. */
#include "data/labels.h"

#include <string.h>

#include "base/memory.h"
#include "data/cohort_label.h"

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
    size_t n = nod_split_counts(s, part).images, i_out = 0, size;
    nod_labels l = {.n = n, .n_classes = info->n_classes, .multilabel = info->multilabel};
    size_t per_case = l.multilabel ? l.n_classes : 1;
    l.cases = nod_calloc(n, sizeof *l.cases);
    l.values = nod_size_mul(n, per_case, &size) ? nod_calloc(size, sizeof *l.values) : NULL;
    if (!l.cases || !l.values) {
        nod_labels_done(&l);
        return nod_fail_memory(err, "labels", n * per_case * sizeof *l.values);
    }
    for (size_t i = 0; i < nod_cohort_size(c) && i_out < n; i++) {
        if (nod_split_part(s, i) != part) continue;
        if (l.multilabel)
            for (size_t k = 0; k < per_case; k++)
                l.values[i_out * per_case + k] = nod_cohort_has_label(c, i, k);
        else
            l.values[i_out] = nod_cohort_label(c, i);
        l.cases[i_out++] = i;
    }
    l.n = i_out;
    *out = l;
    return 0;
}

void nod_labels_done(nod_labels *l)
{
    nod_free(l->cases);
    nod_free(l->values);
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
    if (rc == 0) l->n_classes = n_classes;
    return rc;
}
