/* judge.h: a part of a split as predictions carry it: ids and groups of its cases, and the units that are
 * judged (eval/aggregate.h). Training and test name them here, so that their files fit together. */
#ifndef NOD_INFER_JUDGE_H
#define NOD_INFER_JUDGE_H

#include "data/labels.h"
#include "eval/aggregate.h"

typedef struct nod_judge {
    size_t n;              /* cases, in the order of the labels */
    const char **ids;      /* [n] */
    const char **patients; /* [n] groups of the split; NULL where patients are unknown */
    const size_t *unit;    /* [n], borrowed from the labels */
    nod_judged units;      /* labels borrowed */
    char *memory;
} nod_judge;

/* `l` is of this cohort and split, and lives as long. */
int nod_judge_init(nod_judge *j, const nod_cohort *c, const nod_split *s, const nod_labels *l,
                   nod_error *err) NOD_MUST_CHECK;
void nod_judge_done(nod_judge *j);
/* Predictions of the cases, each seed in the order of `ids`, to such of the units, uncalibrated. */
int nod_judge_apply(const nod_judge *j, nod_aggregation a, const nod_predictions *cases,
                    nod_predictions *out, nod_error *err) NOD_MUST_CHECK;
/* Writes down of each row which unit it is an image of. */
int nod_judge_mark(const nod_judge *j, nod_predictions *cases, nod_error *err) NOD_MUST_CHECK;
/* As nod_aggregation_choose. */
int nod_judge_choose(const nod_judge *j, const nod_predictions *cases,
                     nod_aggregation_choice *out, nod_error *err) NOD_MUST_CHECK;

#endif
