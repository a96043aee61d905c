/* loss.c: losses (a scalar [1]) and their gradients with respect to the prediction.
 * Every gradient takes dloss [1] last, so that losses can be scaled and added. */
#include "graph/op_def.h"

static int optional_weight(nod_shape_query *q)
{
    return nod_rule_vector(q, 2, "class weight", nod_rule_in(q, 0)->dim[1], "logits", 0);
}

/* logits [N,K] or [N,K,S], labels [N] or [N,S]. */
static int check_labels(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0), *t = nod_rule_in(q, 1);
    int rc = nod_rule_rank(q, 0, "the logits", 2, 5, "[N,K] or [N,K,...]");
    if (rc != 0) return rc;
    bool fits = t->rank == x->rank - 1 && t->dim[0] == x->dim[0];
    for (int i = 1; fits && i < t->rank; i++)
        fits = t->dim[i] == x->dim[i + 1];
    if (!fits) return nod_rule_misfit(q, "labels", 1, "logits", 0);
    if (!(q->attr->smoothing >= 0 && q->attr->smoothing < 1))
        return nod_rule_fail(q, "label smoothing must be in [0, 1), not %g",
                             q->attr->smoothing);
    if (!(q->attr->gamma >= 0))
        return nod_rule_fail(q, "gamma must be 0 or more, not %g", q->attr->gamma);
    return optional_weight(q);
}

static int check_focal(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the logits", 2, 2, "[N,K]");
    return rc != 0 ? rc : check_labels(q);
}

static int check_bce(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the logits", 2, 5, "[N,L] or [N,L,...]");
    if (rc == 0) rc = nod_rule_same(q, 1, "targets", 0, "logits");
    if (rc == 0)
        rc = nod_rule_vector(q, 2, "positive weight", nod_rule_in(q, 0)->dim[1], "logits", 0);
    return rc;
}

static int check_pair(nod_shape_query *q)
{
    return nod_rule_same(q, 1, "target", 0, "prediction");
}

static int scalar_out(nod_shape_query *q, int rc)
{
    if (rc == 0) nod_rule_out(q, 0, nod_shape_of(1, (int64_t)1));
    return rc;
}

/* dloss is input `i`. */
static int gradient_out(nod_shape_query *q, int rc, int i)
{
    char text[160];
    if (rc != 0) return rc;
    if (nod_shape_count(nod_rule_in(q, i)) != 1)
        return nod_rule_fail(q, "the gradient of a loss must be a scalar, not %s",
                             nod_shape_text(nod_rule_in(q, i), text, sizeof text));
    nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return 0;
}

static int ce_shape(nod_shape_query *q)
{
    return scalar_out(q, check_labels(q));
}

static int bce_shape(nod_shape_query *q)
{
    return scalar_out(q, check_bce(q));
}

static int pair_shape(nod_shape_query *q)
{
    return scalar_out(q, check_pair(q));
}

static int focal_shape(nod_shape_query *q)
{
    return scalar_out(q, check_focal(q));
}

static int ce_bwd_shape(nod_shape_query *q)
{
    return gradient_out(q, check_labels(q), 3);
}

static int bce_bwd_shape(nod_shape_query *q)
{
    return gradient_out(q, check_bce(q), 3);
}

static int pair_bwd_shape(nod_shape_query *q)
{
    return gradient_out(q, check_pair(q), 2);
}

static int focal_bwd_shape(nod_shape_query *q)
{
    return gradient_out(q, check_focal(q), 3);
}

static void labelled_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    nod_op op = q->node.op == NOD_OP_LOSS_CE    ? NOD_OP_LOSS_CE_BWD
                : q->node.op == NOD_OP_LOSS_BCE ? NOD_OP_LOSS_BCE_BWD
                                                : NOD_OP_LOSS_FOCAL_BWD;
    q->dx[0] = nod_grad_node(q, op, (int[]){in[0], in[1], in[2], q->dy}, 4, &q->node.attr);
}

/* Symmetric: the target's gradient is the prediction's with the other sign. */
static void pair_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    nod_op op = q->node.op == NOD_OP_LOSS_MSE ? NOD_OP_LOSS_MSE_BWD : NOD_OP_LOSS_MAE_BWD;
    int d = nod_grad_node(q, op, (int[]){in[0], in[1], q->dy}, 3, &q->node.attr);
    q->dx[0] = d;
    if (q->need[1]) {
        nod_attrs a = nod_attrs_default();
        a.alpha = -1;
        q->dx[1] = nod_grad_node(q, NOD_OP_SCALE, &d, 1, &a);
    }
}

#define LOSS(label, arity, opt, ints, rule, grad)                                   \
    {                                                                               \
        .name = label, .n_in = arity, .n_out = 1, .optional = opt, .integer = ints, \
        .shape = rule, .gradient = grad                                             \
    }

const nod_op_def nod_op_def_loss_ce = LOSS("loss_ce", 3, 4u, 2u, ce_shape, labelled_gradient);
const nod_op_def nod_op_def_loss_bce = LOSS("loss_bce", 3, 4u, 0, bce_shape, labelled_gradient);
const nod_op_def nod_op_def_loss_mse = LOSS("loss_mse", 2, 0, 0, pair_shape, pair_gradient);
const nod_op_def nod_op_def_loss_mae = LOSS("loss_mae", 2, 0, 0, pair_shape, pair_gradient);
const nod_op_def nod_op_def_loss_focal =
    LOSS("loss_focal", 3, 4u, 2u, focal_shape, labelled_gradient);
const nod_op_def nod_op_def_loss_ce_bwd = LOSS("loss_ce_bwd", 4, 4u, 2u, ce_bwd_shape, NULL);
const nod_op_def nod_op_def_loss_bce_bwd = LOSS("loss_bce_bwd", 4, 4u, 0, bce_bwd_shape, NULL);
const nod_op_def nod_op_def_loss_mse_bwd = LOSS("loss_mse_bwd", 3, 0, 0, pair_bwd_shape, NULL);
const nod_op_def nod_op_def_loss_mae_bwd = LOSS("loss_mae_bwd", 3, 0, 0, pair_bwd_shape, NULL);
const nod_op_def nod_op_def_loss_focal_bwd =
    LOSS("loss_focal_bwd", 4, 4u, 2u, focal_bwd_shape, NULL);
