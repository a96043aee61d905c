/* predictions.h: what one or several models said about cases, with the truth where it is known.
 *
 * A row is one case seen by one model (seed). Softmax tasks (binary, multiclass) carry one logit
 * a class and one true class; multi-label carries one logit a label and a yes/no for each.
 * `logits` are the network's own and never change; calibration (calibration.h) changes
 * log_odds and probabilities. log_odds[c] = ln p/(1-p) of class c against the rest, computed
 * from logits without rounding p to 0 or 1: cases are ranked by it.
 * Files: docs/formats/predictions.md. */
#ifndef NOD_EVAL_PREDICTIONS_H
#define NOD_EVAL_PREDICTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define NOD_PREDICTIONS_MAX_ROWS    ((size_t)1 << 24)
#define NOD_PREDICTIONS_MAX_CLASSES 1024
#define NOD_PREDICTIONS_MAX_SEEDS   1000
#define NOD_PREDICTIONS_MAX_BYTES   ((size_t)1 << 31)

typedef enum nod_task { NOD_TASK_BINARY, NOD_TASK_MULTICLASS, NOD_TASK_MULTILABEL } nod_task;

const char *nod_task_name(nod_task t); /* "binary" ... */
bool nod_task_parse(const char *s, nod_task *out) NOD_MUST_CHECK;

typedef struct nod_predictions {
    nod_task task;
    size_t k;                /* classes or labels; binary: 2 */
    int positive;            /* index of the positive class of a binary task; else -1 */
    nod_strlist class_names; /* k */
    size_t n;                /* rows */
    char **id;               /* [n] */
    char **patient;          /* [n], an entry is NULL where the patient is not known */
    char **unit;             /* [n] of which unit a row is an image; NULL: rows are units */
    int32_t *seed;           /* [n], index of the model, 0 where there is one */
    int32_t *labels;         /* [n] class index, or [n][k] 0/1 (multi-label); -1 = unknown */
    bool has_logits;         /* false: read from a file without them; logits is then NaN */
    double *logits;          /* [n][k] */
    double *log_odds;        /* [n][k] */
    double *probabilities;   /* [n][k] */
    size_t capacity;
} nod_predictions;

/* Number of labels of one row: 1, or k for multi-label. */
size_t nod_predictions_labels(const nod_predictions *p);
/* Columns that are scored as yes/no questions: 1 for binary (the positive class), else k. */
size_t nod_task_columns(nod_task task, size_t k);

/* An empty table. Errors: EINVAL (binary without two classes and a positive one, names that are
 * empty, repeated or hold '|', which separates labels in files), ELIMIT, ENOMEM. */
int nod_predictions_init(nod_predictions *p, nod_task task, const char *const *class_names,
                         size_t k, int positive, nod_error *err) NOD_MUST_CHECK;
void nod_predictions_done(nod_predictions *p);

/* Adds one row, uncalibrated: probabilities are softmax or sigmoid of the logits. `patient` NULL
 * or "" = not known; `labels` NULL or all -1 = not known. Errors: EINVAL (empty id, label out of range),
 * ENUMERIC (a logit is not finite), ELIMIT, ENOMEM. */
int nod_predictions_add(nod_predictions *p, const char *id, const char *patient, int32_t seed,
                        const int32_t *labels, const double *logits,
                        nod_error *err) NOD_MUST_CHECK;
/* The same from probabilities (a file, another program): each in [0, 1]; for softmax tasks the
 * sum is 1 within 1e-4, else EINVAL. `log_odds` may be NULL: computed from them; `logits` may be
 * NULL: not known. */
int nod_predictions_add_probabilities(nod_predictions *p, const char *id, const char *patient,
                                      int32_t seed, const int32_t *labels,
                                      const double *probabilities, const double *log_odds,
                                      const double *logits, nod_error *err) NOD_MUST_CHECK;

/* Names the unit that a row is an image of: a column of the CSV. */
int nod_predictions_set_unit(nod_predictions *p, size_t row, const char *unit,
                             nod_error *err) NOD_MUST_CHECK;
/* Adds the rows of another table of the same task and classes, as they are. */
int nod_predictions_append(nod_predictions *p, const nod_predictions *from,
                           nod_error *err) NOD_MUST_CHECK;

/* log_odds and probabilities [k] of logits [k]; softmax for binary and multiclass. */
void nod_predictions_transform(nod_task task, size_t k, const double *logits, double *log_odds,
                               double *probabilities);

/* The column (nod_task_columns) c of a row as index into the row's k probabilities. */
size_t nod_predictions_column_class(const nod_predictions *p, size_t c);
/* Was column c of the row called positive: probability >= threshold? */
bool nod_predictions_is_called(const nod_predictions *p, size_t row, size_t c,
                               double threshold);
/* The class with the highest probability; of equal ones the first. */
size_t nod_predictions_argmax(const nod_predictions *p, size_t row);
/* 1 - probability of the true class; multi-label: of the worst label. NaN: truth unknown. */
double nod_predictions_error(const nod_predictions *p, size_t row);

/* Thresholds are given as [n_seeds][columns], n_seeds = 1 + the highest seed index; NULL = 0.5
 * everywhere. */
size_t nod_predictions_seeds(const nod_predictions *p);

/* The per-case table, worst first, atomically. */
int nod_predictions_write_csv(const nod_predictions *p, const double *thresholds,
                              const char *path, nod_error *err) NOD_MUST_CHECK;
void nod_predictions_csv_text(const nod_predictions *p, const double *thresholds,
                              nod_strbuf *out);
/* Reads it back (any order of rows). `positive` names the positive class of a binary task. */
int nod_predictions_read_csv(const char *path, nod_task task, const char *positive,
                             nod_predictions *out, nod_error *err) NOD_MUST_CHECK;
int nod_predictions_parse_csv(const char *text, size_t size, const char *name, nod_task task,
                              const char *positive, nod_predictions *out,
                              nod_error *err) NOD_MUST_CHECK;

/* The complete form. `provenance_take` (may be NULL) is stored as it is, and consumed also on
 * failure: version, run, ledger id, length and head hash. */
int nod_predictions_write_json(const nod_predictions *p, nod_json *provenance_take,
                               const char *path, nod_error *err) NOD_MUST_CHECK;
nod_json *nod_predictions_json(const nod_predictions *p, nod_json *provenance_take);
/* `provenance` (may be NULL) gets the stored provenance, the caller's to free; NULL if none. */
int nod_predictions_read_json(const char *path, nod_predictions *out, nod_json **provenance,
                              nod_error *err) NOD_MUST_CHECK;
int nod_predictions_parse_json(const char *text, size_t size, const char *name,
                               nod_predictions *out, nod_json **provenance,
                               nod_error *err) NOD_MUST_CHECK;

#endif
