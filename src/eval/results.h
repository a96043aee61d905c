/* results.h: everything that is reported about one run on one set of cases.
 *
 * Takes calibrated predictions (of one or several seeds), the frozen operating points and
 * options; gives rows of value, interval and method, counts, confusion tables and calibration
 * bins; rendered as JSON (docs/formats/results.md) and as a table for the terminal.
 *
 * Intervals: AUC of one yes/no question: delong.h. Proportions with one image a patient and one
 * seed: Wilson. Everything else, macro averages too: percentile bootstrap over patients
 * (bootstrap.h); where that has no width: proportions by Wilson on patients, binary balanced
 * accuracy by square-and-add of two such, the rest not estimable. Calibration slope, intercept
 * and in-the-large: cluster-robust. Over seeds: value is the mean over seeds, the interval is over
 * patients for that mean, the seeds' spread stands beside it. */
#ifndef NOD_EVAL_RESULTS_H
#define NOD_EVAL_RESULTS_H

#include "eval/operating_point.h"
#include "eval/scorer.h"

#define NOD_RESULTS_JSON_MAX ((size_t)1 << 30) /* bytes of a file of results that is read */

typedef struct nod_results_options {
    double confidence; /* of the intervals, in (0.5, 1); default 0.95 */
    size_t replicates; /* of the bootstrap, >= 2000; default 2000 */
    uint64_t seed;     /* of the bootstrap; default 0 */
    size_t ece_bins;   /* 2..100; default 10 */
    const nod_metric
        *metrics; /* these alone, of the whole task, at the first point (subgroup.h);
                                  default NULL: all, of every class, at every point */
    size_t n_metrics;
    const char *const *notes; /* stamped on the results, e.g. "intervals over images, patients
                                 unknown", "positive class not declared: the highest was taken" */
    size_t n_notes;
    /* What the cases are (aggregate.h): name in JSON and its plural in the text; default "image",
     * "images". n_sources: the images that they were made of; default 0: the cases themselves. */
    const char *unit, *units;
    size_t n_sources;
    const nod_json *calibration; /* stored as it is; may be NULL */
    const nod_json *provenance;  /* stored as it is: run, ledger id, length, head hash; NULL */
} nod_results_options;

nod_results_options nod_results_options_default(void);
/* EINVAL where a value is out of its range. */
int nod_results_options_check(const nod_results_options *o, nod_error *err) NOD_MUST_CHECK;

typedef struct nod_result_row {
    nod_metric metric;
    int column;         /* class or label; -1: the task as a whole */
    int point;          /* index of nod_results.points; -1 where no decision is needed */
    nod_estimate value; /* mean over seeds */
    nod_interval interval;
    size_t n_images;   /* cases that the metric is about: sensitivity counts positives ... */
    size_t n_patients; /* with such an image */
    size_t n_used;     /* classes in a macro average; 1 for anything else */
    size_t n_columns;  /* classes there could have been in it */
    double *seeds;     /* [n_seeds] value of each; NaN = not estimable */
    double seed_sd;    /* NaN with fewer than two seeds */
} nod_result_row;

typedef struct nod_result_point {
    char name[32];               /* "operating point", "0.5", "argmax" */
    nod_operating_point *points; /* [n_seeds][n_columns]; NULL for argmax */
} nod_result_point;

typedef struct nod_results nod_results;

/* `points` [nod_predictions_seeds][columns]: the frozen operating points; NULL: 0.5 only (always
 * NULL for multiclass, which decides by the highest probability). Errors: EDATA as nod_cases_new;
 * EINVAL for options out of range; ENOMEM. Metrics that cannot be estimated are no error. */
int nod_results_new(const nod_predictions *p, const nod_operating_point *points,
                    const nod_results_options *options, nod_results **out,
                    nod_error *err) NOD_MUST_CHECK;
void nod_results_free(nod_results *r);

size_t nod_results_rows(const nod_results *r);
const nod_result_row *nod_results_row(const nod_results *r, size_t i);
/* The row of a metric for the whole task at a point by name (NULL: the first that fits); NULL. */
const nod_result_row *nod_results_find(const nod_results *r, nod_metric m, const char *point);
size_t nod_results_seeds(const nod_results *r);

/* Stable schema, version 1. */
nod_json *nod_results_json(const nod_results *r);
/* The values of "classes" and "metrics" alone. */
nod_json *nod_results_classes_json(const nod_results *r);
nod_json *nod_results_rows_json(const nod_results *r);
/* Table of fixed width (<= 100 columns of ASCII, names apart). */
void nod_results_text(const nod_results *r, nod_strbuf *out);

#endif
