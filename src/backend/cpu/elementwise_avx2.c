/* elementwise_avx2.c: activations, sums and reorders: one pass over memory, in any layout.
 *
 * Loops are plain C over chunks; the compiler makes AVX2 of them (this file is compiled for it).
 * A chunk is one task, so that the work is cut by shape alone. */
#include <math.h>
#include <string.h>

#include "backend/cpu/blocks.h"
#include "backend/cpu/cpu.h"
#include "base/memory.h"
#include "base/threads.h"

#define CHUNK 32768 /* floats */

typedef struct element_kernel {
    int64_t n;
    nod_act act;
    float alpha;
    bool from_output;
    nod_blocks from, to; /* reorder */
} element_kernel;

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    element_kernel *k = nod_calloc(1, sizeof *k);
    const nod_attrs *a = &q->node->attr;
    if (!k) return nod_fail_memory(err, "elementwise kernel", sizeof *k);
    k->n = nod_shape_count(nod_query_shape(q, q->node->in[0]));
    k->act = a->act;
    k->alpha = (float)a->alpha;
    k->from_output = a->from_output;
    if (q->node->op == NOD_OP_REORDER) {
        k->from = nod_blocks_of(nod_query_shape(q, q->node->in[0]), fit->in[0]);
        k->to = nod_blocks_of(nod_query_shape(q, q->node->in[0]), fit->out[0]);
    }
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

static bool usable(const nod_kernel_query *q)
{
    return q->precision == NOD_PRECISION_F32 && nod_cpu_has_avx2();
}

typedef struct element_job {
    const element_kernel *k;
    const float *a, *b;
    float *y;
} element_job;

static int run_chunks(element_job *j, void (*fn)(void *, int64_t))
{
    nod_parallel_for((j->k->n + CHUNK - 1) / CHUNK, fn, j);
    return 0;
}

/* --- activations ---------------------------------------------------------------------------- */

static bool is_simple(nod_act a)
{
    return a == NOD_ACT_IDENTITY || a == NOD_ACT_RELU || a == NOD_ACT_LEAKY_RELU;
}

/* Slope below zero of the piecewise linear activations. */
static float slope_of(const element_kernel *k)
{
    return k->act == NOD_ACT_RELU ? 0.0F : k->act == NOD_ACT_LEAKY_RELU ? k->alpha : 1.0F;
}

static float act_value(nod_act act, float alpha, float x)
{
    switch (act) {
    case NOD_ACT_ELU:
        return x > 0 ? x : alpha * expm1f(x);
    case NOD_ACT_GELU:
        return 0.5F * x * (1.0F + erff(x * 0.70710678F));
    case NOD_ACT_SILU:
        return x / (1.0F + expf(-x));
    case NOD_ACT_SIGMOID:
        return 1.0F / (1.0F + expf(-x));
    case NOD_ACT_TANH:
        return tanhf(x);
    default:
        return x;
    }
}

/* Derivative from v: the output where from_output, else the input. */
static float act_slope(nod_act act, float alpha, bool from_output, float v)
{
    float y = from_output ? v : act_value(act, alpha, v), s;
    switch (act) {
    case NOD_ACT_ELU:
        return y > 0 ? 1.0F : y + alpha;
    case NOD_ACT_SIGMOID:
        return y * (1.0F - y);
    case NOD_ACT_TANH:
        return 1.0F - y * y;
    case NOD_ACT_GELU:
        return 0.5F * (1.0F + erff(v * 0.70710678F)) + v * 0.39894228F * expf(-0.5F * v * v);
    case NOD_ACT_SILU:
        s = 1.0F / (1.0F + expf(-v));
        return s * (1.0F + v * (1.0F - s));
    default:
        return 1.0F;
    }
}

static void act_chunk(void *ctx, int64_t i)
{
    const element_job *j = ctx;
    int64_t from = i * CHUNK, to = NOD_MIN(from + CHUNK, j->k->n);
    const float *a = j->a, slope = slope_of(j->k);
    float *y = j->y;
    if (is_simple(j->k->act))
        for (int64_t k = from; k < to; k++)
            y[k] = a[k] <= 0 ? slope * a[k] : a[k];
    else
        for (int64_t k = from; k < to; k++)
            y[k] = act_value(j->k->act, j->k->alpha, a[k]);
}

static int match_act(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    if (!usable(q)) return 0;
    fit->in[0] = fit->out[0] = q->in[0];
    fit->inplace[0] = 0;
    return 1;
}

static int run_act(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    element_job j = {(const element_kernel *)k, a->in[0], NULL, a->out[0]};
    (void)err;
    return run_chunks(&j, act_chunk);
}

static void act_bwd_chunk(void *ctx, int64_t i)
{
    const element_job *j = ctx;
    int64_t from = i * CHUNK, to = NOD_MIN(from + CHUNK, j->k->n);
    const float *v = j->a, *dy = j->b, slope = slope_of(j->k);
    float *dx = j->y;
    if (is_simple(j->k->act))
        for (int64_t k = from; k < to; k++)
            dx[k] = v[k] > 0 ? dy[k] : slope * dy[k];
    else
        for (int64_t k = from; k < to; k++)
            dx[k] = dy[k] * act_slope(j->k->act, j->k->alpha, j->k->from_output, v[k]);
}

static int match_act_bwd(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    if (!usable(q)) return 0;
    fit->in[0] = fit->in[1] = fit->out[0] = q->in[0];
    fit->inplace[0] = 1;
    return 1;
}

static int run_act_bwd(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    element_job j = {(const element_kernel *)k, a->in[0], a->in[1], a->out[0]};
    (void)err;
    return run_chunks(&j, act_bwd_chunk);
}

/* --- sums ------------------------------------------------------------------------------------- */

static void add_chunk(void *ctx, int64_t i)
{
    const element_job *j = ctx;
    int64_t from = i * CHUNK, to = NOD_MIN(from + CHUNK, j->k->n);
    const float *a = j->a, *b = j->b, slope = slope_of(j->k);
    float *y = j->y;
    if (j->k->act == NOD_ACT_IDENTITY)
        for (int64_t k = from; k < to; k++)
            y[k] = a[k] + b[k];
    else if (is_simple(j->k->act))
        for (int64_t k = from; k < to; k++) {
            float s = a[k] + b[k];
            y[k] = s <= 0 ? slope * s : s;
        }
    else
        for (int64_t k = from; k < to; k++)
            y[k] = act_value(j->k->act, j->k->alpha, a[k] + b[k]);
}

static int match_add(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    if (!usable(q)) return 0;
    /* where the inputs differ, the plan's layout decides */
    nod_layout l = q->in[0];
    if (q->in[1] != l && q->in[1] == q->preferred) l = q->in[1];
    fit->in[0] = fit->in[1] = fit->out[0] = l;
    fit->inplace[0] = 0;
    return 1;
}

static int run_add(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    element_job j = {(const element_kernel *)k, a->in[0], a->in[1], a->out[0]};
    (void)err;
    return run_chunks(&j, add_chunk);
}

/* --- reorder ------------------------------------------------------------------------------------ */

static void reorder_row(void *ctx, int64_t i)
{
    const element_job *j = ctx;
    const nod_blocks *f = &j->k->from, *t = &j->k->to;
    int64_t lanes = NOD_MAX(f->lanes, t->lanes), points = f->points;
    const float *src = j->a + i * points * lanes;
    float *dst = j->y + i * points * lanes;
    if (t->lanes > f->lanes)
        for (int64_t p = 0; p < points; p++)
            for (int64_t l = 0; l < lanes; l++)
                dst[p * lanes + l] = src[l * points + p];
    else
        for (int64_t l = 0; l < lanes; l++)
            for (int64_t p = 0; p < points; p++)
                dst[l * points + p] = src[p * lanes + l];
}

/* Between PLAIN and a layout blocked by channels. */
static int match_reorder(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout from = q->in[0], to = q->preferred;
    if (!usable(q) || from == NOD_LAYOUT_LAST || to == NOD_LAYOUT_LAST) return 0;
    if ((from == NOD_LAYOUT_PLAIN) == (to == NOD_LAYOUT_PLAIN)) return 0;
    fit->in[0] = from;
    fit->out[0] = to;
    return 1;
}

static int run_reorder(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const element_kernel *e = (const element_kernel *)k;
    element_job j = {e, a->in[0], NULL, a->out[0]};
    (void)err;
    nod_parallel_for(e->from.n * NOD_MIN(e->from.blocks, e->to.blocks), reorder_row, &j);
    return 0;
}

const nod_kernel_def nod_cpu_act = {"avx2", NOD_OP_ACT, match_act,
                                    create, run_act,    free_kernel};
const nod_kernel_def nod_cpu_act_bwd = {"avx2", NOD_OP_ACT_BWD, match_act_bwd,
                                        create, run_act_bwd,    free_kernel};
const nod_kernel_def nod_cpu_add = {"avx2", NOD_OP_ADD, match_add,
                                    create, run_add,    free_kernel};
const nod_kernel_def nod_cpu_reorder = {"avx2", NOD_OP_REORDER, match_reorder,
                                        create, run_reorder,    free_kernel};
