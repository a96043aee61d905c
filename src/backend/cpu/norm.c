/* norm.c: batch norm and group norm (with instance and layer norm) on vectors: forward with
 * residual and activation, inference, backward. The passes over memory are in norm_tmpl.h; here
 * is what lies between them: a few numbers per channel. */
#include "backend/cpu/norm.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

typedef struct norm_kernel {
    nod_norm norm;
    const nod_norm_isa *isa;
} norm_kernel;

/* Constants are kept per image where the statistics are. */
static int64_t constant_rows(const nod_norm *k)
{
    return k->groups > 0 ? k->b.n : 1;
}

static size_t sum_bytes(const nod_norm *k)
{
    return (size_t)(k->b.n * k->b.c) * sizeof(double);
}

static size_t memory_bytes(const nod_norm *k)
{
    return 2 * sum_bytes(k) + 3 * (size_t)(constant_rows(k) * k->b.c) * sizeof(float);
}

static nod_norm_memory memory_of(const nod_norm *k, void *scratch)
{
    nod_norm_memory m = {.sum1 = scratch};
    int64_t n = constant_rows(k) * k->b.c;
    m.sum2 = m.sum1 + k->b.n * k->b.c;
    m.lane[0] = (float *)(m.sum2 + k->b.n * k->b.c);
    m.lane[1] = m.lane[0] + n;
    m.lane[2] = m.lane[1] + n;
    return m;
}

/* --- a kernel ------------------------------------------------------------------------------- */

static bool is_group(nod_op op)
{
    return op == NOD_OP_GROUP_NORM || op == NOD_OP_GROUP_NORM_BWD;
}

static nod_norm describe(const nod_kernel_query *q, nod_layout l, const nod_norm_isa *isa)
{
    const nod_attrs *a = &q->node->attr;
    return (nod_norm){
        .b = nod_blocks_of_vectors(nod_query_shape(q, q->node->in[0]), l, isa->lanes),
        .groups = is_group(q->node->op) ? a->groups : 0,
        .eps = a->eps,
        .act = a->act,
        .alpha = (float)a->alpha,
        .half = q->dtype[q->node->in[0]] == NOD_DTYPE_BF16};
}

/* true if all activations of the node are stored alike, in the layout *l of its first input. */
static bool usable(const nod_kernel_query *q, const nod_norm_isa *isa, const int *values,
                   size_t n_values, nod_layout *l)
{
    if (q->precision == NOD_PRECISION_F64) return false;
    for (size_t i = 0; i < n_values; i++)
        if (values[i] >= 0 && q->dtype[values[i]] != q->dtype[values[0]]) return false;
    const nod_shape *s = nod_query_shape(q, values[0]);
    *l = q->in[0];
    if (*l == NOD_LAYOUT_LAST && (s->rank < 3 || s->dim[1] % isa->lanes != 0))
        *l = NOD_LAYOUT_PLAIN;
    return *l == NOD_LAYOUT_PLAIN || *l == NOD_LAYOUT_LAST ||
           nod_layout_block(*l) == isa->lanes;
}

static int create(const nod_kernel_query *q, const nod_kernel_fit *fit, nod_kernel **out,
                  nod_error *err, const nod_norm_isa *isa)
{
    norm_kernel *k = nod_calloc(1, sizeof *k);
    if (!k) return nod_fail_memory(err, "norm", sizeof *k);
    k->norm = describe(q, fit->in[0], isa);
    k->isa = isa;
    *out = (nod_kernel *)k;
    return 0;
}

static void free_kernel(nod_kernel *k)
{
    nod_free(k);
}

/* --- forward -------------------------------------------------------------------------------- */

static int match_forward(const nod_kernel_query *q, nod_kernel_fit *fit,
                         const nod_norm_isa *isa)
{
    const nod_node *n = q->node;
    bool group = is_group(n->op);
    int values[] = {n->in[0], n->out[0], group ? -1 : n->in[3]};
    nod_layout l;
    if (!usable(q, isa, values, NOD_COUNT(values), &l)) return 0;
    fit->in[0] = fit->out[0] = l;
    if (!group) fit->in[3] = l;
    nod_norm k = describe(q, l, isa);
    fit->scratch_bytes = memory_bytes(&k);
    return 1;
}

/* Joins the moments of the images into those of the first (Chan, Golub and LeVeque 1983). */
static void join_images(const nod_norm *k, const nod_norm_memory *m)
{
    double *mean = m->sum1, *m2 = m->sum2, points = (double)k->b.points;
    for (int64_t n = 1; n < k->b.n; n++) {
        const double *mean_n = m->sum1 + n * k->b.c, *m2_n = m->sum2 + n * k->b.c;
        double before = (double)n * points, share = points / (before + points);
        for (int64_t c = 0; c < k->b.c; c++) {
            double d = mean_n[c] - mean[c];
            mean[c] += d * share;
            m2[c] += m2_n[c] + d * d * before * share;
        }
    }
}

/* The same for channels c0..c1-1 of image n, into the first of them. */
static void join_channels(const nod_norm *k, const nod_norm_memory *m, int64_t n, int64_t c0,
                          int64_t c1)
{
    double *mean = m->sum1 + n * k->b.c, *m2 = m->sum2 + n * k->b.c;
    for (int64_t c = c0 + 1; c < c1; c++) {
        double before = (double)(c - c0), share = 1 / (before + 1), d = mean[c] - mean[c0];
        mean[c0] += d * share;
        m2[c0] += m2[c] + d * d * before * share * (double)k->b.points;
    }
}

/* Constants of one channel: y = x*lane[0] + lane[1]. */
static void set_forward(const nod_norm_memory *m, int64_t at, double mean, double istd,
                        float gamma, float beta)
{
    m->lane[0][at] = (float)(istd * (double)gamma);
    m->lane[1][at] = (float)((double)beta - mean * istd * (double)gamma);
}

static int run_forward(nod_kernel *kernel, const nod_kernel_args *a, nod_error *err)
{
    const norm_kernel *nk = (const norm_kernel *)kernel;
    const nod_norm *k = &nk->norm;
    const float *gamma = a->in[1], *beta = a->in[2];
    float *mean_out = a->out[1], *istd_out = a->out[2];
    nod_norm_memory m = memory_of(k, a->scratch);
    bool group = k->groups > 0;
    int64_t groups = group ? k->groups : k->b.c, per = k->b.c / groups;
    double count = (double)(k->b.points * (group ? per : k->b.n));
    (void)err;
    nk->isa->moments(k, &m, a->in[0]);
    if (!group) join_images(k, &m);
    for (int64_t i = 0; i < constant_rows(k) * groups; i++) {
        int64_t n = i / groups, c0 = i % groups * per, first = n * k->b.c + c0;
        if (group) join_channels(k, &m, n, c0, c0 + per);
        double mean = m.sum1[first], istd = 1 / sqrt(m.sum2[first] / count + k->eps);
        mean_out[i] = (float)mean;
        istd_out[i] = (float)istd;
        for (int64_t c = 0; c < per; c++)
            set_forward(&m, first + c, mean, istd, gamma[c0 + c], beta[c0 + c]);
    }
    nk->isa->apply(k, &m, a->in[0], k->groups > 0 ? NULL : a->in[3], a->out[0]);
    return 0;
}

/* --- inference ------------------------------------------------------------------------------ */

static int match_infer(const nod_kernel_query *q, nod_kernel_fit *fit, const nod_norm_isa *isa)
{
    int values[] = {q->node->in[0], q->node->out[0], q->node->in[5]};
    nod_layout l;
    if (!usable(q, isa, values, NOD_COUNT(values), &l)) return 0;
    fit->in[0] = fit->in[5] = fit->out[0] = l;
    fit->inplace[0] = 0;
    nod_norm k = describe(q, l, isa);
    fit->scratch_bytes = memory_bytes(&k);
    return 1;
}

static int run_infer(nod_kernel *kernel, const nod_kernel_args *a, nod_error *err)
{
    const norm_kernel *nk = (const norm_kernel *)kernel;
    const nod_norm *k = &nk->norm;
    const float *gamma = a->in[1], *beta = a->in[2], *mean = a->in[3], *var = a->in[4];
    nod_norm_memory m = memory_of(k, a->scratch);
    (void)err;
    for (int64_t c = 0; c < k->b.c; c++)
        set_forward(&m, c, (double)mean[c], 1 / sqrt((double)var[c] + k->eps), gamma[c],
                    beta[c]);
    nk->isa->apply(k, &m, a->in[0], a->in[5], a->out[0]);
    return 0;
}

/* --- backward ------------------------------------------------------------------------------- */

static int match_backward(const nod_kernel_query *q, nod_kernel_fit *fit,
                          const nod_norm_isa *isa)
{
    const nod_node *n = q->node;
    bool group = is_group(n->op);
    int values[] = {n->in[0], n->in[1], n->in[2], n->out[0], group ? -1 : n->out[3]};
    nod_layout l;
    if (n->out[0] < 0 || !usable(q, isa, values, NOD_COUNT(values), &l)) return 0;
    fit->in[0] = fit->in[1] = fit->in[2] = fit->out[0] = l;
    if (!group) fit->out[3] = l;
    fit->inplace[0] = 2;
    nod_norm k = describe(q, l, isa);
    fit->scratch_bytes = memory_bytes(&k);
    return 1;
}

/* What the rows need of the statistics: lane[0] the mean, lane[1] 1/deviation. */
static void spread_statistics(const nod_norm *k, const nod_norm_memory *m, const float *mean,
                              const float *istd)
{
    int64_t groups = k->groups > 0 ? k->groups : k->b.c, per = k->b.c / groups;
    for (int64_t n = 0; n < constant_rows(k); n++)
        for (int64_t c = 0; c < k->b.c; c++) {
            m->lane[0][n * k->b.c + c] = mean[n * groups + c / per];
            m->lane[1][n * k->b.c + c] = istd[n * groups + c / per];
        }
}

/* Adds up over the images into the first sums; those of the images are gone then. */
static void sum_images(const nod_norm *k, const nod_norm_memory *m)
{
    for (int64_t n = 1; n < k->b.n; n++)
        for (int64_t c = 0; c < k->b.c; c++) {
            m->sum1[c] += m->sum1[n * k->b.c + c];
            m->sum2[c] += m->sum2[n * k->b.c + c];
        }
}

/* dx = istd*(h - mean(h) - xhat*mean(h*xhat)) with h = g*gamma, over channels c0..c1-1 of sums
 * and constants row n, `count` numbers; as lane[0]*g + lane[1]*x + lane[2]. */
static void set_backward(const nod_norm *k, const nod_norm_memory *m, const float *gamma,
                         int64_t n, int64_t c0, int64_t c1, double mean, double istd,
                         double count)
{
    double h = 0, h_xhat = 0;
    int64_t row = n * k->b.c;
    for (int64_t c = c0; c < c1; c++) {
        h += (double)gamma[c] * m->sum1[row + c];
        h_xhat += (double)gamma[c] * m->sum2[row + c];
    }
    double slope = -istd * istd * h_xhat / count, shift = -istd * h / count - slope * mean;
    for (int64_t c = c0; c < c1; c++) {
        m->lane[0][row + c] = (float)((double)gamma[c] * istd);
        m->lane[1][row + c] = (float)slope;
        m->lane[2][row + c] = (float)shift;
    }
}

static void set_parameters(const nod_norm *k, const nod_norm_memory *m, float *dgamma,
                           float *dbeta)
{
    for (int64_t c = 0; c < k->b.c; c++) {
        if (dbeta) dbeta[c] = (float)m->sum1[c];
        if (dgamma) dgamma[c] = (float)m->sum2[c];
    }
}

static int run_backward(nod_kernel *kernel, const nod_kernel_args *a, nod_error *err)
{
    const norm_kernel *nk = (const norm_kernel *)kernel;
    const nod_norm *k = &nk->norm;
    const float *gamma = a->in[3], *mean = a->in[4], *istd = a->in[5];
    nod_norm_memory m = memory_of(k, a->scratch);
    bool group = k->groups > 0;
    int64_t groups = group ? k->groups : k->b.c, per = k->b.c / groups;
    (void)err;
    spread_statistics(k, &m, mean, istd);
    nk->isa->sums(k, &m, a->in[0], a->in[1], a->in[2]);
    double count = (double)(k->b.points * (group ? per : k->b.n));
    if (!group) sum_images(k, &m);
    for (int64_t i = 0; i < constant_rows(k) * groups; i++) {
        int64_t n = i / groups, c0 = i % groups * per;
        set_backward(k, &m, gamma, n, c0, c0 + per, (double)mean[i], (double)istd[i], count);
    }
    if (group) sum_images(k, &m);
    set_parameters(k, &m, a->out[1], a->out[2]);
    nk->isa->gradient(k, &m, a->in[0], a->in[1], a->in[2], a->out[0], group ? NULL : a->out[3]);
    return 0;
}

/* --- the table's members -------------------------------------------------------------------- */

#define KERNEL(isa, kind, node_op, pass)                                                   \
    static int match_##kind##_##isa(const nod_kernel_query *q, nod_kernel_fit *fit)        \
    {                                                                                      \
        return nod_cpu_has_##isa() && match_##pass(q, fit, &nod_norm_isa_##isa);           \
    }                                                                                      \
    static int create_##kind##_##isa(const nod_kernel_query *q, const nod_kernel_fit *fit, \
                                     nod_kernel **out, nod_error *err)                     \
    {                                                                                      \
        return create(q, fit, out, err, &nod_norm_isa_##isa);                              \
    }                                                                                      \
    const nod_kernel_def nod_cpu_##kind##_##isa = {                                        \
        #isa, node_op, match_##kind##_##isa, create_##kind##_##isa, run_##pass, free_kernel};

#define KERNELS(isa)                                              \
    KERNEL(isa, batch_norm, NOD_OP_BATCH_NORM, forward)           \
    KERNEL(isa, batch_norm_infer, NOD_OP_BATCH_NORM_INFER, infer) \
    KERNEL(isa, batch_norm_bwd, NOD_OP_BATCH_NORM_BWD, backward)  \
    KERNEL(isa, group_norm, NOD_OP_GROUP_NORM, forward)           \
    KERNEL(isa, group_norm_bwd, NOD_OP_GROUP_NORM_BWD, backward)

KERNELS(avx2)
KERNELS(avx512)
