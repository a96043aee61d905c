/* labels.h: the one function that serves labels, by part.
 *
 * The test part is served to the holder of an open look at this very split and to nobody else;
 * only nod_look_begin (ledger/look.h) makes one, after the look stands in the ledger. So train,
 * init and diagnose, which have none, cannot read test labels even by mistake. This is
 * discipline in the program: the source files still hold the labels. */
#ifndef NOD_DATA_LABELS_H
#define NOD_DATA_LABELS_H

#include "data/split.h"

typedef struct nod_labels {
    size_t n;         /* cases of the part, in the order of the cohort */
    size_t n_classes; /* of the task */
    bool multilabel;
    size_t *cases;   /* [n] index in the cohort */
    int32_t *values; /* [n] class index; multi-label [n][n_classes] of 0/1 */
    /* What is judged (data/unit.h), in the order of their first cases. */
    size_t n_units;
    size_t *unit;         /* [n] of each case, 0..n_units-1 */
    size_t *first;        /* [n_units] first case of the unit in the cohort, of whatever part */
    int32_t *unit_values; /* of the units, as `values` */
} nod_labels;

#define NOD_UNIT_ID_MAX (NOD_ID_MAX + 16)
/* Name of a unit by its first case: the case's id, or "patient-ID" where cases are joined. */
void nod_unit_id(const nod_cohort *c, size_t i_first, char out[NOD_UNIT_ID_MAX]);

/* `look` is NULL for training and validation. Errors: ESEAL (test without the right), EDATA (the
 * cohort is not the one that was divided), ENOMEM. */
int nod_labels_serve(const nod_cohort *c, const nod_split *s, nod_part part,
                     const nod_look *look, nod_labels *out, nod_error *err) NOD_MUST_CHECK;
void nod_labels_done(nod_labels *l);
/* The same labels as indices into other classes, of which class k is to[k], all different: those of a
 * model, for a cohort from elsewhere. Errors: ENOMEM. */
int nod_labels_rename(nod_labels *l, const int32_t *to, size_t n_classes,
                      nod_error *err) NOD_MUST_CHECK;

#endif
