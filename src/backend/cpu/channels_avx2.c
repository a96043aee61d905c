/* channels_avx2.c: concatenation and its gradient (a crop of channels) in the blocked layout, where
 * whole blocks are copied. Anything else is left to the reference. */
#include <string.h>

#include "backend/cpu/blocks.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

typedef struct copy_kernel {
    int n_parts;
    int64_t n;
    size_t whole;                   /* bytes of one image of the joined value */
    size_t part[NOD_NODE_IN_MAX];   /* bytes of one image of each part */
    size_t offset[NOD_NODE_IN_MAX]; /* in the joined value */
} copy_kernel;

static size_t image_bytes(const nod_kernel_query *q, int value)
{
    const nod_shape *s = nod_query_shape(q, value);
    return (size_t)(nod_shape_count(s) / s->dim[0]) * nod_dtype_size(q->dtype[value]);
}

static bool usable(const nod_kernel_query *q)
{
    nod_storage s = nod_storage_of(q);
    return (s == NOD_STORAGE_F32 || s == NOD_STORAGE_BF16) && q->preferred != NOD_LAYOUT_LAST;
}

static int match_concat(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout l = q->preferred;
    if (!usable(q)) return 0;
    for (int i = 0; i < q->node->n_in; i++)
        if (!nod_layout_allowed(l, nod_query_shape(q, q->node->in[i]))) l = NOD_LAYOUT_PLAIN;
    for (int i = 0; i < q->node->n_in; i++)
        fit->in[i] = l;
    fit->out[0] = l;
    return 1;
}

/* Only channels are cut away. */
static int match_crop(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    const nod_attrs *a = &q->node->attr;
    const nod_shape *x = nod_query_shape(q, q->node->in[0]),
                    *y = nod_query_shape(q, q->node->out[0]);
    nod_layout l = q->preferred;
    if (!usable(q)) return 0;
    for (int i = 0; i < x->rank; i++)
        if (i != 1 && (a->lo[i] || a->hi[i])) return 0;
    bool blocked = nod_layout_allowed(l, x) && nod_layout_allowed(l, y) &&
                   (l == NOD_LAYOUT_PLAIN || a->lo[1] % nod_layout_block(l) == 0);
    fit->in[0] = fit->out[0] = blocked ? l : NOD_LAYOUT_PLAIN;
    return 1;
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    const nod_node *n = q->node;
    copy_kernel *k = nod_calloc(1, sizeof *k);
    (void)fit;
    if (!k) return nod_fail_memory(err, "copy of channels", sizeof *k);
    k->n = nod_query_shape(q, n->in[0])->dim[0];
    if (n->op == NOD_OP_CONCAT) {
        k->n_parts = n->n_in;
        for (int i = 0; i < n->n_in; i++) {
            k->part[i] = image_bytes(q, n->in[i]);
            k->offset[i] = k->whole;
            k->whole += k->part[i];
        }
    } else {
        const nod_shape *x = nod_query_shape(q, n->in[0]);
        k->n_parts = 1;
        k->whole = image_bytes(q, n->in[0]);
        k->part[0] = image_bytes(q, n->out[0]);
        k->offset[0] = k->whole / (size_t)x->dim[1] * (size_t)n->attr.lo[1];
    }
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

typedef struct copy_job {
    const copy_kernel *k;
    const nod_kernel_args *a;
} copy_job;

static void concat_image(void *ctx, int64_t n)
{
    const copy_job *j = ctx;
    const copy_kernel *k = j->k;
    uint8_t *dst = (uint8_t *)j->a->out[0] + (size_t)n * k->whole;
    for (int i = 0; i < k->n_parts; i++)
        memcpy(dst + k->offset[i], (const uint8_t *)j->a->in[i] + (size_t)n * k->part[i],
               k->part[i]);
}

static void crop_image(void *ctx, int64_t n)
{
    const copy_job *j = ctx;
    const copy_kernel *k = j->k;
    memcpy((uint8_t *)j->a->out[0] + (size_t)n * k->part[0],
           (const uint8_t *)j->a->in[0] + (size_t)n * k->whole + k->offset[0], k->part[0]);
}

static int run_concat(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    copy_job j = {(const copy_kernel *)k, a};
    (void)err;
    nod_parallel_for(j.k->n, concat_image, &j);
    return 0;
}

static int run_crop(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    copy_job j = {(const copy_kernel *)k, a};
    (void)err;
    nod_parallel_for(j.k->n, crop_image, &j);
    return 0;
}

const nod_kernel_def nod_cpu_concat = {"copy", NOD_OP_CONCAT, match_concat,
                                       create, run_concat,    free_kernel};
const nod_kernel_def nod_cpu_crop = {"copy", NOD_OP_CROP, match_crop,
                                     create, run_crop,    free_kernel};
