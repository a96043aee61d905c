/* cohort_internal.h: the texts of a case as a table, and the two files of a cohort apart.
 *
 * Private to cohort*.c. */
#ifndef NOD_DATA_COHORT_INTERNAL_H
#define NOD_DATA_COHORT_INTERNAL_H

#include "base/csv.h"
#include "base/text.h"
#include "data/cohort.h"
#include "data/groups.h"

/* Texts of a case that may be unknown, by the name of their column; facts are apart. */
typedef struct nod_case_text {
    const char *column;
    size_t offset; /* of the const char * in nod_case */
} nod_case_text;
#define NOD_CASE_TEXTS 10
extern const nod_case_text nod_case_texts[NOD_CASE_TEXTS];
NOD_INLINE const char **nod_case_text_at(nod_case *k, size_t i)
{
    return (const char **)((char *)k + nod_case_texts[i].offset);
}

/* cohort.csv.json; `where` begins messages. */
int nod_cohort_from_json(const nod_json *j, const char *where, const char *folder,
                         nod_cohort **out, nod_error *err) NOD_MUST_CHECK;
nod_json *nod_cohort_to_json(const nod_cohort *c);

/* cohort.csv: adds a case for each row; `name` begins messages. */
int nod_cohort_take_rows(nod_cohort *c, const nod_csv *t, const char *name,
                         nod_error *err) NOD_MUST_CHECK;
void nod_cohort_put_rows(const nod_cohort *c, const nod_groups *g, nod_strbuf *out);

#endif
