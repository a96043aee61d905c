/* logistic.h: logistic regression on one variable, y ~ sigmoid(intercept + slope * x), by Newton's
 * method with step halving. Calibration is fitted with it and measured with it. */
#ifndef NOD_EVAL_LOGISTIC_H
#define NOD_EVAL_LOGISTIC_H

#include <stdbool.h>
#include <stddef.h>

typedef struct nod_logistic {
    double intercept, slope;
    /* Inverse of the information matrix at the solution: order intercept, slope. */
    double inverse[2][2];
    double loss; /* sum of the negative log-likelihood */
} nod_logistic;

/* Which of the two parameters is fitted; the other keeps the value it has in *fit. */
typedef enum nod_logistic_free {
    NOD_LOGISTIC_INTERCEPT = 1,
    NOD_LOGISTIC_SLOPE = 2,
    NOD_LOGISTIC_BOTH = 3
} nod_logistic_free;

/* Fits to n finite x and targets in [0, 1]. `*fit` holds the starting values and gets the
 * result. False, with *fit undefined: the information is singular or it does not converge (the
 * caller excludes separable data beforehand: there the maximum is at infinity). */
bool nod_logistic_fit(size_t n, const double *x, const double *target, nod_logistic_free what,
                      nod_logistic *fit);

/* sum over i of -[t ln s + (1-t) ln(1-s)], s = sigmoid(intercept + slope*x). */
double nod_logistic_loss(size_t n, const double *x, const double *target, double intercept,
                         double slope);

#endif
