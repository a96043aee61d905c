/* logistic.c: the loss is convex, so Newton's step is halved until the loss does not rise. */
#include "eval/logistic.h"

#include <float.h>
#include <math.h>

#include "eval/special.h"

#define MAX_STEPS 200

double nod_logistic_loss(size_t n, const double *x, const double *target, double intercept,
                         double slope)
{
    double loss = 0;
    for (size_t i = 0; i < n; i++) {
        double z = intercept + slope * x[i];
        loss += nod_softplus(z) - target[i] * z;
    }
    return loss;
}

/* Gradient g and information h = {00, 01, 11} of the loss. */
static void derivatives(size_t n, const double *x, const double *target, double intercept,
                        double slope, double g[2], double h[3])
{
    g[0] = g[1] = h[0] = h[1] = h[2] = 0;
    for (size_t i = 0; i < n; i++) {
        double s = nod_sigmoid(intercept + slope * x[i]);
        double d = s - target[i], v = s * (1 - s);
        g[0] += d;
        g[1] += d * x[i];
        h[0] += v;
        h[1] += v * x[i];
        h[2] += v * x[i] * x[i];
    }
}

/* Inverse of the free block of the information; false when it is singular. */
static bool invert(const double h[3], nod_logistic_free what, double inverse[2][2])
{
    inverse[0][0] = inverse[0][1] = inverse[1][0] = inverse[1][1] = 0;
    if (what == NOD_LOGISTIC_INTERCEPT) {
        inverse[0][0] = 1 / h[0];
        return h[0] > 0 && isfinite(inverse[0][0]);
    }
    if (what == NOD_LOGISTIC_SLOPE) {
        inverse[1][1] = 1 / h[2];
        return h[2] > 0 && isfinite(inverse[1][1]);
    }
    double det = h[0] * h[2] - h[1] * h[1];
    if (!(det > 1e-13 * h[0] * h[2])) return false;
    inverse[0][0] = h[2] / det;
    inverse[1][1] = h[0] / det;
    inverse[0][1] = inverse[1][0] = -h[1] / det;
    return isfinite(inverse[0][0]) && isfinite(inverse[1][1]);
}

bool nod_logistic_fit(size_t n, const double *x, const double *target, nod_logistic_free what,
                      nod_logistic *fit)
{
    double a = fit->intercept, b = fit->slope;
    double loss = nod_logistic_loss(n, x, target, a, b);
    for (int step = 0; step < MAX_STEPS; step++) {
        double g[2], h[3];
        derivatives(n, x, target, a, b, g, h);
        if (!isfinite(loss) || !invert(h, what, fit->inverse)) return false;
        double da = -(fit->inverse[0][0] * g[0] + fit->inverse[0][1] * g[1]);
        double db = -(fit->inverse[1][0] * g[0] + fit->inverse[1][1] * g[1]);
        /* Twice the fall of the loss that a full step promises. */
        double promise = -(da * g[0] + db * g[1]);
        bool small = fabs(da) <= 1e-11 * (1 + fabs(a)) && fabs(db) <= 1e-11 * (1 + fabs(b));
        double scale = 1, next = loss;
        for (int halving = 0; halving < 60; halving++, scale *= 0.5) {
            next = nod_logistic_loss(n, x, target, a + scale * da, b + scale * db);
            if (next <= loss + 1e-14 * fabs(loss)) break;
        }
        if (!(next <= loss + 1e-14 * fabs(loss))) {
            /* Nothing to gain above rounding: we stand at the minimum. */
            small = promise <= 1e-10 * (1 + fabs(loss));
            if (!small) return false;
            scale = 0;
        }
        a += scale * da;
        b += scale * db;
        loss = next;
        if (small) {
            fit->intercept = a;
            fit->slope = b;
            fit->loss = nod_logistic_loss(n, x, target, a, b);
            derivatives(n, x, target, a, b, g, h);
            return invert(h, what, fit->inverse);
        }
    }
    return false;
}
