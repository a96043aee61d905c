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
/* The part of a case; with `is_test` NOD_PART_TEST. EDATA: the fold does not have it, or has a case of
 * the test part. */
int nod_folds_part(nod_folds *f, const char *id, bool is_test, nod_part *out,
                   nod_error *err) NOD_MUST_CHECK;
/* EDATA where the fold has cases that nobody asked for. */
int nod_folds_check_used(const nod_folds *f, nod_error *err) NOD_MUST_CHECK;

#endif
