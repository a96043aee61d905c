/* winograd_plan.c: how the Winograd kernels cut their work (see winograd.h).
 *
 * conv: the result does not depend on the cut, so it may look at the number of threads. V of a
 * block and M of a pair should stay in L2 (both are read and written whole), U streams from L3
 * at 64/tiles bytes a cycle, so a block should have two dozen tiles. Where channels are so many
 * that so few tiles fill L2, V is shared and U is made once for all blocks.
 * grad: the block decides the order of the sums, so it is chosen from the shape alone. */
#include "backend/cpu/winograd.h"
#include "base/memory.h"

#define L2_FLOATS    ((int64_t)100 << 10) /* of V and M per thread: 400 KiB */
#define L3_FLOATS    ((int64_t)5 << 20)   /* of shared V, or of a chunk's V and W: 20 MiB */
#define TILES_WANTED 24                   /* of a block, so that U is read often enough */
#define TILES_MIN    12
#define CHUNK_TILES  256 /* of grad: V and W of one xi pass through L1 and L2 */

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

    /* Local: as many tiles as L2 holds, over up to 4 output planes at once. */
    const int64_t per_v = NOD_WINOGRAD_XI * s->c;
    const int64_t per_m = (int64_t)NOD_WINOGRAD_XI * 2 * isa->lanes;
    int64_t best_tiles = 0, best_block = 1, best_step = 1;
    for (int64_t step = 1; step <= NOD_MIN(s->od, s->kd > 1 ? 4 : 1); step++) {
        int64_t block = L2_FLOATS / ((step + s->kd - 1) * per_v + step * per_m);
        if (block > isa->panel) block -= block % isa->panel;
        block = NOD_MIN(NOD_MAX(block, 1), cv.positions);
        if (NOD_MIN(block * step, 2 * TILES_WANTED) > best_tiles)
            best_tiles = block * step, best_block = block, best_step = step;
    }
    cv.shared = best_tiles < NOD_MIN(TILES_MIN, cv.positions * s->od);
    if (!cv.shared) {
        cv.depth_step = best_step;
        cv.ring = NOD_MIN(best_step + s->kd - 1, s->d);
        cut_positions(&cv, best_block, threads);
    } else {
        cv.ring = s->d;
        cv.depth_step = NOD_MIN(s->od, NOD_MAX(2 * TILES_WANTED / cv.positions, 1));
        cv.pair_group = cv.pairs >= 4 * threads ? 2 : 1;
        cut_positions(&cv, NOD_MAX(2 * TILES_WANTED / cv.depth_step, 1), 1);
    }
    set_strides(&cv);
    cv.stream_u = cv.shared && !keep_u;
    cv.n_workers = threads;
    cv.u_floats = cv.stream_u ? 0 : (size_t)(cv.pairs * cv.u_pair);
    cv.v_floats = cv.shared ? (size_t)(cv.n_blocks * cv.v_block) : 0;
    int64_t worker = NOD_WINOGRAD_XI * cv.m_xi;
    if (!cv.shared) worker += cv.ring * cv.v_plane;
    if (cv.stream_u) worker += cv.pair_group * cv.u_pair;
    cv.worker_floats = (size_t)worker;
    *out = cv;
    return true;
}

bool nod_winograd_grad_plan(nod_winograd_grad *out, const nod_winograd_shape *s,
                            const nod_winograd_isa *isa, int threads)
{
    nod_winograd_grad gr = {.s = *s, .lanes = isa->lanes};
    gr.tiles_h = ceil_div(s->oh, NOD_WINOGRAD_TILE);
    gr.tiles_w = ceil_div(s->ow, NOD_WINOGRAD_TILE);
    gr.positions = s->n * gr.tiles_h * gr.tiles_w;
    const int64_t per_position = NOD_WINOGRAD_XI * (s->d * s->c + s->od * s->o);
    int64_t most = NOD_MIN(CHUNK_TILES / s->od, L3_FLOATS / per_position);
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
    gr.n_workers = threads;
    gr.v_floats = (size_t)(s->d * gr.v_plane);
    gr.w_floats = (size_t)(s->od * gr.w_plane);
    gr.du_floats = gr.fused ? 0 : (size_t)(gr.units_c * gr.units_o * gr.du_unit);
    gr.worker_floats = gr.fused ? (size_t)gr.du_unit : 0;
    *out = gr;
    return true;
}
