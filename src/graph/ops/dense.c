/* dense.c: fully connected layers and their gradients.
 *   y[N,O] = act(x[N,I] w[O,I]^T + b[O])
 *   dx[N,I] = dz w        dw[O,I] = dz^T x        db[O] = sum over N of dz */
#include "graph/op_def.h"

static int dense_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *w = nod_rule_in(q, 1);
    char text[160];
    if (x->rank > 2)
        return nod_rule_fail(q, "dense needs an input [N, features], not %s: flatten it first",
                             nod_shape_text(x, text, sizeof text));
    int rc = nod_rule_rank(q, 0, "the input", 2, 2, "[N, features]");
    if (rc == 0) rc = nod_rule_rank(q, 1, "the weight", 2, 2, "[units, features]");
    if (rc != 0) return rc;
    if (w->dim[1] != x->dim[1]) return nod_rule_misfit(q, "weight", 1, "input", 0);
    rc = nod_rule_vector(q, 2, "bias", w->dim[0], "weight", 1);
    if (rc == 0) nod_rule_out(q, 0, nod_shape_of(2, x->dim[0], w->dim[0]));
    return rc;
}

static void dense_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    int dz = nod_grad_before_act(q);
    if (q->need[0])
        q->dx[0] = nod_grad_node(q, NOD_OP_DENSE_BWD_DATA, (int[]){dz, in[1]}, 2, NULL);
    if (!q->need[1] && !(in[2] >= 0 && q->need[2])) return;
    nod_attrs a = nod_attrs_default();
    int out[NOD_NODE_OUT_MAX];
    a.bias = in[2] >= 0 && q->need[2];
    nod_grad_nodes(q, NOD_OP_DENSE_BWD_WEIGHTS, (int[]){in[0], dz}, 2, &a, out);
    q->dx[1] = out[0];
    if (a.bias) q->dx[2] = out[1];
}

static int bwd_data_shape(nod_shape_query *q)
{
    const nod_shape *dy = nod_rule_in(q, 0), *w = nod_rule_in(q, 1);
    if (dy->rank != 2 || w->rank != 2 || dy->dim[1] != w->dim[0])
        return nod_rule_misfit(q, "weight", 1, "output gradient", 0);
    nod_rule_out(q, 0, nod_shape_of(2, dy->dim[0], w->dim[1]));
    return 0;
}

static int bwd_weights_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *dy = nod_rule_in(q, 1);
    if (x->rank != 2 || dy->rank != 2 || x->dim[0] != dy->dim[0])
        return nod_rule_misfit(q, "output gradient", 1, "input", 0);
    nod_rule_out(q, 0, nod_shape_of(2, dy->dim[1], x->dim[1]));
    if (q->attr->bias) nod_rule_out(q, 1, nod_shape_of(1, dy->dim[1]));
    return 0;
}

/* N*O*I for all three: the weight is input 1, or output 0 of the weight gradient. */
static int64_t dense_macs(const nod_graph *g, const nod_node *n)
{
    const nod_shape *x = nod_graph_shape(g, n->in[0]);
    int w = n->op == NOD_OP_DENSE_BWD_WEIGHTS ? n->out[0] : n->in[1];
    return nod_cost_product(x->dim[0], nod_shape_count(nod_graph_shape(g, w)));
}

const nod_op_def nod_op_def_dense = {.name = "dense",
                                     .n_in = 3,
                                     .n_out = 1,
                                     .optional = 1u << 2,
                                     .shape = dense_shape,
                                     .gradient = dense_gradient,
                                     .macs = dense_macs};
const nod_op_def nod_op_def_dense_bwd_data = {.name = "dense_bwd_data",
                                              .n_in = 2,
                                              .n_out = 1,
                                              .shape = bwd_data_shape,
                                              .macs = dense_macs};
const nod_op_def nod_op_def_dense_bwd_weights = {.name = "dense_bwd_weights",
                                                 .n_in = 2,
                                                 .n_out = 2,
                                                 .shape = bwd_weights_shape,
                                                 .macs = dense_macs};
