/* pool_avx2.c: max and average pooling, forward and backward, on PLAIN and channel-blocked layouts.
 * One task (a row) per image and block of channels; the gradient of a maximum goes to the first one.
 * Rows that are stored in bf16 are widened into scratch, and results rounded once from there. */
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
    bool half_x, half_y; /* x and dx, y and dy are stored in bf16 */
    size_t wide[2]; /* bytes of scratch: x, y (and dy), which dx (of equal size) may follow */
} pool_kernel;

typedef struct pool_job {
    const pool_kernel *k;
    const void *x, *dy;
    void *y, *dx;
    float *wide_x, *wide_y, *wide_dx; /* all rows in f32, where they are stored in bf16 */
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

/* Row i of `stored` as f32: widened into `wide`, or as it is. */
static const float *row_in(const void *stored, bool half, float *wide, int64_t i, int64_t n)
{
    if (!half) return (const float *)stored + i * n;
    nod_element_isa_avx2.widen((const uint16_t *)stored + i * n, wide + i * n, n);
    return wide + i * n;
}

/* Where row i of `stored` is computed. */
static float *row_out(void *stored, bool half, float *wide, int64_t i, int64_t n)
{
    return (half ? wide : (float *)stored) + i * n;
}

static void round_row(void *stored, bool half, const float *row, int64_t i, int64_t n)
{
    if (half) nod_element_isa_avx2.narrow(row, (uint16_t *)stored + i * n, n);
}

static inline void forward_row(const pool_job *j, int64_t i, forward_fn *fn)
{
    const pool_kernel *k = j->k;
    int64_t lanes = k->x.lanes, n_x = k->x.points * lanes, n_y = k->y.points * lanes;
    const float *x = row_in(j->x, k->half_x, j->wide_x, i, n_x);
    float *y = row_out(j->y, k->half_y, j->wide_y, i, n_y), *row = y;
    for (int64_t d = 0; d < k->y.size[0]; d++)
        for (int64_t h = 0; h < k->y.size[1]; h++)
            for (int64_t w = 0; w < k->y.size[2]; w++, y += lanes) {
                window r = window_at(k, d, h, w);
                if (lanes == 8)
                    fn(k, &r, x, y, 8);
                else
                    fn(k, &r, x, y, lanes);
            }
    round_row(j->y, k->half_y, row, i, n_y);
}

static inline void backward_row(const pool_job *j, int64_t i, backward_fn *fn)
{
    const pool_kernel *k = j->k;
    int64_t lanes = k->x.lanes, n_x = k->x.points * lanes, n_y = k->y.points * lanes;
    const float *x = j->x ? row_in(j->x, k->half_x, j->wide_x, i, n_x) : NULL;
    const float *dy = row_in(j->dy, k->half_y, j->wide_y, i, n_y);
    float *dx = row_out(j->dx, k->half_x, j->wide_dx, i, n_x);
    memset(dx, 0, (size_t)n_x * sizeof *dx);
    for (int64_t d = 0; d < k->y.size[0]; d++)
        for (int64_t h = 0; h < k->y.size[1]; h++)
            for (int64_t w = 0; w < k->y.size[2]; w++, dy += lanes) {
                window r = window_at(k, d, h, w);
                fn(k, &r, x, dy, dx, lanes);
            }
    round_row(j->dx, k->half_x, dx, i, n_x);
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

/* Bytes of a value in f32, where it is stored in bf16. */
static size_t wide_bytes(const nod_kernel_query *q, int value)
{
    size_t n = (size_t)nod_shape_count(nod_query_shape(q, value)) * sizeof(float);
    return nod_stored_half(q, value) ? (n + NOD_ALIGNMENT - 1) / NOD_ALIGNMENT * NOD_ALIGNMENT
                                     : 0;
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
    k->x = nod_blocks_of(nod_query_shape(q, x), is_backward(n->op) ? fit->out[0] : fit->in[0]);
    k->y = nod_blocks_of(nod_query_shape(q, y), NOD_LAYOUT_PLAIN);
    for (int i = 0; i < 3; i++) {
        k->kernel[i] = a->global ? k->x.size[i] : a->kernel[i];
        k->stride[i] = a->global ? k->x.size[i] : a->stride[i];
        k->pad[i] = a->global ? 0 : a->pad_lo[i];
    }
    k->include_pad = a->include_pad;
    k->half_x = nod_stored_half(q, x);
    k->half_y = nod_stored_half(q, y);
    k->wide[0] = wide_bytes(q, x);
    k->wide[1] = wide_bytes(q, y);
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
    fit->scratch_bytes = (n->op == NOD_OP_POOL_MAX_BWD ? 2 : 1) * wide_bytes(q, x_value) +
                         wide_bytes(q, y_value);
    nod_layout l = is_backward(n->op) ? q->preferred : nod_blocks_layout(q, 0);
    if (l == NOD_LAYOUT_LAST || !nod_layout_allowed(l, x)) l = NOD_LAYOUT_PLAIN;
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
