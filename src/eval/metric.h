/* metric.h: the table of metrics, and those that follow from counts.
 *
 * A new metric is one line in the table of metric.c, one case where it is computed (here from
 * counts, in scorer.c from scores), and its test. */
#ifndef NOD_EVAL_METRIC_H
#define NOD_EVAL_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "eval/estimate.h"

typedef enum nod_metric {
    /* from decisions */
    NOD_METRIC_ACCURACY,
    NOD_METRIC_BALANCED_ACCURACY,
    NOD_METRIC_SENSITIVITY, /* recall */
    NOD_METRIC_SPECIFICITY,
    NOD_METRIC_PRECISION,
    NOD_METRIC_F1,
    NOD_METRIC_DICE, /* over images this is F1; listed because the field asks for it by name */
    NOD_METRIC_MCC,
    /* from probabilities */
    NOD_METRIC_ROC_AUC,
    NOD_METRIC_AVERAGE_PRECISION,
    NOD_METRIC_BRIER,
    NOD_METRIC_LOG_LOSS,
    NOD_METRIC_CALIBRATION_SLOPE,
    NOD_METRIC_CALIBRATION_INTERCEPT,
    NOD_METRIC_CALIBRATION_IN_THE_LARGE,
    NOD_METRIC_ECE,
    NOD_METRIC_COUNT
} nod_metric;

typedef struct nod_metric_info {
    const char *key;     /* "roc_auc": JSON and recipe */
    const char *title;   /* "ROC AUC": tables */
    const char *range;   /* "0 to 1, 1 is best" */
    bool from_decisions; /* needs an operating point */
    bool is_proportion;  /* a count of cases over a count of cases: Wilson applies */
    bool higher_is_better;
} nod_metric_info;

const nod_metric_info *nod_metric_info_get(nod_metric m);
/* -1 if no metric has this key. */
int nod_metric_find(const char *key);
/* For nod_nearest: the i-th key, NULL at the end. */
const char *nod_metric_key_next(const void *ctx, size_t i);

/* Counts of one label; doubles, because bootstrap weights and seed averages are counted too. */
typedef struct nod_confusion {
    double tp, fp, fn, tn;
} nod_confusion;

/* A metric of the first group from counts. Not estimable where its denominator is 0, balanced
 * accuracy also where a class is absent. MCC: the denominator is 0 where a row or a column of
 * the table is empty. */
nod_estimate nod_confusion_metric(const nod_confusion *c, nod_metric m);

/* MCC of k classes from counts[truth][decision] (k*k, row major).
 * Source: R_K, Gorodkin, Comput Biol Chem 2004;28:367-374. */
nod_estimate nod_confusion_mcc(const double *counts, size_t k);

#endif
