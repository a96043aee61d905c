/* survey_internal.h: a survey while it is made: where each image comes from. */
#ifndef NOD_DATA_SURVEY_INTERNAL_H
#define NOD_DATA_SURVEY_INTERNAL_H

#include "data/survey.h"
#include "imaging/dicom/series.h"

/* How an image is decoded: a stack of a scan, or a file. */
typedef struct nod_survey_origin {
    const nod_dicom_scan *scan; /* NULL: a file */
    size_t i_series, i_stack;
    char *path;   /* of a file; owned */
    size_t bytes; /* that decoding may need: exact for DICOM, else a guess */
} nod_survey_origin;

typedef struct nod_survey_work {
    nod_survey *s;
    const nod_survey_options *o;
    nod_dicom_scan *scans; /* one for each path */
    size_t n_scans;
    nod_survey_origin *origins; /* of each of s->images */
    size_t origins_cap;
    bool names_paths;      /* several paths: names begin with theirs */
    nod_policies policies; /* nothing refused, nothing repaired */
} nod_survey_work;

/* A new image at the end, zeroed but for the strings, with its origin. */
int nod_survey_add_image(nod_survey_work *w, nod_survey_image **image,
                         nod_survey_origin **origin, nod_error *err) NOD_MUST_CHECK;
void nod_survey_image_done(nod_survey_image *im);
/* The file `name` below `root`, or `root` itself (""), and why, out of which their names are taken. */
int nod_survey_add_problem(nod_survey_work *w, const char *root, const char *name,
                           const char *message, int code, nod_error *err) NOD_MUST_CHECK;
/* How a file below a path is called: "" is the path itself. NULL: no memory. */
char *nod_survey_name(const nod_survey_work *w, const char *root,
                      const char *name) NOD_MUST_CHECK;

/* survey_dicom.c: images, problems and counts of w->scans[i_scan]; numbers are those of the scan. */
int nod_survey_add_dicom(nod_survey_work *w, size_t i_scan, nod_error *err) NOD_MUST_CHECK;
/* Running numbers over all scans in place of each scan's own; equal ids of several scans are one. */
int nod_survey_number(nod_survey_work *w, nod_error *err) NOD_MUST_CHECK;
/* How patients are shown, in all images; nothing without a key. */
int nod_survey_show_patients(nod_survey_work *w, nod_error *err) NOD_MUST_CHECK;
/* survey_files.c: the files of other formats among those that are not DICOM. */
int nod_survey_add_files(nod_survey_work *w, size_t i_scan, nod_error *err) NOD_MUST_CHECK;
/* survey_decode.c: values and pictures of all images. */
int nod_survey_decode(nod_survey_work *w, nod_error *err) NOD_MUST_CHECK;

/* --- what renderers share ------------------------------------------------------------------- */

/* "gantry-tilt=shear, ...": the policies that take what the preset one refuses; "" none. */
void nod_survey_add_help(nod_finding_kind kind, nod_strbuf *out);
/* "1/2/5", "1/2/5.2", "file 3", or the file's name. */
void nod_survey_add_label(const nod_survey *s, const nod_survey_image *im, nod_strbuf *out);
/* How many images have each finding. */
void nod_survey_count_findings(const nod_survey *s, size_t n[NOD_FINDING_KINDS]);

#endif
