/* propose.h: a complete recipe from a cohort: what `nodule init` writes.
 *
 * Sizes, shapes and counts are taken from the training part alone. docs/formats/recipe.md says how
 * each key is chosen. */
#ifndef NOD_TRAIN_PROPOSE_H
#define NOD_TRAIN_PROPOSE_H

#include "data/split.h"
#include "train/recipe.h"

/* `cohort_path` and `split_path` as they will stand in the recipe. The text is the caller's. */
int nod_recipe_propose(const nod_cohort *c, const nod_split *s, const char *cohort_path,
                       const char *split_path, char **out, nod_error *err) NOD_MUST_CHECK;

#endif
