/* winograd.c: the Winograd kernels as members of the backend's table: which nodes they fit,
 * how their memory is laid out, and the call of the instruction set's code. */
#include "backend/cpu/winograd.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/cpu.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

/* Fewer tiles than this do not pay for the transformed weights: U is four (2-D) times the
 * weights and has to be made, or read from memory. */
#define TILES_MIN 8
/* More weights than this on values in bf16 and the library's bf16 products win, forwards and for
 * data: U in f32 is eight times what they read. Zen 4, planes of 4 to 14 and batches of 16 to 256,
 * by `nodule bench --tune`: 64 to 256 channels here, 512 there. */
#define HALF_WEIGHTS_MAX (256 * 512)

typedef enum conv_pass { PASS_FORWARD, PASS_DATA, PASS_WEIGHTS } conv_pass;

struct nod_kernel {
    const nod_winograd_isa *isa;
    conv_pass pass;
    nod_winograd_conv conv;
    nod_winograd_grad grad;
    int64_t w_stride_o, w_stride_c;
    nod_act act;
    float alpha;
    bool has_bias;
    float *kept_u; /* frozen weights, transformed by the first run and each fresh one */
    bool u_ready;
};

/* --- what fits ---------------------------------------------------------------------------- */

static const nod_shape *value_shape(const nod_kernel_query *q, int value)
{
    return value >= 0 ? &q->graph->values[value].shape : NULL;
}

/* Reads the shape of the pass from source, weights and output of the forward convolution. */
static bool shape_from(const nod_attrs *at, const nod_shape *x, const nod_shape *w,
                       const nod_shape *y, conv_pass pass, int64_t lanes,
                       nod_winograd_shape *out)
{
    const int rank = x->rank;
    if ((rank != 4 && rank != 5) || w->rank != rank || y->rank != rank) return false;
    if (at->groups != 1) return false;
    for (int i = 5 - rank; i < 3; i++) {
        const int64_t taps = w->dim[rank - 3 + i];
        if (at->stride[i] != 1 || at->dilation[i] != 1) return false;
        if (taps != 3 && !(i == 0 && taps == 1)) return false;
        if (at->pad_lo[i] < 0 || at->pad_lo[i] >= taps || at->pad_hi[i] < 0 ||
            at->pad_hi[i] >= taps)
            return false;
    }
    const bool deep = rank == 5;
    nod_winograd_shape s = {
        .n = x->dim[0],
        .c = x->dim[1],
        .o = y->dim[1],
        .d = deep ? x->dim[2] : 1,
        .h = x->dim[rank - 2],
        .w = x->dim[rank - 1],
        .od = deep ? y->dim[2] : 1,
        .oh = y->dim[rank - 2],
        .ow = y->dim[rank - 1],
        .kd = deep ? w->dim[2] : 1,
        .pd = deep ? at->pad_lo[0] : 0,
        .ph = at->pad_lo[1],
        .pw = at->pad_lo[2],
    };
    if (s.c % lanes != 0 || s.o % lanes != 0) return false;
    for (int i = 0; i < rank; i++)
        if (x->dim[i] <= 0 || y->dim[i] <= 0) return false;
    if (pass == PASS_DATA) {
        /* dx is a convolution of dy with the flipped filter and padding taps - 1 - pad */
        nod_winograd_shape b = s;
        b.c = s.o, b.o = s.c;
        b.d = s.od, b.h = s.oh, b.w = s.ow;
        b.od = s.d, b.oh = s.h, b.ow = s.w;
        b.pd = s.kd - 1 - s.pd, b.ph = 2 - s.ph, b.pw = 2 - s.pw;
        s = b;
    }
    *out = s;
    return true;
}

static bool node_shape(const nod_kernel_query *q, conv_pass pass, int64_t lanes,
                       nod_winograd_shape *out)
{
    const nod_node *n = q->node;
    const nod_shape *a = value_shape(q, n->in[0]), *b = value_shape(q, n->in[1]);
    const nod_shape *c = value_shape(q, n->out[0]);
    if (a == NULL || b == NULL || c == NULL) return false;
    switch (pass) {
    case PASS_FORWARD:
        return shape_from(&n->attr, a, b, c, pass, lanes, out);
    case PASS_DATA:
        return shape_from(&n->attr, c, b, a, pass, lanes, out);
    default:
        return shape_from(&n->attr, a, c, b, pass, lanes, out);
    }
}

/* The code for how source and output are stored; NULL: none for these. */
static const nod_winograd_isa *isa_for(const nod_kernel_query *q, conv_pass pass,
                                       const nod_winograd_isa *isa)
{
    const nod_node *n = q->node;
    const int other = pass == PASS_WEIGHTS ? n->in[1] : n->out[0];
    const bool half = nod_stored_half(q, n->in[0]);
    if (q->precision == NOD_PRECISION_F64 || half != nod_stored_half(q, other)) return NULL;
    if (!half) return isa;
    return isa == &nod_winograd_isa_avx512 ? &nod_winograd_isa_avx512_half : NULL;
}

static size_t padded(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

static size_t conv_scratch(const nod_winograd_conv *cv, bool keep_u)
{
    return (padded(keep_u ? 0 : cv->u_floats) + padded(cv->v_floats) +
            (size_t)cv->n_workers * padded(cv->worker_floats)) *
           sizeof(float);
}

static size_t grad_scratch(const nod_winograd_grad *gr)
{
    return (padded(gr->v_floats) + padded(gr->w_floats) + padded(gr->du_floats) +
            (size_t)gr->n_workers * padded(gr->worker_floats)) *
           sizeof(float);
}

static int match(const nod_kernel_query *q, nod_kernel_fit *fit, conv_pass pass,
                 const nod_winograd_isa *isa, nod_layout layout)
{
    nod_winograd_shape s;
    if (!isa_for(q, pass, isa) || q->preferred != layout) return 0;
    if (!node_shape(q, pass, isa->lanes, &s)) return 0;
    if (nod_stored_half(q, q->node->in[0]) && pass != PASS_WEIGHTS &&
        s.c * s.o > HALF_WEIGHTS_MAX)
        return 0;
    if (s.n * ((s.oh + 3) / 4) * ((s.ow + 3) / 4) * s.od < TILES_MIN && s.c * s.o > 128 * 128)
        return 0;
    memset(fit, 0, sizeof *fit);
    for (int i = 0; i < NOD_NODE_OUT_MAX; i++)
        fit->inplace[i] = -1;
    const int threads = nod_threads_get();
    fit->in[0] = layout;
    if (pass == PASS_WEIGHTS) {
        nod_winograd_grad gr;
        fit->in[1] = layout;
        if (!nod_winograd_grad_plan(&gr, &s, isa, threads)) return 0;
        fit->scratch_bytes = grad_scratch(&gr);
    } else {
        nod_winograd_conv cv;
        fit->out[0] = layout;
        if (!nod_winograd_conv_plan(&cv, &s, isa, threads, q->frozen)) return 0;
        fit->scratch_bytes = conv_scratch(&cv, q->frozen);
        if (q->frozen) fit->kept_bytes = cv.u_floats * sizeof(float);
    }
    return 1;
}

/* --- life and run ------------------------------------------------------------------------- */

static void kernel_free(nod_kernel *k)
{
    if (k == NULL) return;
    nod_free(k->kept_u);
    nod_free(k);
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err, conv_pass pass, const nod_winograd_isa *isa)
{
    nod_kernel *k = nod_calloc(1, sizeof *k);
    if (k == NULL) return nod_fail_memory(err, "a Winograd kernel", sizeof *k);
    nod_winograd_shape s;
    bool fits = node_shape(q, pass, isa->lanes, &s);
    NOD_ASSERT(fits);
    const nod_attrs *at = &q->node->attr;
    const int64_t taps = s.kd * 9;
    k->isa = isa_for(q, pass, isa);
    k->pass = pass;
    k->act = at->act;
    k->alpha = (float)at->alpha;
    if (pass == PASS_WEIGHTS) {
        fits = nod_winograd_grad_plan(&k->grad, &s, isa, nod_threads_get());
        NOD_ASSERT(fits && grad_scratch(&k->grad) == fit->scratch_bytes);
        *out = k;
        return 0;
    }
    fits = nod_winograd_conv_plan(&k->conv, &s, isa, nod_threads_get(), q->frozen);
    NOD_ASSERT(fits && conv_scratch(&k->conv, q->frozen) == fit->scratch_bytes);
    /* weights are [O,C,...] of the forward convolution */
    k->w_stride_o = pass == PASS_DATA ? taps : s.c * taps;
    k->w_stride_c = pass == PASS_DATA ? s.o * taps : taps;
    if (q->frozen) {
        const size_t bytes = k->conv.u_floats * sizeof(float);
        k->kept_u = nod_aligned_calloc(bytes);
        if (k->kept_u == NULL) {
            kernel_free(k);
            return nod_fail_memory(err, "transformed weights", bytes);
        }
    }
    *out = k;
    return 0;
}

static int run(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    float *scratch = a->scratch;
    if (k->pass == PASS_WEIGHTS) {
        const nod_winograd_grad *gr = &k->grad;
        nod_winograd_grad_args g = {.grad = gr,
                                    .src = a->in[0],
                                    .ddst = a->in[1],
                                    .dweights = a->out[0],
                                    .dbias = a->out[1]};
        g.v = scratch;
        g.w = g.v + padded(gr->v_floats);
        g.du = g.w + padded(gr->w_floats);
        g.workers = g.du + padded(gr->du_floats);
        k->isa->grad(&g);
        return 0;
    }
    const nod_winograd_conv *cv = &k->conv;
    nod_winograd_conv_args c = {.conv = cv,
                                .src = a->in[0],
                                .weights = a->in[1],
                                .dst = a->out[0],
                                .w_stride_o = k->w_stride_o,
                                .w_stride_c = k->w_stride_c,
                                .flip = k->pass == PASS_DATA};
    if (k->pass == PASS_FORWARD) {
        c.bias = a->in[2];
        c.act = k->act;
        c.alpha = k->alpha;
    }
    c.u = k->kept_u != NULL ? k->kept_u : scratch;
    c.u_ready = k->u_ready && !(a->context != NULL && a->context->fresh);
    c.v = scratch + (k->kept_u != NULL ? 0 : padded(cv->u_floats));
    c.workers = c.v + padded(cv->v_floats);
    k->isa->conv(&c);
    k->u_ready = k->kept_u != NULL;
    return 0;
}

void nod_winograd_act(float *x, int64_t n, nod_act act, float alpha)
{
    for (int64_t i = 0; i < n; i++) {
        const float v = x[i];
        switch (act) {
        case NOD_ACT_RELU:
            x[i] = v < 0 ? 0 : v;
            break;
        case NOD_ACT_LEAKY_RELU:
            x[i] = v < 0 ? v * alpha : v;
            break;
        case NOD_ACT_ELU:
            x[i] = v < 0 ? alpha * expm1f(v) : v;
            break;
        case NOD_ACT_GELU:
            x[i] = 0.5f * v * erfcf(-v * 0.70710678f);
            break;
        case NOD_ACT_SILU:
            x[i] = v / (1 + expf(-v));
            break;
        case NOD_ACT_SIGMOID:
            x[i] = 1 / (1 + expf(-v));
            break;
        case NOD_ACT_TANH:
            x[i] = tanhf(v);
            break;
        default:
            break;
        }
    }
}

/* --- the table's members ------------------------------------------------------------------ */

#define KERNEL(name, isa, layout, pass, node_op, text)                                      \
    static int match_##name(const nod_kernel_query *q, nod_kernel_fit *fit)                 \
    {                                                                                       \
        return nod_cpu_has_##isa() && match(q, fit, pass, &nod_winograd_isa_##isa, layout); \
    }                                                                                       \
    static int create_##name(const nod_kernel_query *q, const nod_kernel_fit *fit,          \
                             nod_kernel **out, nod_error *err)                              \
    {                                                                                       \
        return create(q, fit, out, err, pass, &nod_winograd_isa_##isa);                     \
    }                                                                                       \
    const nod_kernel_def nod_winograd_##name = {text,          node_op, match_##name,       \
                                                create_##name, run,     kernel_free};

#define KERNELS(isa, layout)                                                           \
    KERNEL(isa##_conv, isa, layout, PASS_FORWARD, NOD_OP_CONV, "winograd_" #isa)       \
    KERNEL(isa##_conv_bwd_data, isa, layout, PASS_DATA, NOD_OP_CONV_BWD_DATA,          \
           "winograd_" #isa)                                                           \
    KERNEL(isa##_conv_bwd_weights, isa, layout, PASS_WEIGHTS, NOD_OP_CONV_BWD_WEIGHTS, \
           "winograd_" #isa)

KERNELS(avx2, NOD_LAYOUT_BLOCK8)
KERNELS(avx512, NOD_LAYOUT_BLOCK16)
