/* cohort.h: the cases of a study: where each image is, whose it is, and what it shows.
 *
 * A cohort is a CSV file with one row a case and a JSON file beside it ("NAME.json" after the
 * whole name: cohort.csv.json) with what is true of all: class names, positive class, layout,
 * grouping. docs/formats/cohort.md has both.
 *
 * Labels are not visible here. They are served by part through data/labels.h alone, so that code
 * that has no right to the test part cannot read its labels even by mistake. */
#ifndef NOD_DATA_COHORT_H
#define NOD_DATA_COHORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "data/fact.h"
#include "data/level.h"
#include "data/part.h"
#include "imaging/finding.h"

#define NOD_COHORT_MAX_CASES   ((size_t)10000000)
#define NOD_COHORT_MAX_CLASSES 1024
#define NOD_COHORT_MAX_BYTES   ((size_t)1 << 30)
#define NOD_ID_MAX             64 /* bytes of a case id */
#define NOD_CASE_DIGITS        12 /* of the pixel hash, that make a case's id */

typedef enum nod_positive_origin {
    NOD_POSITIVE_NONE,     /* not a binary task */
    NOD_POSITIVE_DECLARED, /* the user said so */
    NOD_POSITIVE_DERIVED,  /* from the class names */
    NOD_POSITIVE_ASSUMED   /* the highest class: every result says so */
} nod_positive_origin;

typedef enum nod_grouping {
    NOD_GROUPING_NONE,     /* patients unknown: every result says so */
    NOD_GROUPING_DECLARED, /* the source names the patients */
    NOD_GROUPING_DERIVED   /* from file names by a rule */
} nod_grouping;

/* The label of a unit whose cases were labelled one by one. */
typedef enum nod_unit_label {
    NOD_UNIT_LABEL_SAME, /* they have one label */
    NOD_UNIT_LABEL_ANY   /* positive, or has a label, where one of them is or has */
} nod_unit_label;

const char *nod_unit_label_name(nod_unit_label l); /* "same", "any" */
const char *nod_positive_origin_name(nod_positive_origin o);
const char *nod_grouping_name(nod_grouping g);

/* What is true of all cases. Strings are borrowed. */
typedef struct nod_cohort_info {
    bool multilabel; /* any number of classes a case; else exactly one */
    bool
        segmentation; /* each case has a mask, whose values are the classes' indices; labels are "" */
    const char *const *classes;
    size_t n_classes;
    int64_t positive; /* class index of a binary task, else -1 */
    nod_positive_origin positive_origin;
    nod_level unit;        /* what is judged (data/unit.h) */
    nod_level label_level; /* at which the source gave the labels */
    nod_unit_label unit_label;
    bool phi; /* ids, dates or other data of persons are in the file */
    nod_grouping grouping;
    const char *grouping_rule; /* how patients were derived; "" */
    const char *layout;        /* name in data/layout.h's table */
    const char *source;        /* what was indexed, relative to the cohort or absolute */
    const nod_policies
        *policies; /* under which images are read; to nod_cohort_new NULL: preset */
} nod_cohort_info;

/* One case, without its label. Strings are borrowed; never NULL, but to nod_cohort_add those marked *
 * may be: "". */
typedef struct nod_case {
    const char *id;    /* carries no patient name: from an array index or the pixels */
    const char *file;  /* relative to the cohort's folder, or absolute */
    const char *files; /* * of several files: names below `file`, a folder, joined by '|' */
    const char *array; /* array in an .npz; "" for an image file */
    int64_t index;     /* along the array's first axis; -1 for an image file */
    const char *mask;  /* * file of the mask, as `file`; exactly where there is segmentation */
    const char *patient;   /* * key (data/patient.h): not for logs or messages; "" unknown */
    const char *other_ids; /* * further keys of the patient, joined by '|' */
    const char *person;    /* * digest of name, birth date and sex */
    const char *study, *series;       /* * DICOM's UIDs */
    const char *frame_of_reference;   /* * DICOM's UID */
    const char *facts[NOD_FACTS];     /* * data/fact.h */
    nod_part official;                /* NOD_PART_OUT: none */
    char pixels[NOD_SHA256_HEX];      /* hash of the decoded pixels */
    char mask_pixels[NOD_SHA256_HEX]; /* of the decoded mask; "" without one */
    int64_t frames;                   /* along the fourth axis; to nod_cohort_add 0 is 1 */
    int64_t depth, height, width;
    int channels;
    const char *sample;      /* "u8", "u16", "f32" */
    const char *modality;    /* * DICOM's code */
    const char *orientation; /* * code of the axes i, j, k such as "LPS" */
    double spacing_mm[3];    /* along i, j, k; all 0: unknown */
    const char *oddities;    /* * names of the reader's findings, joined by ';' */
    bool constant;           /* every pixel has the same value */
} nod_case;

typedef struct nod_cohort nod_cohort;

/* --- reading and writing ------------------------------------------------------------------ */

int nod_cohort_read(const char *path, nod_cohort **out, nod_error *err) NOD_MUST_CHECK;
/* From memory; `name` is the CSV's path, for messages and as the base of relative files. */
int nod_cohort_parse(const char *csv, size_t csv_size, const char *meta, size_t meta_size,
                     const char *name, nod_cohort **out, nod_error *err) NOD_MUST_CHECK;
/* Both files, each atomically; the JSON first. */
int nod_cohort_write(const nod_cohort *c, const char *path, nod_error *err) NOD_MUST_CHECK;
void nod_cohort_free(nod_cohort *c);

/* --- looking ------------------------------------------------------------------------------ */

const nod_cohort_info *nod_cohort_get_info(const nod_cohort *c);
size_t nod_cohort_size(const nod_cohort *c);
const nod_case *nod_cohort_get(const nod_cohort *c, size_t i);
int64_t nod_cohort_find(const nod_cohort *c, const char *id); /* -1: absent */
bool nod_cohort_has_official(const nod_cohort *c);
const char *nod_cohort_folder(const nod_cohort *c); /* where relative files begin */
/* The image file's path as the program can open it; caller's. NULL: no memory. */
char *nod_cohort_case_path(const nod_cohort *c, size_t i) NOD_MUST_CHECK;
/* EUNSUPPORTED where the cases have label maps: networks are trained on classes of images. */
int nod_cohort_need_labels(const nod_cohort *c, nod_error *err) NOD_MUST_CHECK;
/* SHA-256 over all that a split depends on: cases, labels, classes, positive class, grouping. */
const char *nod_cohort_hash(const nod_cohort *c);
/* Why what was found did not become a case, and how many times: the flow of the cohort is those and
 * the cases together. */
size_t nod_cohort_exclusions(const nod_cohort *c);
void nod_cohort_get_exclusion(const nod_cohort *c, size_t i, const char **reason, size_t *n);
/* A file that could not be read when the cohort was made; strings are borrowed. */
typedef struct nod_unreadable {
    const char *id;     /* for messages (data/unreadable.h); "" in cohorts of old */
    const char *file;   /* relative as a case's; not for messages */
    const char *reason; /* names no file */
} nod_unreadable;
size_t nod_cohort_unreadable(const nod_cohort *c);
nod_unreadable nod_cohort_get_unreadable(const nod_cohort *c, size_t i);

/* What data/groups.h found, counted for people. */
typedef struct nod_cohort_findings {
    size_t constant;
    size_t duplicate_sets,
        duplicate_cases; /* equal pixels: sets of two or more, cases in them */
    size_t contradictory_sets, contradictory_cases; /* equal pixels, different labels */
    size_t parted_sets; /* equal pixels in different official parts */
    size_t patients;    /* distinct, known */
    size_t without_patient;
    size_t units; /* that are judged */
    /* One label of a patient stands on several studies: patients, and studies of these. */
    size_t follow_up_patients, follow_up_studies;
} nod_cohort_findings;
int nod_cohort_find_all(const nod_cohort *c, nod_cohort_findings *out,
                        nod_error *err) NOD_MUST_CHECK;

/* --- making ------------------------------------------------------------------------------- */

/* `folder` is where relative files begin (""; the working directory). Everything is copied. */
int nod_cohort_new(const nod_cohort_info *info, const char *folder, nod_cohort **out,
                   nod_error *err) NOD_MUST_CHECK;
/* `label`: a class name; multi-label: class names joined by '|', "" for none; segmentation: "". The case's
 * strings are copied. Errors: EINVAL (unknown class, bad field), ELIMIT, ENOMEM. */
int nod_cohort_add(nod_cohort *c, const nod_case *k, const char *label,
                   nod_error *err) NOD_MUST_CHECK;
/* Counts `n` more of what was found and left out for a reason, such as "no label". */
int nod_cohort_add_exclusion(nod_cohort *c, const char *reason, size_t n,
                             nod_error *err) NOD_MUST_CHECK;
int nod_cohort_add_unreadable(nod_cohort *c, const nod_unreadable *u,
                              nod_error *err) NOD_MUST_CHECK;
/* After the last case: ids are unique, each class has a case. Errors: EDATA, ENOMEM. */
int nod_cohort_finish(nod_cohort *c, nod_error *err) NOD_MUST_CHECK;

#endif
