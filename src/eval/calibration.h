/* calibration.h: from a network's logits to probabilities that may be reported.
 *
 * Two steps, in this order, both linear in the logits:
 *   1. prior correction: training with class weights or balanced sampling teaches another
 *      prevalence than the natural one. Softmax tasks: z_c += ln natural_c - ln effective_c (for
 *      two classes this is logit p' = logit p + logit natural - logit effective); multi-label:
 *      z_c += logit natural_c - logit effective_c.
 *   2. calibration fitted on validation predictions (of step 1): temperature z_c / T, or Platt
 *      a z + b on the margin of a binary task and on every label of a multi-label task. Where the
 *      logits tell all cases apart no finite T is best: then T too is fitted to smoothed targets,
 *      (N + 1)/(N + K) for the true one of K classes with N cases, 1/(N + K) for each other.
 * Sources: Guo et al., ICML 2017 (temperature); Platt 1999 with the targets
 * (N+ + 1)/(N+ + 2) and 1/(N- + 2), fitted by Newton as in Lin, Lin and Weng, Mach Learn
 * 2007;68:267-276; Saerens et al., Neural Comput 2002;14:21-41 (prior). */
#ifndef NOD_EVAL_CALIBRATION_H
#define NOD_EVAL_CALIBRATION_H

#include "eval/predictions.h"

typedef enum nod_calibration_kind {
    NOD_CALIBRATION_NONE,
    NOD_CALIBRATION_TEMPERATURE,
    NOD_CALIBRATION_PLATT
} nod_calibration_kind;

const char *nod_calibration_kind_name(
    nod_calibration_kind kind); /* "none", "temperature" ... */
bool nod_calibration_kind_parse(const char *s, nod_calibration_kind *out) NOD_MUST_CHECK;

/* Calibrated logits: slope_c * (z_c + shift_c) + intercept_c. */
typedef struct nod_calibration {
    nod_calibration_kind kind;
    size_t k;
    double *shift, *slope, *intercept; /* [k] each, one allocation */
    /* How the fit went; 0 and NaN without one. */
    int64_t n;                      /* cases it was fitted on */
    double loss_before, loss_after; /* mean negative log-likelihood on them */
    bool at_bound;                  /* the temperature ran into its limit (1/20 or 20) */
    bool
        smoothed; /* a temperature fitted to smoothed targets: the logits tell all cases apart */
} nod_calibration;

/* Fewest cases of each of (at least) two classes that a fit is made from. */
#define NOD_CALIBRATION_MIN_CASES 5

int nod_calibration_init(nod_calibration *c, size_t k, nod_error *err) NOD_MUST_CHECK;
void nod_calibration_done(nod_calibration *c);

/* What a network learns as prevalence [k] when class c is weighted by weight[c] > 0 (softmax:
 * normalised; multi-label: weight of the positives of the label). */
void nod_prior_effective(nod_task task, size_t k, const double *natural, const double *weight,
                         double *effective);
/* Sets shift from prevalences in (0, 1). EDATA where one is 0 or 1: there is nothing to correct
 * to (the class is absent in training). */
int nod_calibration_set_prior(nod_calibration *c, nod_task task, const double *natural,
                              const double *effective, nod_error *err) NOD_MUST_CHECK;

/* Fits on all rows of `validation` (raw logits, truth known), keeping shift. Errors: EDATA with
 * fewer than NOD_CALIBRATION_MIN_CASES of two classes (of the positive and the negative; for
 * every label with Platt), rows without logits or truth, or scores that rank the cases the
 * wrong way round; EUNSUPPORTED for Platt on a multiclass task. On failure *c is as it was. */
int nod_calibration_fit(nod_calibration *c, nod_calibration_kind kind,
                        const nod_predictions *validation, nod_error *err) NOD_MUST_CHECK;

/* Recomputes log_odds and probabilities of the rows of one seed (-1: all) from their logits. */
int nod_calibration_apply(const nod_calibration *c, nod_predictions *p, int32_t seed,
                          nod_error *err) NOD_MUST_CHECK;
/* The same for one case: log_odds and probabilities [k] of raw logits [k]; k <= 1024. */
void nod_calibration_apply_logits(const nod_calibration *c, nod_task task, const double *logits,
                                  double *log_odds, double *probabilities);

/* As stored in a model. */
nod_json *nod_calibration_json(const nod_calibration *c);
int nod_calibration_from_json(const nod_json *j, const char *where, size_t k,
                              nod_calibration *out, nod_error *err) NOD_MUST_CHECK;

#endif
