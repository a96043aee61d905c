/* unit.h: what is judged: which cases together are one image, series, study, breast or patient. */
#ifndef NOD_DATA_UNIT_H
#define NOD_DATA_UNIT_H

#include "data/cohort.h"

typedef struct nod_units_of_cases {
    size_t n;     /* cases */
    size_t *unit; /* [n] unit number, 0.. in the order of the cases */
    size_t n_units;
} nod_units_of_cases;

/* Units of a level, each within one group (data/groups.h). Patients are known by any id that their files
 * name; a case whose patient is unknown is a patient,
 * or a breast, by itself. EDATA: cases lack what names their unit (series, study; a breast's side L or R). */
int nod_units_of_cases_make(const nod_cohort *c, nod_level level, nod_units_of_cases *out,
                            nod_error *err) NOD_MUST_CHECK;
void nod_units_of_cases_done(nod_units_of_cases *u);

#endif
