/* metric.c: the table, and the metrics of a 2x2 or k x k table of counts. */
#include "eval/metric.h"

#include <string.h>

#include "base/compiler.h"

static const nod_metric_info table[NOD_METRIC_COUNT] = {
    [NOD_METRIC_ACCURACY] = {"accuracy", "accuracy", "0 to 1, 1 is best", true, true, true},
    [NOD_METRIC_BALANCED_ACCURACY] = {"balanced_accuracy", "balanced accuracy",
                                      "0 to 1, 1 is best", true, false, true},
    [NOD_METRIC_SENSITIVITY] = {"sensitivity", "sensitivity (recall)", "0 to 1, 1 is best",
                                true, true, true},
    [NOD_METRIC_SPECIFICITY] = {"specificity", "specificity", "0 to 1, 1 is best", true, true,
                                true},
    [NOD_METRIC_PRECISION] = {"precision", "precision", "0 to 1, 1 is best", true, true, true},
    [NOD_METRIC_F1] = {"f1", "F1", "0 to 1, 1 is best", true, false, true},
    [NOD_METRIC_DICE] = {"dice", "Dice", "0 to 1, 1 is best", true, false, true},
    [NOD_METRIC_MCC] = {"mcc", "MCC", "-1 to 1, 1 is best", true, false, true},
    [NOD_METRIC_ROC_AUC] = {"roc_auc", "ROC AUC", "0 to 1, 1 is best", false, false, true},
    [NOD_METRIC_AVERAGE_PRECISION] = {"average_precision", "average precision",
                                      "0 to 1, 1 is best", false, false, true},
    [NOD_METRIC_BRIER] = {"brier", "Brier score", "0 is best", false, false, false},
    [NOD_METRIC_LOG_LOSS] = {"log_loss", "log loss", "0 is best", false, false, false},
    [NOD_METRIC_CALIBRATION_SLOPE] = {"calibration_slope", "calibration slope", "1 is best",
                                      false, false, false},
    [NOD_METRIC_CALIBRATION_INTERCEPT] = {"calibration_intercept", "calibration intercept",
                                          "0 is best", false, false, false},
    [NOD_METRIC_CALIBRATION_IN_THE_LARGE] = {"calibration_in_the_large",
                                             "calibration in the large", "0 is best", false,
                                             false, false},
    [NOD_METRIC_ECE] = {"ece", "ECE", "0 is best", false, false, false},
};

const nod_metric_info *nod_metric_info_get(nod_metric m)
{
    NOD_ASSERT((int)m >= 0 && m < NOD_METRIC_COUNT);
    return &table[m];
}

int nod_metric_find(const char *key)
{
    for (int m = 0; m < NOD_METRIC_COUNT; m++)
        if (strcmp(table[m].key, key) == 0) return m;
    return -1;
}

const char *nod_metric_key_next(const void *ctx, size_t i)
{
    (void)ctx;
    return i < NOD_METRIC_COUNT ? table[i].key : NULL;
}

static nod_estimate ratio(double a, double b, const char *reason)
{
    return b > 0 ? nod_estimate_of(a / b) : nod_estimate_none(reason);
}

static nod_estimate mcc(const nod_confusion *c)
{
    double pos = c->tp + c->fn, neg = c->fp + c->tn;
    double called = c->tp + c->fp, cleared = c->fn + c->tn;
    if (!(pos > 0) || !(neg > 0)) return nod_estimate_none("one class has no cases");
    if (!(called > 0) || !(cleared > 0))
        return nod_estimate_none("every case was decided the same way");
    double scale = sqrt(pos) * sqrt(neg) * sqrt(called) * sqrt(cleared);
    return nod_estimate_of((c->tp * c->tn - c->fp * c->fn) / scale);
}

nod_estimate nod_confusion_metric(const nod_confusion *c, nod_metric m)
{
    double pos = c->tp + c->fn, neg = c->fp + c->tn;
    switch (m) {
    case NOD_METRIC_ACCURACY:
        return ratio(c->tp + c->tn, pos + neg, "no cases");
    case NOD_METRIC_BALANCED_ACCURACY:
        if (!(pos > 0) || !(neg > 0)) return nod_estimate_none("one class has no cases");
        return nod_estimate_of(0.5 * (c->tp / pos + c->tn / neg));
    case NOD_METRIC_SENSITIVITY:
        return ratio(c->tp, pos, "no positive case");
    case NOD_METRIC_SPECIFICITY:
        return ratio(c->tn, neg, "no negative case");
    case NOD_METRIC_PRECISION:
        return ratio(c->tp, c->tp + c->fp, "no case was called positive");
    case NOD_METRIC_F1:
    case NOD_METRIC_DICE:
        return ratio(2 * c->tp, 2 * c->tp + c->fp + c->fn,
                     "no case is positive and none was called positive");
    case NOD_METRIC_MCC:
        return mcc(c);
    default:
        break;
    }
    NOD_ASSERT(!"a metric that counts do not give");
    return nod_estimate_none("not from counts");
}

nod_estimate nod_confusion_mcc(const double *counts, size_t k)
{
    double total = 0, correct = 0, cross = 0, truth2 = 0, decided2 = 0;
    for (size_t i = 0; i < k; i++) {
        double truth = 0, decided = 0;
        for (size_t j = 0; j < k; j++) {
            truth += counts[i * k + j];
            decided += counts[j * k + i];
        }
        total += truth;
        correct += counts[i * k + i];
        cross += truth * decided;
        truth2 += truth * truth;
        decided2 += decided * decided;
    }
    double a = total * total - truth2, b = total * total - decided2;
    if (!(a > 0)) return nod_estimate_none("only one class has cases");
    if (!(b > 0)) return nod_estimate_none("every case was decided the same way");
    return nod_estimate_of((correct * total - cross) / (sqrt(a) * sqrt(b)));
}
