/* arithmetic.c: elementwise sums, products and scales, constants, and dropout. */
#include "graph/op_def.h"

static int same_shape(nod_shape_query *q)
{
    int rc = nod_rule_same(q, 1, "second input", 0, "first input");
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

static int copy_shape(nod_shape_query *q)
{
    nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return 0;
}

static void add_gradient(nod_grad_query *q)
{
    q->dx[0] = q->dx[1] = nod_grad_before_act(q);
}

static void mul_gradient(nod_grad_query *q)
{
    for (int i = 0; i < 2; i++)
        if (q->need[i])
            q->dx[i] = nod_grad_node(q, NOD_OP_MUL, (int[]){q->dy, q->node.in[1 - i]}, 2, NULL);
}

static void scale_gradient(nod_grad_query *q)
{
    q->dx[0] = nod_grad_node(q, NOD_OP_SCALE, (int[]){q->dy}, 1, &q->node.attr);
}

static int fill_shape(nod_shape_query *q)
{
    nod_rule_out(q, 0, q->attr->shape);
    return 0;
}

/* --- dropout: linear, so the gradient is the same op with the same mask --------------------
 */

static int dropout_shape(nod_shape_query *q)
{
    double p = q->attr->p;
    int rc = nod_rule_rank(q, 0, "the input", q->attr->per_channel ? 3 : 1, NOD_RANK_MAX,
                           q->attr->per_channel ? "[N,C,...]" : "of rank 1 or more");
    if (rc != 0) return rc;
    if (!(p >= 0 && p < 1))
        return nod_rule_fail(q, "the probability of dropout must be in [0, 1), not %g", p);
    nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return 0;
}

static void dropout_gradient(nod_grad_query *q)
{
    q->dx[0] = nod_grad_node(q, NOD_OP_DROPOUT, (int[]){q->dy}, 1, &q->node.attr);
}

const nod_op_def nod_op_def_add = {
    .name = "add", .n_in = 2, .n_out = 1, .shape = same_shape, .gradient = add_gradient};
const nod_op_def nod_op_def_mul = {
    .name = "mul", .n_in = 2, .n_out = 1, .shape = same_shape, .gradient = mul_gradient};
const nod_op_def nod_op_def_scale = {
    .name = "scale", .n_in = 1, .n_out = 1, .shape = copy_shape, .gradient = scale_gradient};
const nod_op_def nod_op_def_fill = {.name = "fill", .n_in = 0, .n_out = 1, .shape = fill_shape};
const nod_op_def nod_op_def_dropout = {.name = "dropout",
                                       .n_in = 1,
                                       .n_out = 1,
                                       .shape = dropout_shape,
                                       .gradient = dropout_gradient};
const nod_op_def nod_op_def_reorder = {
    .name = "reorder", .n_in = 1, .n_out = 1, .shape = copy_shape};
