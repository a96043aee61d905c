/* act.c: operations on each element by itself (activations, sum, product, scale, constant), PReLU, and
 * softmax over the channels. The functions of one number are in backend/act.h. */
#include <math.h>

#include "backend/act.h"
#include "backend/ref/ref.h"

/* x -> act(x) */
int nod_ref_act(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0];
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = nod_act_value(k->attr.act, k->attr.alpha, x[i]);
    return 0;
}

/* v dy -> dx; v is the output (attr.from_output) or the input of the activation. */
int nod_ref_act_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *v = a->in[0], *dy = a->in[1];
    double *dx = a->out[0];
    nod_act act = k->attr.act;
    bool from_output = k->attr.from_output && nod_act_from_output(act);
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++) {
        double slope = from_output ? nod_act_slope_from(act, k->attr.alpha, v[i])
                                   : nod_act_slope_at(act, k->attr.alpha, v[i]);
        dx[i] = dy[i] * slope;
    }
    return 0;
}

/* a b -> act(a+b) */
int nod_ref_add(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0], *r = a->in[1];
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = nod_act_value(k->attr.act, k->attr.alpha, x[i] + r[i]);
    return 0;
}

/* a b -> a*b */
int nod_ref_mul(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0], *r = a->in[1];
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] * r[i];
    return 0;
}

/* x -> x*alpha */
int nod_ref_scale(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    const double *x = a->in[0];
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->in[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] * k->attr.alpha;
    return 0;
}

/* -> attr.shape, every element alpha */
int nod_ref_fill(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->out[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = k->attr.alpha;
    return 0;
}

/* x slope[C] or slope[1] -> x above 0, slope*x below */
int nod_ref_prelu(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *x = a->in[0], *slope = a->in[1];
    double *y = a->out[0];
    int64_t n_slopes = nod_shape_count(&k->in[1]);
    for (int64_t i = 0; i < v.n * v.c * v.plane; i++) {
        double s = slope[n_slopes > 1 ? i / v.plane % v.c : 0];
        y[i] = x[i] > 0 ? x[i] : s * x[i];
    }
    return 0;
}

/* x slope dy -> dx dslope */
int nod_ref_prelu_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *x = a->in[0], *slope = a->in[1], *dy = a->in[2];
    double *dx = a->out[0], *dslope = a->out[1];
    int64_t n_slopes = nod_shape_count(&k->in[1]);
    for (int64_t i = 0; i < n_slopes; i++)
        dslope[i] = 0;
    for (int64_t i = 0; i < v.n * v.c * v.plane; i++) {
        int64_t c = n_slopes > 1 ? i / v.plane % v.c : 0;
        dx[i] = x[i] > 0 ? dy[i] : slope[c] * dy[i];
        if (!(x[i] > 0)) dslope[c] += x[i] * dy[i];
    }
    return 0;
}

/* x[N,C,S] -> exp(x) / sum over C of exp(x) */
int nod_ref_softmax(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        int64_t first = i / v.plane * v.c * v.plane + i % v.plane;
        const double *x = (const double *)a->in[0] + first;
        double *y = (double *)a->out[0] + first, top = -INFINITY, sum = 0;
        for (int64_t c = 0; c < v.c; c++)
            top = x[c * v.plane] > top ? x[c * v.plane] : top;
        for (int64_t c = 0; c < v.c; c++)
            sum += y[c * v.plane] = exp(x[c * v.plane] - top);
        for (int64_t c = 0; c < v.c; c++)
            y[c * v.plane] /= sum;
    }
    return 0;
}

/* y dy -> dx = y * (dy - sum over C of y*dy) */
int nod_ref_softmax_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    for (int64_t i = 0; i < v.n * v.plane; i++) {
        int64_t first = i / v.plane * v.c * v.plane + i % v.plane;
        const double *y = (const double *)a->in[0] + first;
        const double *dy = (const double *)a->in[1] + first;
        double *dx = (double *)a->out[0] + first, sum = 0;
        for (int64_t c = 0; c < v.c; c++)
            sum += y[c * v.plane] * dy[c * v.plane];
        for (int64_t c = 0; c < v.c; c++)
            dx[c * v.plane] = y[c * v.plane] * (dy[c * v.plane] - sum);
    }
    return 0;
}
