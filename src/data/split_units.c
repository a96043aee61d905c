/* split_units.c: what a split counts and stratifies: units with their labels (data/unit.h). */
#include <string.h>

#include "data/cohort_label.h"
#include "data/split_state.h"
#include "data/unit_label.h"

int nod_split_units_make(const nod_cohort *c, const nod_groups *g, nod_split_units *out,
                         nod_error *err)
{
    const nod_cohort_info *info = nod_cohort_get_info(c);
    nod_split_units u = {.n_classes = info->n_classes, .multilabel = info->multilabel};
    int rc = 0;
    NOD_TRY(nod_units_of_cases_make(c, info->unit, &u.of, err));
    NOD_TRY(nod_unit_labels_make(c, &u.of, &u.values, err));
    u.group = nod_calloc(u.of.n_units + 1, sizeof *u.group);
    if (u.group == NULL) {
        rc = nod_fail_memory(err, "units", u.of.n_units * sizeof *u.group);
        goto out;
    }
    for (size_t i = u.of.n; i-- > 0;)
        u.group[u.of.unit[i]] = g->group[i];
    for (size_t i = 0; i < u.of.n && rc == 0; i++)
        if (u.group[u.of.unit[i]] != g->group[i])
            rc = nod_fail(err, NOD_EDATA,
                          "case %s is of a %s that has cases of other patients or studies",
                          nod_cohort_get(c, i)->id, nod_level_name(info->unit));
    if (rc) goto out;
    *out = u;
    u = (nod_split_units){0};
out:
    nod_split_units_done(&u);
    return rc;
}

void nod_split_units_done(nod_split_units *u)
{
    nod_units_of_cases_done(&u->of);
    nod_free(u->values);
    nod_free(u->group);
}

bool nod_split_unit_has(const nod_split_units *u, size_t unit, size_t k)
{
    return u->multilabel ? u->values[unit * u->n_classes + k] : u->values[unit] == (int32_t)k;
}

/* Each group and each unit counts once per part and class; column n_classes of `met` is any class. */
static void count_cases(nod_split *s, const nod_cohort *c, const nod_split_units *u, bool *met,
                        bool *known)
{
    size_t n_classes = s->n_classes, row = (n_classes + 1) * NOD_PARTS;
    for (size_t i = 0; i < s->n; i++) {
        size_t p = s->part[i], unit = u->of.unit[i];
        if (p == NOD_PART_OUT) continue;
        size_t *images = s->class_counts + 3 * p * n_classes, *groups = images + n_classes,
               *units = groups + n_classes;
        bool *m = met + s->group[i] * row + p * (n_classes + 1), is_new = !known[unit];
        s->counts[p].images++;
        s->counts[p].units += is_new;
        s->counts[p].groups += !m[n_classes];
        m[n_classes] = known[unit] = true;
        for (size_t k = 0; k < n_classes; k++) {
            images[k] += nod_cohort_has_label(c, i, k);
            if (!is_new || !nod_split_unit_has(u, unit, k)) continue;
            units[k]++;
            groups[k] += !m[k];
            m[k] = true;
        }
    }
}

int nod_split_count(nod_split *s, const nod_cohort *c, const nod_groups *g, nod_error *err)
{
    nod_split_units u = {0};
    size_t row = (s->n_classes + 1) * NOD_PARTS, size = 0;
    bool *met = nod_size_mul(g->n_groups, row, &size) ? nod_calloc(size, sizeof *met) : NULL;
    bool *known = nod_calloc(s->n, sizeof *known);
    int rc = 0;
    if (met == NULL || known == NULL)
        rc = nod_fail_memory(err, "counts", size);
    else
        rc = nod_split_units_make(c, g, &u, err);
    if (rc == 0) count_cases(s, c, &u, met, known);
    nod_split_units_done(&u);
    nod_free(met);
    nod_free(known);
    return rc;
}
