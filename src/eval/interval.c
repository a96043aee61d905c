/* interval.c: closed forms, one root search (Newcombe's method 5), and percentiles. */
#include "eval/interval.h"

#include <float.h>

#include "base/compiler.h"
#include "eval/special.h"

const char *nod_interval_name(nod_interval_method method)
{
    switch (method) {
    case NOD_INTERVAL_NONE:
        return "none";
    case NOD_INTERVAL_WILSON:
        return "Wilson";
    case NOD_INTERVAL_WILSON_PATIENTS:
        return "Wilson on patients";
    case NOD_INTERVAL_SQUARE_ADD:
        return "Wilson, square-and-add";
    case NOD_INTERVAL_BOOTSTRAP:
        return "bootstrap over patients";
    case NOD_INTERVAL_DELONG:
        return "DeLong, logit, t";
    case NOD_INTERVAL_OBUCHOWSKI:
        return "Obuchowski, logit, t";
    case NOD_INTERVAL_NEWCOMBE5:
        return "Newcombe method 5";
    case NOD_INTERVAL_SANDWICH:
        return "cluster-robust, t";
    case NOD_INTERVAL_PAIRED_DELONG:
        return "paired DeLong, t";
    case NOD_INTERVAL_INFLUENCE:
        return "influence, logit, t";
    }
    return "unknown";
}

static double two_sided_z(double confidence)
{
    return -nod_normal_quantile(0.5 * (1.0 - confidence));
}

nod_interval nod_interval_wilson(double p, double n, double confidence,
                                 nod_interval_method method)
{
    if (!(n > 0)) return nod_interval_none("no cases");
    double z = two_sided_z(confidence), z2 = z * z;
    double centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    double half = z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    /* At 0 and 1 the limit is exact; the formula misses it by a rounding error. */
    double lo = p <= 0 ? 0.0 : fmax(0.0, centre - half);
    double hi = p >= 1 ? 1.0 : fmin(1.0, centre + half);
    return nod_interval_of(method, lo, hi);
}

nod_interval nod_interval_square_add(double p1, const nod_interval *i1, double p2,
                                     const nod_interval *i2)
{
    if (i1->undefined != NULL) return *i1;
    if (i2->undefined != NULL) return *i2;
    double mean = 0.5 * (p1 + p2);
    double lo = mean - 0.5 * hypot(p1 - i1->lo, p2 - i2->lo);
    double hi = mean + 0.5 * hypot(i1->hi - p1, i2->hi - p2);
    return nod_interval_of(NOD_INTERVAL_SQUARE_ADD, fmax(0.0, lo), fmin(1.0, hi));
}

static double newcombe_variance(double theta, double m, double n)
{
    double star = 0.5 * (m + n) - 1.0;
    return theta * (1 - theta) / (m * n) *
           (1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta));
}

/* The root of |auc - theta| = z sd(theta) between auc and `end` (0 or 1): near auc the distance
 * is the smaller side, at the end the larger one. */
static double newcombe_limit(double auc, double end, double m, double n, double z)
{
    double near = auc, far = end;
    if (near == far) return end;
    for (int i = 0; i < 2000; i++) {
        double mid = 0.5 * (near + far);
        if (mid == near || mid == far) break;
        if (fabs(auc - mid) < z * sqrt(newcombe_variance(mid, m, n)))
            near = mid;
        else
            far = mid;
    }
    return 0.5 * (near + far);
}

nod_interval nod_interval_newcombe5(double auc, double m, double n, double confidence)
{
    if (!(m > 0) || !(n > 0)) return nod_interval_none("one class has no cases");
    double z = two_sided_z(confidence);
    return nod_interval_of(NOD_INTERVAL_NEWCOMBE5, newcombe_limit(auc, 0.0, m, n, z),
                           newcombe_limit(auc, 1.0, m, n, z));
}

static double quantile_sorted(const double *sorted, size_t n, double p)
{
    double h = p * (double)(n - 1);
    size_t i = (size_t)floor(h);
    if (i + 1 >= n) return sorted[n - 1];
    return sorted[i] + (h - (double)i) * (sorted[i + 1] - sorted[i]);
}

nod_interval nod_interval_percentile(const double *sorted, size_t n, double confidence)
{
    if (n == 0) return nod_interval_none("no bootstrap replicate is defined");
    double tail = 0.5 * (1.0 - confidence);
    return nod_interval_of(NOD_INTERVAL_BOOTSTRAP, quantile_sorted(sorted, n, tail),
                           quantile_sorted(sorted, n, 1.0 - tail));
}

double nod_auc_expected_se(double auc, double n_positive, double n_negative)
{
    double q1 = auc / (2 - auc), q2 = 2 * auc * auc / (1 + auc);
    double v = auc * (1 - auc) + (n_positive - 1) * (q1 - auc * auc) +
               (n_negative - 1) * (q2 - auc * auc);
    return sqrt(fmax(0.0, v) / (n_positive * n_negative));
}

nod_estimate nod_auc_expected_half_width(double auc, double n_positive, double n_negative,
                                         double confidence)
{
    if (!(n_positive > 0)) return nod_estimate_none("no positive case");
    if (!(n_negative > 0)) return nod_estimate_none("no negative case");
    return nod_estimate_of(two_sided_z(confidence) *
                           nod_auc_expected_se(auc, n_positive, n_negative));
}

nod_estimate nod_sensitivity_expected_half_width(double sensitivity, double n_positive,
                                                 double confidence)
{
    if (!(n_positive > 0)) return nod_estimate_none("no positive case");
    nod_interval i =
        nod_interval_wilson(sensitivity, n_positive, confidence, NOD_INTERVAL_WILSON);
    return nod_estimate_of(0.5 * (i.hi - i.lo));
}
