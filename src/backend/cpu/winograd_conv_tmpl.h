/* winograd_conv_tmpl.h: forward and backward-data for one instruction set (see winograd.h).
 *
 * Two ways through the same steps. Each thread takes blocks of positions, keeps their V in its
 * own L2 and runs over all outputs (few channels: U is small against the tiles); or V of many
 * blocks is made first and each thread takes output channels, whose U it makes itself (many
 * channels: U is too large to be read once per block). */
#ifndef NOD_BACKEND_CPU_WINOGRAD_CONV_TMPL_H
#define NOD_BACKEND_CPU_WINOGRAD_CONV_TMPL_H

#include <stdatomic.h>

#include "backend/cpu/winograd_tmpl.h"
#include "base/threads.h"

#if VEC_LANES == 16
#define PANEL 12 /* 12 x 2 accumulators of 32 registers */
#else
#define PANEL 6 /* 6 x 2 accumulators of 16 registers */
#endif
#define DEPTH_TAPS_MAX 3
/* Channels whose U (pair of vectors) stays in L1 while the panels of a block pass. */
#define CHANNELS_IN_L1 (3072 / (2 * L))

/* One term of a sum over depth taps. */
typedef struct term {
    const float *v; /* [n_blocks][tiles][L], blocks v_block apart */
    const float *u; /* [n_blocks * L][n_vec * L] */
} term;

/* m[vector][tile][L] (+)= sum over terms and channels of v[channel][tile] * u[channel][vector],
 * for n_tiles <= PANEL tiles from v + tile0*L. */
NOD_INLINE void product(const int n_tiles, const int n_vec, const term *terms, int n_terms,
                        int64_t tile0, int64_t n_blocks, int64_t v_block, float *m,
                        int64_t m_vec, bool add)
{
    vec acc[2][PANEL];
    for (int t = 0; t < n_tiles; t++)
        for (int j = 0; j < n_vec; j++)
            acc[j][t] = add ? vec_load(m + j * m_vec + t * L) : vec_zero();
    for (int k = 0; k < n_terms; k++) {
        const float *v = terms[k].v + tile0 * L, *u = terms[k].u;
        for (int64_t b = 0; b < n_blocks; b++, v += v_block) {
#pragma GCC unroll 8
            for (int i = 0; i < L; i++, u += n_vec * L) {
                vec u0 = vec_load(u), u1 = n_vec > 1 ? vec_load(u + L) : u0;
#pragma GCC unroll 12
                for (int t = 0; t < n_tiles; t++) {
                    vec x = vec_set1(v[t * L + i]);
                    acc[0][t] = vec_fma(x, u0, acc[0][t]);
                    if (n_vec > 1) acc[1][t] = vec_fma(x, u1, acc[1][t]);
                }
            }
        }
    }
    for (int t = 0; t < n_tiles; t++)
        for (int j = 0; j < n_vec; j++)
            vec_store(m + j * m_vec + t * L, acc[j][t]);
}

#define PRODUCT_CASE(n)                                                             \
    case n:                                                                         \
        if (n_vec == 2)                                                             \
            product(n, 2, terms, n_terms, tile0, n_blocks, v_block, m, m_vec, add); \
        else                                                                        \
            product(n, 1, terms, n_terms, tile0, n_blocks, v_block, m, m_vec, add); \
        break;

static void product_any(int64_t n_tiles, int64_t n_vec, const term *terms, int n_terms,
                        int64_t tile0, int64_t n_blocks, int64_t v_block, float *m,
                        int64_t m_vec, bool add)
{
    switch (n_tiles) {
        PRODUCT_CASE(1)
        PRODUCT_CASE(2)
        PRODUCT_CASE(3)
        PRODUCT_CASE(4)
        PRODUCT_CASE(5)
        PRODUCT_CASE(6)
#if PANEL == 12
        PRODUCT_CASE(7)
        PRODUCT_CASE(8)
        PRODUCT_CASE(9)
        PRODUCT_CASE(10)
        PRODUCT_CASE(11)
        PRODUCT_CASE(12)
#endif
    default:
        NOD_ASSERT(!"panel");
    }
}

/* What all threads of one run share. */
typedef struct conv_run {
    const nod_winograd_conv_args *a;
    const nod_winograd_conv *cv;
    int64_t block0, n_blocks; /* of the current chunk of shared V */
    atomic_int_fast64_t next; /* next job */
    int64_t n_jobs;
} conv_run;

NOD_INLINE int64_t take_job(conv_run *r)
{
    int64_t job = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
    return job < r->n_jobs ? job : -1;
}

static void start_jobs(conv_run *r, int64_t n_jobs, void (*worker)(void *, int64_t))
{
    atomic_store(&r->next, 0);
    r->n_jobs = n_jobs;
    nod_parallel_for(NOD_MIN(r->cv->n_workers, n_jobs), worker, r);
}

NOD_INLINE int64_t vecs_of_pair(const nod_winograd_conv *cv, int64_t pair)
{
    return NOD_MIN(2, cv->s.o / L - pair * 2);
}

/* U of one pair of output vectors. */
static void make_u(const nod_winograd_conv_args *a, int64_t pair, float *u)
{
    enum { CHUNK = 4 }; /* channels read before they are transformed */
    float taps[CHUNK][9 * 2 * L] NOD_ALIGNED(64);
    const nod_winograd_conv *cv = a->conv;
    const int64_t n_vec = vecs_of_pair(cv, pair), lanes = n_vec * L, n_taps = cv->s.kd * 9;
    for (int64_t k = 0; k < cv->s.kd; k++) {
        for (int64_t c0 = 0; c0 < cv->s.c; c0 += CHUNK) {
            for (int64_t o = 0; o < lanes; o++) {
                const float *w = a->weights + (pair * 2 * L + o) * a->w_stride_o;
                for (int64_t c = 0; c < CHUNK; c++) {
                    const float *f = w + (c0 + c) * a->w_stride_c;
                    if (a->flip) {
                        for (int64_t t = 0; t < 9; t++)
                            taps[c][t * lanes + o] = f[n_taps - 1 - k * 9 - t];
                    } else {
                        for (int64_t t = 0; t < 9; t++)
                            taps[c][t * lanes + o] = f[k * 9 + t];
                    }
                }
            }
            for (int64_t c = 0; c < CHUNK; c++)
                filter_vecs(taps[c], (int)n_vec, u + (k * cv->s.c + c0 + c) * lanes, cv->u_xi);
        }
    }
}

static void u_worker(void *ctx, int64_t worker)
{
    (void)worker;
    conv_run *r = ctx;
    for (int64_t pair; (pair = take_job(r)) >= 0;)
        make_u(r->a, pair, r->a->u + pair * r->cv->u_pair);
}

/* Asks for the rows of a run, which the next call of source_run will read. */
NOD_INLINE void prefetch_run(const nod_winograd_shape *s, const stored *plane,
                             const tile_run *r)
{
    const int64_t x0 = NOD_MAX(r->column * 4 - s->pw, 0);
    const int64_t x1 = NOD_MIN((r->column + r->length) * 4 + 2 - s->pw, s->w);
    const int64_t y0 = NOD_MAX(r->row * 4 - s->ph, 0);
    const int64_t y1 = NOD_MIN(r->row * 4 + 6 - s->ph, s->h);
    for (int64_t y = y0; y < y1; y++)
        for (int64_t x = x0 * L; x < x1 * L; x += 64 / (int64_t)sizeof(stored))
            __builtin_prefetch(plane + y * s->w * L + x, 0, 2);
}

/* V of positions q0.. of a block, source plane d, channel blocks b0..b1. */
static void make_v(const nod_winograd_conv_args *a, int64_t q0, int64_t n, int64_t d,
                   int64_t b0, int64_t b1, float *v)
{
    const nod_winograd_conv *cv = a->conv;
    const nod_winograd_shape *s = &cv->s;
    const int64_t plane = s->h * s->w * L;
    for (int64_t t = 0; t < n;) {
        tile_run run = run_at(q0 + t, n - t, cv->tiles_h, cv->tiles_w);
        for (int64_t b = b0; b < b1; b++) {
            const stored *src =
                (const stored *)a->src + ((run.image * (s->c / L) + b) * s->d + d) * plane;
            if (b + 1 < b1) prefetch_run(s, src + s->d * plane, &run);
            source_run(s, src, &run, v + (b * cv->block + t) * L, cv->v_xi);
        }
        t += run.length;
    }
}

/* M of `n` positions of a block at output depth d (depth index i in M), pairs pair0.. */
static void multiply(const nod_winograd_conv *cv, const float *v, const float *u, int64_t pair0,
                     int64_t n_pairs, int64_t xi, int64_t d, int64_t i, int64_t n, float *m)
{
    const nod_winograd_shape *s = &cv->s;
    const int64_t channels = NOD_MAX(CHANNELS_IN_L1 / s->kd / L * L, L);
    const int64_t n_panels = (n + PANEL - 1) / PANEL;
    for (int64_t p = 0; p < n_pairs; p++) {
        const int64_t n_vec = vecs_of_pair(cv, pair0 + p), row = n_vec * L;
        const float *up = u + p * cv->u_pair + xi * cv->u_xi;
        float *mp = m + xi * cv->m_xi + p * 2 * cv->m_vec + i * cv->block * L;
        for (int64_t c0 = 0; c0 < s->c; c0 += channels) {
            term terms[DEPTH_TAPS_MAX];
            int n_terms = 0;
            for (int64_t k = 0; k < s->kd; k++) {
                int64_t ds = d + k - s->pd;
                if (ds < 0 || ds >= s->d) continue;
                terms[n_terms++] =
                    (term){v + ds % cv->ring * cv->v_plane + xi * cv->v_xi + c0 * cv->block,
                           up + (k * s->c + c0) * row};
            }
            const int64_t n_blocks = NOD_MIN(channels, s->c - c0) / L;
            int64_t t = 0;
            for (int64_t j = 0; j < n_panels; j++) {
                int64_t next = n * (j + 1) / n_panels;
                product_any(next - t, n_vec, terms, n_terms, t, n_blocks, cv->block * L,
                            mp + t * L, cv->m_vec, c0 > 0);
                t = next;
            }
        }
    }
}

/* The outputs of `n` positions from q0 at depths d0.., from M of pairs pair0.. */
static void write_outputs(const nod_winograd_conv_args *a, const float *m, int64_t pair0,
                          int64_t n_pairs, int64_t q0, int64_t n, int64_t d0, int64_t n_d)
{
    const nod_winograd_conv *cv = a->conv;
    const nod_winograd_shape *s = &cv->s;
    const int64_t plane = s->oh * s->ow * L, b0 = pair0 * 2;
    const int64_t n_b = NOD_MIN(n_pairs * 2, s->o / L - b0);
    for (int64_t b = 0; b < n_b; b++) {
        const finish f = {a->bias ? vec_load(a->bias + (b0 + b) * L) : vec_zero(),
                          vec_set1(a->alpha), a->act};
        for (int64_t i = 0; i < n_d; i++) {
            const float *mt = m + b * cv->m_vec + i * cv->block * L;
            for (int64_t t = 0; t < n;) {
                tile_run run = run_at(q0 + t, n - t, cv->tiles_h, cv->tiles_w);
                stored *dst = (stored *)a->dst +
                              ((run.image * (s->o / L) + b0 + b) * s->od + d0 + i) * plane;
                for (int64_t j = 0; j < run.length; j++)
                    output_tile(s, mt + (t + j) * L, cv->m_xi, dst, run.row * 4,
                                (run.column + j) * 4, &f);
                t += run.length;
            }
        }
    }
}

/* Output depths d0..d0+n_d of one block, pairs pair0..: products, then outputs. */
static void compute(const nod_winograd_conv_args *a, const float *v, const float *u,
                    int64_t pair0, int64_t n_pairs, int64_t q0, int64_t n, int64_t d0,
                    int64_t n_d, float *m)
{
    for (int64_t xi = 0; xi < NOD_WINOGRAD_XI; xi++)
        for (int64_t i = 0; i < n_d; i++)
            multiply(a->conv, v, u, pair0, n_pairs, xi, d0 + i, i, n, m);
    write_outputs(a, m, pair0, n_pairs, q0, n, d0, n_d);
}

/* Few channels: whole blocks, V in the worker's memory as a ring over depth. */
static void block_worker(void *ctx, int64_t worker)
{
    conv_run *r = ctx;
    const nod_winograd_conv_args *a = r->a;
    const nod_winograd_conv *cv = r->cv;
    float *v = a->workers + (size_t)worker * cv->worker_floats;
    float *m = v + cv->ring * cv->v_plane;
    for (int64_t block; (block = take_job(r)) >= 0;) {
        const int64_t q0 = block * cv->block, n = NOD_MIN(cv->block, cv->positions - q0);
        int64_t next = 0; /* first plane not yet in the ring */
        for (int64_t d0 = 0; d0 < cv->s.od; d0 += cv->depth_step) {
            const int64_t n_d = NOD_MIN(cv->depth_step, cv->s.od - d0);
            const int64_t last = NOD_MIN(d0 + n_d - 1 - cv->s.pd + cv->s.kd, cv->s.d);
            for (; next < last; next++)
                make_v(a, q0, n, next, 0, cv->s.c / L, v + next % cv->ring * cv->v_plane);
            for (int64_t p = 0; p < cv->pairs; p += cv->pair_group)
                compute(a, v, a->u + p * cv->u_pair, p, NOD_MIN(cv->pair_group, cv->pairs - p),
                        q0, n, d0, n_d, m);
        }
    }
}

/* Many channels, first part: V of one block, plane and quarter of the channels. */
#define V_PARTS 4
static void shared_v_worker(void *ctx, int64_t worker)
{
    (void)worker;
    conv_run *r = ctx;
    const nod_winograd_conv *cv = r->cv;
    for (int64_t job; (job = take_job(r)) >= 0;) {
        const int64_t part = job % V_PARTS, d = job / V_PARTS % cv->s.d;
        const int64_t block = job / V_PARTS / cv->s.d, n_b = cv->s.c / L;
        const int64_t q0 = (r->block0 + block) * cv->block;
        const int64_t n = NOD_MIN(cv->block, cv->positions - q0);
        make_v(r->a, q0, n, d, n_b * part / V_PARTS, n_b * (part + 1) / V_PARTS,
               r->a->v + block * cv->v_block + d * cv->v_plane);
    }
}

/* Second part: a group of output pairs, all blocks. */
static void group_worker(void *ctx, int64_t worker)
{
    conv_run *r = ctx;
    const nod_winograd_conv_args *a = r->a;
    const nod_winograd_conv *cv = r->cv;
    float *m = a->workers + (size_t)worker * cv->worker_floats;
    float *own_u = m + NOD_WINOGRAD_XI * cv->m_xi;
    for (int64_t group; (group = take_job(r)) >= 0;) {
        const int64_t p0 = group * cv->pair_group;
        const int64_t n_p = NOD_MIN(cv->pair_group, cv->pairs - p0);
        const float *u = a->u + p0 * cv->u_pair;
        if (cv->stream_u) {
            for (int64_t p = 0; p < n_p; p++)
                make_u(a, p0 + p, own_u + p * cv->u_pair);
            u = own_u;
        }
        for (int64_t block = 0; block < r->n_blocks; block++) {
            const int64_t q0 = (r->block0 + block) * cv->block;
            const int64_t n = NOD_MIN(cv->block, cv->positions - q0);
            for (int64_t d0 = 0; d0 < cv->s.od; d0 += cv->depth_step)
                compute(a, a->v + block * cv->v_block, u, p0, n_p, q0, n, d0,
                        NOD_MIN(cv->depth_step, cv->s.od - d0), m);
        }
    }
}

/* Activations without a vector form, over whole images. */
static void act_worker(void *ctx, int64_t worker)
{
    (void)worker;
    conv_run *r = ctx;
    const nod_winograd_shape *s = &r->cv->s;
    const int64_t n = s->od * s->oh * s->ow * L;
    for (int64_t job; (job = take_job(r)) >= 0;) {
        stored *dst = (stored *)r->a->dst + job * n;
        for (int64_t i = 0; i < n; i += L) {
            float x[L];
            vec_store(x, stored_load(dst + i));
            nod_winograd_act(x, L, r->a->act, r->a->alpha);
            stored_store(dst + i, vec_load(x));
        }
    }
}

static void conv_run_all(const nod_winograd_conv_args *a)
{
    const nod_winograd_conv *cv = a->conv;
    conv_run r = {.a = a, .cv = cv};
    if (!cv->stream_u && !a->u_ready) start_jobs(&r, cv->pairs, u_worker);
    if (cv->shared) {
        const int64_t n_groups = (cv->pairs + cv->pair_group - 1) / cv->pair_group;
        for (; r.block0 < cv->n_blocks; r.block0 += cv->chunk) {
            r.n_blocks = NOD_MIN(cv->chunk, cv->n_blocks - r.block0);
            start_jobs(&r, r.n_blocks * cv->s.d * V_PARTS, shared_v_worker);
            start_jobs(&r, n_groups, group_worker);
        }
    } else {
        start_jobs(&r, cv->n_blocks, block_worker);
    }
    if (a->act > NOD_ACT_LEAKY_RELU) start_jobs(&r, cv->s.n * (cv->s.o / L), act_worker);
}

#endif
