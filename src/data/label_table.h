/* label_table.h: labels of patients, studies or series, from a CSV table.
 *
 * The table has a column `label` and exactly one of `patient`, `study`, `series`, whose values are
 * DICOM's PatientID, StudyInstanceUID or SeriesInstanceUID; maybe `part`. Other columns are passed
 * over. docs/formats/cohort.md. */
#ifndef NOD_DATA_LABEL_TABLE_H
#define NOD_DATA_LABEL_TABLE_H

#include "base/error.h"
#include "base/log.h"
#include "data/part.h"

typedef enum nod_label_level {
    NOD_LABEL_PATIENT,
    NOD_LABEL_STUDY,
    NOD_LABEL_SERIES,
    NOD_LABEL_LEVELS
} nod_label_level;

typedef struct nod_label_table nod_label_table;

/* Errors: those of the CSV; EDATA (a key twice with different labels, an empty label). */
int nod_label_table_read(const char *path, const nod_log *log, nod_label_table **out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_label_table_free(nod_label_table *t);

nod_label_level nod_label_table_level(const nod_label_table *t);
const char *nod_label_level_name(nod_label_level level); /* "patient" ... */
/* The label of a key, borrowed; NULL: none. The row counts as used from then on. */
const char *nod_label_table_find(nod_label_table *t, const char *key, nod_part *official);
size_t nod_label_table_rows(const nod_label_table *t);
size_t nod_label_table_unused(const nod_label_table *t); /* rows that nobody asked for */

#endif
