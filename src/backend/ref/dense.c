/* dense.c: fully connected layers: each output node is the sum of inputs x weights. */
#include "backend/act.h"
#include "backend/ref/ref.h"

/* x[N,I] w[O,I] [b[O]] -> y[N,O] */
int nod_ref_dense(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0], *w = a->in[1];
    const double *b = k->n_in > 2 ? a->in[2] : NULL;
    double *y = a->out[0];
    int64_t n_batch = k->in[0].dim[0], n_in = k->in[0].dim[1], n_out = k->in[1].dim[0];
#pragma omp parallel for schedule(static) if (n_batch * n_in * n_out > 65536)
    for (int64_t n = 0; n < n_batch; n++) {
        for (int64_t o = 0; o < n_out; o++) {
            double sum = b != NULL ? b[o] : 0;
            for (int64_t i = 0; i < n_in; i++)
                sum += x[n * n_in + i] * w[o * n_in + i];
            y[n * n_out + o] = nod_act_value(k->attr.act, k->attr.alpha, sum);
        }
    }
    return 0;
}

/* dy[N,O] w[O,I] -> dx[N,I] */
int nod_ref_dense_bwd_data(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *dy = a->in[0], *w = a->in[1];
    double *dx = a->out[0];
    int64_t n_batch = k->in[0].dim[0], n_out = k->in[1].dim[0], n_in = k->in[1].dim[1];
#pragma omp parallel for schedule(static) if (n_batch * n_in * n_out > 65536)
    for (int64_t n = 0; n < n_batch; n++) {
        double *row = dx + n * n_in;
        for (int64_t i = 0; i < n_in; i++)
            row[i] = 0;
        for (int64_t o = 0; o < n_out; o++)
            for (int64_t i = 0; i < n_in; i++)
                row[i] += dy[n * n_out + o] * w[o * n_in + i];
    }
    return 0;
}

/* x[N,I] dy[N,O] -> dw[O,I] [db[O]] */
int nod_ref_dense_bwd_weights(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0], *dy = a->in[1];
    double *dw = a->out[0], *db = k->n_out > 1 ? a->out[1] : NULL;
    int64_t n_batch = k->in[0].dim[0], n_in = k->in[0].dim[1], n_out = k->in[1].dim[1];
#pragma omp parallel for schedule(static) if (n_batch * n_in * n_out > 65536)
    for (int64_t o = 0; o < n_out; o++) {
        double *row = dw + o * n_in;
        for (int64_t i = 0; i < n_in; i++)
            row[i] = 0;
        double bias_sum = 0;
        for (int64_t n = 0; n < n_batch; n++) {
            double d = dy[n * n_out + o];
            bias_sum += d;
            for (int64_t i = 0; i < n_in; i++)
                row[i] += d * x[n * n_in + i];
        }
        if (db != NULL) db[o] = bias_sum;
    }
    return 0;
}
