/* audit_split.h: the shortcut audit of a split: how well metadata alone tells the labels of its training
 * part (eval/shortcut.h). Of the test part it sees nothing. */
#ifndef NOD_TRAIN_AUDIT_SPLIT_H
#define NOD_TRAIN_AUDIT_SPLIT_H

#include "data/audit.h"
#include "data/split.h"

/* The seed of folds and forests is the split's. Not estimable for segmentations, and for classes
 * with fewer than five groups. */
int nod_audit_split(const nod_cohort *c, const nod_split *s, nod_audit *out,
                    nod_error *err) NOD_MUST_CHECK;

#endif
