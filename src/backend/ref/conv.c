/* conv.c: convolution, transposed convolution and their gradients, in 2-D and 3-D.
 *
 * One sum read three ways: with x the large side and y the small side,
 *     y[n,oc,o] += w[oc,ic,tap] * x[n,ic, o*stride - pad + tap*dilation]
 * is the convolution; the same terms added into x are its gradient with respect to the data
 * (and the transposed convolution, whose input is the small side), and added into w its
 * gradient with respect to the weights. walk_planes goes over the terms of one pair of planes;
 * 2-D has depth 1. */
#include "backend/act.h"
#include "backend/ref/ref.h"

typedef enum side { INTO_Y, INTO_X, INTO_W } side;

typedef struct geometry {
    nod_ref_view x, y; /* large and small side */
    int64_t kernel[3], stride[3], pad[3], dilation[3];
    int64_t taps;         /* kernel positions */
    int64_t x_per, y_per; /* channels of one group on each side */
    int64_t work;         /* multiply-adds */
} geometry;

static geometry geometry_of(const nod_kernel *k, const nod_shape *large, const nod_shape *small)
{
    geometry g = {.x = nod_ref_view_of(large), .y = nod_ref_view_of(small), .taps = 1};
    for (int i = 0; i < 3; i++) {
        g.kernel[i] = k->attr.kernel[i];
        g.stride[i] = k->attr.stride[i];
        g.pad[i] = k->attr.pad_lo[i];
        g.dilation[i] = k->attr.dilation[i];
        g.taps *= g.kernel[i];
    }
    g.x_per = g.x.c / k->attr.groups;
    g.y_per = g.y.c / k->attr.groups;
    g.work = g.y.n * g.y.c * g.y.plane * g.x_per * g.taps;
    return g;
}

/* The terms of one row: `n` of them, x moves by `stride`. */
static void walk_row(side into, int64_t n, double *x, int64_t stride, double *w, double *y)
{
    switch (into) {
    case INTO_Y:
        for (int64_t i = 0; i < n; i++)
            y[i] += *w * x[i * stride];
        break;
    case INTO_X:
        for (int64_t i = 0; i < n; i++)
            x[i * stride] += *w * y[i];
        break;
    case INTO_W:
        for (int64_t i = 0; i < n; i++)
            *w += x[i * stride] * y[i];
        break;
    }
}

/* All terms of plane x[D,H,W], kernel w[taps] and plane y[D',H',W']. */
static void walk_planes(const geometry *g, side into, double *x, double *w, double *y)
{
    for (int64_t tap = 0; tap < g->taps; tap++) {
        int64_t kw = tap % g->kernel[2], kh = tap / g->kernel[2] % g->kernel[1];
        int64_t kd = tap / (g->kernel[2] * g->kernel[1]);
        nod_ref_range d =
            nod_ref_tap_range(kd, g->stride[0], g->pad[0], g->dilation[0], g->x.d, g->y.d);
        nod_ref_range h =
            nod_ref_tap_range(kh, g->stride[1], g->pad[1], g->dilation[1], g->x.h, g->y.h);
        nod_ref_range r =
            nod_ref_tap_range(kw, g->stride[2], g->pad[2], g->dilation[2], g->x.w, g->y.w);
        if (r.hi <= r.lo) continue;
        int64_t xw = r.lo * g->stride[2] - g->pad[2] + kw * g->dilation[2];
        for (int64_t od = d.lo; od < d.hi; od++) {
            int64_t xd = od * g->stride[0] - g->pad[0] + kd * g->dilation[0];
            for (int64_t oh = h.lo; oh < h.hi; oh++) {
                int64_t xh = oh * g->stride[1] - g->pad[1] + kh * g->dilation[1];
                walk_row(into, r.hi - r.lo, x + (xd * g->x.h + xh) * g->x.w + xw, g->stride[2],
                         w + tap, y + (od * g->y.h + oh) * g->y.w + r.lo);
            }
        }
    }
}

static void fill(double *p, int64_t n, double v)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = v;
}

static void activate(const nod_kernel *k, double *p, int64_t n)
{
    if (k->attr.act == NOD_ACT_IDENTITY) return;
    for (int64_t i = 0; i < n; i++)
        p[i] = nod_act_value(k->attr.act, k->attr.alpha, p[i]);
}

/* y = sum over the input channels of the group, + b. x, w and b are only read. */
static void gather(const nod_kernel *k, const geometry *g, double *x, double *w,
                   const double *b, double *y)
{
#pragma omp parallel for schedule(static) if (g->work > 65536)
    for (int64_t i = 0; i < g->y.n * g->y.c; i++) {
        int64_t n = i / g->y.c, oc = i % g->y.c, first = oc / g->y_per * g->x_per;
        double *plane = y + i * g->y.plane;
        fill(plane, g->y.plane, b != NULL ? b[oc] : 0);
        for (int64_t ic = 0; ic < g->x_per; ic++)
            walk_planes(g, INTO_Y, x + (n * g->x.c + first + ic) * g->x.plane,
                        w + (oc * g->x_per + ic) * g->taps, plane);
        activate(k, plane, g->y.plane);
    }
}

/* x = sum over the channels of the small side, + b. y, w and b are only read. */
static void scatter(const nod_kernel *k, const geometry *g, double *y, double *w,
                    const double *b, double *x)
{
#pragma omp parallel for schedule(static) if (g->work > 65536)
    for (int64_t i = 0; i < g->x.n * g->x.c; i++) {
        int64_t n = i / g->x.c, ic = i % g->x.c, first = ic / g->x_per * g->y_per;
        double *plane = x + i * g->x.plane;
        fill(plane, g->x.plane, b != NULL ? b[ic] : 0);
        for (int64_t oc = first; oc < first + g->y_per; oc++)
            walk_planes(g, INTO_X, plane, w + (oc * g->x_per + ic % g->x_per) * g->taps,
                        y + (n * g->y.c + oc) * g->y.plane);
        activate(k, plane, g->x.plane);
    }
}

/* db[C] = sums of dy[N,C,S] */
static void sum_channels(const nod_ref_view *v, const double *dy, double *db)
{
    fill(db, v->c, 0);
    for (int64_t i = 0; i < v->n * v->c; i++)
        for (int64_t s = 0; s < v->plane; s++)
            db[i % v->c] += dy[i * v->plane + s];
}

/* x[N,C,S] w[O,C/g,K] [b[O]] -> y[N,O,S'] */
int nod_ref_conv(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->in[0], &k->out[0]);
    gather(k, &g, a->in[0], a->in[1], k->n_in > 2 ? a->in[2] : NULL, a->out[0]);
    return 0;
}

/* x[N,I,S] w[I,O/g,K] [b[O]] -> y[N,O,S'] */
int nod_ref_conv_t(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->out[0], &k->in[0]);
    scatter(k, &g, a->in[0], a->in[1], k->n_in > 2 ? a->in[2] : NULL, a->out[0]);
    return 0;
}

/* dy[N,O,S'] w[O,C/g,K] -> dx[N,C,S] */
int nod_ref_conv_bwd_data(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->out[0], &k->in[0]);
    scatter(k, &g, a->in[0], a->in[1], NULL, a->out[0]);
    return 0;
}

/* x[N,C,S] dy[N,O,S'] -> dw[O,C/g,K] [db[O]] */
int nod_ref_conv_bwd_weights(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->in[0], &k->in[1]);
    double *x = a->in[0], *dy = a->in[1], *dw = a->out[0];
#pragma omp parallel for schedule(static) if (g.work > 65536)
    for (int64_t i = 0; i < g.y.c * g.x_per; i++) {
        int64_t oc = i / g.x_per, ic = oc / g.y_per * g.x_per + i % g.x_per;
        fill(dw + i * g.taps, g.taps, 0);
        for (int64_t n = 0; n < g.x.n; n++)
            walk_planes(&g, INTO_W, x + (n * g.x.c + ic) * g.x.plane, dw + i * g.taps,
                        dy + (n * g.y.c + oc) * g.y.plane);
    }
    if (k->n_out > 1 && a->out[1] != NULL) sum_channels(&g.y, dy, a->out[1]);
    return 0;
}

/* dy[N,C,S] -> db[C] */
int nod_ref_bias_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    sum_channels(&v, a->in[0], a->out[0]);
    return 0;
}
