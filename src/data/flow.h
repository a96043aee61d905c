/* flow.h: what became of the cases that a source has: found, excluded when the cohort was made, left out
 * by the split, and analysed in its parts. Each step with its reasons, so that a reader can follow
 * the numbers from the source to the result. */
#ifndef NOD_DATA_FLOW_H
#define NOD_DATA_FLOW_H

#include "data/split.h"

#define NOD_FLOW_UNREADABLE "unreadable" /* the exclusion that names its files */

/* [{reason, n}] of what was excluded when the cohort was made; *n gets the sum. */
nod_json *nod_flow_excluded_json(const nod_cohort *c, size_t *n);

/* {found, excluded[], indexed, left_out[], parts}: docs/formats/results.md. */
nod_json *nod_flow_to_json(const nod_cohort *c, const nod_split *s);
/* "cases: 255 found; 2 excluded (2 unreadable); ..." and a newline. */
void nod_flow_add_text(const nod_cohort *c, const nod_split *s, nod_strbuf *out);

#endif
