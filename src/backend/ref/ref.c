/* ref.c: the reference backend: its table of ops, and the border between stored values and the
 * doubles in which every op computes.
 *
 * A new op: its function in the file of its family, its line in OPS. */
#include "backend/ref/ref.h"

#include "base/memory.h"

/* X(id, name): NOD_OP_id is computed by nod_ref_name. */
#define OPS(X)                                    \
    X(DENSE, dense)                               \
    X(CONV, conv)                                 \
    X(CONV_T, conv_t)                             \
    X(POOL_MAX, pool_max)                         \
    X(POOL_AVG, pool_avg)                         \
    X(BATCH_NORM, batch_norm)                     \
    X(BATCH_NORM_INFER, batch_norm_infer)         \
    X(BATCH_NORM_TRACK, batch_norm_track)         \
    X(GROUP_NORM, group_norm)                     \
    X(ACT, act)                                   \
    X(PRELU, prelu)                               \
    X(SOFTMAX, softmax)                           \
    X(DROPOUT, dropout)                           \
    X(ADD, add)                                   \
    X(MUL, mul)                                   \
    X(SCALE, scale)                               \
    X(CONCAT, concat)                             \
    X(RESHAPE, reshape)                           \
    X(PAD, pad)                                   \
    X(CROP, crop)                                 \
    X(UPSAMPLE_NEAREST, upsample_nearest)         \
    X(UPSAMPLE_LINEAR, upsample_linear)           \
    X(LOSS_CE, loss_ce)                           \
    X(LOSS_BCE, loss_bce)                         \
    X(LOSS_MSE, loss_mse)                         \
    X(LOSS_MAE, loss_mae)                         \
    X(LOSS_FOCAL, loss_focal)                     \
    X(DENSE_BWD_DATA, dense_bwd_data)             \
    X(DENSE_BWD_WEIGHTS, dense_bwd_weights)       \
    X(CONV_BWD_DATA, conv_bwd_data)               \
    X(CONV_BWD_WEIGHTS, conv_bwd_weights)         \
    X(BIAS_BWD, bias_bwd)                         \
    X(POOL_MAX_BWD, pool_max_bwd)                 \
    X(POOL_AVG_BWD, pool_avg_bwd)                 \
    X(BATCH_NORM_BWD, batch_norm_bwd)             \
    X(BATCH_NORM_INFER_BWD, batch_norm_infer_bwd) \
    X(GROUP_NORM_BWD, group_norm_bwd)             \
    X(ACT_BWD, act_bwd)                           \
    X(PRELU_BWD, prelu_bwd)                       \
    X(SOFTMAX_BWD, softmax_bwd)                   \
    X(UPSAMPLE_NEAREST_BWD, upsample_nearest_bwd) \
    X(UPSAMPLE_LINEAR_BWD, upsample_linear_bwd)   \
    X(LOSS_CE_BWD, loss_ce_bwd)                   \
    X(LOSS_BCE_BWD, loss_bce_bwd)                 \
    X(LOSS_MSE_BWD, loss_mse_bwd)                 \
    X(LOSS_MAE_BWD, loss_mae_bwd)                 \
    X(LOSS_FOCAL_BWD, loss_focal_bwd)             \
    X(FILL, fill)                                 \
    X(FOLD_NORM_WEIGHTS, fold_norm_weights)       \
    X(FOLD_NORM_BIAS, fold_norm_bias)

#define FUNCTION(id, name) [NOD_OP_##id] = nod_ref_##name,
static nod_ref_function *const functions[NOD_OP_COUNT] = {OPS(FUNCTION)};

/* Ops whose function reads element i of this input before it writes element i of output 0, and
 * never again: the output may take that input's memory. */
static int inplace_input(nod_op op)
{
    switch (op) {
    case NOD_OP_ACT:
    case NOD_OP_ADD:
    case NOD_OP_MUL:
    case NOD_OP_SCALE:
    case NOD_OP_DROPOUT:
    case NOD_OP_RESHAPE:
        return 0;
    case NOD_OP_ACT_BWD:
        return 1;
    default:
        return -1;
    }
}

/* Bytes of a value of this shape, widened. */
static size_t widened_bytes(const nod_shape *s)
{
    size_t bytes = 0;
    NOD_ASSERT(nod_shape_bytes(s, NOD_DTYPE_F64, &bytes));
    return nod_aligned_size(bytes);
}

/* --- match, create, free ------------------------------------------------------------------ */

static int match_op(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    const nod_node *n = q->node;
    fit->scratch_bytes = 0;
    for (int i = 0; i < n->n_in; i++) {
        fit->in[i] = NOD_LAYOUT_PLAIN;
        if (n->in[i] >= 0)
            fit->scratch_bytes += widened_bytes(nod_graph_shape(q->graph, n->in[i]));
    }
    for (int i = 0; i < NOD_NODE_OUT_MAX; i++) {
        fit->out[i] = NOD_LAYOUT_PLAIN;
        fit->inplace[i] = -1;
        if (i < n->n_out && n->out[i] >= 0)
            fit->scratch_bytes += widened_bytes(nod_graph_shape(q->graph, n->out[i]));
    }
    if (q->precision == NOD_PRECISION_F64) fit->scratch_bytes = 0;
    fit->inplace[0] = inplace_input(n->op);
    return 1;
}

/* From the layout that the input has into the preferred one. */
static int match_reorder(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    const nod_shape *shape = nod_graph_shape(q->graph, q->node->in[0]);
    if (!nod_layout_allowed(q->in[0], shape) || !nod_layout_allowed(q->preferred, shape))
        return 0;
    fit->in[0] = q->in[0];
    fit->out[0] = q->preferred;
    fit->scratch_bytes = 0;
    fit->inplace[0] = -1;
    return 1;
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    const nod_node *n = q->node;
    nod_kernel *k = nod_calloc(1, sizeof *k);
    if (k == NULL) return nod_fail_memory(err, "reference kernel", sizeof *k);
    k->function = functions[n->op];
    k->is_double = q->precision == NOD_PRECISION_F64;
    k->attr = n->attr;
    k->n_in = n->n_in;
    k->n_out = n->n_out;
    for (int i = 0; i < n->n_in; i++) {
        if (n->in[i] < 0) continue;
        k->has_in[i] = true;
        k->in_dtype[i] = q->dtype[n->in[i]];
        k->in[i] = *nod_graph_shape(q->graph, n->in[i]);
    }
    for (int i = 0; i < n->n_out; i++) {
        if (n->out[i] < 0) continue;
        k->has_out[i] = true;
        k->out[i] = *nod_graph_shape(q->graph, n->out[i]);
        k->out_dtype[i] = q->dtype[n->out[i]];
    }
    k->from = fit->in[0];
    k->to = fit->out[0];
    *out = k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

/* --- run ---------------------------------------------------------------------------------- */

static void widen(const void *src, nod_dtype dtype, const nod_shape *shape, double *dst)
{
    nod_tensor t = nod_tensor_view((void *)(uintptr_t)src, dtype, shape);
    nod_tensor_to_f64(&t, dst);
}

static void round_back(const double *src, const nod_shape *shape, nod_dtype dtype, void *dst)
{
    int64_t count = nod_shape_count(shape);
    NOD_ASSERT(dtype == NOD_DTYPE_F32 || dtype == NOD_DTYPE_BF16);
    for (int64_t i = 0; i < count; i++) {
        float v = (float)src[i];
        if (dtype == NOD_DTYPE_F32)
            ((float *)dst)[i] = v;
        else
            ((uint16_t *)dst)[i] = nod_bf16_from_f32(v);
    }
}

static int run_widened(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    void *in[NOD_NODE_IN_MAX] = {NULL}, *out[NOD_NODE_OUT_MAX] = {NULL};
    char *free_scratch = a->scratch;
    for (int i = 0; i < k->n_in; i++) {
        if (!k->has_in[i]) continue;
        in[i] = a->in[i];
        if (k->in_dtype[i] == NOD_DTYPE_I32) continue;
        in[i] = free_scratch;
        free_scratch += widened_bytes(&k->in[i]);
        widen(a->in[i], k->in_dtype[i], &k->in[i], in[i]);
    }
    for (int i = 0; i < k->n_out; i++) {
        if (!k->has_out[i]) continue;
        out[i] = free_scratch;
        free_scratch += widened_bytes(&k->out[i]);
    }
    nod_kernel_args widened = {in, out, NULL, a->context};
    int rc = k->function(k, &widened, err);
    if (rc != 0) return rc;
    for (int i = 0; i < k->n_out; i++)
        if (k->has_out[i]) round_back(out[i], &k->out[i], k->out_dtype[i], a->out[i]);
    if (k->function == nod_ref_batch_norm_track) /* the one that writes into its inputs */
        for (int i = 0; i < 2; i++)
            round_back(in[i], &k->in[i], k->in_dtype[i], a->in[i]);
    return 0;
}

static int run_op(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    return k->is_double ? k->function(k, a, err) : run_widened(k, a, err);
}

static int run_reorder(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    nod_ref_reorder(k, a->in[0], a->out[0]);
    return 0;
}

/* --- the backend -------------------------------------------------------------------------- */

#define KERNEL(id, name) \
    &(const nod_kernel_def){"ref", NOD_OP_##id, match_op, create, run_op, free_kernel},

static const nod_kernel_def *const kernels[] = {
    OPS(KERNEL) & (const nod_kernel_def){"ref", NOD_OP_REORDER, match_reorder, create,
                                         run_reorder, free_kernel},
    NULL};

static size_t layouts(nod_precision p, nod_layout out[NOD_LAYOUT_COUNT])
{
    (void)p;
    out[0] = NOD_LAYOUT_PLAIN;
    return 1;
}

static bool has_precision(nod_precision p)
{
    (void)p;
    return true;
}

static const char *isa(void)
{
    return "c";
}

const nod_backend *nod_backend_ref(void)
{
    static const nod_backend backend = {.name = "ref",
                                        .kernels = kernels,
                                        .layouts = layouts,
                                        .has_precision = has_precision,
                                        .isa = isa};
    return &backend;
}
