/* elementwise.c: activations, sums and reorders: one pass over memory, in any layout, in f32 or bf16.
 *
 * A chunk is one task, so that the work is cut by shape alone. The name of a kernel says its
 * instruction set, since vector functions such as exp differ in their last bits. */
#include "backend/cpu/elementwise.h"

#include "backend/cpu/blocks.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

#define CHUNK 32768 /* elements */

typedef struct element_kernel {
    nod_element_job job; /* without its pointers */
    const nod_element_isa *isa;
} element_kernel;

const nod_element_isa *nod_element_isa_here(void)
{
    return nod_cpu_has_avx512() ? &nod_element_isa_avx512 : &nod_element_isa_avx2;
}

/* true if the values are stored alike, and the processor has the instructions. */
static bool usable(const nod_kernel_query *q, const nod_element_isa *isa)
{
    nod_storage s = nod_storage_of(q);
    bool here = isa == &nod_element_isa_avx512 ? nod_cpu_has_avx512() : nod_cpu_has_avx2();
    return here && (s == NOD_STORAGE_F32 || s == NOD_STORAGE_BF16);
}

static int create(const nod_kernel_query *q, nod_kernel **out, nod_error *err,
                  const nod_element_isa *isa)
{
    const nod_attrs *a = &q->node->attr;
    element_kernel *k = nod_calloc(1, sizeof *k);
    if (!k) return nod_fail_memory(err, "elementwise kernel", sizeof *k);
    k->isa = isa;
    k->job = (nod_element_job){.n = nod_shape_count(nod_query_shape(q, q->node->in[0])),
                               .act = a->act,
                               .alpha = (float)a->alpha,
                               .from_output = a->from_output,
                               .half = nod_stored_half(q, q->node->in[0])};
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

/* --- running ---------------------------------------------------------------------------------- */

typedef struct element_run {
    nod_element_job job;
    void (*range)(const nod_element_job *j, int64_t from, int64_t to);
} element_run;

static void run_chunk(void *ctx, int64_t i)
{
    const element_run *r = ctx;
    r->range(&r->job, i * CHUNK, NOD_MIN((i + 1) * CHUNK, r->job.n));
}

static int run_chunks(const element_kernel *k, const void *a, const void *b, void *y,
                      void (*range)(const nod_element_job *, int64_t, int64_t))
{
    element_run r = {k->job, range};
    r.job.a = a;
    r.job.b = b;
    r.job.y = y;
    nod_parallel_for((r.job.n + CHUNK - 1) / CHUNK, run_chunk, &r);
    return 0;
}

static int run_act(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const element_kernel *e = (const element_kernel *)k;
    (void)err;
    return run_chunks(e, a->in[0], NULL, a->out[0], e->isa->act);
}

static int run_act_bwd(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const element_kernel *e = (const element_kernel *)k;
    (void)err;
    return run_chunks(e, a->in[0], a->in[1], a->out[0], e->isa->act_bwd);
}

static int run_add(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const element_kernel *e = (const element_kernel *)k;
    (void)err;
    return run_chunks(e, a->in[0], a->in[1], a->out[0], e->isa->add);
}

/* --- matching --------------------------------------------------------------------------------- */

static int match_act(const nod_kernel_query *q, nod_kernel_fit *fit, const nod_element_isa *isa)
{
    if (!usable(q, isa)) return 0;
    fit->in[0] = fit->out[0] = q->in[0];
    fit->inplace[0] = 0;
    return 1;
}

static int match_act_bwd(const nod_kernel_query *q, nod_kernel_fit *fit,
                         const nod_element_isa *isa)
{
    if (!usable(q, isa)) return 0;
    fit->in[0] = fit->in[1] = fit->out[0] = q->in[0];
    fit->inplace[0] = 1;
    return 1;
}

static int match_add(const nod_kernel_query *q, nod_kernel_fit *fit, const nod_element_isa *isa)
{
    if (!usable(q, isa)) return 0;
    /* where the inputs differ, the plan's layout decides */
    nod_layout l = q->in[0];
    if (q->in[1] != l && q->in[1] == q->preferred) l = q->in[1];
    fit->in[0] = fit->in[1] = fit->out[0] = l;
    fit->inplace[0] = 0;
    return 1;
}

#define ELEMENT_KERNEL(isa, op, name)                                               \
    static int match_##name##_##isa(const nod_kernel_query *q, nod_kernel_fit *fit) \
    {                                                                               \
        return match_##name(q, fit, &nod_element_isa_##isa);                        \
    }                                                                               \
    const nod_kernel_def nod_cpu_##name##_##isa = {                                 \
        #isa, op, match_##name##_##isa, create_##isa, run_##name, free_kernel}

#define ELEMENT_KERNELS(isa)                                                      \
    static int create_##isa(const nod_kernel_query *q, const nod_kernel_fit *fit, \
                            nod_kernel **out, nod_error *err)                     \
    {                                                                             \
        (void)fit;                                                                \
        return create(q, out, err, &nod_element_isa_##isa);                       \
    }                                                                             \
    ELEMENT_KERNEL(isa, NOD_OP_ACT, act);                                         \
    ELEMENT_KERNEL(isa, NOD_OP_ACT_BWD, act_bwd);                                 \
    ELEMENT_KERNEL(isa, NOD_OP_ADD, add)

ELEMENT_KERNELS(avx2);
ELEMENT_KERNELS(avx512);

/* --- reorder ------------------------------------------------------------------------------------ */

typedef struct reorder_kernel {
    nod_blocks from, to;
    bool half;
} reorder_kernel;

typedef struct reorder_job {
    const reorder_kernel *k;
    const void *src;
    void *dst;
} reorder_job;

/* One block of channels of one image: [lanes][points] to [points][lanes], or back. */
#define REORDER_ROW(type)                                                \
    static void reorder_row_##type(void *ctx, int64_t i)                 \
    {                                                                    \
        const reorder_job *j = ctx;                                      \
        const nod_blocks *f = &j->k->from, *t = &j->k->to;               \
        int64_t lanes = NOD_MAX(f->lanes, t->lanes), points = f->points; \
        const type *src = (const type *)j->src + i * points * lanes;     \
        type *dst = (type *)j->dst + i * points * lanes;                 \
        if (t->lanes > f->lanes)                                         \
            for (int64_t p = 0; p < points; p++)                         \
                for (int64_t l = 0; l < lanes; l++)                      \
                    dst[p * lanes + l] = src[l * points + p];            \
        else                                                             \
            for (int64_t l = 0; l < lanes; l++)                          \
                for (int64_t p = 0; p < points; p++)                     \
                    dst[l * points + p] = src[p * lanes + l];            \
    }

REORDER_ROW(uint32_t)
REORDER_ROW(uint16_t)

/* Between PLAIN and any other layout. */
static int match_reorder(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout from = q->in[0], to = q->preferred;
    nod_dtype d = q->dtype[q->node->in[0]];
    if (d != NOD_DTYPE_F32 && d != NOD_DTYPE_BF16) return 0;
    if ((from == NOD_LAYOUT_PLAIN) == (to == NOD_LAYOUT_PLAIN)) return 0;
    fit->in[0] = from;
    fit->out[0] = to;
    return 1;
}

static int create_reorder(const nod_kernel_query *q, const nod_kernel_fit *fit,
                          nod_kernel **out, nod_error *err)
{
    reorder_kernel *k = nod_calloc(1, sizeof *k);
    if (!k) return nod_fail_memory(err, "reorder", sizeof *k);
    k->from = nod_blocks_of(nod_query_shape(q, q->node->in[0]), fit->in[0]);
    k->to = nod_blocks_of(nod_query_shape(q, q->node->in[0]), fit->out[0]);
    k->half = nod_stored_half(q, q->node->in[0]);
    *out = (nod_kernel *)k;
    return 0;
}

static int run_reorder(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    const reorder_kernel *r = (const reorder_kernel *)k;
    reorder_job j = {r, a->in[0], a->out[0]};
    (void)err;
    nod_parallel_for(r->from.n * NOD_MIN(r->from.blocks, r->to.blocks),
                     r->half ? reorder_row_uint16_t : reorder_row_uint32_t, &j);
    return 0;
}

const nod_kernel_def nod_cpu_reorder = {"blocks",       NOD_OP_REORDER, match_reorder,
                                        create_reorder, run_reorder,    free_kernel};
