/* winograd.h: own convolution in f32, 3x3 and 3x3x3 (and 1x3x3), stride 1, all three passes; source
 * and output may be stored in bf16.
 *
 * Winograd F(4x4,3x3) over height and width (Lavin and Gray, arXiv:1509.09308): a 6x6 patch of
 * the source becomes 36 values V, a 3x3 filter 36 values U, and 4x4 outputs come from the 36
 * products summed over channels, so 36 multiplications do the work of 144. The depth taps of a
 * 3-D filter are folded into that sum. Everything in the Winograd domain is 36 small matrix
 * products ("xi" = 0..35) of [tiles x channels] by [channels x channels].
 *
 *   forward, backward-data   M[xi] = V[xi] U[xi];  y = A^T M A     (conv; flipped U for data)
 *   backward-weights         dU[xi] = V[xi]^T W[xi], W = A dy A^T;  dw = G^T dU G       (grad)
 *
 * Words: a *position* is an image and a 4x4 square of its output plane; a *tile* is a position
 * at a depth (2-D: one depth); a *block* is a run of positions whose V is kept together.
 * Activations are [N,C/L,D,H,W,L] with L lanes (8: avx2, 16: avx512), weights are plain.
 *
 * Bits. Each output is one sum in one order, whatever the blocking (forward); sums over tiles
 * are cut by shape alone and added in one order (backward-weights). So the result does not
 * depend on the number of threads. */
#ifndef NOD_BACKEND_CPU_WINOGRAD_H
#define NOD_BACKEND_CPU_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

#define NOD_WINOGRAD_XI   36
#define NOD_WINOGRAD_TILE 4 /* outputs per side of a tile */
#define NOD_WINOGRAD_PAIR 2 /* output vectors per matrix product of conv */

/* A convolution as the kernels see it; for backward-data source and output change places. */
typedef struct nod_winograd_shape {
    int64_t n;          /* images */
    int64_t c, o;       /* channels of source and output, multiples of the lanes */
    int64_t d, h, w;    /* source */
    int64_t od, oh, ow; /* output */
    int64_t kd;         /* taps over depth: 1 or 3 */
    int64_t pd, ph, pw; /* zeros before the first plane, row, column */
} nod_winograd_shape;

/* How conv is cut. Strides are in floats. */
typedef struct nod_winograd_conv {
    nod_winograd_shape s;
    int64_t lanes;
    int64_t tiles_h, tiles_w, positions;
    int64_t block, n_blocks;   /* positions per block */
    int64_t depth_step;        /* output planes computed from one ring of V */
    int64_t ring;              /* planes of V kept */
    int64_t pairs, pair_group; /* pairs of output vectors; how many per pass over V */
    bool shared;   /* V of a chunk of blocks first, then each thread takes pairs; else V per
                      thread */
    int64_t chunk; /* blocks whose V is shared at a time */
    bool stream_u; /* U made per pair group by the thread that needs it, not kept */
    int64_t v_xi, v_plane, v_block; /* V[block][plane][xi][C/L][position][L] */
    int64_t m_vec, m_xi;            /* M[xi][vector][depth][position][L] */
    int64_t u_xi, u_pair;           /* U[pair][xi][kd][C][2L] */
    int64_t n_workers;
    size_t u_floats, v_floats, worker_floats; /* shared U, shared V, each worker's own */
} nod_winograd_conv;

typedef struct nod_winograd_conv_args {
    const nod_winograd_conv *conv;
    const void *src;             /* f32, or bf16 for an isa of that storage; so is dst */
    const float *weights, *bias; /* bias may be NULL */
    void *dst;
    int64_t w_stride_o, w_stride_c; /* floats between filters of two outputs, two sources */
    bool flip;                      /* taps in reverse order (backward-data) */
    nod_act act;
    float alpha;
    float *u;     /* u_floats */
    bool u_ready; /* U was made by an earlier run */
    float *v;     /* v_floats */
    float *workers;
} nod_winograd_conv_args;

/* How grad is cut. */
typedef struct nod_winograd_grad {
    nod_winograd_shape s;
    int64_t lanes;
    int64_t tiles_h, tiles_w, positions;
    int64_t block, n_blocks;        /* positions per chunk, all depths; decides the bits */
    int64_t unit_c, unit_o;         /* channels per unit of dU */
    int64_t units_c, units_o;       /* units per axis */
    int64_t pieces;                 /* that have a dU of their own; decides the bits */
    bool fused;                     /* one chunk: a unit goes from V, W to dw at once */
    int64_t v_xi, v_plane;          /* V[plane][xi][C/L][position][L] */
    int64_t w_xi, w_plane;          /* W[plane][xi][O/L][position][L] */
    int64_t du_row, du_xi, du_unit; /* dU[piece][unit][xi][kd][unit_c][unit_o] */
    int64_t du_piece;
    int64_t n_workers;
    size_t v_floats, w_floats, du_floats, worker_floats;
} nod_winograd_grad;

typedef struct nod_winograd_grad_args {
    const nod_winograd_grad *grad;
    const void *src, *ddst; /* f32, or bf16 for an isa of that storage */
    float *dweights;        /* [O,C,kd,3,3] */
    float *dbias;           /* [O] or NULL */
    float *v, *w, *du, *workers;
} nod_winograd_grad_args;

/* One instruction set's code. */
typedef struct nod_winograd_isa {
    int64_t lanes;
    int64_t panel; /* tiles of one register tile of conv */
    void (*conv)(const nod_winograd_conv_args *a);
    void (*grad)(const nod_winograd_grad_args *a);
} nod_winograd_isa;

extern const nod_winograd_isa nod_winograd_isa_avx2, nod_winograd_isa_avx512;
/* Source, output and output gradient in bf16; the arithmetic is the same. */
extern const nod_winograd_isa nod_winograd_isa_avx512_half;

/* winograd_plan.c: chooses the cut for `threads` threads. false: sizes overflow. */
bool nod_winograd_conv_plan(nod_winograd_conv *out, const nod_winograd_shape *s,
                            const nod_winograd_isa *isa, int threads, bool keep_u);
bool nod_winograd_grad_plan(nod_winograd_grad *out, const nod_winograd_shape *s,
                            const nod_winograd_isa *isa, int threads);

/* Applies an activation that has no vector form to n floats. */
void nod_winograd_act(float *x, int64_t n, nod_act act, float alpha);

/* The kernels: NOD_LAYOUT_BLOCK8 (avx2, f32) and NOD_LAYOUT_BLOCK16 (avx512, f32 and bf16: on Zen 4
 * four times fewer products win over twice as many per instruction). They fit where
 * the plan prefers that layout and the processor has the instructions. */
extern const nod_kernel_def nod_winograd_avx2_conv, nod_winograd_avx2_conv_bwd_data,
    nod_winograd_avx2_conv_bwd_weights, nod_winograd_avx512_conv,
    nod_winograd_avx512_conv_bwd_data, nod_winograd_avx512_conv_bwd_weights;

#endif
