/* deidentify.h: a tree of DICOM files as de-identified copies (imaging/dicom/deidentify.h does one file).
 *
 * One patient becomes one pseudonym and one shift of dates, one UID another UID, all by HMAC-SHA-256 under
 * the site key: so series, studies and patients stay together, now and when more is added later, and
 * nobody without the key finds the way back. Copies lie in folders by pseudonym, study and series:
 *
 *   OUT/P-0123456789abcdef/1a2b3c4d5e6f/90ab12cd34ef/0123456789abcdef.dcm
 *
 * The names are of the new UIDs. What cannot be cleaned is not copied. */
#ifndef NOD_DATA_DEIDENTIFY_H
#define NOD_DATA_DEIDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/site_key.h"
#include "base/text.h"
#include "imaging/dicom/deidentify.h"

#define NOD_DEID_REPORT "deidentified.json" /* in the folder of copies */

typedef struct nod_deid_options {
    const nod_site_key *key;
    bool
        overwrite; /* copies may replace files of the same name; else the folder is new or empty */
    const char
        *map; /* a CSV of each file and its copy, with the names of the sources: for the site
                        alone, readable by its owner; NULL: none */
    void (*progress)(void *ctx, const char *what, size_t done, size_t total); /* NULL: none */
    void *ctx;
} nod_deid_options;

/* Files that were not copied for one reason, in words without names of files. */
typedef struct nod_deid_refusal {
    char *reason;
    size_t n;
} nod_deid_refusal;

typedef struct nod_deid_result {
    size_t n_files, n_foreign,
        n_copied; /* files below the root; those that are not DICOM; copies */
    size_t n_patients, n_studies, n_series;
    size_t n_nobody; /* copies without a patient: empty or dummy ids */
    nod_deid_refusal *refusals;
    size_t n_refusals, cap_refusals;
    nod_deid_outcome sum;
    /* Folders of series in the copies, sorted. */
    nod_strlist burned_in, likely_burned_in, faces;
} nod_deid_result;

/* Copies `in`, a folder, a zip archive or a file, into the folder `out`. A file that cannot be read or
 * cleaned is counted and passed over. Errors: EINVAL (out holds files, or lies within in), EDATA (no
 * DICOM file that can be copied), EIO, ENOMEM. */
int nod_deid_tree(const char *in, const char *out, const nod_deid_options *options,
                  nod_deid_result *result, nod_error *err) NOD_MUST_CHECK;
void nod_deid_result_done(nod_deid_result *r);

/* What was done, for a program and for a person. No name of a source is in it. */
nod_json *nod_deid_result_json(const nod_deid_result *r);
void nod_deid_result_text(const nod_deid_result *r, nod_strbuf *out);

#endif
