/* norm.c: batch and group norms, their gradients, the tracking of averages, and the folding of
 * an inference norm into the weights before it.
 *   batch_norm: y = act((x - mean) * istd * gamma + beta + r), mean and variance over N and S.
 *   group_norm: the same per sample and group of channels; groups = C instance, 1 layer norm.
 */
#include "graph/op_def.h"

/* Inputs from `first` to `last` are vectors of C = channels of input 0. */
static int channel_vectors(nod_shape_query *q, int first, int last, const char *const *what,
                           int x, const char *x_name)
{
    int64_t c = nod_rule_in(q, x)->dim[1];
    int rc = 0;
    for (int i = first; rc == 0 && i <= last; i++)
        rc = nod_rule_vector(q, i, what[i - first], c, x_name, x);
    return rc;
}

static const char form[] = "[N,C] or [N,C,...]";
static const char *const affine[] = {"gamma", "beta", "mean", "variance"};

static int batch_norm_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0);
    char text[160];
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, form);
    if (rc == 0) rc = channel_vectors(q, 1, 2, affine, 0, "input");
    if (rc == 0) rc = nod_rule_same(q, 3, "residual", 0, "input");
    if (rc != 0) return rc;
    if (x->dim[0] * nod_rule_rest(x, 2) < 2)
        return nod_rule_fail(q,
                             "batch norm needs more than one value per channel to train on, "
                             "input is %s: use a larger batch or another norm",
                             nod_shape_text(x, text, sizeof text));
    q->attr->residual = nod_rule_in(q, 3) != NULL;
    nod_rule_out(q, 0, *x);
    nod_rule_out(q, 1, nod_shape_of(1, x->dim[1]));
    nod_rule_out(q, 2, nod_shape_of(1, x->dim[1]));
    return 0;
}

static void batch_norm_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    nod_attrs a = q->node.attr;
    int out[NOD_NODE_OUT_MAX];
    bool fused = a.act != NOD_ACT_IDENTITY;
    bool want_r = in[3] >= 0 && q->need[3];
    a.residual = want_r && fused; /* without activation dr is dy itself */
    nod_grad_nodes(q, NOD_OP_BATCH_NORM_BWD,
                   (int[]){in[0], fused ? q->node.out[0] : -1, q->dy, in[1], q->node.out[1],
                           q->node.out[2]},
                   6, &a, out);
    for (int i = 0; i < 3; i++)
        q->dx[i] = out[i];
    if (want_r) q->dx[3] = fused ? out[3] : q->dy;
}

static int batch_norm_bwd_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0);
    static const char *const what[] = {"gamma", "mean", "inverse deviation"};
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, form);
    if (rc == 0) rc = nod_rule_same(q, 1, "output", 0, "input");
    if (rc == 0) rc = nod_rule_same(q, 2, "output gradient", 0, "input");
    if (rc == 0) rc = channel_vectors(q, 3, 5, what, 0, "input");
    if (rc == 0 && q->attr->act != NOD_ACT_IDENTITY && nod_rule_in(q, 1) == NULL)
        rc = nod_rule_fail(q, "batch_norm_bwd with an activation needs the output");
    if (rc != 0) return rc;
    nod_rule_out(q, 0, *x);
    nod_rule_out(q, 1, nod_shape_of(1, x->dim[1]));
    nod_rule_out(q, 2, nod_shape_of(1, x->dim[1]));
    if (q->attr->residual) nod_rule_out(q, 3, *x);
    return 0;
}

static int batch_norm_infer_shape(nod_shape_query *q)
{
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, form);
    if (rc == 0) rc = channel_vectors(q, 1, 4, affine, 0, "input");
    if (rc == 0) rc = nod_rule_same(q, 5, "residual", 0, "input");
    q->attr->residual = nod_rule_in(q, 5) != NULL;
    if (rc == 0) nod_rule_out(q, 0, *nod_rule_in(q, 0));
    return rc;
}

/* The gradient with respect to x and r alone: frozen norms are not trained. */
static void batch_norm_infer_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    nod_attrs a = q->node.attr;
    int out[NOD_NODE_OUT_MAX];
    bool fused = a.act != NOD_ACT_IDENTITY;
    bool want_r = in[5] >= 0 && q->need[5];
    a.residual = want_r && fused;
    nod_grad_nodes(q, NOD_OP_BATCH_NORM_INFER_BWD,
                   (int[]){fused ? q->node.out[0] : -1, q->dy, in[1], in[4]}, 4, &a, out);
    q->dx[0] = out[0];
    if (want_r) q->dx[5] = fused ? out[1] : q->dy;
}

static int batch_norm_infer_bwd_shape(nod_shape_query *q)
{
    const nod_shape *dy = nod_rule_in(q, 1);
    static const char *const what[] = {"gamma", "variance"};
    int rc = nod_rule_rank(q, 1, "the output gradient", 2, 5, form);
    if (rc == 0) rc = nod_rule_same(q, 0, "output", 1, "output gradient");
    if (rc == 0) rc = channel_vectors(q, 2, 3, what, 1, "output gradient");
    if (rc == 0 && q->attr->act != NOD_ACT_IDENTITY && nod_rule_in(q, 0) == NULL)
        rc = nod_rule_fail(q, "batch_norm_infer_bwd with an activation needs the output");
    if (rc != 0) return rc;
    nod_rule_out(q, 0, *dy);
    if (q->attr->residual) nod_rule_out(q, 1, *dy);
    return 0;
}

static int track_shape(nod_shape_query *q)
{
    static const char *const what[] = {"running mean", "running variance", "mean",
                                       "inverse deviation"};
    const nod_shape *m = nod_rule_in(q, 0);
    int rc = nod_rule_rank(q, 0, "the running mean", 1, 1, "[C]");
    for (int i = 1; rc == 0 && i < 4; i++)
        rc = nod_rule_vector(q, i, what[i], m->dim[0], what[0], 0);
    return rc;
}

/* --- group norm ----------------------------------------------------------------------------
 */

static int group_norm_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0);
    int64_t g = q->attr->groups;
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, form);
    if (rc == 0) rc = channel_vectors(q, 1, 2, affine, 0, "input");
    if (rc != 0) return rc;
    if (g < 1 || x->dim[1] % g != 0)
        return nod_rule_fail(q, "%lld channels do not divide into %lld groups",
                             (long long)x->dim[1], (long long)g);
    nod_rule_out(q, 0, *x);
    nod_rule_out(q, 1, nod_shape_of(2, x->dim[0], g));
    nod_rule_out(q, 2, nod_shape_of(2, x->dim[0], g));
    return 0;
}

static void group_norm_gradient(nod_grad_query *q)
{
    const int *in = q->node.in;
    int out[NOD_NODE_OUT_MAX];
    int y = q->node.attr.act != NOD_ACT_IDENTITY ? q->node.out[0] : -1;
    nod_grad_nodes(q, NOD_OP_GROUP_NORM_BWD,
                   (int[]){in[0], y, q->dy, in[1], q->node.out[1], q->node.out[2]}, 6,
                   &q->node.attr, out);
    for (int i = 0; i < 3; i++)
        q->dx[i] = out[i];
}

static int group_norm_bwd_shape(nod_shape_query *q)
{
    const nod_shape *x = nod_rule_in(q, 0);
    nod_shape stat;
    int rc = nod_rule_rank(q, 0, "the input", 2, 5, form);
    if (rc == 0) rc = nod_rule_same(q, 1, "output", 0, "input");
    if (rc == 0) rc = nod_rule_same(q, 2, "output gradient", 0, "input");
    if (rc == 0) rc = nod_rule_vector(q, 3, "gamma", x->dim[1], "input", 0);
    if (rc != 0) return rc;
    if (q->attr->groups < 1 || x->dim[1] % q->attr->groups != 0)
        return nod_rule_fail(q, "%lld channels do not divide into %lld groups",
                             (long long)x->dim[1], (long long)q->attr->groups);
    if (q->attr->act != NOD_ACT_IDENTITY && nod_rule_in(q, 1) == NULL)
        return nod_rule_fail(q, "group_norm_bwd with an activation needs the output");
    stat = nod_shape_of(2, x->dim[0], q->attr->groups);
    for (int i = 4; i < 6; i++)
        if (!nod_shape_equal(nod_rule_in(q, i), &stat))
            return nod_rule_misfit(q, i == 4 ? "mean" : "inverse deviation", i, "input", 0);
    nod_rule_out(q, 0, *x);
    nod_rule_out(q, 1, nod_shape_of(1, x->dim[1]));
    nod_rule_out(q, 2, nod_shape_of(1, x->dim[1]));
    return 0;
}

/* --- folding -------------------------------------------------------------------------------
 */

static int fold_weights_shape(nod_shape_query *q)
{
    const nod_shape *w = nod_rule_in(q, 0);
    int rc = nod_rule_rank(q, 0, "the weight", 2, NOD_RANK_MAX, "[O,...]");
    if (rc == 0) rc = nod_rule_vector(q, 1, "gamma", w->dim[0], "weight", 0);
    if (rc == 0) rc = nod_rule_vector(q, 2, "variance", w->dim[0], "weight", 0);
    if (rc == 0) nod_rule_out(q, 0, *w);
    return rc;
}

static int fold_bias_shape(nod_shape_query *q)
{
    const nod_shape *gamma = nod_rule_in(q, 1);
    static const char *const what[] = {"bias", "gamma", "beta", "mean", "variance"};
    int rc = nod_rule_rank(q, 1, "gamma", 1, 1, "[C]");
    for (int i = 0; rc == 0 && i < 5; i++)
        rc = nod_rule_vector(q, i, what[i], gamma->dim[0], "gamma", 1);
    if (rc == 0) nod_rule_out(q, 0, *gamma);
    return rc;
}

const nod_op_def nod_op_def_batch_norm = {.name = "batch_norm",
                                          .n_in = 4,
                                          .n_out = 3,
                                          .optional = 1u << 3,
                                          .shape = batch_norm_shape,
                                          .gradient = batch_norm_gradient};
const nod_op_def nod_op_def_batch_norm_infer = {.name = "batch_norm_infer",
                                                .n_in = 6,
                                                .n_out = 1,
                                                .optional = 1u << 5,
                                                .shape = batch_norm_infer_shape,
                                                .gradient = batch_norm_infer_gradient};
const nod_op_def nod_op_def_batch_norm_track = {
    .name = "batch_norm_track", .n_in = 4, .n_out = 0, .shape = track_shape};
const nod_op_def nod_op_def_batch_norm_bwd = {.name = "batch_norm_bwd",
                                              .n_in = 6,
                                              .n_out = 4,
                                              .optional = 1u << 1,
                                              .shape = batch_norm_bwd_shape};
const nod_op_def nod_op_def_batch_norm_infer_bwd = {.name = "batch_norm_infer_bwd",
                                                    .n_in = 4,
                                                    .n_out = 2,
                                                    .optional = 1u << 0,
                                                    .shape = batch_norm_infer_bwd_shape};
const nod_op_def nod_op_def_group_norm = {.name = "group_norm",
                                          .n_in = 3,
                                          .n_out = 3,
                                          .shape = group_norm_shape,
                                          .gradient = group_norm_gradient};
const nod_op_def nod_op_def_group_norm_bwd = {.name = "group_norm_bwd",
                                              .n_in = 6,
                                              .n_out = 3,
                                              .optional = 1u << 1,
                                              .shape = group_norm_bwd_shape};
const nod_op_def nod_op_def_fold_norm_weights = {
    .name = "fold_norm_weights", .n_in = 3, .n_out = 1, .shape = fold_weights_shape};
const nod_op_def nod_op_def_fold_norm_bias = {.name = "fold_norm_bias",
                                              .n_in = 5,
                                              .n_out = 1,
                                              .optional = 1u << 0,
                                              .shape = fold_bias_shape};
