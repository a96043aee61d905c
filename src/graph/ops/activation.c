/* activation.c: activations as ops of their own, parametric ReLU, softmax, and their gradients.
 * An activation fused into another op is an attribute there (act, alpha). */
#include "graph/op_def.h"

static int check_alpha(nod_shape_query *q)
{
    const nod_attrs *a = q->attr;
    if ((unsigned)a->act >= NOD_ACT_COUNT) return nod_rule_fail(q, "unknown activation");
    if ((a->act == NOD_ACT_LEAKY_RELU || a->act == NOD_ACT_ELU) && !(a->alpha > 0))
        return nod_rule_fail(q, "alpha of %s must be above 0, not %g", nod_act_name(a->act),
                             a->alpha);
    return 0;
}

static int act_shape(nod_shape_query *q)
{
    int rc = check_alpha(q);
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

static void act_gradient(nod_grad_query *q)
{
    nod_attrs a = q->node.attr;
    if (a.act == NOD_ACT_IDENTITY) {
        q->dx[0] = q->dy;
        return;
    }
    a.from_output = nod_act_from_output(a.act);
    int v = a.from_output ? q->node.out[0] : q->node.in[0];
    q->dx[0] = nod_grad_node(q, NOD_OP_ACT_BWD, (int[]){v, q->dy}, 2, &a);
}

static int act_bwd_shape(nod_shape_query *q)
{
    int rc = check_alpha(q);
    if (rc == 0) rc = nod_rule_same(q, 1, "output gradient", 0, "value");
    if (rc == 0 && q->attr->from_output && !nod_act_from_output(q->attr->act))
        rc = nod_rule_fail(q, "the derivative of %s cannot be computed from its output",
                           nod_act_name(q->attr->act));
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

/* --- parametric ReLU -----------------------------------------------------------------------
 */

static int check_slope(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *s = nod_rule_in(q, 1);
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, "[N,C] or [N,C,...]");
    if (rc != 0) return rc;
    if (s->rank != 1 || (s->dim[0] != 1 && s->dim[0] != x->dim[1]))
        return nod_rule_misfit(q, "slope", 1, "input", 0);
    return 0;
}

static int prelu_shape(nod_shape_query *q)
{
    int rc = check_slope(q);
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

static void prelu_gradient(nod_grad_query *q)
{
    int out[NOD_NODE_OUT_MAX];
    nod_grad_nodes(q, NOD_OP_PRELU_BWD, (int[]){q->node.in[0], q->node.in[1], q->dy}, 3, NULL,
                   out);
    q->dx[0] = out[0];
    q->dx[1] = out[1];
}

static int prelu_bwd_shape(nod_shape_query *q)
{
    int rc = check_slope(q);
    if (rc == 0) rc = nod_rule_same(q, 2, "output gradient", 0, "input");
    if (rc != 0) return rc;
    nod_rule_out(q, 0, *nod_rule_in(q, 0));
    nod_rule_out(q, 1, *nod_rule_in(q, 1));
    return 0;
}

/* --- softmax -------------------------------------------------------------------------------
 */

static int softmax_shape(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, "[N,K] or [N,K,...]");
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

static void softmax_gradient(nod_grad_query *q)
{
    q->dx[0] = nod_grad_node(q, NOD_OP_SOFTMAX_BWD, (int[]){q->node.out[0], q->dy}, 2, NULL);
}

static int softmax_bwd_shape(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the output", 2, 5, "[N,K] or [N,K,...]");
    if (rc == 0) rc = nod_rule_same(q, 1, "output gradient", 0, "output");
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

const nod_op_def nod_op_def_act = {
    .name = "act", .n_in = 1, .n_out = 1, .shape = act_shape, .gradient = act_gradient};
const nod_op_def nod_op_def_act_bwd = {
    .name = "act_bwd", .n_in = 2, .n_out = 1, .shape = act_bwd_shape};
const nod_op_def nod_op_def_prelu = {
    .name = "prelu", .n_in = 2, .n_out = 1, .shape = prelu_shape, .gradient = prelu_gradient};
const nod_op_def nod_op_def_prelu_bwd = {
    .name = "prelu_bwd", .n_in = 3, .n_out = 2, .shape = prelu_bwd_shape};
const nod_op_def nod_op_def_softmax = {.name = "softmax",
                                       .n_in = 1,
                                       .n_out = 1,
                                       .shape = softmax_shape,
                                       .gradient = softmax_gradient};
const nod_op_def nod_op_def_softmax_bwd = {
    .name = "softmax_bwd", .n_in = 2, .n_out = 1, .shape = softmax_bwd_shape};
