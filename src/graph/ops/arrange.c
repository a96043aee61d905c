/* arrange.c: ops that move elements without computing: concat, reshape, pad, crop. */
#include "graph/op_def.h"

static int concat_shape(nod_shape_query *q)
{
    nod_shape y = *nod_rule_in(q, 0);
    int rc = nod_rule_rank(q, 0, "the first input", 2, NOD_RANK_MAX, "[N,C,...]");
    for (int i = 1; rc == 0 && i < q->n_in; i++) {
        const nod_shape *s = nod_rule_in(q, i);
        bool fits = s->rank == y.rank;
        for (int k = 0; fits && k < y.rank; k++)
            fits = k == 1 || s->dim[k] == y.dim[k];
        if (!fits) return nod_rule_misfit(q, "concat input", i, "first input", 0);
        if (__builtin_add_overflow(y.dim[1], s->dim[1], &y.dim[1]))
            return nod_rule_fail(q, "too many channels to concat");
    }
    if (rc == 0) nod_rule_out(q, 0, y);
    return rc;
}

static void concat_gradient(nod_grad_query *q)
{
    int64_t total = 0, before = 0;
    for (int i = 0; i < q->node.n_in; i++)
        total += nod_grad_shape(q, i).dim[1];
    for (int i = 0; i < q->node.n_in; i++) {
        nod_attrs a = nod_attrs_default();
        int64_t c = nod_grad_shape(q, i).dim[1];
        a.lo[1] = before;
        a.hi[1] = total - before - c;
        before += c;
        if (!q->need[i]) continue;
        q->dx[i] = total == c ? q->dy : nod_grad_node(q, NOD_OP_CROP, (int[]){q->dy}, 1, &a);
    }
}

static int reshape_shape(nod_shape_query *q)
{
    char a[160], b[160];
    const nod_shape *x = nod_rule_in(q, 0), *y = &q->attr->shape;
    size_t bytes;
    if (!nod_shape_bytes(y, NOD_DTYPE_F64, &bytes) || nod_shape_count(x) != nod_shape_count(y))
        return nod_rule_fail(q, "input %s does not have the elements of %s",
                             nod_shape_text(x, a, sizeof a), nod_shape_text(y, b, sizeof b));
    nod_rule_out(q, 0, *y);
    return 0;
}

static void reshape_gradient(nod_grad_query *q)
{
    nod_attrs a = nod_attrs_default();
    a.shape = nod_grad_shape(q, 0);
    q->dx[0] = nod_grad_node(q, NOD_OP_RESHAPE, (int[]){q->dy}, 1, &a);
}

/* sign 1: pad, -1: crop. */
static int border_shape(nod_shape_query *q, int sign)
{
    nod_shape y = *nod_rule_in(q, 0);
    const nod_attrs *a = q->attr;
    char text[160];
    for (int i = 0; i < y.rank; i++) {
        if (a->lo[i] < 0 || a->hi[i] < 0 || a->lo[i] > INT64_MAX / 4 ||
            a->hi[i] > INT64_MAX / 4)
            return nod_rule_fail(q, "%s takes amounts of 0 or more", nod_op_name(q->op));
        y.dim[i] += sign * (a->lo[i] + a->hi[i]);
        if (y.dim[i] < 1)
            return nod_rule_fail(q, "crop of %lld+%lld leaves nothing of axis %d of input %s",
                                 (long long)a->lo[i], (long long)a->hi[i], i,
                                 nod_shape_text(nod_rule_in(q, 0), text, sizeof text));
    }
    nod_rule_out(q, 0, y);
    return 0;
}

static int pad_shape(nod_shape_query *q)
{
    return border_shape(q, 1);
}

static int crop_shape(nod_shape_query *q)
{
    return border_shape(q, -1);
}

static void pad_gradient(nod_grad_query *q)
{
    q->dx[0] = nod_grad_node(q, NOD_OP_CROP, (int[]){q->dy}, 1, &q->node.attr);
}

static void crop_gradient(nod_grad_query *q)
{
    q->dx[0] = nod_grad_node(q, NOD_OP_PAD, (int[]){q->dy}, 1, &q->node.attr);
}

const nod_op_def nod_op_def_concat = {.name = "concat",
                                      .n_in = NOD_NODE_IN_MAX,
                                      .n_out = 1,
                                      .variadic = true,
                                      .shape = concat_shape,
                                      .gradient = concat_gradient};
const nod_op_def nod_op_def_reshape = {.name = "reshape",
                                       .n_in = 1,
                                       .n_out = 1,
                                       .shape = reshape_shape,
                                       .gradient = reshape_gradient};
const nod_op_def nod_op_def_pad = {
    .name = "pad", .n_in = 1, .n_out = 1, .shape = pad_shape, .gradient = pad_gradient};
const nod_op_def nod_op_def_crop = {
    .name = "crop", .n_in = 1, .n_out = 1, .shape = crop_shape, .gradient = crop_gradient};
