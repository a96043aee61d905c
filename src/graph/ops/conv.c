/* conv.c: convolutions, transposed convolutions, and their gradients, in 2-D and 3-D.
 *
 * conv is cross-correlation: x[N,C,S], w[O,C/g,K] -> y[N,O,S'], with
 *   S' = floor((S + pad_lo + pad_hi - (dilation*(K-1)+1)) / stride) + 1.
 * conv_t is the adjoint of a conv that takes y to x: its forward is conv_bwd_data, its
 * gradients are conv and conv_bwd_weights with the roles of x and dy exchanged. */
#include "graph/op_def.h"

/* Shared by all: x is a value [N,C,S], w a weight of equal rank; fills attr.kernel from w. */
static int conv_window(nod_shape_query *q, const nod_shape *x, const nod_shape *w)
{
    if (w->rank != x->rank) return 1;
    int nd = nod_rule_spatial(x);
    for (int i = 0; i < nd; i++)
        q->attr->kernel[3 - nd + i] = w->dim[2 + i];
    if (q->attr->groups < 1) return nod_rule_fail(q, "groups must be at least 1");
    return nod_rule_window(q, x);
}

/* y of a conv on x with `channels` outputs. rc: NOD_ESHAPE after a message. */
static int conv_out(nod_shape_query *q, const nod_shape *x, int64_t channels, nod_shape *y)
{
    const nod_attrs *a = q->attr;
    int nd = nod_rule_spatial(x);
    char xt[160];
    *y = nod_shape_of(2, x->dim[0], channels);
    y->rank = x->rank;
    for (int i = 0; i < nd; i++) {
        int k = 3 - nd + i;
        y->dim[2 + i] = nod_rule_window_out(x->dim[2 + i], a->kernel[k], a->stride[k],
                                            a->pad_lo[k], a->pad_hi[k], a->dilation[k]);
        if (y->dim[2 + i] < 1)
            return nod_rule_fail(
                q,
                "a kernel of %lld (dilation %lld) with padding %lld+%lld does not fit axis %d "
                "of input %s",
                (long long)a->kernel[k], (long long)a->dilation[k], (long long)a->pad_lo[k],
                (long long)a->pad_hi[k], 2 + i, nod_shape_text(x, xt, sizeof xt));
    }
    return 0;
}

static int conv_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *w = nod_rule_in(q, 1);
    nod_shape y;
    int rc = nod_rule_rank(q, 0, "the input", 4, 5, "[N,C,H,W] or [N,C,D,H,W]");
    if (rc != 0) return rc;
    rc = conv_window(q, x, w);
    if (rc < 0) return rc;
    int64_t groups = q->attr->groups;
    if (rc > 0 || x->dim[1] % groups != 0 || w->dim[1] != x->dim[1] / groups)
        return nod_rule_misfit(q, "weight", 1, "input", 0);
    if (w->dim[0] % groups != 0)
        return nod_rule_fail(q, "%lld output channels do not divide into %lld groups",
                             (long long)w->dim[0], (long long)groups);
    rc = nod_rule_vector(q, 2, "bias", w->dim[0], "weight", 1);
    if (rc == 0) rc = conv_out(q, x, w->dim[0], &y);
    if (rc == 0) nod_rule_out(q, 0, y);
    return rc;
}

static nod_attrs window_only(const nod_attrs *a)
{
    nod_attrs w = nod_attrs_default();
    for (int i = 0; i < 3; i++) {
        w.kernel[i] = a->kernel[i];
        w.stride[i] = a->stride[i];
        w.dilation[i] = a->dilation[i];
        w.pad_lo[i] = a->pad_lo[i];
        w.pad_hi[i] = a->pad_hi[i];
    }
    w.groups = a->groups;
    return w;
}

static void conv_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    int dz = nod_grad_before_act(q), out[NOD_NODE_OUT_MAX];
    nod_attrs a = window_only(&q->node.attr);
    if (q->need[0]) {
        a.shape = nod_grad_shape(q, 0);
        q->dx[0] = nod_grad_node(q, NOD_OP_CONV_BWD_DATA, (int[]){dz, in[1]}, 2, &a);
    }
    a.bias = in[2] >= 0 && q->need[2];
    if (!q->need[1] && !a.bias) return;
    a.shape = nod_grad_shape(q, 1);
    nod_grad_nodes(q, NOD_OP_CONV_BWD_WEIGHTS, (int[]){in[0], dz}, 2, &a, out);
    q->dx[1] = out[0];
    if (a.bias) q->dx[2] = out[1];
}

/* --- gradients of conv ---------------------------------------------------------------------
 */

/* The conv of x with w must give dy; `what`, `i` name the input that does not fit. */
static int adjoint_fits(nod_shape_query *q, const nod_shape *x, const nod_shape *w,
                        const nod_shape *dy)
{
    char xt[160], wt[160], yt[160];
    nod_shape y = {.rank = -1};
    int64_t groups = q->attr->groups;
    int rc = 1;
    if (x->rank == dy->rank && (x->rank == 4 || x->rank == 5)) rc = conv_window(q, x, w);
    if (rc == 0 && x->dim[1] % groups == 0 && w->dim[1] == x->dim[1] / groups &&
        w->dim[0] % groups == 0)
        rc = conv_out(q, x, w->dim[0], &y);
    if (rc < 0) return rc;
    if (rc == 0 && nod_shape_equal(&y, dy)) return 0;
    return nod_rule_fail(q, "output gradient %s does not fit input %s with weight %s",
                         nod_shape_text(dy, yt, sizeof yt), nod_shape_text(x, xt, sizeof xt),
                         nod_shape_text(w, wt, sizeof wt));
}

static int bwd_data_shape(nod_shape_query *q)
{
    int rc = adjoint_fits(q, &q->attr->shape, nod_rule_in(q, 1), nod_rule_in(q, 0));
    if (rc == 0) nod_rule_out(q, 0, q->attr->shape);
    return rc;
}

static int bwd_weights_shape(nod_shape_query *q)
{
    const nod_shape *w = &q->attr->shape;
    int rc = adjoint_fits(q, nod_rule_in(q, 0), w, nod_rule_in(q, 1));
    if (rc != 0) return rc;
    nod_rule_out(q, 0, *w);
    if (q->attr->bias) nod_rule_out(q, 1, nod_shape_of(1, w->dim[0]));
    return 0;
}

static int bias_bwd_shape(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the output gradient", 2, NOD_RANK_MAX, "[N,C,...]");
    if (rc == 0) nod_rule_out(q, 0, nod_shape_of(1, nod_rule_in(q, 0)->dim[1]));
    return rc;
}

/* --- transposed convolution ----------------------------------------------------------------
 */

static int conv_t_size(nod_shape_query *q, const nod_shape *x, const nod_shape *w, nod_shape *y)
{
    const nod_attrs *a = q->attr;
    int nd = nod_rule_spatial(x);
    char xt[160];
    *y = nod_shape_of(2, x->dim[0], w->dim[1] * a->groups);
    y->rank = x->rank;
    for (int i = 0; i < nd; i++) {
        int k = 3 - nd + i;
        if (a->out_pad[k] >= a->stride[k] && a->out_pad[k] > 0)
            return nod_rule_fail(q, "output padding %lld must be below the stride %lld",
                                 (long long)a->out_pad[k], (long long)a->stride[k]);
        if (x->dim[2 + i] > ((int64_t)1 << 38))
            return nod_rule_fail(q, "axis %d of input %s is too long", 2 + i,
                                 nod_shape_text(x, xt, sizeof xt));
        y->dim[2 + i] = (x->dim[2 + i] - 1) * a->stride[k] - a->pad_lo[k] - a->pad_hi[k] +
                        a->dilation[k] * (a->kernel[k] - 1) + 1 + a->out_pad[k];
        if (y->dim[2 + i] < 1)
            return nod_rule_fail(q, "padding %lld+%lld leaves nothing of axis %d of input %s",
                                 (long long)a->pad_lo[k], (long long)a->pad_hi[k], 2 + i,
                                 nod_shape_text(x, xt, sizeof xt));
    }
    return 0;
}

static int conv_t_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *w = nod_rule_in(q, 1);
    nod_shape y;
    int rc = nod_rule_rank(q, 0, "the input", 4, 5, "[N,C,H,W] or [N,C,D,H,W]");
    if (rc != 0) return rc;
    rc = conv_window(q, x, w);
    if (rc < 0) return rc;
    if (rc > 0 || w->dim[0] != x->dim[1]) return nod_rule_misfit(q, "weight", 1, "input", 0);
    if (w->dim[0] % q->attr->groups != 0)
        return nod_rule_fail(q, "%lld input channels do not divide into %lld groups",
                             (long long)w->dim[0], (long long)q->attr->groups);
    rc = conv_t_size(q, x, w, &y);
    if (rc == 0) rc = nod_rule_vector(q, 2, "bias", y.dim[1], "weight", 1);
    if (rc == 0) nod_rule_out(q, 0, y);
    return rc;
}

static void conv_t_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    int dz = nod_grad_before_act(q);
    nod_attrs a = window_only(&q->node.attr);
    if (q->need[0]) q->dx[0] = nod_grad_node(q, NOD_OP_CONV, (int[]){dz, in[1]}, 2, &a);
    if (q->need[1]) {
        a.shape = nod_grad_shape(q, 1);
        q->dx[1] = nod_grad_node(q, NOD_OP_CONV_BWD_WEIGHTS, (int[]){dz, in[0]}, 2, &a);
    }
    if (in[2] >= 0 && q->need[2])
        q->dx[2] = nod_grad_node(q, NOD_OP_BIAS_BWD, (int[]){dz}, 1, NULL);
}

/* --- cost ----------------------------------------------------------------------------------
 */

/* Taps in the padding count: (positions of the small side) * (weights) * N. */
static int64_t conv_macs(const nod_graph *g, const nod_node *n)
{
    const nod_shape *w = n->op == NOD_OP_CONV_BWD_WEIGHTS ? nod_graph_shape(g, n->out[0])
                                                          : nod_graph_shape(g, n->in[1]);
    int y = n->in[0]; /* the value that stands on the conv's output side */
    if (n->op == NOD_OP_CONV) y = n->out[0];
    if (n->op == NOD_OP_CONV_BWD_WEIGHTS) y = n->in[1];
    const nod_shape *s = nod_graph_shape(g, y);
    return nod_cost_product(s->dim[0] * nod_rule_rest(s, 2), nod_shape_count(w));
}

const nod_op_def nod_op_def_conv = {.name = "conv",
                                    .n_in = 3,
                                    .n_out = 1,
                                    .optional = 1u << 2,
                                    .shape = conv_shape,
                                    .gradient = conv_gradient,
                                    .macs = conv_macs};
const nod_op_def nod_op_def_conv_t = {.name = "conv_t",
                                      .n_in = 3,
                                      .n_out = 1,
                                      .optional = 1u << 2,
                                      .shape = conv_t_shape,
                                      .gradient = conv_t_gradient,
                                      .macs = conv_macs};
const nod_op_def nod_op_def_conv_bwd_data = {
    .name = "conv_bwd_data", .n_in = 2, .n_out = 1, .shape = bwd_data_shape, .macs = conv_macs};
const nod_op_def nod_op_def_conv_bwd_weights = {.name = "conv_bwd_weights",
                                                .n_in = 2,
                                                .n_out = 2,
                                                .shape = bwd_weights_shape,
                                                .macs = conv_macs};
const nod_op_def nod_op_def_bias_bwd = {
    .name = "bias_bwd", .n_in = 1, .n_out = 1, .shape = bias_bwd_shape};
