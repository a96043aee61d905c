/* winograd_grad_tmpl.h: backward-weights for one instruction set (see winograd.h).
 *
 * The positions are cut into chunks, by shape alone. For each chunk V (source) and W (output
 * gradient) of all depths are made, then dU[xi] += V[xi]^T W[xi], one sum over the chunk's
 * tiles in registers, added to dU. Three ways through the same steps:
 *
 *   pieces  a thread takes a piece of the chunks, with V and W of its own, into the piece's own
 *           dU; the dU of all pieces are added in order. Nothing passes between processors
 *           before the end: on two of them V and W written by one and read by the other cost
 *           more than all products.
 *   shared  dU is too large to be had several times (many channels): threads make V and W of
 *           each chunk together and share the products by xi and channels.
 *   fused   all positions fit into one chunk: V and W are made together, then a thread takes a
 *           unit of channels through all xi and straight to dw. */
#ifndef NOD_BACKEND_CPU_WINOGRAD_GRAD_TMPL_H
#define NOD_BACKEND_CPU_WINOGRAD_GRAD_TMPL_H

#include <stdatomic.h>
#include <string.h>

#include "backend/cpu/winograd_tmpl.h"
#include "base/threads.h"

#if VEC_LANES == 16
#define ROWS 8 /* source channels: 8 x 3 accumulators of 32 registers */
#else
#define ROWS 4 /* 4 x 3 accumulators of 16 registers */
#endif
#define COLUMNS 3 /* vectors of output channels */

/* A run of positions, and memory for their V and W. */
typedef struct grad_chunk {
    int64_t q0, n;
    bool first; /* dU is overwritten, not added to */
    float *v, *w;
} grad_chunk;

typedef struct grad_run {
    const nod_winograd_grad_args *a;
    const nod_winograd_grad *gr;
    grad_chunk chunk;         /* that all threads work on (shared, fused) */
    atomic_int_fast64_t next; /* next job */
    int64_t n_jobs;
} grad_run;

NOD_INLINE int64_t take_grad_job(grad_run *r)
{
    int64_t job = atomic_fetch_add_explicit(&r->next, 1, memory_order_relaxed);
    return job < r->n_jobs ? job : -1;
}

static void start_grad_jobs(grad_run *r, int64_t n_jobs, void (*worker)(void *, int64_t))
{
    atomic_store(&r->next, 0);
    r->n_jobs = n_jobs;
    nod_parallel_for(NOD_MIN(r->gr->n_workers, n_jobs), worker, r);
}

/* One register tile: du[row][column] (+)= sum over planes and tiles of v[row] * w[column].
 * Plane i starts at v + i*v_plane and w + i*w_plane. */
NOD_INLINE void outer(const int n_columns, const float *v, int64_t v_plane, const float *w,
                      int64_t w_plane, int64_t w_vec, int64_t n_planes, int64_t n_tiles,
                      float *du, int64_t du_row, bool add)
{
    vec acc[ROWS][COLUMNS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < n_columns; j++)
            acc[i][j] = vec_zero();
    for (int64_t p = 0; p < n_planes; p++, v += v_plane, w += w_plane) {
        const float *vt = v, *wt = w, *const end = v + n_tiles * L;
        for (; vt != end; vt += L, wt += L) {
            vec y[COLUMNS];
            for (int j = 0; j < n_columns; j++) {
                y[j] = vec_load(wt + j * w_vec);
                VEC_KEEP(y[j]);
            }
#pragma GCC unroll 8
            for (int i = 0; i < ROWS; i++) {
                vec x = vec_set1(vt[i]);
                for (int j = 0; j < n_columns; j++)
                    acc[i][j] = vec_fma(x, y[j], acc[i][j]);
            }
        }
    }
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < n_columns; j++) {
            float *p = du + i * du_row + j * L;
            vec_store(p, add ? vec_add(vec_load(p), acc[i][j]) : acc[i][j]);
        }
    }
}

/* dU of one unit and xi over a chunk. */
static void unit_product(const nod_winograd_grad *gr, const grad_chunk *ch, int64_t unit,
                         int64_t xi, float *du)
{
    const nod_winograd_shape *s = &gr->s;
    const int64_t c0 = unit % gr->units_c * gr->unit_c, o0 = unit / gr->units_c * gr->unit_o;
    const int64_t c1 = NOD_MIN(c0 + gr->unit_c, s->c), o1 = NOD_MIN(o0 + gr->unit_o, s->o);
    const int64_t w_vec = gr->block * L;
    du += xi * gr->du_xi;
    for (int64_t k = 0; k < s->kd; k++, du += gr->unit_c * gr->du_row) {
        /* output depths whose source plane d + k - pd exists */
        const int64_t d0 = NOD_MAX(s->pd - k, 0), d1 = NOD_MIN(s->d + s->pd - k, s->od);
        const int64_t n_d = NOD_MAX(d1 - d0, 0);
        const float *v = ch->v + (d0 + k - s->pd) * gr->v_plane + xi * gr->v_xi;
        const float *w = ch->w + d0 * gr->w_plane + xi * gr->w_xi + o0 * gr->block;
        for (int64_t o = o0; o < o1; o += COLUMNS * L, w += COLUMNS * w_vec) {
            const int64_t columns = NOD_MIN((o1 - o) / L, COLUMNS);
            for (int64_t c = c0; c < c1; c += ROWS) {
                const float *vc = v + c / L * w_vec + c % L;
                float *u = du + (c - c0) * gr->du_row + (o - o0);
                if (columns == 3)
                    outer(3, vc, gr->v_plane, w, gr->w_plane, w_vec, n_d, ch->n, u, gr->du_row,
                          !ch->first);
                else if (columns == 2)
                    outer(2, vc, gr->v_plane, w, gr->w_plane, w_vec, n_d, ch->n, u, gr->du_row,
                          !ch->first);
                else
                    outer(1, vc, gr->v_plane, w, gr->w_plane, w_vec, n_d, ch->n, u, gr->du_row,
                          !ch->first);
            }
        }
    }
}

/* dw of source channels c0..c1 of one unit from its dU, which is the sum of n_pieces. */
static void unit_finish(const nod_winograd_grad_args *a, int64_t unit, int64_t c0, int64_t c1,
                        const float *du, int64_t n_pieces)
{
    const nod_winograd_grad *gr = a->grad;
    const nod_winograd_shape *s = &gr->s;
    const int64_t unit_c0 = unit % gr->units_c * gr->unit_c;
    const int64_t o0 = unit / gr->units_c * gr->unit_o, o1 = NOD_MIN(o0 + gr->unit_o, s->o);
    const int64_t n_taps = s->kd * 9;
    float dw[9][L];
    for (int64_t o = o0; o < o1; o += L) {
        for (int64_t c = c0; c < c1; c++) {
            for (int64_t k = 0; k < s->kd; k++) {
                filter_gradient(du + (k * gr->unit_c + c - unit_c0) * gr->du_row + (o - o0),
                                gr->du_xi, n_pieces, gr->du_piece, dw);
                float *out = a->dweights + (o * s->c + c) * n_taps + k * 9;
                for (int64_t i = 0; i < L; i++, out += s->c * n_taps)
                    for (int t = 0; t < 9; t++)
                        out[t] = dw[t][i];
            }
        }
    }
}

NOD_INLINE int64_t transform_jobs(const nod_winograd_shape *s)
{
    return s->d * (s->c / L) + s->od * (s->o / L);
}

/* V or W of a chunk: one plane of one block of channels. */
static void transform(const nod_winograd_grad_args *a, const grad_chunk *ch, int64_t job)
{
    const nod_winograd_grad *gr = a->grad;
    const nod_winograd_shape *s = &gr->s;
    const int64_t n_v = s->d * (s->c / L);
    const bool source = job < n_v;
    const int64_t n_b = source ? s->c / L : s->o / L, j = source ? job : job - n_v;
    const int64_t b = j % n_b, d = j / n_b;
    for (int64_t t = 0; t < ch->n;) {
        tile_run run = run_at(ch->q0 + t, ch->n - t, gr->tiles_h, gr->tiles_w);
        if (source) {
            const stored *plane =
                (const stored *)a->src + ((run.image * n_b + b) * s->d + d) * s->h * s->w * L;
            source_run(s, plane, &run, ch->v + d * gr->v_plane + (b * gr->block + t) * L,
                       gr->v_xi);
        } else {
            const stored *plane = (const stored *)a->ddst +
                                  ((run.image * n_b + b) * s->od + d) * s->oh * s->ow * L;
            float *w = ch->w + d * gr->w_plane + (b * gr->block + t) * L;
            for (int64_t i = 0; i < run.length; i++)
                gradient_tile(s, plane, run.row * 4, (run.column + i) * 4, w + i * L, gr->w_xi);
        }
        t += run.length;
    }
}

static void transform_worker(void *ctx, int64_t worker)
{
    (void)worker;
    grad_run *r = ctx;
    for (int64_t job; (job = take_grad_job(r)) >= 0;)
        transform(r->a, &r->chunk, job);
}

/* Positions of chunk i. */
static void set_chunk(const nod_winograd_grad *gr, int64_t i, grad_chunk *ch)
{
    ch->q0 = i * gr->block;
    ch->n = NOD_MIN(gr->block, gr->positions - ch->q0);
}

/* Pieces: all chunks of a piece per job. */
static void piece_worker(void *ctx, int64_t worker)
{
    grad_run *r = ctx;
    const nod_winograd_grad *gr = r->gr;
    const int64_t n_units = gr->units_c * gr->units_o;
    grad_chunk ch;
    ch.v = r->a->workers + (size_t)worker * gr->worker_floats;
    ch.w = ch.v + gr->s.d * gr->v_plane;
    for (int64_t piece; (piece = take_grad_job(r)) >= 0;) {
        const int64_t i0 = piece * gr->n_blocks / gr->pieces;
        const int64_t i1 = (piece + 1) * gr->n_blocks / gr->pieces;
        for (int64_t i = i0; i < i1; i++) {
            set_chunk(gr, i, &ch);
            ch.first = i == i0;
            for (int64_t job = 0; job < transform_jobs(&gr->s); job++)
                transform(r->a, &ch, job);
            for (int64_t xi = 0; xi < NOD_WINOGRAD_XI; xi++)
                for (int64_t unit = 0; unit < n_units; unit++)
                    unit_product(gr, &ch, unit, xi,
                                 r->a->du + piece * gr->du_piece + unit * gr->du_unit);
        }
    }
}

/* Shared: one unit and xi per job. */
static void product_worker(void *ctx, int64_t worker)
{
    (void)worker;
    grad_run *r = ctx;
    const int64_t n_units = r->gr->units_c * r->gr->units_o;
    for (int64_t job; (job = take_grad_job(r)) >= 0;)
        unit_product(r->gr, &r->chunk, job % n_units, job / n_units,
                     r->a->du + job % n_units * r->gr->du_unit);
}

#define FINISH_ROWS 8 /* source channels of one job */

NOD_INLINE int64_t finish_parts(const nod_winograd_grad *gr)
{
    return (gr->unit_c + FINISH_ROWS - 1) / FINISH_ROWS;
}

static void finish_worker(void *ctx, int64_t worker)
{
    (void)worker;
    grad_run *r = ctx;
    const nod_winograd_grad *gr = r->gr;
    for (int64_t job; (job = take_grad_job(r)) >= 0;) {
        const int64_t unit = job / finish_parts(gr);
        const int64_t c0 =
            unit % gr->units_c * gr->unit_c + job % finish_parts(gr) * FINISH_ROWS;
        unit_finish(r->a, unit, c0, NOD_MIN(c0 + FINISH_ROWS, gr->s.c),
                    r->a->du + unit * gr->du_unit, gr->pieces);
    }
}

/* Fused: a unit per job, its dU in the worker's memory. */
static void fused_worker(void *ctx, int64_t worker)
{
    grad_run *r = ctx;
    const nod_winograd_grad *gr = r->gr;
    float *du = r->a->workers + (size_t)worker * gr->worker_floats;
    for (int64_t unit; (unit = take_grad_job(r)) >= 0;) {
        const int64_t c0 = unit % gr->units_c * gr->unit_c;
        for (int64_t xi = 0; xi < NOD_WINOGRAD_XI; xi++)
            unit_product(gr, &r->chunk, unit, xi, du);
        unit_finish(r->a, unit, c0, NOD_MIN(c0 + gr->unit_c, gr->s.c), du, 1);
    }
}

/* dbias of one block of channels: rows in f32, their sums in double. */
static void bias_worker(void *ctx, int64_t worker)
{
    (void)worker;
    grad_run *r = ctx;
    const nod_winograd_shape *s = &r->gr->s;
    const int64_t n_b = s->o / L, rows = s->od * s->oh;
    for (int64_t b; (b = take_grad_job(r)) >= 0;) {
        double sum[L] = {0};
        for (int64_t i = 0; i < s->n; i++) {
            const stored *p = (const stored *)r->a->ddst + (i * n_b + b) * rows * s->ow * L;
            for (int64_t y = 0; y < rows; y++) {
                vec acc = vec_zero();
                float lanes[L];
                for (int64_t x = 0; x < s->ow; x++, p += L)
                    acc = vec_add(acc, stored_load(p));
                vec_store(lanes, acc);
                for (int l = 0; l < L; l++)
                    sum[l] += (double)lanes[l];
            }
        }
        for (int l = 0; l < L; l++)
            r->a->dbias[b * L + l] = (float)sum[l];
    }
}

static void grad_run_all(const nod_winograd_grad_args *a)
{
    const nod_winograd_grad *gr = a->grad;
    const int64_t n_units = gr->units_c * gr->units_o;
    grad_run r = {.a = a, .gr = gr, .chunk = {.v = a->v, .w = a->w}};
    if (gr->pieces > 1) {
        start_grad_jobs(&r, gr->pieces, piece_worker);
    } else {
        for (int64_t i = 0; i < gr->n_blocks; i++) {
            set_chunk(gr, i, &r.chunk);
            r.chunk.first = i == 0;
            start_grad_jobs(&r, transform_jobs(&gr->s), transform_worker);
            if (gr->fused)
                start_grad_jobs(&r, n_units, fused_worker);
            else
                start_grad_jobs(&r, n_units * NOD_WINOGRAD_XI, product_worker);
        }
    }
    if (!gr->fused) start_grad_jobs(&r, n_units * finish_parts(gr), finish_worker);
    if (a->dbias != NULL) start_grad_jobs(&r, gr->s.o / L, bias_worker);
}

#endif
