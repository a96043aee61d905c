/* deidentify.h: one DICOM file, de-identified in memory: PS3.15 (edition 2024e) Basic Application Level
 * Confidentiality Profile with the option Retain Longitudinal Temporal Information Modified Dates.
 *
 *   nod_dicom_file_open(path, NOD_DICOM_WHOLE, &file, &err)
 *   nod_dicom_deidentify(file, &subject, &outcome, &err)
 *   nod_dicom_write(file, "copy.dcm", &err)
 *
 * Pixels stay as they are: what is burned into them, and faces, are named and not removed. */
#ifndef NOD_IMAGING_DICOM_DEIDENTIFY_H
#define NOD_IMAGING_DICOM_DEIDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "imaging/dicom/deid_profile.h"
#include "imaging/dicom/file.h"

#define NOD_DEID_EDITION "PS3.15 2024e"

/* How often an attribute was changed, and why. */
typedef struct nod_deid_count {
    uint32_t tag; /* 0 of private and unknown ones: all together */
    nod_deid_reason reason;
    nod_dicom_action action;
    int64_t n;
} nod_deid_count;

typedef enum nod_deid_burned_in { /* what the file says of text in its pixels */
                                  NOD_DEID_BURNED_IN_NO,
                                  NOD_DEID_BURNED_IN_LIKELY, /* nothing, and its kind often has some: captures, ultrasound, films */
                                  NOD_DEID_BURNED_IN_YES
} nod_deid_burned_in;

typedef struct nod_deid_outcome {
    nod_deid_count *counts; /* sorted by tag, reason, action; owned */
    size_t n_counts, cap;
    nod_dicom_wiped wiped; /* hidden beside the pixels */
    nod_deid_burned_in burned_in;
    bool has_face; /* CT, MR or PET of a head: a face can be rendered from the series */
} nod_deid_outcome;

/* Errors: EUNSUPPORTED for what cannot be cleaned: encapsulated documents, media directories; EFORMAT for
 * pixels that are cut off. After an error the file must not be written. The outcome must be given to
 * _done, whatever happens. */
int nod_dicom_deidentify(nod_dicom_file *file, const nod_deid_subject *subject,
                         nod_deid_outcome *out, nod_error *err) NOD_MUST_CHECK;
void nod_deid_outcome_done(nod_deid_outcome *o);
/* Adds the counts of another. */
int nod_deid_outcome_add(nod_deid_outcome *sum, const nod_deid_outcome *o,
                         nod_error *err) NOD_MUST_CHECK;

#endif
