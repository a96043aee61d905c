/* special.h: the distribution functions that intervals and tests need, and the logistic maths
 * that probabilities need without rounding them to 0 or 1.
 *
 * Relative error about 1e-13 over the ranges used here (checked to 1e-12 against SciPy). */
#ifndef NOD_EVAL_SPECIAL_H
#define NOD_EVAL_SPECIAL_H

/* Standard normal: P(Z <= x), and its inverse for 0 < p < 1 (-inf at 0, inf at 1).
 * Source: Wichura, Algorithm AS 241, Appl Stat 1988;37:477-484. */
double nod_normal_cdf(double x);
double nod_normal_quantile(double p);

/* ln B(a, b) for a, b > 0, accurate for large arguments too. */
double nod_beta_log(double a, double b);
/* Regularised incomplete beta function I_x(a, b); 0 <= x <= 1.
 * Source: continued fraction 26.5.8 of Abramowitz and Stegun, by Lentz's method. */
double nod_beta_cdf(double x, double a, double b);

/* Student's t with df > 0 degrees of freedom, fractional allowed, infinity = normal. */
double nod_t_cdf(double t, double df);
double nod_t_quantile(double p, double df);

/* P(X <= k) for X binomial with n trials and probability 1/2. */
double nod_binomial_half_cdf(double k, double n);

double nod_logit(double p);    /* ln(p/(1-p)); infinite at 0 and 1 */
double nod_sigmoid(double x);  /* 1/(1+exp(-x)) */
double nod_softplus(double x); /* ln(1+exp(x)), no overflow */

#endif
