/* folds.h: one fold of nnU-Net's splits_final.json: [{"train": ["CASE", ...], "val": [...]}, ...]. */
#ifndef NOD_DATA_LAYOUTS_FOLDS_H
#define NOD_DATA_LAYOUTS_FOLDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "data/part.h"

typedef struct nod_folds nod_folds;

/* Errors: those of the file; EINVAL (no such fold: says how many there are); EFORMAT; EDATA (a case in
 * both parts). */
int nod_folds_read(const char *path, int64_t fold, nod_folds **out,
                   nod_error *err) NOD_MUST_CHECK;
void nod_folds_free(nod_folds *f);
/* The part of a case; NOD_PART_OUT: the fold does not name it. */
nod_part nod_folds_part(nod_folds *f, const char *id);
/* EDATA unless each of `n_cases` cases, whose parts have been asked for, is in the fold and the fold has
 * no others. Cases are counted, since names of cases may be those of patients. */
int nod_folds_check(const nod_folds *f, size_t n_cases, nod_error *err) NOD_MUST_CHECK;

#endif
