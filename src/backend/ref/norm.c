/* norm.c: batch norm (training, inference, tracking of statistics), group norm (with instance
 * and layer norm as its ends), and their gradients.
 *
 * A norm looks at runs of elements: batch norm at all elements of a channel, group norm at all
 * elements of a group of channels of one image. Both compute
 *     xhat = (x - mean) * istd,   y = act(xhat*gamma + beta + r),
 * and with g = dy * act'(y) and h = g * gamma over the same elements
 *     dx = istd * (h - mean(h) - xhat * mean(h * xhat)).
 * Sources: Ioffe & Szegedy 2015; Wu & He 2018. Variances are biased except in tracking. */
#include <math.h>

#include "backend/act.h"
#include "backend/ref/ref.h"

/* Element s of channel c of image n. */
static int64_t at(const nod_ref_view *v, int64_t n, int64_t c, int64_t s)
{
    return (n * v->c + c) * v->plane + s;
}

/* The elements over which one mean is taken: images n0..n1-1, channels c0..c1-1. */
typedef struct span {
    int64_t n0, n1, c0, c1;
} span;

static double span_count(const nod_ref_view *v, const span *e)
{
    return (double)((e->n1 - e->n0) * (e->c1 - e->c0) * v->plane);
}

static void span_statistics(const nod_ref_view *v, const span *e, const double *x, double eps,
                            double *mean, double *istd)
{
    double sum = 0, squares = 0;
    for (int64_t n = e->n0; n < e->n1; n++)
        for (int64_t c = e->c0; c < e->c1; c++)
            for (int64_t s = 0; s < v->plane; s++)
                sum += x[at(v, n, c, s)];
    *mean = sum / span_count(v, e);
    for (int64_t n = e->n0; n < e->n1; n++)
        for (int64_t c = e->c0; c < e->c1; c++)
            for (int64_t s = 0; s < v->plane; s++) {
                double d = x[at(v, n, c, s)] - *mean;
                squares += d * d;
            }
    *istd = 1.0 / sqrt(squares / span_count(v, e) + eps);
}

static void span_apply(const nod_kernel *k, const nod_ref_view *v, const span *e,
                       const double *x, const double *gamma, const double *beta,
                       const double *r, double mean, double istd, double *y)
{
    for (int64_t n = e->n0; n < e->n1; n++)
        for (int64_t c = e->c0; c < e->c1; c++)
            for (int64_t s = 0; s < v->plane; s++) {
                int64_t i = at(v, n, c, s);
                double t = (x[i] - mean) * istd * gamma[c] + beta[c];
                if (r != NULL) t += r[i];
                y[i] = nod_act_value(k->attr.act, k->attr.alpha, t);
            }
}

/* dy * act'(y) */
static double before_act(const nod_kernel *k, const double *y, const double *dy, int64_t i)
{
    if (y == NULL) return dy[i];
    return dy[i] * nod_act_slope_from(k->attr.act, k->attr.alpha, y[i]);
}

/* dx of one span; adds its part of dgamma and dbeta. */
static void span_backward(const nod_kernel *k, const nod_ref_view *v, const span *e,
                          const double *x, const double *y, const double *dy,
                          const double *gamma, double mean, double istd, double *dx,
                          double *dgamma, double *dbeta)
{
    double sum_h = 0, sum_h_xhat = 0, count = span_count(v, e);
    for (int64_t n = e->n0; n < e->n1; n++)
        for (int64_t c = e->c0; c < e->c1; c++)
            for (int64_t s = 0; s < v->plane; s++) {
                int64_t i = at(v, n, c, s);
                double g = before_act(k, y, dy, i), xhat = (x[i] - mean) * istd;
                dgamma[c] += g * xhat;
                dbeta[c] += g;
                sum_h += g * gamma[c];
                sum_h_xhat += g * gamma[c] * xhat;
            }
    for (int64_t n = e->n0; n < e->n1; n++)
        for (int64_t c = e->c0; c < e->c1; c++)
            for (int64_t s = 0; s < v->plane; s++) {
                int64_t i = at(v, n, c, s);
                double h = before_act(k, y, dy, i) * gamma[c], xhat = (x[i] - mean) * istd;
                dx[i] = istd * (h - sum_h / count - xhat * sum_h_xhat / count);
            }
}

/* x gamma[C] beta[C] [r like x] -> y mean[C] istd[C] */
int nod_ref_batch_norm(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double *mean = a->out[1], *istd = a->out[2];
    for (int64_t c = 0; c < v.c; c++) {
        span e = {0, v.n, c, c + 1};
        span_statistics(&v, &e, a->in[0], k->attr.eps, &mean[c], &istd[c]);
        span_apply(k, &v, &e, a->in[0], a->in[1], a->in[2], k->n_in > 3 ? a->in[3] : NULL,
                   mean[c], istd[c], a->out[0]);
    }
    return 0;
}

/* x gamma[C] beta[C] mean[C] var[C] [r like x] -> y */
int nod_ref_batch_norm_infer(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *mean = a->in[3], *var = a->in[4];
    for (int64_t c = 0; c < v.c; c++) {
        span e = {0, v.n, c, c + 1};
        span_apply(k, &v, &e, a->in[0], a->in[1], a->in[2], k->n_in > 5 ? a->in[5] : NULL,
                   mean[c], 1.0 / sqrt(var[c] + k->attr.eps), a->out[0]);
    }
    return 0;
}

/* run_mean[C] run_var[C] mean[C] istd[C]: updates the first two in place. */
int nod_ref_batch_norm_track(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    double *run_mean = a->in[0], *run_var = a->in[1];
    const double *mean = a->in[2], *istd = a->in[3];
    double m = k->attr.momentum, count = (double)k->attr.count;
    double unbias = count > 1 ? count / (count - 1) : 1;
    for (int64_t c = 0; c < k->in[0].dim[0]; c++) {
        double var = 1.0 / (istd[c] * istd[c]) - k->attr.eps;
        if (var < 0) var = 0; /* rounding of istd */
        run_mean[c] += m * (mean[c] - run_mean[c]);
        run_var[c] += m * (var * unbias - run_var[c]);
    }
    return 0;
}

/* x y|absent dy gamma mean[C] istd[C] -> dx dgamma[C] dbeta[C] [dr] */
int nod_ref_batch_norm_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *mean = a->in[4], *istd = a->in[5];
    double *dgamma = a->out[1], *dbeta = a->out[2], *dr = k->n_out > 3 ? a->out[3] : NULL;
    for (int64_t c = 0; c < v.c; c++) {
        span e = {0, v.n, c, c + 1};
        dgamma[c] = 0;
        dbeta[c] = 0;
        span_backward(k, &v, &e, a->in[0], a->in[1], a->in[2], a->in[3], mean[c], istd[c],
                      a->out[0], dgamma, dbeta);
    }
    if (dr == NULL) return 0;
    for (int64_t i = 0; i < v.n * v.c * v.plane; i++)
        dr[i] = before_act(k, a->in[1], a->in[2], i);
    return 0;
}

/* y|absent dy gamma var[C] -> dx [dr] */
int nod_ref_batch_norm_infer_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[1]);
    const double *gamma = a->in[2], *var = a->in[3];
    double *dx = a->out[0], *dr = k->n_out > 1 ? a->out[1] : NULL;
    for (int64_t i = 0; i < v.n * v.c * v.plane; i++) {
        int64_t c = i / v.plane % v.c;
        double g = before_act(k, a->in[0], a->in[1], i);
        dx[i] = g * gamma[c] / sqrt(var[c] + k->attr.eps);
        if (dr != NULL) dr[i] = g;
    }
    return 0;
}

/* Group g of image n: group norm's index of statistics is n*G + g. */
static span group_span(const nod_ref_view *v, int64_t groups, int64_t i)
{
    int64_t n = i / groups, g = i % groups, per = v->c / groups;
    return (span){n, n + 1, g * per, (g + 1) * per};
}

/* x gamma[C] beta[C] -> y mean[N,G] istd[N,G] */
int nod_ref_group_norm(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    double *mean = a->out[1], *istd = a->out[2];
    for (int64_t i = 0; i < v.n * k->attr.groups; i++) {
        span e = group_span(&v, k->attr.groups, i);
        span_statistics(&v, &e, a->in[0], k->attr.eps, &mean[i], &istd[i]);
        span_apply(k, &v, &e, a->in[0], a->in[1], a->in[2], NULL, mean[i], istd[i], a->out[0]);
    }
    return 0;
}

/* x y|absent dy gamma mean[N,G] istd[N,G] -> dx dgamma[C] dbeta[C] */
int nod_ref_group_norm_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    const double *mean = a->in[4], *istd = a->in[5];
    double *dgamma = a->out[1], *dbeta = a->out[2];
    for (int64_t c = 0; c < v.c; c++) {
        dgamma[c] = 0;
        dbeta[c] = 0;
    }
    for (int64_t i = 0; i < v.n * k->attr.groups; i++) {
        span e = group_span(&v, k->attr.groups, i);
        span_backward(k, &v, &e, a->in[0], a->in[1], a->in[2], a->in[3], mean[i], istd[i],
                      a->out[0], dgamma, dbeta);
    }
    return 0;
}
