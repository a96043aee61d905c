/* answer.h: what a model's logits mean: task, classes, what is judged, prior correction, calibration,
 * operating points, patches. Stored in the model's `answer` part, so that prediction and test cannot do it
 * differently from training. docs/formats/model.md. */
#ifndef NOD_INFER_ANSWER_H
#define NOD_INFER_ANSWER_H

#include "data/examples.h"
#include "data/level.h"
#include "eval/aggregate.h"
#include "eval/calibration.h"
#include "eval/operating_point.h"
#include "imaging/contract.h"
#include "infer/predictor.h"

typedef struct nod_answer {
    nod_task task;
    nod_strlist classes;
    int positive;                       /* binary: class index; else -1 */
    char positive_origin[16];           /* "declared", "derived", "assumed", "none" */
    nod_level unit;                     /* what calibration and points are about */
    nod_aggregation_choice aggregation; /* from the images of a unit to it */
    nod_calibration calibration;
    nod_operating_point *points; /* per column; NULL for multiclass */
    size_t n_points;
    nod_patching patching;
} nod_answer;

void nod_answer_done(nod_answer *a);
nod_json *nod_answer_to_json(const nod_answer *a);
int nod_answer_from_json(const nod_json *j, const char *where, nod_answer *out,
                         nod_error *err) NOD_MUST_CHECK;

/* Calibrated log_odds and probabilities [k] of a unit from the raw logits of its n >= 1 images [n][k]. */
void nod_answer_join(const nod_answer *a, size_t n, const double *logits, double *log_odds,
                     double *probabilities);

/* A model with everything needed to answer: contract, answer, one forward plan. */
typedef struct nod_reader {
    nod_model *model;
    nod_contract contract;
    nod_answer answer;
    nod_predictor *predictor;
    bool is_forced; /* images unlike those of the training part are answered all the same */
    int64_t batch;  /* windows per run */
} nod_reader;

/* `batch` windows per run. The kernels that the model was made with go before those of o->table. */
int nod_reader_open(const char *model_path, const nod_plan_options *o, int64_t batch,
                    nod_reader *out, nod_error *err) NOD_MUST_CHECK;
/* The same of a model in memory, which is consumed, also on failure; `name` is for messages. */
int nod_reader_from_model(nod_model *model_take, const char *name, const nod_plan_options *o,
                          int64_t batch, nod_reader *out, nod_error *err) NOD_MUST_CHECK;
void nod_reader_done(nod_reader *r);
/* Reads an image as the contract says: a file of any format, or a folder or zip archive of DICOM
 * files, of which `series` chooses one series (nod_dicom_choose; NULL: no rules). */
int nod_reader_read(const nod_reader *r, const char *path, const nod_strlist *series,
                    nod_image *out, nod_error *err) NOD_MUST_CHECK;
/* Preprocesses a decoded image and computes raw logits [k], and calibrated log-odds and probabilities
 * [k] of it as a unit by itself (any of the last two may be NULL). EDATA: the image is not what the contract takes, or not like
 * those of the training part (nod_contract_check, unless is_forced). */
int nod_reader_answer(nod_reader *r, const nod_image *im, double *logits, double *log_odds,
                      double *probabilities, nod_error *err) NOD_MUST_CHECK;
/* Adds one row per example (labels may be NULL) to `out`, calibrated. ids, patients: [n]. */
int nod_reader_predict(nod_reader *r, const nod_examples *e, const char *const *ids,
                       const char *const *patients, int32_t seed, nod_predictions *out,
                       nod_error *err) NOD_MUST_CHECK;

#endif
