/* factors.c: which group each row of the predictions belongs to; see factors.h. */
#include "train/factors.h"

#include <string.h>

#include "base/memory.h"

/* The group of a case: its value, of an age the band. */
static const char *group_of(const nod_case *k, nod_fact fact)
{
    const char *text = k->facts[fact];
    return fact == NOD_FACT_AGE ? nod_age_band(nod_fact_number(fact, text)) : text;
}

/* The group of each unit: that of its cases as far as it is known, where they agree. */
static void group_units(const nod_cohort *c, const nod_labels *l, nod_fact fact,
                        const char **group)
{
    for (size_t u = 0; u < l->n_units; u++)
        group[u] = "";
    for (size_t i = 0; i < l->n; i++) {
        const char *own = group_of(nod_cohort_get(c, l->cases[i]), fact),
                   **all = &group[l->unit[i]];
        if (**all == '\0')
            *all = own;
        else if (*own && strcmp(*all, own) != 0)
            *all = NOD_FACTORS_SEVERAL;
    }
}

int nod_factors_make(const nod_cohort *c, const nod_labels *l, size_t n_seeds, nod_factors *out,
                     nod_error *err)
{
    nod_factors f = {0};
    size_t n = l->n_units, rows = n * n_seeds, size;
    if (nod_size_mul(rows, NOD_FACTS, &size)) f.memory = nod_calloc(size + 1, sizeof *f.memory);
    if (f.memory == NULL) return nod_fail_memory(err, "groups of cases", rows * NOD_FACTS);
    for (int fact = 0; fact < NOD_FACTS; fact++) {
        const nod_fact_info *info = nod_fact_get_info((nod_fact)fact);
        if (!info->grouped) continue;
        const char **group = f.memory + f.n * rows;
        group_units(c, l, (nod_fact)fact, group);
        for (size_t i = n; i < rows; i++)
            group[i] = group[i - n];
        f.items[f.n++] = (nod_factor){info->name, group};
    }
    *out = f;
    return 0;
}

void nod_factors_done(nod_factors *f)
{
    nod_free(f->memory);
    *f = (nod_factors){0};
}
