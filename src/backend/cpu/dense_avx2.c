/* dense_avx2.c: fully connected layers on the weights as they are, [O,I], without packing.
 *
 *   forward   y[n,o]  = sum_i x[n,i] w[o,i]   dot products, 4 rows x 3 units at a time
 *   data      dx[n,i] = sum_o dy[n,o] w[o,i]  4 rows x 16 inputs
 *   weights   dw[o,i] = sum_n dy[n,o] x[n,i]  4 units x 24 inputs
 *
 * Every output is summed by one thread in one order. */
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/blocks.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/storage.h"
#include "base/memory.h"
#include "base/threads.h"

/* Multiply-adds; below, one thread is faster than waking a team. */
#define PARALLEL_FROM 1000000

typedef struct dense_kernel {
    int64_t n, i, o; /* batch, inputs, units */
    nod_act act;
    float alpha;
    bool bias;
} dense_kernel;

typedef struct dense_job {
    const dense_kernel *k;
    const float *a, *b, *bias;
    float *y, *db;
} dense_job;

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    const nod_node *n = q->node;
    dense_kernel *k = nod_calloc(1, sizeof *k);
    (void)fit;
    if (!k) return nod_fail_memory(err, "dense layer", sizeof *k);
    const nod_shape *first = nod_query_shape(q, n->in[0]),
                    *second = nod_query_shape(q, n->in[1]);
    k->n = first->dim[0];
    switch (n->op) {
    case NOD_OP_DENSE:
        k->i = first->dim[1];
        k->o = second->dim[0];
        k->bias = n->in[2] >= 0;
        break;
    case NOD_OP_DENSE_BWD_DATA:
        k->o = first->dim[1];
        k->i = second->dim[1];
        break;
    default:
        k->i = first->dim[1];
        k->o = second->dim[1];
        k->bias = n->out[1] >= 0;
    }
    k->act = n->attr.act;
    k->alpha = (float)n->attr.alpha;
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

static bool usable(const nod_kernel_query *q)
{
    return nod_storage_of(q) == NOD_STORAGE_F32 && nod_cpu_has_avx2();
}

static void run_tasks(dense_job *j, int64_t tasks, void (*fn)(void *, int64_t))
{
    if (j->k->n * j->k->i * j->k->o < PARALLEL_FROM)
        for (int64_t t = 0; t < tasks; t++)
            fn(j, t);
    else
        nod_parallel_for(tasks, fn, j);
}

/* --- forward ------------------------------------------------------------------------------------ */

static inline float sum8(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

/* rows x units dot products of length n; rows <= 4, units <= 3 are constants where it is called. */
static inline __attribute__((always_inline)) void dots(const float *x, int64_t ldx,
                                                       const float *w, int64_t ldw, int64_t n,
                                                       float out[4][3], int rows, int units)
{
    __m256 acc[4][3];
    for (int r = 0; r < rows; r++)
        for (int u = 0; u < units; u++)
            acc[r][u] = _mm256_setzero_ps();
    int64_t k = 0;
    for (; k + 8 <= n; k += 8) {
        __m256 wv[3];
        for (int u = 0; u < units; u++)
            wv[u] = _mm256_loadu_ps(w + u * ldw + k);
        for (int r = 0; r < rows; r++) {
            __m256 xv = _mm256_loadu_ps(x + r * ldx + k);
            for (int u = 0; u < units; u++)
                acc[r][u] = _mm256_fmadd_ps(xv, wv[u], acc[r][u]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int u = 0; u < units; u++) {
            float s = sum8(acc[r][u]);
            for (int64_t m = k; m < n; m++)
                s += x[r * ldx + m] * w[u * ldw + m];
            out[r][u] = s;
        }
}

static void dots_of(const float *x, int64_t ldx, const float *w, int64_t ldw, int64_t n,
                    float out[4][3], int rows, int units)
{
    if (rows == 4 && units == 3)
        dots(x, ldx, w, ldw, n, out, 4, 3);
    else
        for (int r = 0; r < rows; r++)
            for (int u = 0; u < units; u++) {
                float one[4][3];
                dots(x + r * ldx, ldx, w + u * ldw, ldw, n, one, 1, 1);
                out[r][u] = one[0][0];
            }
}

static float activated(nod_act act, float alpha, float v)
{
    switch (act) {
    case NOD_ACT_RELU:
        return v <= 0 ? 0 : v; /* NaN stays NaN */
    case NOD_ACT_LEAKY_RELU:
        return v <= 0 ? alpha * v : v;
    case NOD_ACT_ELU:
        return v > 0 ? v : alpha * expm1f(v);
    case NOD_ACT_GELU:
        return 0.5F * v * (1.0F + erff(v * 0.70710678F));
    case NOD_ACT_SILU:
        return v / (1.0F + expf(-v));
    case NOD_ACT_SIGMOID:
        return 1.0F / (1.0F + expf(-v));
    case NOD_ACT_TANH:
        return tanhf(v);
    default:
        return v;
    }
}

/* Task: four rows of the batch, all units. */
static void forward_rows(void *ctx, int64_t task)
{
    const dense_job *j = ctx;
    const dense_kernel *k = j->k;
    int64_t r0 = task * 4;
    int rows = (int)NOD_MIN(k->n - r0, 4);
    for (int64_t u0 = 0; u0 < k->o; u0 += 3) {
        int units = (int)NOD_MIN(k->o - u0, 3);
        float d[4][3] = {{0}};
        dots_of(j->a + r0 * k->i, k->i, j->b + u0 * k->i, k->i, k->i, d, rows, units);
        for (int r = 0; r < rows; r++)
            for (int u = 0; u < units; u++) {
                float v = d[r][u] + (j->bias ? j->bias[u0 + u] : 0.0F);
                j->y[(r0 + r) * k->o + u0 + u] = activated(k->act, k->alpha, v);
            }
    }
}

static int match(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)fit; /* everything PLAIN */
    return usable(q);
}

static int match_weights(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    (void)fit;
    return usable(q) && q->node->out[0] >= 0;
}

static int run_forward(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    dense_job j = {.k = (const dense_kernel *)k,
                   .a = a->in[0],
                   .b = a->in[1],
                   .bias = a->in[2],
                   .y = a->out[0]};
    (void)err;
    run_tasks(&j, (j.k->n + 3) / 4, forward_rows);
    return 0;
}

/* --- data and weights: the same product with other roles -------------------------------------
 * y[r,i] = sum_k a[k-th of row r] * b[k,i]; strides say where the k-th is. */

static inline __attribute__((always_inline)) void tile(const float *a, int64_t a_row,
                                                       int64_t a_k, const float *b, int64_t ldb,
                                                       int64_t n_k, float *y, int64_t ldy,
                                                       int rows, int vecs)
{
    __m256 acc[4][3];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++)
            acc[r][v] = _mm256_setzero_ps();
    for (int64_t k = 0; k < n_k; k++) {
        __m256 bv[3];
        for (int v = 0; v < vecs; v++)
            bv[v] = _mm256_loadu_ps(b + k * ldb + 8 * v);
        for (int r = 0; r < rows; r++) {
            __m256 s = _mm256_broadcast_ss(a + r * a_row + k * a_k);
            for (int v = 0; v < vecs; v++)
                acc[r][v] = _mm256_fmadd_ps(s, bv[v], acc[r][v]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++)
            _mm256_storeu_ps(y + r * ldy + 8 * v, acc[r][v]);
}

/* Rows r0.. of y, columns from..to. */
static void product(const float *a, int64_t a_row, int64_t a_k, const float *b, int64_t ldb,
                    int64_t n_k, float *y, int64_t ldy, int rows, int64_t from, int64_t to)
{
    int64_t i = from;
    for (; i + 24 <= to; i += 24) {
        if (rows == 4)
            tile(a, a_row, a_k, b + i, ldb, n_k, y + i, ldy, 4, 3);
        else
            for (int r = 0; r < rows; r++)
                tile(a + r * a_row, a_row, a_k, b + i, ldb, n_k, y + r * ldy + i, ldy, 1, 3);
    }
    for (; i + 8 <= to; i += 8)
        for (int r = 0; r < rows; r++)
            tile(a + r * a_row, a_row, a_k, b + i, ldb, n_k, y + r * ldy + i, ldy, 1, 1);
    for (; i < to; i++)
        for (int r = 0; r < rows; r++) {
            float s = 0;
            for (int64_t k = 0; k < n_k; k++)
                s += a[r * a_row + k * a_k] * b[k * ldb + i];
            y[r * ldy + i] = s;
        }
}

static void data_rows(void *ctx, int64_t task)
{
    const dense_job *j = ctx;
    const dense_kernel *k = j->k;
    int64_t r0 = task * 4;
    product(j->a + r0 * k->o, k->o, 1, j->b, k->i, k->o, j->y + r0 * k->i, k->i,
            (int)NOD_MIN(k->n - r0, 4), 0, k->i);
}

static int run_data(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    dense_job j = {.k = (const dense_kernel *)k, .a = a->in[0], .b = a->in[1], .y = a->out[0]};
    (void)err;
    run_tasks(&j, (j.k->n + 3) / 4, data_rows);
    return 0;
}

#define COLUMNS 240 /* inputs per task of the weight gradient: a multiple of 24 */

static void weights_tile(void *ctx, int64_t task)
{
    const dense_job *j = ctx;
    const dense_kernel *k = j->k;
    int64_t parts = (k->i + COLUMNS - 1) / COLUMNS, o0 = task / parts * 4;
    int64_t from = task % parts * COLUMNS, to = NOD_MIN(from + COLUMNS, k->i);
    product(j->b + o0, 1, k->o, j->a, k->i, k->n, j->y + o0 * k->i, k->i,
            (int)NOD_MIN(k->o - o0, 4), from, to);
}

static int run_weights(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    dense_job j = {.k = (const dense_kernel *)k,
                   .a = a->in[0],
                   .b = a->in[1],
                   .y = a->out[0],
                   .db = a->out[1]};
    (void)err;
    run_tasks(&j, (j.k->o + 3) / 4 * ((j.k->i + COLUMNS - 1) / COLUMNS), weights_tile);
    if (!j.db) return 0;
    memset(j.db, 0, (size_t)j.k->o * sizeof(float));
    for (int64_t n = 0; n < j.k->n; n++)
        for (int64_t o = 0; o < j.k->o; o++)
            j.db[o] += j.b[n * j.k->o + o];
    return 0;
}

const nod_kernel_def nod_cpu_dense = {"avx2", NOD_OP_DENSE, match,
                                      create, run_forward,  free_kernel};
const nod_kernel_def nod_cpu_dense_bwd_data = {
    "avx2", NOD_OP_DENSE_BWD_DATA, match, create, run_data, free_kernel};
const nod_kernel_def nod_cpu_dense_bwd_weights = {
    "avx2", NOD_OP_DENSE_BWD_WEIGHTS, match_weights, create, run_weights, free_kernel};
