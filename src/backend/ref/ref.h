/* ref.h: the reference backend's kernel, and the functions of its op families.
 *
 * Every op is one function on doubles in the PLAIN layout: nod_kernel_args with double arrays
 * (i32 for labels). A NOD_PRECISION_F64 plan calls it directly; otherwise ref.c widens the
 * inputs (f32, bf16) into scratch and rounds the outputs once at the end. So each op is written
 * once, accumulates in double, and its narrow result is the rounded exact one. */
#ifndef NOD_BACKEND_REF_REF_H
#define NOD_BACKEND_REF_REF_H

#include "backend/backend.h"

typedef int nod_ref_function(const nod_kernel *k, const nod_kernel_args *a, nod_error *err);

struct nod_kernel {
    nod_ref_function *function;
    bool is_double; /* all reals are f64 */
    nod_attrs attr;
    int n_in, n_out;
    bool has_in[NOD_NODE_IN_MAX], has_out[NOD_NODE_OUT_MAX];
    nod_shape in[NOD_NODE_IN_MAX], out[NOD_NODE_OUT_MAX]; /* shapes */
    nod_dtype in_dtype[NOD_NODE_IN_MAX], out_dtype[NOD_NODE_OUT_MAX];
    nod_layout from, to; /* NOD_OP_REORDER */
};

/* A value as [n, c, d, h, w]: what is missing is 1. Rank 1 [N], 2 [N,C], 3 [N,C,W],
 * 4 [N,C,H,W], 5 [N,C,D,H,W]. */
typedef struct nod_ref_view {
    int64_t n, c, d, h, w;
    int64_t plane; /* d*h*w */
} nod_ref_view;

static inline nod_ref_view nod_ref_view_of(const nod_shape *s)
{
    NOD_ASSERT(s->rank >= 1 && s->rank <= 5);
    nod_ref_view v = {.n = s->dim[0], .c = 1, .d = 1, .h = 1, .w = 1};
    if (s->rank >= 2) v.c = s->dim[1];
    if (s->rank >= 3) v.w = s->dim[s->rank - 1];
    if (s->rank >= 4) v.h = s->dim[s->rank - 2];
    if (s->rank >= 5) v.d = s->dim[2];
    v.plane = v.d * v.h * v.w;
    return v;
}

/* The output positions o, lo <= o < hi, whose input position o*stride - pad + tap*dilation lies
 * inside 0..size-1. */
typedef struct nod_ref_range {
    int64_t lo, hi;
} nod_ref_range;

static inline nod_ref_range nod_ref_tap_range(int64_t tap, int64_t stride, int64_t pad,
                                              int64_t dilation, int64_t size, int64_t n_out)
{
    int64_t offset = tap * dilation - pad;
    nod_ref_range r = {0, 0};
    if (offset < 0) r.lo = (-offset + stride - 1) / stride;
    if (size - 1 - offset >= 0) r.hi = (size - 1 - offset) / stride + 1;
    if (r.hi > n_out) r.hi = n_out;
    return r;
}

/* dense.c */
nod_ref_function nod_ref_dense, nod_ref_dense_bwd_data, nod_ref_dense_bwd_weights;
/* conv.c */
nod_ref_function nod_ref_conv, nod_ref_conv_t, nod_ref_conv_bwd_data, nod_ref_conv_bwd_weights,
    nod_ref_bias_bwd;
/* pool.c */
nod_ref_function nod_ref_pool_max, nod_ref_pool_avg, nod_ref_pool_max_bwd, nod_ref_pool_avg_bwd;
/* norm.c */
nod_ref_function nod_ref_batch_norm, nod_ref_batch_norm_infer, nod_ref_batch_norm_track,
    nod_ref_batch_norm_bwd, nod_ref_batch_norm_infer_bwd, nod_ref_group_norm,
    nod_ref_group_norm_bwd;
/* act.c */
nod_ref_function nod_ref_act, nod_ref_act_bwd, nod_ref_prelu, nod_ref_prelu_bwd,
    nod_ref_softmax, nod_ref_softmax_bwd, nod_ref_add, nod_ref_mul, nod_ref_scale, nod_ref_fill;
/* dropout.c */
nod_ref_function nod_ref_dropout;
/* shape.c */
nod_ref_function nod_ref_concat, nod_ref_reshape, nod_ref_pad, nod_ref_crop;
/* upsample.c */
nod_ref_function nod_ref_upsample_nearest, nod_ref_upsample_linear,
    nod_ref_upsample_nearest_bwd, nod_ref_upsample_linear_bwd;
/* loss.c */
nod_ref_function nod_ref_loss_ce, nod_ref_loss_ce_bwd, nod_ref_loss_bce, nod_ref_loss_bce_bwd,
    nod_ref_loss_mse, nod_ref_loss_mse_bwd, nod_ref_loss_mae, nod_ref_loss_mae_bwd,
    nod_ref_loss_focal, nod_ref_loss_focal_bwd;
/* fold.c */
nod_ref_function nod_ref_fold_norm_weights, nod_ref_fold_norm_bias;

/* reorder.c: the one kernel that moves values as they are stored. */
void nod_ref_reorder(const nod_kernel *k, const void *src, void *dst);

#endif
