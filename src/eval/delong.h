/* delong.h: the variance of the area under the ROC curve from its structural components, also
 * for several images a patient and averaged over seeds; intervals; the paired comparison.
 *
 * AUC = mean over (positive, negative) pairs of [score_pos > score_neg] + 1/2 [equal].
 * V10 of a positive = share of negatives below it; V01 of a negative = share of positives above
 * it. Over seeds both are averaged, which gives the components of the average AUC.
 * With m_i positives and n_i negatives of patient i, sums V10_i., V01_i. of its components, M, N
 * all positives and negatives, I10, I01, I patients with a positive, a negative, either:
 *   S10 = I10/((I10-1)M) sum (V10_i. - m_i A)^2,   S01 likewise with I01, N, n_i
 *   S11 = I/(I-1) sum (V10_i. - m_i A)(V01_i. - n_i A)
 *   var A = S10/M + S01/N + 2 S11/(MN)
 * With one image a patient S11 is 0 and this is DeLong's variance.
 * Sources: DeLong, DeLong, Clarke-Pearson, Biometrics 1988;44:837-845; Obuchowski, Biometrics
 * 1997;53:567-578. Degrees of freedom: Satterthwaite over the two terms with I10-1 and I01-1;
 * where patients have images of both classes, at most I-1. */
#ifndef NOD_EVAL_DELONG_H
#define NOD_EVAL_DELONG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "eval/estimate.h"

/* Scores of one yes/no question. */
typedef struct nod_auc_sample {
    size_t n, n_seeds, n_patients;
    const double *score;   /* seed s begins at score + s*stride; higher = more positive */
    size_t stride;         /* between seeds, >= n */
    const uint8_t *y;      /* [n] 1 = positive */
    const size_t *patient; /* [n] 0..n_patients-1 */
} nod_auc_sample;

typedef struct nod_auc_variance {
    double auc;
    double var10, var01, cov;      /* S10/M, S01/N, S11/(MN) */
    double variance;               /* of auc: var10 + var01 + 2 cov, at least 0 */
    double df;                     /* NaN where a class has one patient */
    size_t n_positive, n_negative; /* images */
    size_t n_patients, patients_positive, patients_negative; /* with any, with a positive ... */
    bool clustered;                                          /* a patient has several images */
} nod_auc_variance;

/* Errors: EDATA where a class has no case; ENOMEM. With one patient of a class variance and df
 * are NaN. */
int nod_auc_variance_of(const nod_auc_sample *s, nod_auc_variance *out,
                        nod_error *err) NOD_MUST_CHECK;

/* logit(A) +- t * sd/(A(1-A)), back on the scale of the AUC. Where that has no width (AUC 0 or 1,
 * a variance of 0, one patient of a class): Newcombe's method 5 on patients. */
nod_interval nod_auc_interval(const nod_auc_variance *v, double confidence);

typedef struct nod_auc_difference {
    double a, b, difference; /* a - b */
    double variance, df;
    nod_estimate p;        /* two-sided, difference = 0 */
    nod_interval interval; /* of the difference */
} nod_auc_difference;

/* Two samples over the same cases (same y and patients; numbers of seeds may differ). */
int nod_auc_compare(const nod_auc_sample *a, const nod_auc_sample *b, double confidence,
                    nod_auc_difference *out, nod_error *err) NOD_MUST_CHECK;

/* Adds `factor` times the influence of every patient on the AUC (seed average) to u
 * [n_patients]: (V10_i. - m_i A)/M + (V01_i. - n_i A)/N. *auc gets the AUC. For averages over
 * classes and their differences. Errors as above. */
int nod_auc_influence(const nod_auc_sample *s, double factor, double *auc, double *u,
                      nod_error *err) NOD_MUST_CHECK;

#endif
