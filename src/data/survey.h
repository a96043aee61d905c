/* survey.h: what is in a folder, before anything is decided about it: `nodule inspect`.
 *
 *   nod_survey_options o = NOD_SURVEY_OPTIONS_INIT;
 *   nod_survey *s;
 *   nod_survey_new(paths, n_paths, &o, &s, &err);
 *   nod_survey_text(s, 50, &text);              a table of at most 100 columns
 *   nod_survey_json(s);                         everything; docs/inspect.md has the keys
 *   nod_survey_html(s, &text, &err);            one page with a slice of each image
 *
 * An image is a stack of a DICOM series, a projection, or a file of another format. It is decoded
 * once, whatever its findings: under the policies that refuse nothing and repair nothing. Names and
 * dates of patients are never read. Ids, descriptions and names of files are shown only where asked for:
 * else patients, files and bad files are running numbers, patients beside it names that a site's key
 * makes (docs/privacy.md). */
#ifndef NOD_DATA_SURVEY_H
#define NOD_DATA_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/site_key.h"
#include "base/text.h"
#include "imaging/finding.h"
#include "imaging/geometry.h"
#include "imaging/image.h"
#include "imaging/statistics.h"

#define NOD_SURVEY_PICTURES_MAX 1000
/* Percentiles of each image: 1, 50, 99. */
#define NOD_SURVEY_PERCENTS 3

typedef struct nod_survey_options {
    bool headers_only; /* nothing is decoded: DICOM alone is described, others are counted */
    bool show_ids;     /* patient ids, UIDs, descriptions, names of files and folders */
    const nod_site_key
        *key;     /* patients are shown by names made with it too; NULL: by numbers alone */
    int64_t side; /* of the picture of each image in pixels; 0: none */
    /* Called now and then with a line's words, from one thread at a time; NULL: nobody asks. */
    void (*progress)(void *ctx, const char *what, size_t done, size_t total);
    void *ctx;
} nod_survey_options;
#define NOD_SURVEY_OPTIONS_INIT \
    {                           \
        0                       \
    }

/* Running numbers begin at 1. Strings are "" where nothing is known. */
typedef struct nod_survey_image {
    int64_t patient, study, series; /* 0 for files of other formats */
    int64_t stack, n_stacks;        /* within the series */
    int64_t number;                 /* among the files of other formats; 0 for DICOM */
    char shown[NOD_SHOWN_PATIENT]; /* the patient's name under the site's key; "" without one */
    char *name; /* the file, of DICOM its folder; shown with show_ids alone */
    char *patient_id, *study_uid, *series_uid, *description; /* with show_ids alone */
    const char *format;                                      /* "DICOM", "NIfTI"; static */
    char *coding; /* DICOM's transfer syntaxes; else the format */
    size_t n_files;
    nod_image_facts facts;
    nod_geometry geometry; /* space NONE and sizes 0: not known (headers_only) */
    int64_t frames;
    int channels; /* 0: not known */
    nod_findings findings;
    char *error; /* why it could not be decoded; NULL: it was, or was not tried */
    bool is_measured;
    nod_image_statistics statistics;
    double percentiles[NOD_SURVEY_PERCENTS];
    nod_bytes picture;       /* a PNG, or nothing */
    int64_t picture_size[2]; /* width, height */
} nod_survey_image;

typedef struct nod_survey_problem {
    char *file;   /* below its PATH; shown with show_ids alone */
    char *reason; /* without the file's name */
    int code;     /* NOD_E* */
} nod_survey_problem;

/* Objects without pixels: reports, plans, presentation states. */
typedef struct nod_survey_silent {
    char modality[17];
    size_t n;
} nod_survey_silent;

typedef struct nod_survey {
    nod_survey_image
        *images; /* DICOM first, by patient, study and series; then files by name */
    size_t n_images, images_cap;
    size_t n_patients, n_studies, n_series; /* of DICOM */
    size_t n_files;                         /* looked at */
    size_t n_dicom, n_others, n_unknown;    /* files of DICOM, of other formats, of neither */
    nod_survey_problem *problems;
    size_t n_problems, problems_cap;
    nod_survey_silent *silent;
    size_t n_silent, silent_cap;
    nod_findings findings; /* of all DICOM files together */
    bool headers_only, show_ids;
} nod_survey;

/* Looks at folders, files, and zip archives of DICOM. Bad files do not stop it: they are problems.
 * Errors: ENOENT, EIO (a path itself), ELIMIT, ENOMEM. */
int nod_survey_new(const char *const *paths, size_t n_paths, const nod_survey_options *o,
                   nod_survey **out, nod_error *err) NOD_MUST_CHECK;
void nod_survey_free(nod_survey *s);
/* EDATA, or the code of the first problem, where there was nothing that could be read. */
int nod_survey_check(const nod_survey *s, nod_error *err) NOD_MUST_CHECK;

/* True unless a preset policy refuses it, or it could not be decoded. */
bool nod_survey_is_usable(const nod_survey_image *im);

/* ASCII but for names of files, which show_ids shows; at most `rows` rows of images (0: all). */
void nod_survey_text(const nod_survey *s, size_t rows, nod_strbuf *out);
nod_json *nod_survey_json(const nod_survey *s);
/* A page that loads nothing and runs nothing. */
int nod_survey_html(const nod_survey *s, nod_strbuf *out, nod_error *err) NOD_MUST_CHECK;

#endif
