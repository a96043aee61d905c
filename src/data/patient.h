/* patient.h: when two ids are one patient.
 *
 * A key is issuer and PatientID together: equal numbers of two hospitals are two patients. Ids that
 * stand for "nobody" (empty, REMOVED, Anonymous, 123456 ...) are never equal to anything. */
#ifndef NOD_DATA_PATIENT_H
#define NOD_DATA_PATIENT_H

#include <stdbool.h>

#include "base/text.h"

/* What stands between issuer and id in a key: DICOM's component separator. */
#define NOD_PATIENT_SEPARATOR '^'

/* Where an id was written by a person for this cohort (a manifest), words alone are dummies; ids that
 * machines wrote (`written_by_machine`: DICOM) are dummies as well where they repeat one digit or
 * letter (0, 0000, XXX), or count up as 123456 does. Keys with an issuer are judged by the id alone. */
bool nod_patient_is_dummy(const char *key, bool written_by_machine);
/* Appends "ISSUER^ID", or "ID" where there is no issuer. */
void nod_patient_add_key(nod_strbuf *out, const char *issuer, const char *id);

#endif
