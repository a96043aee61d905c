/* batch_norm_avx2.c: batch norm with residual and activation fused, forward, backward, inference,
 * on PLAIN and on layouts blocked by channels.
 *
 * One task per block of channels. Statistics: mean and squared deviations of each image's row in
 * cache, joined in double in image order (Chan, Golub, LeVeque 1983), so that one pass over memory
 * is enough and the bits do not depend on the number of threads. */
#include <math.h>
#include <string.h>

#include "backend/cpu/blocks.h"
#include "backend/cpu/cpu.h"
#include "base/memory.h"
#include "base/threads.h"

#define LANES_MAX 16

typedef struct norm_kernel {
    nod_blocks b;
    float slope; /* of the activation below zero; 1: none */
    double eps;
    bool has_act;
} norm_kernel;

typedef struct norm_job {
    const norm_kernel *k;
    const float *x, *r, *y_in, *dy, *gamma, *beta, *mean_in, *istd_in;
    float *y, *mean, *istd, *dx, *dgamma, *dbeta, *dr;
} norm_job;

/* Rows are seen as [points][8] also when PLAIN, so that the inner loop has a fixed width: a PLAIN row
 * has one lane, and its points are summed in eight strands. */
typedef struct lane_sums {
    float v[LANES_MAX];
} lane_sums;

static const float *row_of(const float *x, const nod_blocks *b, int64_t n, int64_t block)
{
    return x + (n * b->blocks + block) * b->points * b->lanes;
}

/* --- forward ------------------------------------------------------------------------------------ */

static void row_sum8(const float *x, int64_t points, lane_sums *s)
{
    float a[8] = {0}, b[8] = {0};
    int64_t p = 0;
    for (; p + 2 <= points; p += 2)
        for (int l = 0; l < 8; l++) {
            a[l] += x[p * 8 + l];
            b[l] += x[p * 8 + 8 + l];
        }
    for (; p < points; p++)
        for (int l = 0; l < 8; l++)
            a[l] += x[p * 8 + l];
    for (int l = 0; l < 8; l++)
        s->v[l] = a[l] + b[l];
}

static void row_squares8(const float *x, int64_t points, const float *mean, lane_sums *s)
{
    float a[8] = {0}, m[8];
    memcpy(m, mean, sizeof m);
    for (int64_t p = 0; p < points; p++)
        for (int l = 0; l < 8; l++) {
            float d = x[p * 8 + l] - m[l];
            a[l] += d * d;
        }
    for (int l = 0; l < 8; l++)
        s->v[l] = a[l];
}

static float sum1(const float *x, int64_t n)
{
    float s[8] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; l++)
            s[l] += x[i + l];
    for (; i < n; i++)
        rest += x[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
}

static float squares1(const float *x, int64_t n, float mean)
{
    float s[8] = {0}, rest = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; l++)
            s[l] += (x[i + l] - mean) * (x[i + l] - mean);
    for (; i < n; i++)
        rest += (x[i] - mean) * (x[i] - mean);
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
}

/* Mean and squared deviations of a row, per lane. */
static void row_moments(const float *x, const nod_blocks *b, float *mean, float *m2)
{
    lane_sums s;
    if (b->lanes == 1) {
        mean[0] = sum1(x, b->points) / (float)b->points;
        m2[0] = squares1(x, b->points, mean[0]);
        return;
    }
    for (int64_t part = 0; part < b->lanes; part += 8) { /* lanes is 8 */
        row_sum8(x, b->points, &s);
        for (int l = 0; l < 8; l++)
            mean[part + l] = s.v[l] / (float)b->points;
        row_squares8(x, b->points, mean + part, &s);
        for (int l = 0; l < 8; l++)
            m2[part + l] = s.v[l];
    }
}

static void block_moments(const norm_job *j, int64_t block, double *mean, double *var)
{
    const nod_blocks *b = &j->k->b;
    double m2[LANES_MAX] = {0}, points = (double)b->points;
    float row_mean[LANES_MAX] = {0}, row_m2[LANES_MAX] = {0};
    for (int64_t l = 0; l < b->lanes; l++)
        mean[l] = 0;
    for (int64_t n = 0; n < b->n; n++) {
        row_moments(row_of(j->x, b, n, block), b, row_mean, row_m2);
        double before = (double)n * points, after = before + points;
        for (int64_t l = 0; l < b->lanes; l++) {
            double d = (double)row_mean[l] - mean[l];
            mean[l] += d * points / after;
            m2[l] += (double)row_m2[l] + d * d * before * points / after;
        }
    }
    for (int64_t l = 0; l < b->lanes; l++)
        var[l] = m2[l] / ((double)b->n * points);
}

/* y = act(x*scale + shift + r) of one row. */
static void apply_row(const float *x, const float *r, float *y, const nod_blocks *b,
                      const float *scale, const float *shift, float slope, bool has_act)
{
    int64_t n = b->points * b->lanes;
    if (b->lanes == 1) {
        float s = scale[0], t = shift[0];
        for (int64_t i = 0; i < n; i++) {
            float v = x[i] * s + t + (r ? r[i] : 0.0F);
            y[i] = has_act && v <= 0 ? slope * v : v;
        }
        return;
    }
    float s[8], t[8];
    memcpy(s, scale, sizeof s);
    memcpy(t, shift, sizeof t);
    if (r)
        for (int64_t i = 0; i < n; i += 8)
            for (int l = 0; l < 8; l++) {
                float v = x[i + l] * s[l] + t[l] + r[i + l];
                y[i + l] = v <= 0 ? slope * v : v;
            }
    else
        for (int64_t i = 0; i < n; i += 8)
            for (int l = 0; l < 8; l++) {
                float v = x[i + l] * s[l] + t[l];
                y[i + l] = v <= 0 ? slope * v : v;
            }
}

static void apply_block(const norm_job *j, int64_t block, const float *scale,
                        const float *shift)
{
    const nod_blocks *b = &j->k->b;
    for (int64_t n = 0; n < b->n; n++) {
        const float *r = j->r ? row_of(j->r, b, n, block) : NULL;
        float *y = j->y + (row_of(j->x, b, n, block) - j->x);
        apply_row(row_of(j->x, b, n, block), r, y, b, scale, shift, j->k->slope, j->k->has_act);
    }
}

static void forward_block(void *ctx, int64_t block)
{
    const norm_job *j = ctx;
    const nod_blocks *b = &j->k->b;
    double mean[LANES_MAX], var[LANES_MAX];
    float scale[LANES_MAX], shift[LANES_MAX];
    block_moments(j, block, mean, var);
    for (int64_t l = 0; l < b->lanes; l++) {
        int64_t c = block * b->lanes + l;
        double istd = 1 / sqrt(var[l] + j->k->eps);
        j->mean[c] = (float)mean[l];
        j->istd[c] = (float)istd;
        scale[l] = (float)(istd * (double)j->gamma[c]);
        shift[l] = (float)((double)j->beta[c] - mean[l] * istd * (double)j->gamma[c]);
    }
    apply_block(j, block, scale, shift);
}

static bool usable(const nod_kernel_query *q, nod_layout l)
{
    nod_act act = q->node->attr.act;
    return q->precision == NOD_PRECISION_F32 && nod_cpu_has_avx2() &&
           (l == NOD_LAYOUT_PLAIN || l == NOD_LAYOUT_BLOCK8) &&
           (act == NOD_ACT_IDENTITY || act == NOD_ACT_RELU || act == NOD_ACT_LEAKY_RELU);
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err)
{
    norm_kernel *k = nod_calloc(1, sizeof *k);
    const nod_attrs *a = &q->node->attr;
    if (!k) return nod_fail_memory(err, "batch norm", sizeof *k);
    k->b = nod_blocks_of(nod_query_shape(q, q->node->out[0]), fit->out[0]);
    k->eps = a->eps;
    k->has_act = a->act != NOD_ACT_IDENTITY;
    k->slope = a->act == NOD_ACT_RELU         ? 0.0F
               : a->act == NOD_ACT_LEAKY_RELU ? (float)a->alpha
                                              : 1.0F;
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

static int match_forward(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout l = nod_blocks_layout(q, 0);
    if (!usable(q, l)) return 0;
    fit->in[0] = fit->in[3] = fit->out[0] = l;
    return 1;
}

static int run_forward(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    norm_job j = {.k = (const norm_kernel *)k,
                  .x = a->in[0],
                  .gamma = a->in[1],
                  .beta = a->in[2],
                  .r = a->in[3],
                  .y = a->out[0],
                  .mean = a->out[1],
                  .istd = a->out[2]};
    (void)err;
    nod_parallel_for(j.k->b.blocks, forward_block, &j);
    return 0;
}

/* --- inference ------------------------------------------------------------------------------------ */

static void infer_block(void *ctx, int64_t block)
{
    const norm_job *j = ctx;
    const nod_blocks *b = &j->k->b;
    float scale[LANES_MAX], shift[LANES_MAX];
    for (int64_t l = 0; l < b->lanes; l++) {
        int64_t c = block * b->lanes + l;
        double s = (double)j->gamma[c] / sqrt((double)j->istd_in[c] + j->k->eps); /* variance */
        scale[l] = (float)s;
        shift[l] = (float)((double)j->beta[c] - (double)j->mean_in[c] * s);
    }
    apply_block(j, block, scale, shift);
}

static int match_infer(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout l = nod_blocks_layout(q, 0);
    if (!usable(q, l)) return 0;
    fit->in[0] = fit->in[5] = fit->out[0] = l;
    fit->inplace[0] = 0;
    return 1;
}

static int run_infer(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    norm_job j = {.k = (const norm_kernel *)k,
                  .x = a->in[0],
                  .gamma = a->in[1],
                  .beta = a->in[2],
                  .mean_in = a->in[3],
                  .istd_in = a->in[4],
                  .r = a->in[5],
                  .y = a->out[0]};
    (void)err;
    nod_parallel_for(j.k->b.blocks, infer_block, &j);
    return 0;
}

/* --- backward ------------------------------------------------------------------------------------- */

/* Sums of dz and of dz*xhat of one row of 8 lanes; dz = dy * act'(y). */
static void row_grads8(const float *x, const float *y, const float *dy, int64_t n,
                       const float *mean, const float *istd, float slope, float *s1, float *s2)
{
    float a[8] = {0}, c[8] = {0}, m[8], i[8];
    memcpy(m, mean, sizeof m);
    memcpy(i, istd, sizeof i);
    if (y)
        for (int64_t p = 0; p < n; p += 8)
            for (int l = 0; l < 8; l++) {
                float g = y[p + l] > 0 ? dy[p + l] : slope * dy[p + l];
                a[l] += g;
                c[l] += g * ((x[p + l] - m[l]) * i[l]);
            }
    else
        for (int64_t p = 0; p < n; p += 8)
            for (int l = 0; l < 8; l++) {
                a[l] += dy[p + l];
                c[l] += dy[p + l] * ((x[p + l] - m[l]) * i[l]);
            }
    memcpy(s1, a, sizeof a);
    memcpy(s2, c, sizeof c);
}

static void row_grads1(const float *x, const float *y, const float *dy, int64_t n, float mean,
                       float istd, float slope, float *s1, float *s2)
{
    float a[8] = {0}, c[8] = {0};
    for (int64_t p = 0; p < n; p++) {
        float g = !y || y[p] > 0 ? dy[p] : slope * dy[p];
        a[p & 7] += g;
        c[p & 7] += g * ((x[p] - mean) * istd);
    }
    *s1 = *s2 = 0;
    for (int l = 0; l < 8; l++) {
        *s1 += a[l];
        *s2 += c[l];
    }
}

/* dx = gamma*istd*(dz - mean(dz) - xhat*mean(dz*xhat)); dr = dz. */
static void row_dx(const float *x, const float *y, const float *dy, float *dx, float *dr,
                   int64_t n, int64_t lanes, const float *mean, const float *istd,
                   const float *scale, const float *m1, const float *m2, float slope)
{
    if (lanes == 1) {
        for (int64_t p = 0; p < n; p++) {
            float g = !y || y[p] > 0 ? dy[p] : slope * dy[p];
            if (dr) dr[p] = g;
            dx[p] = scale[0] * (g - m1[0] - (x[p] - mean[0]) * istd[0] * m2[0]);
        }
        return;
    }
    /* dx = A*g + B*x + C with per-lane constants */
    float fa[8], fb[8], fc[8];
    for (int l = 0; l < 8; l++) {
        fa[l] = scale[l];
        fb[l] = -scale[l] * istd[l] * m2[l];
        fc[l] = -scale[l] * m1[l] - fb[l] * mean[l];
    }
    for (int64_t p = 0; p < n; p += 8) {
        float g[8];
        for (int l = 0; l < 8; l++)
            g[l] = dy[p + l];
        if (y)
            for (int l = 0; l < 8; l++)
                g[l] = y[p + l] > 0 ? g[l] : slope * g[l];
        if (dr)
            for (int l = 0; l < 8; l++)
                dr[p + l] = g[l];
        for (int l = 0; l < 8; l++)
            dx[p + l] = fa[l] * g[l] + fb[l] * x[p + l] + fc[l];
    }
}

static void backward_block(void *ctx, int64_t block)
{
    const norm_job *j = ctx;
    const nod_blocks *b = &j->k->b;
    double sum1_d[LANES_MAX] = {0}, sum2_d[LANES_MAX] = {0};
    float s1[LANES_MAX] = {0}, s2[LANES_MAX] = {0}, m1[LANES_MAX], m2[LANES_MAX],
          scale[LANES_MAX];
    int64_t c0 = block * b->lanes, n_row = b->points * b->lanes;
    const float *mean = j->mean_in + c0, *istd = j->istd_in + c0;
    for (int64_t n = 0; n < b->n; n++) {
        const float *x = row_of(j->x, b, n, block), *dy = row_of(j->dy, b, n, block);
        const float *y = j->y_in ? row_of(j->y_in, b, n, block) : NULL;
        if (b->lanes == 1)
            row_grads1(x, y, dy, n_row, mean[0], istd[0], j->k->slope, s1, s2);
        else
            row_grads8(x, y, dy, n_row, mean, istd, j->k->slope, s1, s2);
        for (int64_t l = 0; l < b->lanes; l++) {
            sum1_d[l] += (double)s1[l];
            sum2_d[l] += (double)s2[l];
        }
    }
    double count = (double)(b->n * b->points);
    for (int64_t l = 0; l < b->lanes; l++) {
        if (j->dgamma) j->dgamma[c0 + l] = (float)sum2_d[l];
        if (j->dbeta) j->dbeta[c0 + l] = (float)sum1_d[l];
        m1[l] = (float)(sum1_d[l] / count);
        m2[l] = (float)(sum2_d[l] / count);
        scale[l] = j->gamma[c0 + l] * istd[l];
    }
    if (!j->dx && !j->dr) return;
    for (int64_t n = 0; n < b->n; n++) {
        int64_t at = (n * b->blocks + block) * n_row;
        row_dx(j->x + at, j->y_in ? j->y_in + at : NULL, j->dy + at, j->dx + at,
               j->dr ? j->dr + at : NULL, n_row, b->lanes, mean, istd, scale, m1, m2,
               j->k->slope);
    }
}

static int match_backward(const nod_kernel_query *q, nod_kernel_fit *fit)
{
    nod_layout l = nod_blocks_layout(q, 0);
    if (!usable(q, l) || q->node->out[0] < 0) return 0;
    fit->in[0] = fit->in[1] = fit->in[2] = fit->out[0] = fit->out[3] = l;
    fit->inplace[0] = 2;
    return 1;
}

static int run_backward(nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    norm_job j = {.k = (const norm_kernel *)k,
                  .x = a->in[0],
                  .y_in = a->in[1],
                  .dy = a->in[2],
                  .gamma = a->in[3],
                  .mean_in = a->in[4],
                  .istd_in = a->in[5],
                  .dx = a->out[0],
                  .dgamma = a->out[1],
                  .dbeta = a->out[2],
                  .dr = a->out[3]};
    (void)err;
    nod_parallel_for(j.k->b.blocks, backward_block, &j);
    return 0;
}

const nod_kernel_def nod_cpu_batch_norm = {"avx2", NOD_OP_BATCH_NORM, match_forward,
                                           create, run_forward,       free_kernel};
const nod_kernel_def nod_cpu_batch_norm_infer = {
    "avx2", NOD_OP_BATCH_NORM_INFER, match_infer, create, run_infer, free_kernel};
const nod_kernel_def nod_cpu_batch_norm_bwd = {"avx2", NOD_OP_BATCH_NORM_BWD, match_backward,
                                               create, run_backward,          free_kernel};
