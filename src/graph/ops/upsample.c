/* upsample.c: nearest and linear upsampling by whole factors (half-pixel centres), and their
 * gradients. */
#include "graph/op_def.h"

static int upsample_out(nod_shape_query *q, const nod_shape *x, nod_shape *y)
{
    char text[160];
    if (x->rank < 4 || x->rank > 5)
        return nod_rule_fail(q, "the input of %s must be [N,C,H,W] or [N,C,D,H,W], not %s",
                             nod_op_name(q->op), nod_shape_text(x, text, sizeof text));
    int nd = nod_rule_spatial(x);
    if (nd == 2) q->attr->scale[0] = 1;
    *y = *x;
    for (int i = 0; i < nd; i++) {
        int64_t s = q->attr->scale[3 - nd + i];
        if (s < 1 || __builtin_mul_overflow(x->dim[2 + i], s, &y->dim[2 + i]))
            return nod_rule_fail(q, "input %s cannot be upsampled by %lld",
                                 nod_shape_text(x, text, sizeof text), (long long)s);
    }
    return 0;
}

static int upsample_shape(nod_shape_query *q)
{
    nod_shape y;
    int rc = upsample_out(q, nod_rule_in(q, 0), &y);
    if (rc == 0) nod_rule_out(q, 0, y);
    return rc;
}

static int bwd_shape(nod_shape_query *q)
{
    char xt[160], yt[160];
    const nod_shape *dy = nod_rule_in(q, 0);
    nod_shape x = q->attr->shape, y;
    int rc = upsample_out(q, &x, &y);
    if (rc == 0 && !nod_shape_equal(&y, dy))
        rc =
            nod_rule_fail(q, "output gradient %s does not fit input %s",
                          nod_shape_text(dy, yt, sizeof yt), nod_shape_text(&x, xt, sizeof xt));
    if (rc == 0) nod_rule_out(q, 0, x);
    return rc;
}

static void upsample_gradient(nod_grad_query *q)
{
    nod_attrs a = q->node.attr;
    a.shape = nod_grad_shape(q, 0);
    nod_op op = q->node.op == NOD_OP_UPSAMPLE_LINEAR ? NOD_OP_UPSAMPLE_LINEAR_BWD
                                                     : NOD_OP_UPSAMPLE_NEAREST_BWD;
    q->dx[0] = nod_grad_node(q, op, (int[]){q->dy}, 1, &a);
}

const nod_op_def nod_op_def_upsample_nearest = {.name = "upsample_nearest",
                                                .n_in = 1,
                                                .n_out = 1,
                                                .shape = upsample_shape,
                                                .gradient = upsample_gradient};
const nod_op_def nod_op_def_upsample_linear = {.name = "upsample_linear",
                                               .n_in = 1,
                                               .n_out = 1,
                                               .shape = upsample_shape,
                                               .gradient = upsample_gradient};
const nod_op_def nod_op_def_upsample_nearest_bwd = {
    .name = "upsample_nearest_bwd", .n_in = 1, .n_out = 1, .shape = bwd_shape};
const nod_op_def nod_op_def_upsample_linear_bwd = {
    .name = "upsample_linear_bwd", .n_in = 1, .n_out = 1, .shape = bwd_shape};
