/* winograd_plan.c: how the Winograd kernels cut their work (see winograd.h).
 *
 * conv: the result does not depend on the cut, so it may look at the number of threads. A block
 * of T tiles reads all of U once, 64/T bytes a cycle and thread from L3, and each pair of
 * output vectors reads V once, from L2 or L3: two dozen tiles are enough, and more gain
 * nothing. Where V of so many tiles would not fit a thread's part of L3, or U is large and
 * tiles are few, V is shared and each thread makes U of its own output channels. grad: block
 * and pieces decide the order of the sums, so they are chosen from the shape alone. */
#include "backend/cpu/winograd.h"
#include "base/memory.h"

#define BLOCK_TILES  24                   /* of a thread's own V */
#define RING_FLOATS  ((int64_t)384 << 10) /* of a thread's own V: 1.5 MiB */
#define SHARED_TILES 36                   /* of a block where V is shared, 2-D */
#define V_FLOATS     ((int64_t)8 << 20)   /* of shared V: 32 MiB */
#define FEW_TILES    96                   /* of all blocks: V is shared if U is large */
#define U_FLOATS     ((int64_t)1 << 20)   /* that is large: 4 MiB */
#define GRAD_TILES   128                  /* of a chunk: V and W of 3 vectors stay in L1 */
#define GRAD_FLOATS  ((int64_t)5 << 20)   /* of a chunk's V and W: 20 MiB */
#define PIECES_MAX   16                   /* of the positions, each with its own dU */
#define PIECES_MIN   4                    /* fewer would leave threads without work */
#define PIECE_FLOATS ((int64_t)11 << 20)  /* of all pieces' dU: 44 MiB */

/* Floats rounded up to an odd number of cache lines: 36 rows with such a stride fall into 36
 * different sets of a cache. */
static int64_t odd_lines(int64_t floats)
{
    return ((floats + 15) / 16 | 1) * 16;
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Blocks of at most `most` positions, evenly filled; a multiple of the threads while they are
 * few. */
static void cut_positions(nod_winograd_conv *cv, int64_t most, int threads)
{
    int64_t n = ceil_div(cv->positions, most);
    if (n < 8 * threads) n = NOD_MIN(ceil_div(n, threads) * threads, cv->positions);
    cv->block = ceil_div(cv->positions, n);
    cv->n_blocks = ceil_div(cv->positions, cv->block);
}

static void set_strides(nod_winograd_conv *cv)
{
    const nod_winograd_shape *s = &cv->s;
    const int64_t group_vecs = NOD_MIN(cv->pair_group * 2, s->o / cv->lanes);
    cv->v_xi = odd_lines(s->c * cv->block);
    cv->v_plane = NOD_WINOGRAD_XI * cv->v_xi;
    cv->v_block = cv->ring * cv->v_plane;
    cv->m_vec = cv->depth_step * cv->block * cv->lanes;
    cv->m_xi = odd_lines(group_vecs * cv->m_vec);
    cv->u_xi = odd_lines(s->kd * s->c * 2 * cv->lanes);
    cv->u_pair = NOD_WINOGRAD_XI * cv->u_xi;
}

bool nod_winograd_conv_plan(nod_winograd_conv *out, const nod_winograd_shape *s,
                            const nod_winograd_isa *isa, int threads, bool keep_u)
{
    nod_winograd_conv cv = {.s = *s, .lanes = isa->lanes};
    cv.tiles_h = ceil_div(s->oh, NOD_WINOGRAD_TILE);
    cv.tiles_w = ceil_div(s->ow, NOD_WINOGRAD_TILE);
    cv.positions = s->n * cv.tiles_h * cv.tiles_w;
    cv.pairs = ceil_div(s->o / isa->lanes, NOD_WINOGRAD_PAIR);
    cv.pair_group = 1;

    const int64_t tiles = cv.positions * s->od;
    const int64_t step = s->kd > 1 ? NOD_MIN(2, s->od) : 1;
    const int64_t ring = NOD_MIN(step + s->kd - 1, s->d);
    const int64_t block = NOD_MIN(BLOCK_TILES, cv.positions);
    const int64_t u_floats = NOD_WINOGRAD_XI * s->kd * s->c * s->o;
    cv.shared = ring * block * NOD_WINOGRAD_XI * s->c > RING_FLOATS ||
                (tiles <= FEW_TILES && u_floats > U_FLOATS);
    if (!cv.shared) {
        cv.depth_step = step;
        cv.ring = ring;
        cv.pair_group = step > 1 ? NOD_MIN(2, cv.pairs) : 1;
        cut_positions(&cv, block, threads);
    } else {
        cv.ring = s->d;
        cv.depth_step = s->kd > 1 ? NOD_MIN(s->od, 4) : 1;
        cut_positions(&cv, s->kd > 1 ? BLOCK_TILES : SHARED_TILES, 1);
    }
    set_strides(&cv);
    cv.chunk = NOD_MIN(NOD_MAX(V_FLOATS / cv.v_block, 1), cv.n_blocks);
    cv.stream_u = cv.shared && !keep_u;
    cv.n_workers = threads;
    cv.u_floats = cv.stream_u ? 0 : (size_t)(cv.pairs * cv.u_pair);
    cv.v_floats = cv.shared ? (size_t)(cv.chunk * cv.v_block) : 0;
    int64_t worker = NOD_WINOGRAD_XI * cv.m_xi;
    if (!cv.shared) worker += cv.ring * cv.v_plane;
    if (cv.stream_u) worker += cv.pair_group * cv.u_pair;
    cv.worker_floats = (size_t)worker;
    *out = cv;
    return true;
}

/* How many pieces: a power of two, as many as there are chunks for and dU may take; 1: none. */
static int64_t pieces_of(const nod_winograd_grad *gr)
{
    for (int64_t n = PIECES_MAX; n >= PIECES_MIN; n /= 2)
        if (n <= gr->n_blocks && n * gr->du_piece <= PIECE_FLOATS) return n;
    return 1;
}

bool nod_winograd_grad_plan(nod_winograd_grad *out, const nod_winograd_shape *s,
                            const nod_winograd_isa *isa, int threads)
{
    nod_winograd_grad gr = {.s = *s, .lanes = isa->lanes};
    gr.tiles_h = ceil_div(s->oh, NOD_WINOGRAD_TILE);
    gr.tiles_w = ceil_div(s->ow, NOD_WINOGRAD_TILE);
    gr.positions = s->n * gr.tiles_h * gr.tiles_w;
    const int64_t per_position = NOD_WINOGRAD_XI * (s->d * s->c + s->od * s->o);
    int64_t most = NOD_MIN(GRAD_TILES / s->od, GRAD_FLOATS / per_position);
    most = NOD_MIN(NOD_MAX(most, 1), gr.positions);
    gr.block = ceil_div(gr.positions, ceil_div(gr.positions, most));
    gr.n_blocks = ceil_div(gr.positions, gr.block);
    gr.fused = gr.n_blocks == 1;
    gr.unit_o = 3 * isa->lanes;
    gr.unit_c = s->kd > 1 ? 32 : 64;
    gr.units_c = ceil_div(s->c, gr.unit_c);
    gr.units_o = ceil_div(s->o, gr.unit_o);
    gr.v_xi = odd_lines(s->c * gr.block);
    gr.v_plane = NOD_WINOGRAD_XI * gr.v_xi;
    gr.w_xi = odd_lines(s->o * gr.block);
    gr.w_plane = NOD_WINOGRAD_XI * gr.w_xi;
    gr.du_row = gr.unit_o;
    gr.du_xi = odd_lines(s->kd * gr.unit_c * gr.du_row);
    gr.du_unit = NOD_WINOGRAD_XI * gr.du_xi;
    gr.du_piece = gr.units_c * gr.units_o * gr.du_unit;
    gr.pieces = pieces_of(&gr);
    gr.n_workers = threads;
    const int64_t v = s->d * gr.v_plane, w = s->od * gr.w_plane;
    gr.v_floats = gr.pieces > 1 ? 0 : (size_t)v;
    gr.w_floats = gr.pieces > 1 ? 0 : (size_t)w;
    gr.du_floats = gr.fused ? 0 : (size_t)(gr.pieces * gr.du_piece);
    gr.worker_floats = gr.fused ? (size_t)gr.du_unit : gr.pieces > 1 ? (size_t)(v + w) : 0;
    *out = gr;
    return true;
}
