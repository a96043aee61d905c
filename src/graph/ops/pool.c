/* pool.c: maximum and average pooling, and their gradients. attr.global takes the whole plane.
 */
#include "graph/op_def.h"

/* y from x; checks that no window lies in the padding alone. */
static int pool_out(nod_shape_query *q, const nod_shape *x, nod_shape *y)
{
    nod_attrs *a = q->attr;
    int nd = nod_rule_spatial(x);
    char text[160];
    if (x->rank < 4 || x->rank > 5)
        return nod_rule_fail(q, "the input of %s must be [N,C,H,W] or [N,C,D,H,W], not %s",
                             nod_op_name(q->op), nod_shape_text(x, text, sizeof text));
    for (int i = 0; i < nd && a->global; i++) {
        int k = 3 - nd + i;
        a->kernel[k] = x->dim[2 + i];
        a->stride[k] = 1;
        a->pad_lo[k] = a->pad_hi[k] = 0;
    }
    for (int i = 0; i < 3; i++)
        a->dilation[i] = 1;
    int rc = nod_rule_window(q, x);
    if (rc != 0) return rc;
    *y = *x;
    for (int i = 0; i < nd; i++) {
        int k = 3 - nd + i;
        if (a->pad_lo[k] >= a->kernel[k] || a->pad_hi[k] >= a->kernel[k])
            return nod_rule_fail(q, "padding %lld+%lld must be below the kernel %lld",
                                 (long long)a->pad_lo[k], (long long)a->pad_hi[k],
                                 (long long)a->kernel[k]);
        y->dim[2 + i] = nod_rule_window_out(x->dim[2 + i], a->kernel[k], a->stride[k],
                                            a->pad_lo[k], a->pad_hi[k], 1);
        if (y->dim[2 + i] < 1)
            return nod_rule_fail(q, "a window of %lld does not fit axis %d of input %s",
                                 (long long)a->kernel[k], 2 + i,
                                 nod_shape_text(x, text, sizeof text));
    }
    return 0;
}

static int pool_shape(nod_shape_query *q)
{
    nod_shape y;
    int rc = pool_out(q, nod_rule_in(q, 0), &y);
    if (rc == 0) nod_rule_out(q, 0, y);
    return rc;
}

static int pool_adjoint(nod_shape_query *q, const nod_shape *x, const nod_shape *dy)
{
    char xt[160], yt[160];
    nod_shape y;
    int rc = pool_out(q, x, &y);
    if (rc == 0 && !nod_shape_equal(&y, dy))
        rc = nod_rule_fail(q, "output gradient %s does not fit input %s",
                           nod_shape_text(dy, yt, sizeof yt), nod_shape_text(x, xt, sizeof xt));
    if (rc == 0) nod_rule_out(q, 0, *x);
    return rc;
}

static int max_bwd_shape(nod_shape_query *q)
{
    return pool_adjoint(q, nod_rule_in(q, 0), nod_rule_in(q, 1));
}

static int avg_bwd_shape(nod_shape_query *q)
{
    return pool_adjoint(q, &q->attr->shape, nod_rule_in(q, 0));
}

static void max_gradient(nod_grad_query *q)
{
    q->dx[0] =
        nod_grad_node(q, NOD_OP_POOL_MAX_BWD, (int[]){q->node.in[0], q->dy}, 2, &q->node.attr);
}

static void avg_gradient(nod_grad_query *q)
{
    nod_attrs a = q->node.attr;
    a.shape = nod_grad_shape(q, 0);
    q->dx[0] = nod_grad_node(q, NOD_OP_POOL_AVG_BWD, (int[]){q->dy}, 1, &a);
}

const nod_op_def nod_op_def_pool_max = {
    .name = "pool_max", .n_in = 1, .n_out = 1, .shape = pool_shape, .gradient = max_gradient};
const nod_op_def nod_op_def_pool_avg = {
    .name = "pool_avg", .n_in = 1, .n_out = 1, .shape = pool_shape, .gradient = avg_gradient};
const nod_op_def nod_op_def_pool_max_bwd = {
    .name = "pool_max_bwd", .n_in = 2, .n_out = 1, .shape = max_bwd_shape};
const nod_op_def nod_op_def_pool_avg_bwd = {
    .name = "pool_avg_bwd", .n_in = 1, .n_out = 1, .shape = avg_bwd_shape};
