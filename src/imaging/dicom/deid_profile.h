/* deid_profile.h: what becomes of one element of a file that is de-identified.
 *
 * The standard's table first (deid_table.h); then rules by value representation for what the table does
 * not name, because the standard grows and devices write attributes where none belong; then a search for
 * the file's own identifiers in what is left. docs/deidentify.md says it for users. */
#ifndef NOD_IMAGING_DICOM_DEID_PROFILE_H
#define NOD_IMAGING_DICOM_DEID_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "imaging/dicom/deid_terms.h"
#include "imaging/dicom/edit.h"

#define NOD_DEID_REMOVED "REMOVED" /* what stands for a text that must not be empty */

/* What stands for the patient, and the key under which UIDs are made. Borrowed. */
typedef struct nod_deid_subject {
    const char *patient; /* in place of name and id; "": both become empty */
    int shift_days;      /* is added to every date */
    const void *key;
    size_t key_size;
} nod_deid_subject;

/* Why an element was changed. */
typedef enum nod_deid_reason {
    NOD_DEID_TABLE,   /* Table E.1-1 */
    NOD_DEID_RULE,    /* its value representation, or its group */
    NOD_DEID_UID,     /* a UID of this site's objects */
    NOD_DEID_DATE,    /* a date, moved */
    NOD_DEID_PRIVATE, /* a private attribute */
    NOD_DEID_UNKNOWN, /* the dictionary does not have it */
    NOD_DEID_FOUND,   /* an identifier stood in it */
    NOD_DEID_BROKEN,  /* no value of its kind, such as letters in a date */
    NOD_DEID_REASONS
} nod_deid_reason;

/* Adds what this element says of persons to the terms. */
int nod_deid_gather(const nod_deid_subject *subject, nod_deid_terms *terms,
                    const nod_dicom_element *e, nod_error *err) NOD_MUST_CHECK;

/* What becomes of this element: change->action and text; *reason where it is not KEEP. */
int nod_deid_decide(const nod_deid_subject *subject, const nod_deid_terms *terms,
                    const nod_dicom_element *e, nod_dicom_change *change,
                    nod_deid_reason *reason, nod_error *err) NOD_MUST_CHECK;

#endif
