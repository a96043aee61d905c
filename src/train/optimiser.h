/* optimiser.h: one fused step over the flat parameter buffer.
 *
 * g is the gradient of the loss; the step, for each element of a parameter:
 *   g += l2*w + l1*sign(w)                      (weight regularisation of the group)
 *   sgd:      w -= lr*g
 *   momentum: v = m*v + g; w -= lr*v            (PyTorch's form)    nesterov: w -= lr*(g + m*v)
 *   rmsprop:  s = a*s + (1-a)*g^2; w -= lr*g/(sqrt(s)+eps)
 *   adam(w):  m,v moments with bias correction; w -= lr*mhat/(sqrt(vhat)+eps)
 *   decoupled decay: w -= lr*decay*w before the step (AdamW; allowed with every optimiser)
 * then max-norm per output unit, and the moving average (EMA). Gradient clipping by global norm
 * comes before all. Sums for norms are in double, in a fixed order: the same bits for any
 * thread count. */
#ifndef NOD_TRAIN_OPTIMISER_H
#define NOD_TRAIN_OPTIMISER_H

#include "model/params.h"

typedef enum nod_optimiser_kind {
    NOD_OPTIMISER_SGD,
    NOD_OPTIMISER_MOMENTUM,
    NOD_OPTIMISER_NESTEROV,
    NOD_OPTIMISER_RMSPROP,
    NOD_OPTIMISER_ADAM,
    NOD_OPTIMISER_ADAMW
} nod_optimiser_kind;

typedef struct nod_group_decay {
    double l1, l2, decay; /* >= 0 */
    double max_norm;      /* of the weights into one unit; 0 = none */
} nod_group_decay;

typedef struct nod_optimiser_options {
    nod_optimiser_kind kind;
    double momentum, beta1, beta2, alpha, eps;
    double clip_norm;          /* 0 = none */
    double ema;                /* weight of the old average, e.g. .999; 0 = none */
    nod_group_decay groups[4]; /* by nod_param_group */
} nod_optimiser_options;

typedef struct nod_optimiser {
    nod_optimiser_options options;
    int64_t size;                       /* floats per buffer */
    float *moment1, *moment2, *average; /* NULL where not used */
    int64_t step;                       /* steps done */
    double last_grad_norm;              /* of the last step, before clipping */
} nod_optimiser;

int nod_optimiser_new(const nod_params *p, const nod_optimiser_options *o, nod_optimiser **out,
                      nod_error *err) NOD_MUST_CHECK;
void nod_optimiser_free(nod_optimiser *o);
/* One step in place; grads has the layout of p->data. */
void nod_optimiser_step(nod_optimiser *o, nod_params *p, float *grads, double lr);
/* Loss that the weight regularisation adds (sum over groups of l1*|w| + l2/2*w^2). */
double nod_optimiser_penalty(const nod_optimiser *o, const nod_params *p);

#endif
