/* label_table.h: labels of patients, studies or series, from a CSV table.
 *
 * The table has a column `label` and exactly one of `patient`, `study`, `series`, whose values are
 * DICOM's PatientID, StudyInstanceUID or SeriesInstanceUID; maybe `part`, and facts
 * (data/fact.h). Other columns are passed over. docs/formats/cohort.md. */
#ifndef NOD_DATA_LABEL_TABLE_H
#define NOD_DATA_LABEL_TABLE_H

#include "base/error.h"
#include "base/log.h"
#include "data/fact.h"
#include "data/level.h"
#include "data/part.h"

/* What a row says of its patient, study or series; borrowed. */
typedef struct nod_label_row {
    const char *key, *label;
    const char *facts[NOD_FACTS]; /* "" unknown */
    nod_part official;            /* NOD_PART_OUT: none */
} nod_label_row;

typedef struct nod_label_table nod_label_table;

/* Errors: those of the CSV; EDATA (a key twice with different labels, an empty label). */
int nod_label_table_read(const char *path, const nod_log *log, nod_label_table **out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_label_table_free(nod_label_table *t);

nod_level nod_label_table_level(const nod_label_table *t);
/* The row of a key; NULL: none. It counts as used from then on. */
const nod_label_row *nod_label_table_find(nod_label_table *t, const char *key);
size_t nod_label_table_rows(const nod_label_table *t);
size_t nod_label_table_unused(const nod_label_table *t); /* rows that nobody asked for */

#endif
