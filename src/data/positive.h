/* positive.h: which of two classes is the positive one. */
#ifndef NOD_DATA_POSITIVE_H
#define NOD_DATA_POSITIVE_H

#include "data/cohort.h"

/* Sets positive and positive_origin of `info` (classes are set): declared by name, else derived
 * where exactly one name says "nothing there" or exactly one says "something there", else the
 * highest class, assumed. EINVAL where `declared` is no class, or there are not two. */
int nod_positive_find(nod_cohort_info *info, const char *declared,
                      nod_error *err) NOD_MUST_CHECK;

#endif
