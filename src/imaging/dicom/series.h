/* series.h: patients, studies, series and volumes of a folder, and one volume as an image.
 *
 *   nod_dicom_scan scan;
 *   nod_dicom_scan_tree("study/", NULL, &scan, &err);    headers only, on all threads
 *   for each of scan.series, for each of its stacks.items:
 *       nod_dicom_stack_judge(&scan, i_series, i_stack, &policies, &findings, &err)  may it be used
 *       nod_dicom_stack_read(...)                                                   its voxels
 *   nod_dicom_scan_done(&scan);
 *
 * A root is a folder, one file, or a zip archive; names are relative to it. A zip archive inside a
 * folder is read too: "sub/a.zip!/b.dcm" is the file b.dcm in it. */
#ifndef NOD_IMAGING_DICOM_SERIES_H
#define NOD_IMAGING_DICOM_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "imaging/dicom/header.h"
#include "imaging/dicom/stack.h"
#include "imaging/finding.h"
#include "imaging/image.h"

typedef struct nod_dicom_entry {
    char *name; /* below the root; "" where the root is the file */
    nod_dicom_header header;
} nod_dicom_entry;

/* A file that is DICOM, or claims to be, and could not be read. */
typedef struct nod_dicom_problem {
    char *name;
    int code; /* NOD_E* */
    char *message;
} nod_dicom_problem;

/* Entries first .. first + n - 1 of the scan. A slice's `file` counts from `first`. */
typedef struct nod_dicom_series {
    size_t study, first, n;
    nod_dicom_stacks stacks; /* none for objects without pixels: reports, plans */
} nod_dicom_series;

/* Series (of a study) or studies (of a patient) first .. first + n - 1. */
typedef struct nod_dicom_study {
    size_t patient, first, n;
} nod_dicom_study;
typedef struct nod_dicom_patient {
    size_t first, n;
} nod_dicom_patient;

typedef struct nod_dicom_scan {
    char *root;
    nod_dicom_entry *entries; /* sorted by patient, study, series, name */
    size_t n_entries;
    nod_dicom_patient *patients; /* one for each issuer and PatientID; "" is one too */
    size_t n_patients;
    nod_dicom_study *studies;
    size_t n_studies;
    nod_dicom_series *series;
    size_t n_series;
    nod_dicom_problem
        *problems; /* sorted by name; series that could not be sorted out as well */
    size_t n_problems;
    size_t n_files;        /* looked at */
    nod_strlist foreign;   /* names of those that are not DICOM at all, sorted */
    nod_findings findings; /* of all together: mixed-intent */
} nod_dicom_scan;

/* Called now and then, from one thread at a time; NULL: nobody wants to know. */
typedef struct nod_dicom_watch {
    void (*progress)(void *ctx, size_t done, size_t total);
    void *ctx;
} nod_dicom_watch;

/* Reads the header of every DICOM file below `path`. Bad files do not stop it: they become
 * problems. Errors: ENOENT, EIO (the folder), ENOMEM. */
int nod_dicom_scan_tree(const char *path, const nod_dicom_watch *watch, nod_dicom_scan *out,
                        nod_error *err) NOD_MUST_CHECK;
/* The same for exactly these files, each of which must be readable. */
int nod_dicom_scan_files(const char *root, const nod_strlist *names, nod_dicom_scan *out,
                         nod_error *err) NOD_MUST_CHECK;
void nod_dicom_scan_done(nod_dicom_scan *scan);

/* The header of a stack's first slice. */
const nod_dicom_header *nod_dicom_stack_header(const nod_dicom_scan *scan, size_t i_series,
                                               size_t i_stack);
/* Adds the names of a stack's files in slice order, each once. */
int nod_dicom_stack_files(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                          nod_strlist *out, nod_error *err) NOD_MUST_CHECK;

/* Whether a stack may be used under these policies: adds the findings of stack and series to
 * `findings` (may be NULL). `name` begins the message. Errors: EDATA, the finding is named. */
int nod_dicom_stack_judge(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                          const nod_policies *policies, const char *name,
                          nod_findings *findings, nod_error *err) NOD_MUST_CHECK;

/* Judges, decodes on all threads, and repairs as the policies say; what is accepted stays as it was
 * measured. f32 of real values (HU in CT) for one channel; frames are the fourth axis, padding is
 * marked, slices that are not there too.
 * Errors: EDATA (a finding is refused), EFORMAT, ELIMIT, EUNSUPPORTED, ENOMEM. */
int nod_dicom_stack_read(const nod_dicom_scan *scan, size_t i_series, size_t i_stack,
                         const nod_policies *policies, nod_image *out, nod_findings *findings,
                         nod_error *err) NOD_MUST_CHECK;

/* The one stack of a series; EDATA also where it has several images, or stacks that are to be
 * split. `policies` NULL: the preset ones. */
int nod_dicom_series_read(const nod_dicom_scan *scan, size_t i_series,
                          const nod_policies *policies, nod_image *out, nod_findings *findings,
                          nod_error *err) NOD_MUST_CHECK;

/* Exactly these files as one image: they must be one series with one stack. */
int nod_dicom_files_read(const char *root, const nod_strlist *names,
                         const nod_policies *policies, nod_image *out, nod_findings *findings,
                         nod_error *err) NOD_MUST_CHECK;

#endif
