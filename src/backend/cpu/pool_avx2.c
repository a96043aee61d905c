/* pool_avx2.c: max and average pooling, forward and backward, in every layout. One task (a row) per
 * image and block of channels; the gradient of a maximum goes to the first one. Rows that are stored
 * in bf16, or whose points lie apart, are brought into scratch, and results rounded once from
 * there. */
#include <math.h>
#include <string.h>

#include "backend/cpu/blocks.h"
#include "backend/cpu/elementwise.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

#define LANES_MAX 16

typedef struct pool_kernel {
    nod_blocks x, y;
    int64_t kernel[3], stride[3], pad[3];
    bool include_pad;
    bool half_x, half_y;   /* x and dx, y and dy are stored in bf16 */
    bool apart_x, apart_y; /* points lie apart */
    size_t wide[2]; /* bytes of scratch: x, y (and dy), which dx (of equal size) may follow */
} pool_kernel;

typedef struct pool_job {
    const pool_kernel *k;
    const void *x, *dy;
    void *y, *dx;
    float *wide_x, *wide_y, *wide_dx; /* all rows in f32, where they are not so in memory */
} pool_job;

typedef struct window {
    int64_t from[3], to[3]; /* inside the input */
    float inverse;          /* of the divisor of an average */
} window;

static window window_at(const pool_kernel *k, int64_t d, int64_t h, int64_t w)
{
    int64_t at[3] = {d, h, w}, inside = 1, whole = 1;
    window r;
    for (int i = 0; i < 3; i++) {
        int64_t start = at[i] * k->stride[i] - k->pad[i], end = start + k->kernel[i];
        /* PyTorch counts the padding behind only as far as it was asked for */
        int64_t limit = NOD_MIN(end, k->x.size[i] + k->pad[i]);
        r.from[i] = NOD_MAX(start, 0);
        r.to[i] = NOD_MIN(end, k->x.size[i]);
        inside *= NOD_MAX(r.to[i] - r.from[i], 0);
        whole *= limit - start;
    }
    r.inverse = 1.0F / (float)(k->include_pad ? whole : NOD_MAX(inside, 1));
    return r;
}

/* --- forward and backward of one window ----------------------------------------------------- */

#define FOR_WINDOW(k, r, p)                                                    \
    for (int64_t pd = (r).from[0]; pd < (r).to[0]; pd++)                       \
        for (int64_t ph = (r).from[1]; ph < (r).to[1]; ph++)                   \
            for (int64_t pw = (r).from[2],                                     \
                         p = (pd * (k)->x.size[1] + ph) * (k)->x.size[2] + pw; \
                 pw < (r).to[2]; pw++, p++)

static void max_window(const pool_kernel *k, const window *r, const float *x, float *y,
                       int64_t lanes)
{
    float best[LANES_MAX];
    for (int64_t l = 0; l < lanes; l++)
        best[l] = -HUGE_VALF;
    FOR_WINDOW(k, *r, p)
    for (int64_t l = 0; l < lanes; l++) {
        float v = x[p * lanes + l];
        best[l] = v > best[l] || isnan(v) ? v : best[l];
    }
    for (int64_t l = 0; l < lanes; l++)
        y[l] = best[l];
}

static void avg_window(const pool_kernel *k, const window *r, const float *x, float *y,
                       int64_t lanes)
{
    float sum[LANES_MAX] = {0};
    FOR_WINDOW(k, *r, p)
    for (int64_t l = 0; l < lanes; l++)
        sum[l] += x[p * lanes + l];
    for (int64_t l = 0; l < lanes; l++)
        y[l] = sum[l] * r->inverse;
}

static void max_bwd_window(const pool_kernel *k, const window *r, const float *x,
                           const float *dy, float *dx, int64_t lanes)
{
    float best[LANES_MAX];
    int64_t at[LANES_MAX];
    for (int64_t l = 0; l < lanes; l++) {
        best[l] = -HUGE_VALF;
        at[l] = -1;
    }
    FOR_WINDOW(k, *r, p)
    for (int64_t l = 0; l < lanes; l++) {
        float v = x[p * lanes + l];
        if (at[l] < 0 || v > best[l]) {
            best[l] = v;
            at[l] = p;
        }
    }
    for (int64_t l = 0; l < lanes; l++)
        if (at[l] >= 0) dx[at[l] * lanes + l] += dy[l];
}

static void avg_bwd_window(const pool_kernel *k, const window *r, const float *x,
                           const float *dy, float *dx, int64_t lanes)
{
    (void)x;
    FOR_WINDOW(k, *r, p)
    for (int64_t l = 0; l < lanes; l++)
        dx[p * lanes + l] += dy[l] * r->inverse;
}

/* --- tasks -------------------------------------------------------------------------------------- */

typedef void forward_fn(const pool_kernel *, const window *, const float *, float *, int64_t);
typedef void backward_fn(const pool_kernel *, const window *, const float *, const float *,
                         float *, int64_t);

/* The f32 form of row i of a value seen through `b`: in `wide`, or where it is. */
static float *row_form(const nod_blocks *b, bool moved, void *stored, float *wide, int64_t i)
{
    return (moved ? wide : (float *)stored) + i * b->points * b->lanes;
}

static const float *row_in(const nod_blocks *b, bool half, bool apart, const void *stored,
                           float *wide, int64_t i)
{
    float *row = row_form(b, half || apart, (void *)(uintptr_t)stored, wide, i);
    int64_t at = nod_blocks_row(b, i), n = apart ? b->lanes : b->points * b->lanes;
    if (!half && !apart) return row;
    for (int64_t p = 0; p < (apart ? b->points : 1); p++, at += b->step) {
        if (half)
            nod_element_isa_avx2.widen((const uint16_t *)stored + at, row + p * n, n);
        else
            memcpy(row + p * n, (const float *)stored + at, (size_t)n * sizeof *row);
    }
    return row;
}

/* Puts a result back where it belongs. */
static void row_back(const nod_blocks *b, bool half, bool apart, void *stored, const float *row,
                     int64_t i)
{
    int64_t at = nod_blocks_row(b, i), n = apart ? b->lanes : b->points * b->lanes;
    if (!half && !apart) return;
    for (int64_t p = 0; p < (apart ? b->points : 1); p++, at += b->step) {
        if (half)
            nod_element_isa_avx2.narrow(row + p * n, (uint16_t *)stored + at, n);
        else
            memcpy((float *)stored + at, row + p * n, (size_t)n * sizeof *row);
    }
}

static inline void forward_row(const pool_job *j, int64_t i, forward_fn *fn)
{
    const pool_kernel *k = j->k;
    int64_t lanes = k->x.lanes;
    const float *x = row_in(&k->x, k->half_x, k->apart_x, j->x, j->wide_x, i);
    float *y = row_form(&k->y, k->half_y || k->apart_y, j->y, j->wide_y, i), *row = y;
    for (int64_t d = 0; d < k->y.size[0]; d++)
        for (int64_t h = 0; h < k->y.size[1]; h++)
            for (int64_t w = 0; w < k->y.size[2]; w++, y += lanes) {
                window r = window_at(k, d, h, w);
                if (lanes == 8)
                    fn(k, &r, x, y, 8);
                else
                    fn(k, &r, x, y, lanes);
            }
    row_back(&k->y, k->half_y, k->apart_y, j->y, row, i);
}

static inline void backward_row(const pool_job *j, int64_t i, backward_fn *fn)
{
    const pool_kernel *k = j->k;
    int64_t lanes = k->x.lanes;
    const float *x = j->x ? row_in(&k->x, k->half_x, k->apart_x, j->x, j->wide_x, i) : NULL;
    const float *dy = row_in(&k->y, k->half_y, k->apart_y, j->dy, j->wide_y, i);
    float *dx = row_form(&k->x, k->half_x || k->apart_x, j->dx, j->wide_dx, i);
    memset(dx, 0, (size_t)(k->x.points * lanes) * sizeof *dx);
    for (int64_t d = 0; d < k->y.size[0]; d++)
        for (int64_t h = 0; h < k->y.size[1]; h++)
            for (int64_t w = 0; w < k->y.size[2]; w++, dy += lanes) {
                window r = window_at(k, d, h, w);
                fn(k, &r, x, dy, dx, lanes);
            }
    row_back(&k->x, k->half_x, k->apart_x, j->dx, dx, i);
}

static void max_row(void *ctx, int64_t i)
{
    forward_row(ctx, i, max_window);
}

static void avg_row(void *ctx, int64_t i)
{
    forward_row(ctx, i, avg_window);
}

static void max_bwd_row(void *ctx, int64_t i)
{
    backward_row(ctx, i, max_bwd_window);
}

static void avg_bwd_row(void *ctx, int64_t i)
{
    backward_row(ctx, i, avg_bwd_window);
}

/* --- kernels -------------------------------------------------------------------------------------- */

static bool is_backward(nod_op op)
{
    return op == NOD_OP_POOL_MAX_BWD || op == NOD_OP_POOL_AVG_BWD;
}

/* Bytes of a value in f32, where it is brought into scratch. */
static size_t wide_bytes(const nod_kernel_query *q, int value, bool apart)
{
    size_t n = (size_t)nod_shape_count(nod_query_shape(q, value)) * sizeof(float);
    bool moved = nod_stored_half(q, value) || apart;
    return moved ? nod_aligned_size(n) : 0;
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    const nod_node *n = q->node;
    const nod_attrs *a = &n->attr;
    pool_kernel *k = nod_calloc(1, sizeof *k);
    if (!k) return nod_fail_memory(err, "pooling", sizeof *k);
    int dy = n->op == NOD_OP_POOL_MAX_BWD ? n->in[1] : n->in[0];
    int x = is_backward(n->op) ? n->out[0] : n->in[0], y = is_backward(n->op) ? dy : n->out[0];
    nod_layout l = is_backward(n->op) ? fit->out[0] : fit->in[0];
    k->x = nod_blocks_of_vectors(nod_query_shape(q, x), l, LANES_MAX);
    k->y = nod_blocks_of_vectors(nod_query_shape(q, y), l, LANES_MAX);
    k->apart_x = k->x.step != k->x.lanes;
    k->apart_y = k->y.step != k->y.lanes;
    for (int i = 0; i < 3; i++) {
        k->kernel[i] = a->global ? k->x.size[i] : a->kernel[i];
        k->stride[i] = a->global ? k->x.size[i] : a->stride[i];
        k->pad[i] = a->global ? 0 : a->pad_lo[i];
    }
    k->include_pad = a->include_pad;
    k->half_x = nod_stored_half(q, x);
    k->half_y = nod_stored_half(q, y);
    k->wide[0] = wide_bytes(q, x, k->apart_x);
    k->wide[1] = wide_bytes(q, y, k->apart_y);
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

static int match(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    const nod_node *n = q->node;
    if (nod_storage_of(q) == NOD_STORAGE_OTHER || !nod_cpu_has_avx2()) return 0;
    for (int i = 0; i < 3; i++)
        if (n->attr.pad_hi[i] != n->attr.pad_lo[i] && !n->attr.global) return 0;
    int dy = n->op == NOD_OP_POOL_MAX_BWD ? n->in[1] : n->in[0];
    int x_value = is_backward(n->op) ? n->out[0] : n->in[0];
    int y_value = is_backward(n->op) ? dy : n->out[0];
    if (n->op == NOD_OP_POOL_MAX_BWD && q->dtype[n->in[0]] != q->dtype[x_value]) return 0;
    const nod_shape *x = nod_query_shape(q, x_value), *y = nod_query_shape(q, y_value);
    nod_layout l = is_backward(n->op) ? q->preferred : q->in[0];
    bool last = l == NOD_LAYOUT_LAST && x->dim[1] % LANES_MAX == 0;
    if ((l == NOD_LAYOUT_LAST && !last) || !nod_layout_allowed(l, x)) l = NOD_LAYOUT_PLAIN;
    fit->scratch_bytes = (n->op == NOD_OP_POOL_MAX_BWD ? 2 : 1) * wide_bytes(q, x_value, last) +
                         wide_bytes(q, y_value, last);
    /* [N,C] is the same memory PLAIN and blocked */
    nod_layout ly = y->rank < 4 ? NOD_LAYOUT_PLAIN : l;
    if (is_backward(n->op)) {
        fit->out[0] = l;
        fit->in[0] = n->op == NOD_OP_POOL_MAX_BWD ? l : ly;
        fit->in[1] = ly;
    } else {
        fit->in[0] = l;
        fit->out[0] = ly;
    }
    return 1;
}

static int run(nod_kernel *k, pool_job *j, void *scratch, void (*fn)(void *, int64_t))
{
    uint8_t *m = scratch;
    j->k = (const pool_kernel *)k;
    j->wide_y = (float *)(void *)m;
    j->wide_x = j->wide_dx = (float *)(void *)(m + j->k->wide[1]);
    if (j->x && j->dx) j->wide_dx = (float *)(void *)(m + j->k->wide[1] + j->k->wide[0]);
    nod_parallel_for(j->k->x.n * j->k->x.blocks, fn, j);
    return 0;
}

static int run_max(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    pool_job j = {.x = a->in[0], .y = a->out[0]};
    (void)err;
    return run(k, &j, a->scratch, max_row);
}

static int run_avg(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    pool_job j = {.x = a->in[0], .y = a->out[0]};
    (void)err;
    return run(k, &j, a->scratch, avg_row);
}

static int run_max_bwd(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    pool_job j = {.x = a->in[0], .dy = a->in[1], .dx = a->out[0]};
    (void)err;
    return run(k, &j, a->scratch, max_bwd_row);
}

static int run_avg_bwd(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    pool_job j = {.dy = a->in[0], .dx = a->out[0]};
    (void)err;
    return run(k, &j, a->scratch, avg_bwd_row);
}

const nod_kernel_def nod_cpu_pool_max = {"avx2", NOD_OP_POOL_MAX, match,
                                         create, run_max,         free_kernel};
const nod_kernel_def nod_cpu_pool_avg = {"avx2", NOD_OP_POOL_AVG, match,
                                         create, run_avg,         free_kernel};
const nod_kernel_def nod_cpu_pool_max_bwd = {"avx2", NOD_OP_POOL_MAX_BWD, match,
                                             create, run_max_bwd,         free_kernel};
const nod_kernel_def nod_cpu_pool_avg_bwd = {"avx2", NOD_OP_POOL_AVG_BWD, match,
                                             create, run_avg_bwd,         free_kernel};
