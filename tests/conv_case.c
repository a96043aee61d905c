/* conv_case.c: see conv_case.h. */
#include "conv_case.h"

#include <math.h>
#include <string.h>

conv_case conv_case_of(int rank, int64_t n, int64_t c, int64_t o, int64_t size, int64_t kernel,
                       int64_t stride, int64_t pad)
{
    conv_case k = {.rank = rank, .n = n, .c = c, .o = o, .alpha = 0.1};
    for (int i = 0; i < 3; i++) {
        bool used = rank == 5 || i > 0;
        k.size[i] = used ? size : 1;
        k.kernel[i] = used ? kernel : 1;
        k.stride[i] = used ? stride : 1;
        k.pad_lo[i] = k.pad_hi[i] = used ? pad : 0;
    }
    return k;
}

int64_t conv_case_out_size(const conv_case *c, int axis)
{
    return (c->size[axis] + c->pad_lo[axis] + c->pad_hi[axis] - c->kernel[axis]) /
               c->stride[axis] +
           1;
}

static int64_t out_spatial(const conv_case *c)
{
    return conv_case_out_size(c, 0) * conv_case_out_size(c, 1) * conv_case_out_size(c, 2);
}

int64_t conv_case_src_count(const conv_case *c)
{
    return c->n * c->c * c->size[0] * c->size[1] * c->size[2];
}

int64_t conv_case_dst_count(const conv_case *c)
{
    return c->n * c->o * out_spatial(c);
}

int64_t conv_case_weight_count(const conv_case *c)
{
    return c->o * c->c * c->kernel[0] * c->kernel[1] * c->kernel[2];
}

static nod_shape shape_of(int rank, int64_t a, int64_t b, const int64_t spatial[3])
{
    nod_shape s = {.rank = rank, .dim = {a, b}};
    for (int i = 0; i < rank - 2; i++)
        s.dim[2 + i] = spatial[5 - rank + i];
    return s;
}

void conv_case_node_init(conv_case_node *n, const conv_case *c, conv_case_pass pass,
                         nod_layout preferred, bool frozen)
{
    enum { X, W, B, Y, DB };
    memset(n, 0, sizeof *n);
    const int64_t out[3] = {conv_case_out_size(c, 0), conv_case_out_size(c, 1),
                            conv_case_out_size(c, 2)};
    n->values[X].shape = shape_of(c->rank, c->n, c->c, c->size);
    n->values[W].shape = shape_of(c->rank, c->o, c->c, c->kernel);
    n->values[B].shape = n->values[DB].shape = (nod_shape){.rank = 1, .dim = {c->o}};
    n->values[Y].shape = shape_of(c->rank, c->n, c->o, out);
    n->graph.values = n->values;
    n->graph.n_values = 5;
    nod_attrs *at = &n->node.attr;
    for (int i = 0; i < 3; i++) {
        at->kernel[i] = c->kernel[i];
        at->stride[i] = c->stride[i];
        at->pad_lo[i] = c->pad_lo[i];
        at->pad_hi[i] = c->pad_hi[i];
        at->dilation[i] = 1;
    }
    at->groups = 1;
    at->bias = c->bias;
    for (int i = 0; i < NOD_NODE_OUT_MAX; i++)
        n->node.out[i] = -1;
    n->node.in = n->in;
    n->node.n_in = 2;
    n->node.n_out = 1;
    if (pass == CONV_CASE_FORWARD) {
        n->node.op = NOD_OP_CONV;
        at->act = c->act;
        at->alpha = c->alpha;
        n->in[0] = X, n->in[1] = W, n->in[2] = c->bias ? B : -1;
        n->node.n_in = c->bias ? 3 : 2;
        n->node.out[0] = Y;
    } else if (pass == CONV_CASE_DATA) {
        n->node.op = NOD_OP_CONV_BWD_DATA;
        at->shape = n->values[X].shape;
        n->in[0] = Y, n->in[1] = W;
        n->node.out[0] = X;
    } else {
        n->node.op = NOD_OP_CONV_BWD_WEIGHTS;
        at->shape = n->values[W].shape;
        n->in[0] = X, n->in[1] = Y;
        n->node.out[0] = W;
        if (c->bias) n->node.out[1] = DB, n->node.n_out = 2;
    }
    n->query = (nod_kernel_query){.graph = &n->graph,
                                  .node = &n->node,
                                  .precision = NOD_PRECISION_F32,
                                  .preferred = preferred,
                                  .in = n->layouts,
                                  .frozen = frozen,
                                  .dtype = n->dtype};
}

/* Where element (c, s) of an image lies in a layout. */
static int64_t place(nod_layout l, int64_t n_c, int64_t spatial, int64_t c, int64_t s)
{
    const int64_t block = l == NOD_LAYOUT_BLOCK16 ? 16 : l == NOD_LAYOUT_BLOCK8 ? 8 : 1;
    if (l == NOD_LAYOUT_LAST) return s * n_c + c;
    return (c / block * spatial + s) * block + c % block;
}

void conv_case_pack(nod_layout l, int64_t n, int64_t c, int64_t spatial, const float *plain,
                    float *packed)
{
    for (int64_t i = 0; i < n * c; i++)
        for (int64_t s = 0; s < spatial; s++)
            packed[i / c * c * spatial + place(l, c, spatial, i % c, s)] =
                plain[i * spatial + s];
}

void conv_case_unpack(nod_layout l, int64_t n, int64_t c, int64_t spatial, const float *packed,
                      float *plain)
{
    for (int64_t i = 0; i < n * c; i++)
        for (int64_t s = 0; s < spatial; s++)
            plain[i * spatial + s] =
                packed[i / c * c * spatial + place(l, c, spatial, i % c, s)];
}

void conv_case_fill(float *x, int64_t n, uint32_t seed)
{
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = (float)((int32_t)(seed >> 8) - (1 << 23)) / (float)(1 << 23);
    }
}

/* Calls `f` for each product of the convolution: element of x, of w, of y. */
typedef void (*term_fn)(void *ctx, int64_t x, int64_t w, int64_t y);
static void each_term(const conv_case *c, term_fn f, void *ctx)
{
    const int64_t *s = c->size, *k = c->kernel;
    const int64_t out[3] = {conv_case_out_size(c, 0), conv_case_out_size(c, 1),
                            conv_case_out_size(c, 2)};
    const int64_t taps = k[0] * k[1] * k[2], sites = out[0] * out[1] * out[2];
    for (int64_t n = 0; n < c->n; n++)
        for (int64_t o = 0; o < c->o; o++)
            for (int64_t site = 0; site < sites; site++)
                for (int64_t tap = 0; tap < taps; tap++) {
                    const int64_t d = site / (out[1] * out[2]) * c->stride[0] +
                                      tap / (k[1] * k[2]) - c->pad_lo[0];
                    const int64_t h = site / out[2] % out[1] * c->stride[1] +
                                      tap / k[2] % k[1] - c->pad_lo[1];
                    const int64_t w = site % out[2] * c->stride[2] + tap % k[2] - c->pad_lo[2];
                    if (d < 0 || d >= s[0] || h < 0 || h >= s[1] || w < 0 || w >= s[2])
                        continue;
                    for (int64_t i = 0; i < c->c; i++)
                        f(ctx, (((n * c->c + i) * s[0] + d) * s[1] + h) * s[2] + w,
                          (o * c->c + i) * taps + tap, (n * c->o + o) * sites + site);
                }
}

typedef struct sums {
    const float *a, *b;
    double *out;
} sums;

static void add_to_y(void *ctx, int64_t x, int64_t w, int64_t y)
{
    sums *s = ctx;
    s->out[y] += (double)s->a[x] * (double)s->b[w];
}

static void add_to_x(void *ctx, int64_t x, int64_t w, int64_t y)
{
    sums *s = ctx;
    s->out[x] += (double)s->a[y] * (double)s->b[w];
}

static void add_to_w(void *ctx, int64_t x, int64_t w, int64_t y)
{
    sums *s = ctx;
    s->out[w] += (double)s->a[x] * (double)s->b[y];
}

static double act_of(const conv_case *c, double v)
{
    switch (c->act) {
    case NOD_ACT_RELU:
        return v > 0 ? v : 0;
    case NOD_ACT_LEAKY_RELU:
        return v > 0 ? v : c->alpha * v;
    case NOD_ACT_ELU:
        return v > 0 ? v : c->alpha * expm1(v);
    case NOD_ACT_GELU:
        return 0.5 * v * erfc(-v / sqrt(2.0));
    case NOD_ACT_SILU:
        return v / (1 + exp(-v));
    case NOD_ACT_SIGMOID:
        return 1 / (1 + exp(-v));
    case NOD_ACT_TANH:
        return tanh(v);
    default:
        return v;
    }
}

void conv_case_forward(const conv_case *c, const float *x, const float *w, const float *bias,
                       double *y)
{
    const int64_t sites = out_spatial(c), count = conv_case_dst_count(c);
    for (int64_t i = 0; i < count; i++)
        y[i] = bias != NULL ? (double)bias[i / sites % c->o] : 0;
    each_term(c, add_to_y, &(sums){x, w, y});
    for (int64_t i = 0; i < count; i++)
        y[i] = act_of(c, y[i]);
}

void conv_case_backward_data(const conv_case *c, const float *dy, const float *w, double *dx)
{
    memset(dx, 0, (size_t)conv_case_src_count(c) * sizeof *dx);
    each_term(c, add_to_x, &(sums){dy, w, dx});
}

void conv_case_backward_weights(const conv_case *c, const float *x, const float *dy, double *dw,
                                double *dbias)
{
    const int64_t sites = out_spatial(c), count = conv_case_dst_count(c);
    memset(dw, 0, (size_t)conv_case_weight_count(c) * sizeof *dw);
    each_term(c, add_to_w, &(sums){x, dy, dw});
    if (dbias == NULL) return;
    for (int64_t o = 0; o < c->o; o++)
        dbias[o] = 0;
    for (int64_t i = 0; i < count; i++)
        dbias[i / sites % c->o] += (double)dy[i];
}

double conv_case_error(const float *got, const double *want, int64_t n)
{
    double error = 0, scale = 0;
    for (int64_t i = 0; i < n; i++) {
        const double e = (double)got[i] - want[i];
        error += e * e;
        scale += want[i] * want[i];
    }
    return scale > 0 ? sqrt(error / scale) : sqrt(error);
}
