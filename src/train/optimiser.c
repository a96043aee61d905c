/* optimiser.c: the update of every weight, in one pass over the flat buffers.
 *
 * Elementwise work is cut into chunks of CHUNK floats; sums (norms, penalty) are taken per
 * chunk in double and added in chunk order, so that the bits do not depend on the number of
 * threads. */
#include "train/optimiser.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/threads.h"

#define CHUNK         16384 /* floats: 64 KiB per buffer, fits L2 with all moments */
#define PARALLEL_FROM 65536 /* floats: below, one thread is faster than waking a team */

int nod_optimiser_new(const nod_params *p, const nod_optimiser_options *o, nod_optimiser **out,
                      nod_error *err)
{
    nod_optimiser *n = nod_calloc(1, sizeof *n);
    size_t bytes = (size_t)p->size * sizeof(float);
    if (!n) return nod_fail_memory(err, "optimiser", sizeof *n);
    n->options = *o;
    n->size = p->size;
    bool needs1 = o->kind != NOD_OPTIMISER_SGD;
    bool needs2 = o->kind == NOD_OPTIMISER_ADAM || o->kind == NOD_OPTIMISER_ADAMW;
    if ((needs1 && !(n->moment1 = nod_aligned_calloc(bytes))) ||
        (needs2 && !(n->moment2 = nod_aligned_calloc(bytes))) ||
        (o->ema > 0 && !(n->average = nod_aligned_calloc(bytes)))) {
        nod_optimiser_free(n);
        return nod_fail_memory(err, "moments of the optimiser", bytes);
    }
    if (n->average) memcpy(n->average, p->data, bytes);
    *out = n;
    return 0;
}

void nod_optimiser_free(nod_optimiser *o)
{
    if (!o) return;
    nod_free(o->moment1);
    nod_free(o->moment2);
    nod_free(o->average);
    nod_free(o);
}

/* --- sums in a fixed order ---------------------------------------------------------------- */

typedef struct sum_job {
    const float *v;
    double *part;
    int64_t n;
    bool absolute; /* sum of |v|, else of v^2 */
} sum_job;

static void sum_chunk(void *ctx, int64_t i)
{
    sum_job *j = ctx;
    int64_t end = NOD_MIN(j->n, (i + 1) * CHUNK);
    double s[4] = {0};
    for (int64_t k = i * CHUNK; k < end; k++) {
        double v = j->v[k];
        s[k & 3] += j->absolute ? fabs(v) : v * v;
    }
    j->part[i] = (s[0] + s[1]) + (s[2] + s[3]);
}

static double sum_of(const float *v, int64_t n, bool absolute)
{
    double total = 0, part[64];
    int64_t n_chunks = (n + CHUNK - 1) / CHUNK;
    for (int64_t first = 0; first < n_chunks; first += 64) {
        int64_t count = NOD_MIN(n_chunks - first, 64), at = first * CHUNK;
        sum_job j = {v + at, part, n - at, absolute};
        if (n < PARALLEL_FROM)
            for (int64_t i = 0; i < count; i++)
                sum_chunk(&j, i);
        else
            nod_parallel_for(count, sum_chunk, &j);
        for (int64_t i = 0; i < count; i++)
            total += part[i];
    }
    return total;
}

double nod_optimiser_penalty(const nod_optimiser *o, const nod_params *p)
{
    double total = 0;
    for (size_t i = 0; i < p->n_params; i++) {
        const nod_param *q = &p->params[i];
        const nod_group_decay *d = &o->options.groups[q->group];
        if (d->l1 > 0) total += d->l1 * sum_of(p->data + q->offset, q->count, true);
        if (d->l2 > 0) total += d->l2 / 2 * sum_of(p->data + q->offset, q->count, false);
    }
    return total;
}

/* --- the step -------------------------------------------------------------------------------
 */

typedef struct step_job {
    const nod_optimiser_options *o;
    nod_group_decay decay;
    float *w, *g, *m, *v;
    float *average;
    int64_t n;
    float lr, clip, correct1, correct2;
} step_job;

/* Gradient with clipping and weight regularisation; decoupled decay is applied to w itself. */
static inline float regularised(const step_job *j, int64_t k, float l1, float l2, float shrink)
{
    float w = j->w[k], g = j->g[k] * j->clip + l2 * w;
    if (l1 > 0) g += w > 0 ? l1 : w < 0 ? -l1 : 0;
    j->w[k] = w * shrink;
    return g;
}

static void step_range(const step_job *j, int64_t from, int64_t to)
{
    const nod_optimiser_options *o = j->o;
    /* Shares of the new: 1 - 0.999 taken in f32 would be wrong by 1e-5 of itself. */
    const float n1 = (float)(1 - o->beta1), n2 = (float)(1 - o->beta2);
    const float ns = (float)(1 - o->alpha), eps = (float)o->eps;
    const float lr = j->lr, mom = (float)o->momentum;
    const float l1 = (float)j->decay.l1, l2 = (float)j->decay.l2;
    const float shrink = 1 - lr * (float)j->decay.decay;
    float *w = j->w, *m = j->m, *v = j->v;
    NOD_ASSERT(m != NULL || o->kind == NOD_OPTIMISER_SGD);
    NOD_ASSERT(v != NULL || (o->kind != NOD_OPTIMISER_ADAM && o->kind != NOD_OPTIMISER_ADAMW));
    switch (o->kind) {
    case NOD_OPTIMISER_SGD:
        for (int64_t k = from; k < to; k++) {
            float g = regularised(j, k, l1, l2, shrink);
            w[k] -= lr * g;
        }
        break;
    case NOD_OPTIMISER_MOMENTUM:
        for (int64_t k = from; k < to; k++) {
            float g = regularised(j, k, l1, l2, shrink);
            m[k] = mom * m[k] + g;
            w[k] -= lr * m[k];
        }
        break;
    case NOD_OPTIMISER_NESTEROV:
        for (int64_t k = from; k < to; k++) {
            float g = regularised(j, k, l1, l2, shrink);
            m[k] = mom * m[k] + g;
            w[k] -= lr * (g + mom * m[k]);
        }
        break;
    case NOD_OPTIMISER_RMSPROP:
        for (int64_t k = from; k < to; k++) {
            float g = regularised(j, k, l1, l2, shrink);
            m[k] += ns * (g * g - m[k]);
            w[k] -= lr * g / (sqrtf(m[k]) + eps);
        }
        break;
    case NOD_OPTIMISER_ADAM:
    case NOD_OPTIMISER_ADAMW:
        for (int64_t k = from; k < to; k++) {
            float g = regularised(j, k, l1, l2, shrink);
            m[k] += n1 * (g - m[k]);
            v[k] += n2 * (g * g - v[k]);
            w[k] -= lr * (m[k] * j->correct1) / (sqrtf(v[k] * j->correct2) + eps);
        }
        break;
    }
}

static void average_range(const step_job *j, int64_t from, int64_t to)
{
    const float share = (float)(1 - j->o->ema);
    for (int64_t k = from; k < to; k++)
        j->average[k] += share * (j->w[k] - j->average[k]);
}

static void step_chunk(void *ctx, int64_t i)
{
    const step_job *j = ctx;
    int64_t from = i * CHUNK, to = NOD_MIN(j->n, from + CHUNK);
    step_range(j, from, to);
    if (j->average && j->decay.max_norm <= 0) average_range(j, from, to);
}

/* Scales each row (the weights into one unit) down to max_norm. */
static void limit_rows(const nod_param *q, float *w, double max_norm)
{
    int64_t rows = q->shape.rank > 1 ? q->shape.dim[0] : 1, n = q->count / NOD_MAX(rows, 1);
    for (int64_t r = 0; r < rows; r++) {
        double norm = sqrt(sum_of(w + r * n, n, false));
        if (norm <= max_norm) continue;
        float scale = (float)(max_norm / norm);
        for (int64_t k = 0; k < n; k++)
            w[r * n + k] *= scale;
    }
}

static void step_param(nod_optimiser *o, const nod_param *q, step_job j, nod_params *p,
                       float *grads)
{
    int64_t at = q->offset;
    j.decay = o->options.groups[q->group];
    j.w = p->data + at;
    j.g = grads + at;
    j.m = o->moment1 ? o->moment1 + at : NULL;
    j.v = o->moment2 ? o->moment2 + at : NULL;
    j.average = o->average ? o->average + at : NULL;
    j.n = q->count;
    int64_t chunks = (q->count + CHUNK - 1) / CHUNK;
    if (q->count < PARALLEL_FROM)
        for (int64_t i = 0; i < chunks; i++)
            step_chunk(&j, i);
    else
        nod_parallel_for(chunks, step_chunk, &j);
    if (j.decay.max_norm > 0) {
        limit_rows(q, j.w, j.decay.max_norm);
        if (j.average) average_range(&j, 0, q->count);
    }
}

void nod_optimiser_step(nod_optimiser *o, nod_params *p, float *grads, double lr)
{
    NOD_ASSERT(o->size == p->size);
    step_job j = {.o = &o->options, .lr = (float)lr, .clip = 1};
    o->step++;
    if (o->options.clip_norm > 0) {
        o->last_grad_norm = sqrt(sum_of(grads, p->size, false));
        if (o->last_grad_norm > o->options.clip_norm)
            j.clip = (float)(o->options.clip_norm / (o->last_grad_norm + 1e-6));
    }
    if (o->moment2) {
        j.correct1 = (float)(1 / (1 - pow(o->options.beta1, (double)o->step)));
        j.correct2 = (float)(1 / (1 - pow(o->options.beta2, (double)o->step)));
    }
    for (size_t i = 0; i < p->n_params; i++)
        step_param(o, &p->params[i], j, p, grads);
}
