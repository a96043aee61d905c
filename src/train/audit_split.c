/* audit_split.c: metadata and labels of the training part, handed to the search for shortcuts. */
#include "train/audit_split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/labels.h"
#include "data/metadata.h"
#include "eval/interval.h"
#include "eval/shortcut.h"

_Static_assert(NOD_AUDIT_FACTORS == NOD_SHORTCUT_FACTORS, "one limit");

/* What the search wants, in memory of our own. */
typedef struct table {
    size_t *group, *factor;
    uint8_t *y;
    nod_feature *features;
    nod_shortcut_data data;
} table;

static void table_done(table *t)
{
    nod_free(t->group);
    nod_free(t->factor);
    nod_free(t->y);
    nod_free(t->features);
}

/* Two classes are one question, more are one each. */
static int fill_table(table *t, const nod_split *s, const nod_labels *l, const nod_metadata *m,
                      nod_error *err)
{
    size_t k = l->n_classes == 2 && !l->multilabel ? 1 : l->n_classes, size;
    t->group = nod_calloc(l->n + 1, sizeof *t->group);
    t->y = nod_size_mul(l->n, k, &size) ? nod_calloc(size + 1, 1) : NULL;
    t->factor = nod_calloc(m->n_columns + 1, sizeof *t->factor);
    t->features = nod_calloc(m->n_columns + 1, sizeof *t->features);
    if (!t->group || !t->y || !t->factor || !t->features)
        return nod_fail_memory(err, "an audit", l->n * (k + sizeof *t->group));
    for (size_t i = 0; i < l->n; i++) {
        t->group[i] = nod_split_group(s, l->cases[i]);
        for (size_t j = 0; j < k; j++)
            t->y[i * k + j] = l->multilabel ? l->values[i * k + j] != 0
                                            : l->values[i] == (int32_t)(k == 1 ? 1 : j);
    }
    for (size_t f = 0; f < m->n_columns; f++) {
        t->features[f] = (nod_feature){m->columns[f].values, m->columns[f].n_categories};
        t->factor[f] = m->columns[f].factor;
    }
    t->data = (nod_shortcut_data){l->n,         k,           t->y,      t->group,
                                  m->n_columns, t->features, t->factor, m->n_factors};
    return 0;
}

static int compare_factors(const void *a, const void *b)
{
    const nod_audit_factor *x = a, *y = b;
    if (x->alone != y->alone) return x->alone > y->alone ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void conclude(const nod_shortcut *s, const nod_metadata *m, nod_audit *out)
{
    out->images = s->n;
    out->groups = s->n_groups;
    out->auc = s->auc.value;
    out->lo = s->interval.lo;
    out->hi = s->interval.hi;
    snprintf(out->method, sizeof out->method, "%s",
             s->interval.undefined ? s->interval.undefined
                                   : nod_interval_name(s->interval.method));
    for (size_t i = 0; i < m->n_factors; i++) {
        const nod_shortcut_factor *f = &s->factors[i];
        if (!f->varies || isnan(s->auc.value)) continue;
        nod_audit_factor *to = &out->factors[out->n_factors++];
        snprintf(to->name, sizeof to->name, "%s", m->factors[i]);
        to->alone = f->alone;
        to->fall = f->fall;
    }
    qsort(out->factors, out->n_factors, sizeof *out->factors, compare_factors);
}

int nod_audit_split(const nod_cohort *c, const nod_split *s, nod_audit *out, nod_error *err)
{
    nod_labels l = {0};
    nod_metadata m = {0};
    table t = {0};
    nod_shortcut found;
    nod_audit made = {.auc = NAN, .lo = NAN, .hi = NAN};
    nod_shortcut_options o = NOD_SHORTCUT_OPTIONS_INIT;
    int rc = 0;
    if (nod_cohort_get_info(c)->segmentation) {
        snprintf(made.method, sizeof made.method, "there are no labels of images");
        *out = made;
        return 0;
    }
    o.forest.seed = (uint64_t)nod_split_seed(s);
    NOD_TRY(nod_labels_serve(c, s, NOD_PART_TRAIN, NULL, &l, err));
    NOD_TRY(nod_metadata_make(c, l.cases, l.n, &m, err));
    NOD_ASSERT(m.n_factors <= NOD_SHORTCUT_FACTORS);
    NOD_TRY(fill_table(&t, s, &l, &m, err));
    NOD_TRY(nod_shortcut_find(&t.data, &o, &found, err));
    conclude(&found, &m, &made);
    *out = made;
out:
    table_done(&t);
    nod_metadata_done(&m);
    nod_labels_done(&l);
    return rc;
}
