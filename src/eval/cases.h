/* cases.h: predictions joined over seeds, ready to be scored.
 *
 * Cases are sorted by id, so that two runs over the same cases line up. Every yes/no question is
 * a column (binary: 1, multiclass: one-vs-rest, multi-label: the labels); scores lie
 * [seed][column][case]. Each case belongs to a patient; a case without a patient key counts as
 * a patient of its own. */
#ifndef NOD_EVAL_CASES_H
#define NOD_EVAL_CASES_H

#include "eval/predictions.h"

typedef struct nod_cases {
    nod_task task;
    size_t n, k, n_columns, n_seeds, n_patients;
    size_t n_without_patient; /* cases without a key; n = patients unknown */
    const char **id;          /* [n], borrowed from the predictions */
    int32_t *label;           /* [n] class index; multi-label: NULL */
    uint8_t *y;               /* [n_columns][n] */
    size_t *patient;          /* [n], 0..n_patients-1 */
    double *log_odds, *p;     /* [n_seeds][n_columns][n] */
    int32_t *seed;            /* [n_seeds] the seed index of the predictions, ascending */
} nod_cases;

/* Joins. `p` must outlive the result. Errors (EDATA): no case, a case without truth, a case twice
 * for one seed, seeds with different cases, truths or patients. */
int nod_cases_new(const nod_predictions *p, nod_cases **out, nod_error *err) NOD_MUST_CHECK;
void nod_cases_free(nod_cases *c);

/* Do both hold the same cases with the same truth and patients? EDATA says where not. */
int nod_cases_match(const nod_cases *a, const nod_cases *b, nod_error *err) NOD_MUST_CHECK;

/* One column of one seed. */
static inline const double *nod_cases_log_odds(const nod_cases *c, size_t seed, size_t column)
{
    return c->log_odds + (seed * c->n_columns + column) * c->n;
}
static inline const double *nod_cases_p(const nod_cases *c, size_t seed, size_t column)
{
    return c->p + (seed * c->n_columns + column) * c->n;
}
static inline const uint8_t *nod_cases_y(const nod_cases *c, size_t column)
{
    return c->y + column * c->n;
}
bool nod_cases_one_image_a_patient(const nod_cases *c);

#endif
