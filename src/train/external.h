/* external.h: a cohort from elsewhere, made ready to be looked at by runs that were trained without it.
 *
 * Everything that can be known without a label is asked before the look is spent: that the run has
 * met none of the cases (data/overlap.h), that their classes are classes of its models, that every
 * image can be read and is like those of the training part. */
#ifndef NOD_TRAIN_EXTERNAL_H
#define NOD_TRAIN_EXTERNAL_H

#include "base/log.h"
#include "data/labels.h"
#include "infer/answer.h"
#include "train/run_folder.h"

#define NOD_EXTERNAL_NAME_MAX 64

typedef struct nod_external {
    nod_cohort *cohort;
    nod_split *split;                     /* every case is of the test part */
    char *path;                           /* of the cohort */
    char name[NOD_EXTERNAL_NAME_MAX + 1]; /* results are in RUN/external/NAME */
} nod_external;

/* `name` NULL: the first 12 digits of the cohort's hash. Errors: EINVAL (a name that is no plain file
 * name), those of nod_cohort_read. */
int nod_external_open(const char *path, const char *name, nod_external *out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_external_done(nod_external *e);

/* EINVAL where the folder of its results in a run holds those of another cohort. */
int nod_external_check_name(const nod_external *e, const char *run,
                            nod_error *err) NOD_MUST_CHECK;

typedef struct nod_external_check_options {
    const char
        *force; /* why images unlike those of the training part are tested all the same; NULL */
    int threads;
    const nod_log *log;
} nod_external_check_options;

/* One run, known by one of its models. `notes` gets what its results say of the cohort. Errors: EDATA
 * names cases, classes or images. */
int nod_external_check(const nod_external *e, const nod_run_inputs *in, const char *run,
                       const char *model_path, const nod_external_check_options *o,
                       nod_strlist *notes, nod_error *err) NOD_MUST_CHECK;

/* Labels in the classes of the model. */
int nod_external_rename(const nod_external *e, const nod_answer *a, nod_labels *l,
                        nod_error *err) NOD_MUST_CHECK;

#endif
