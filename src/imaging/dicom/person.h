/* person.h: what of a person's data leaves a header: a digest, an age, a day.
 *
 * Sources: DICOM PS3.5 6.2 (AS, DA, PN). */
#ifndef NOD_IMAGING_DICOM_PERSON_H
#define NOD_IMAGING_DICOM_PERSON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Digest of name, birth date and sex: the same for the same person, however the name's components are
 * padded or cased. "" where one of the three is missing, or the name stands for nobody. */
void nod_dicom_person(const char *name, const char *birth_date, const char *sex, char *out,
                      size_t size);
/* "20240131" (or "2024.01.31") to "2024-01-31"; "" where it is no date. `out` has 11 bytes. */
void nod_dicom_day(const char *da, char out[11]);
/* Years of "042Y", "006M", "003W", "010D"; else the time from birth to `study` (both DA) in years; NaN. */
double nod_dicom_age(const char *as, const char *birth_date, const char *study_date);

#ifdef __cplusplus
}
#endif
#endif
