/* op.c: the table of ops and activations: names, and the row of each op. */
#include "graph/op.h"

#include <string.h>

#include "graph/op_def.h"

static const nod_op_def *const rows[NOD_OP_COUNT] = {
    [NOD_OP_DENSE] = &nod_op_def_dense,
    [NOD_OP_CONV] = &nod_op_def_conv,
    [NOD_OP_CONV_T] = &nod_op_def_conv_t,
    [NOD_OP_POOL_MAX] = &nod_op_def_pool_max,
    [NOD_OP_POOL_AVG] = &nod_op_def_pool_avg,
    [NOD_OP_BATCH_NORM] = &nod_op_def_batch_norm,
    [NOD_OP_BATCH_NORM_INFER] = &nod_op_def_batch_norm_infer,
    [NOD_OP_BATCH_NORM_TRACK] = &nod_op_def_batch_norm_track,
    [NOD_OP_GROUP_NORM] = &nod_op_def_group_norm,
    [NOD_OP_ACT] = &nod_op_def_act,
    [NOD_OP_PRELU] = &nod_op_def_prelu,
    [NOD_OP_SOFTMAX] = &nod_op_def_softmax,
    [NOD_OP_DROPOUT] = &nod_op_def_dropout,
    [NOD_OP_ADD] = &nod_op_def_add,
    [NOD_OP_MUL] = &nod_op_def_mul,
    [NOD_OP_SCALE] = &nod_op_def_scale,
    [NOD_OP_CONCAT] = &nod_op_def_concat,
    [NOD_OP_RESHAPE] = &nod_op_def_reshape,
    [NOD_OP_PAD] = &nod_op_def_pad,
    [NOD_OP_CROP] = &nod_op_def_crop,
    [NOD_OP_UPSAMPLE_NEAREST] = &nod_op_def_upsample_nearest,
    [NOD_OP_UPSAMPLE_LINEAR] = &nod_op_def_upsample_linear,
    [NOD_OP_LOSS_CE] = &nod_op_def_loss_ce,
    [NOD_OP_LOSS_BCE] = &nod_op_def_loss_bce,
    [NOD_OP_LOSS_MSE] = &nod_op_def_loss_mse,
    [NOD_OP_LOSS_MAE] = &nod_op_def_loss_mae,
    [NOD_OP_LOSS_FOCAL] = &nod_op_def_loss_focal,
    [NOD_OP_DENSE_BWD_DATA] = &nod_op_def_dense_bwd_data,
    [NOD_OP_DENSE_BWD_WEIGHTS] = &nod_op_def_dense_bwd_weights,
    [NOD_OP_CONV_BWD_DATA] = &nod_op_def_conv_bwd_data,
    [NOD_OP_CONV_BWD_WEIGHTS] = &nod_op_def_conv_bwd_weights,
    [NOD_OP_BIAS_BWD] = &nod_op_def_bias_bwd,
    [NOD_OP_POOL_MAX_BWD] = &nod_op_def_pool_max_bwd,
    [NOD_OP_POOL_AVG_BWD] = &nod_op_def_pool_avg_bwd,
    [NOD_OP_BATCH_NORM_BWD] = &nod_op_def_batch_norm_bwd,
    [NOD_OP_BATCH_NORM_INFER_BWD] = &nod_op_def_batch_norm_infer_bwd,
    [NOD_OP_GROUP_NORM_BWD] = &nod_op_def_group_norm_bwd,
    [NOD_OP_ACT_BWD] = &nod_op_def_act_bwd,
    [NOD_OP_PRELU_BWD] = &nod_op_def_prelu_bwd,
    [NOD_OP_SOFTMAX_BWD] = &nod_op_def_softmax_bwd,
    [NOD_OP_UPSAMPLE_NEAREST_BWD] = &nod_op_def_upsample_nearest_bwd,
    [NOD_OP_UPSAMPLE_LINEAR_BWD] = &nod_op_def_upsample_linear_bwd,
    [NOD_OP_LOSS_CE_BWD] = &nod_op_def_loss_ce_bwd,
    [NOD_OP_LOSS_BCE_BWD] = &nod_op_def_loss_bce_bwd,
    [NOD_OP_LOSS_MSE_BWD] = &nod_op_def_loss_mse_bwd,
    [NOD_OP_LOSS_MAE_BWD] = &nod_op_def_loss_mae_bwd,
    [NOD_OP_LOSS_FOCAL_BWD] = &nod_op_def_loss_focal_bwd,
    [NOD_OP_FILL] = &nod_op_def_fill,
    [NOD_OP_FOLD_NORM_WEIGHTS] = &nod_op_def_fold_norm_weights,
    [NOD_OP_FOLD_NORM_BIAS] = &nod_op_def_fold_norm_bias,
    [NOD_OP_REORDER] = &nod_op_def_reorder,
};

const nod_op_def *nod_op_def_of(nod_op op)
{
    NOD_ASSERT(op >= 0 && op < NOD_OP_COUNT && rows[op] != NULL);
    return rows[op];
}

const char *nod_op_name(nod_op op)
{
    return nod_op_def_of(op)->name;
}

int nod_op_from_name(const char *name)
{
    for (int i = 0; i < NOD_OP_COUNT; i++)
        if (strcmp(rows[i]->name, name) == 0) return i;
    return -1;
}

nod_attrs nod_attrs_default(void)
{
    nod_attrs a = {.groups = 1};
    for (int i = 0; i < 3; i++)
        a.kernel[i] = a.stride[i] = a.dilation[i] = a.scale[i] = 1;
    return a;
}

static const struct {
    const char *name;
    bool from_output;
} acts[NOD_ACT_COUNT] = {
    [NOD_ACT_IDENTITY] = {"identity", true},
    [NOD_ACT_RELU] = {"relu", true},
    [NOD_ACT_LEAKY_RELU] = {"leaky_relu", true},
    [NOD_ACT_ELU] = {"elu", true},
    [NOD_ACT_GELU] = {"gelu", false},
    [NOD_ACT_SILU] = {"silu", false},
    [NOD_ACT_SIGMOID] = {"sigmoid", true},
    [NOD_ACT_TANH] = {"tanh", true},
};

const char *nod_act_name(nod_act a)
{
    NOD_ASSERT(a >= 0 && a < NOD_ACT_COUNT);
    return acts[a].name;
}

int nod_act_from_name(const char *name)
{
    for (int i = 0; i < NOD_ACT_COUNT; i++)
        if (strcmp(acts[i].name, name) == 0) return i;
    return -1;
}

bool nod_act_from_output(nod_act a)
{
    NOD_ASSERT(a >= 0 && a < NOD_ACT_COUNT);
    return acts[a].from_output;
}
