/* layout.h: the layouts in which data sets arrive, and making a cohort from one.
 *
 * A layout is one file under layouts/ and one line in layouts/table.c. It lists items; the
 * common part (index.c) decodes every image, hashes it, names the cases, finds the positive
 * class and the patients, and makes the cohort. */
#ifndef NOD_DATA_LAYOUT_H
#define NOD_DATA_LAYOUT_H

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/cohort.h"

/* One image that a layout found; strings belong to the listing's arena. */
typedef struct nod_item {
    const char *name;  /* file, relative to the listing's root or absolute */
    const char *files; /* NULL, or of a series: names below the folder `name`, joined by '|' */
    const char *array; /* "" for an image file */
    int64_t index;     /* -1 for an image file */
    const char *label; /* class name; multi-label: joined by '|' */
    const char *mask;  /* NULL, or the file of the mask, as `name` */
    const char *patient; /* key (data/patient.h); "" unknown */
    const char *other_ids, *person, *study, *series, *frame_of_reference; /* NULL: unknown */
    const char *facts[NOD_FACTS]; /* NULL: unknown; what the image itself says comes second */
    const char *id;               /* NULL: made from the pixels */
    nod_part official;
    size_t line; /* of a manifest; 0 elsewhere */
} nod_item;

#define NOD_LISTING_EXCLUSIONS 8

typedef struct nod_listing {
    nod_arena arena;
    const char *root; /* folder where relative names begin */
    nod_item *items;
    size_t n, cap;
    /* What cannot be a case, and why; in the arena. */
    struct nod_item_problem {
        const char *name, *reason;
    } * problems;
    size_t n_problems, problems_cap;
    /* What was found and is left out on purpose, by reason (nod_cohort_add_exclusion). */
    struct nod_item_exclusion {
        const char *reason; /* static */
        size_t n;
    } exclusions[NOD_LISTING_EXCLUSIONS];
    size_t n_exclusions;
    nod_strlist classes; /* in order; left empty: the labels, in natural order */
    bool multilabel, segmentation;
    nod_level label_level;
    bool phi;               /* ids, dates or names of persons are in the items */
    bool has_patients;      /* the source names patients */
    bool patients_in_names; /* by the names of files: a rule of the user goes before */
} nod_listing;

void nod_listing_done(nod_listing *l);
/* Adds a copy; its strings must be in the arena or static. Errors: ELIMIT, ENOMEM. */
int nod_listing_add(nod_listing *l, const nod_item *item, nod_error *err) NOD_MUST_CHECK;
/* Something that will not be a case; name and reason are copied. */
int nod_listing_add_problem(nod_listing *l, const char *name, const char *reason,
                            nod_error *err) NOD_MUST_CHECK;
/* Counts what is left out on purpose; `reason` is static, at most NOD_LISTING_EXCLUSIONS of them. */
void nod_listing_exclude(nod_listing *l, const char *reason, size_t n);
/* Sets the root to the folder of a file. */
int nod_listing_root_of(nod_listing *l, const char *file, nod_error *err) NOD_MUST_CHECK;
struct nod_index_options;
/* The same, or what the options say; ENOENT where that is no folder. */
int nod_listing_set_root(nod_listing *l, const struct nod_index_options *o, const char *file,
                         nod_error *err) NOD_MUST_CHECK;

typedef struct nod_index_options {
    const char *layout;   /* name in the table; NULL: detected */
    const char *positive; /* class name; NULL: derived or assumed */
    /* POSIX extended expression, matched against the file's path below the source; its first
     * group is the patient. NULL: none. */
    const char *patient_regex;
    int64_t
        patient_divide; /* patients of the rule are numbers: n stands for ceil(n / this); 1 */
    const char *labels; /* a table of labels (data/label_table.h); NULL: none */
    int64_t
        fold; /* of a data set that comes with folds: is the validation part; -1: none is kept */
    const char *fold_file; /* nnU-Net's folds; NULL: splits_final.json in the data set */
    const char
        *data_root; /* where the paths of a list or table begin; NULL: in its own folder */
    const char *mask_names;   /* "a,b,c" of values 0, 1, 2 of label maps; NULL: the source's */
    const char *label_column; /* of BIDS' participants.tsv; NULL: label maps, or a usual name */
    /* Of BIDS, extended expressions: which images, which label maps, by their paths; NULL: all. */
    const char *images, *masks;
    const char *unit;       /* what is judged (data/level.h); NULL: the level of the labels */
    const char *unit_label; /* "same" or "any"; NULL: not said (data/unit_label.h) */
    bool spread_labels;     /* labels of a coarser level are those of each unit */
    const nod_strlist
        *series; /* rules that choose series (imaging/dicom/select.h); NULL: none */
    const nod_policies *policies; /* under which images are read; NULL: the preset ones */
    double max_unreadable; /* fraction of images, 0 to 1; default .1. All is always an error. */
    const char *folder;    /* where the cohort will be written; files below it get relative
                              paths, others absolute ones; NULL: the working directory */
    int threads;           /* that decode; 0: those available */
    bool show_ids;         /* the log and errors name files */
    const nod_log *log;
} nod_index_options;
#define NOD_INDEX_OPTIONS_INIT                                 \
    {                                                          \
        .patient_divide = 1, .fold = -1, .max_unreadable = 0.1 \
    }

/* Options that only some layouts take, as bits. */
enum {
    NOD_LAYOUT_TAKES_LABELS = 1 << 0,
    NOD_LAYOUT_TAKES_SERIES = 1 << 1,
    NOD_LAYOUT_TAKES_FOLD = 1 << 2,
    NOD_LAYOUT_TAKES_FOLD_FILE = 1 << 3,
    NOD_LAYOUT_TAKES_DATA_ROOT = 1 << 4,
    NOD_LAYOUT_TAKES_LABEL_COLUMN = 1 << 5,
    NOD_LAYOUT_TAKES_CHOICE = 1 << 6 /* images, masks */
};

typedef struct nod_source_layout {
    const char *name, *about;
    unsigned takes; /* NOD_LAYOUT_TAKES_*; others are refused */
    /* Whether `path` looks like this layout. */
    bool (*detect)(const char *path, const nod_index_options *o);
    int (*list)(const char *path, const nod_index_options *o, nod_listing *out, nod_error *err);
} nod_source_layout;

/* The table; NULL after the last. */
const nod_source_layout *nod_source_layout_at(size_t i);
const nod_source_layout *nod_source_layout_find(const char *name); /* NULL: not known */

/* Errors: ENOENT, EINVAL (options that do not fit), EFORMAT (a file's bytes), EDATA (labels and
 * images do not match, empty class, too many unreadable images ...). */
int nod_index(const char *source, const nod_index_options *o, nod_cohort **out,
              nod_error *err) NOD_MUST_CHECK;

#endif
