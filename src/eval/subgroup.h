/* subgroup.h: metrics for the cases of each group apart: per site, vendor, sex, age band.
 *
 * A factor is one way of dividing the cases, and gives each its group's name, or none. In each group
 * five metrics are computed as for the whole (results.h), at the frozen operating point, with the
 * interval of that group alone: a group is small, and the width of its interval says so. Nothing
 * corrects for the number of groups looked at.
 *
 * A factor that is known for no case is named and has no groups; cases for which it is not known are a
 * group of their own. Of more than NOD_SUBGROUP_MAX groups the smallest are taken together. */
#ifndef NOD_EVAL_SUBGROUP_H
#define NOD_EVAL_SUBGROUP_H

#include "eval/results.h"

#define NOD_SUBGROUP_MAX 32 /* groups of one factor that are shown apart */

typedef struct nod_factor {
    const char *name;         /* "site" */
    const char *const *group; /* [rows of the predictions] its group; NULL or "": not known */
} nod_factor;

typedef struct nod_subgroups nod_subgroups;

/* "0-17", "18-39", "40-59", "60-79", "80+"; "" for a negative age and NaN. */
const char *nod_age_band(double years);

/* `points` as for nod_results_new; of `options` confidence, replicates and seed are used. Errors: EDATA
 * (a case with two groups of one factor, and as nod_cases_new), EINVAL, ENOMEM. */
int nod_subgroups_new(const nod_predictions *p, const nod_operating_point *points,
                      const nod_factor *factors, size_t n_factors,
                      const nod_results_options *options, nod_subgroups **out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_subgroups_free(nod_subgroups *s);

/* What a group is and says. `name` NULL: the cases for which the factor is not known. */
typedef struct nod_subgroup {
    const char *name;
    const nod_results *results;
} nod_subgroup;
size_t nod_subgroups_count(const nod_subgroups *s, size_t i_factor);
nod_subgroup nod_subgroups_get(const nod_subgroups *s, size_t i_factor, size_t i_group);

/* The value of "subgroups" in docs/formats/results.md. */
nod_json *nod_subgroups_json(const nod_subgroups *s);
/* A table for each factor (<= 100 columns of ASCII, names apart). */
void nod_subgroups_text(const nod_subgroups *s, nod_strbuf *out);

#endif
