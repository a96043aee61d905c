/* fold.c: an inference batch norm that follows a convolution or dense layer, folded into its
 * weights and bias. */
#include <math.h>

#include "backend/ref/ref.h"

/* w[O,...] gamma[O] var[O] -> w*gamma/sqrt(var+eps) */
int nod_ref_fold_norm_weights(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *w = a->in[0], *gamma = a->in[1], *var = a->in[2];
    double *folded = a->out[0];
    int64_t n_out = k->in[0].dim[0], per_out = nod_shape_count(&k->in[0]) / n_out;
    for (int64_t i = 0; i < n_out * per_out; i++)
        folded[i] = w[i] * gamma[i / per_out] / sqrt(var[i / per_out] + k->attr.eps);
    return 0;
}

/* [b[O]] gamma[O] beta[O] mean[O] var[O] -> beta + (b-mean)*gamma/sqrt(var+eps) */
int nod_ref_fold_norm_bias(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *b = a->in[0], *gamma = a->in[1], *beta = a->in[2], *mean = a->in[3];
    const double *var = a->in[4];
    double *folded = a->out[0];
    for (int64_t o = 0; o < k->in[1].dim[0]; o++) {
        double scale = gamma[o] / sqrt(var[o] + k->attr.eps);
        folded[o] = beta[o] + ((b != NULL ? b[o] : 0) - mean[o]) * scale;
    }
    return 0;
}
