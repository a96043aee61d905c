/* gradcheck.h: is the gradient of a graph the derivative of its loss?
 *
 * The graph and its gradients run in f64 on random data; each checked element of each parameter
 * and real input is moved by +-h, and the central difference of the loss is compared with the
 * gradient. An element whose differences at h and h/8 disagree lies at a kink (ReLU, maximum)
 * and is left out and counted; more than a quarter of them is a failure of the check. */
#ifndef NOD_EXEC_GRADCHECK_H
#define NOD_EXEC_GRADCHECK_H

#include "exec/plan.h"

typedef struct nod_gradcheck_options {
    const nod_backend *backend; /* required; must compute in f64: nod_backend_ref() */
    uint64_t seed;              /* of the data and of dropout; default 1 */
    double step;                /* h relative to max(1, |x|); default 1e-4 */
    int64_t elements;           /* checked per value, evenly spread; default 24 */
    const int *values;          /* which to check; NULL: all parameters and real inputs */
    size_t n_values;
    /* Real inputs are normal with this spread; labels are in range of their logits. */
    double spread; /* default 1 */
} nod_gradcheck_options;
#define NOD_GRADCHECK_OPTIONS_INIT    \
    {                                 \
        NULL, 1, 1e-4, 24, NULL, 0, 1 \
    }

typedef struct nod_gradcheck_report {
    /* Largest |gradient - difference| / size, and where; size is the larger of both, and at
     * least 1e-3 of the largest gradient of that value and 1e-5 of the largest of all (some are
     * zero but for rounding: a bias before a batch norm). */
    double worst;
    char value[128];
    int64_t element;
    double gradient, difference; /* there */
    int64_t checked, kinks;
} nod_gradcheck_report;

/* `loss`: a scalar of a forward graph without gradients. Errors: those of backward and plan, and
 * NOD_ENUMERIC where a number is not finite or too many elements lie at kinks. */
int nod_gradcheck(const nod_graph *g, int loss, const nod_gradcheck_options *o,
                  nod_gradcheck_report *out, nod_error *err) NOD_MUST_CHECK;

#endif
