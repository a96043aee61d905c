/* winograd_tmpl.h: the transforms of F(4x4,3x3) for one instruction set (see winograd.h).
 *
 * Each 2-D transform is the 1-D one over columns and then over rows. Source: Lavin and Gray,
 * arXiv:1509.09308, section 4.1. Their interpolation points are 0, 1, -1, 2, -2, infinity; these
 * are 0, a, -a, b, -b, infinity with a = 5/8 and b = 3/2: powers nearer to 1 lose fewer bits, the
 * rounding error of a layer is less than half of theirs for the same arithmetic, and all constants of
 * B and A are exact in f32. */
#ifndef NOD_BACKEND_CPU_WINOGRAD_TMPL_H
#define NOD_BACKEND_CPU_WINOGRAD_TMPL_H

#include "backend/cpu/vec.h"
#include "backend/cpu/winograd.h"

/* How source, output and output gradient are stored. V, W, U, dU and all sums are f32. */
#ifdef WINOGRAD_HALF
typedef uint16_t stored;
#define stored_load  vec_load_bf16
#define stored_store vec_store_bf16
#else
typedef float stored;
#define stored_load  vec_load
#define stored_store vec_store
#endif

#define L        VEC_LANES
#define RUN_MAX  16 /* tiles of one row transformed together */
#define COLS_MAX (4 * RUN_MAX + 2)

#define A  0.625f
#define A2 (A * A)
#define A3 (A * A * A)
#define B  1.5f
#define B2 (B * B)
#define B3 (B * B * B)

/* B^T: six source values to six of V. */
NOD_INLINE void bt6(const vec i[6], vec o[6])
{
    const vec a = vec_set1(A), a2 = vec_set1(A2), b = vec_set1(B), b2 = vec_set1(B2);
    const vec product = vec_set1(A2 * B2), sum = vec_set1(A2 + B2);
    vec e = vec_fnma(b2, i[2], i[4]), f = vec_fnma(b2, i[1], i[3]);
    vec g = vec_fnma(a2, i[2], i[4]), h = vec_fnma(a2, i[1], i[3]);
    o[0] = vec_fma(product, i[0], vec_fnma(sum, i[2], i[4]));
    o[1] = vec_fma(a, f, e);
    o[2] = vec_fnma(a, f, e);
    o[3] = vec_fma(b, h, g);
    o[4] = vec_fnma(b, h, g);
    o[5] = vec_fma(product, i[1], vec_fnma(sum, i[3], i[5]));
}

/* A^T: six products to four outputs. */
NOD_INLINE void at4(const vec i[6], vec o[4])
{
    const vec a = vec_set1(A), a2 = vec_set1(A2), a3 = vec_set1(A3);
    const vec b = vec_set1(B), b2 = vec_set1(B2), b3 = vec_set1(B3);
    vec p = vec_add(i[1], i[2]), q = vec_sub(i[1], i[2]);
    vec r = vec_add(i[3], i[4]), s = vec_sub(i[3], i[4]);
    o[0] = vec_add(vec_add(i[0], p), r);
    o[1] = vec_fma(b, s, vec_mul(a, q));
    o[2] = vec_fma(b2, r, vec_mul(a2, p));
    o[3] = vec_fma(b3, s, vec_fma(a3, q, i[5]));
}

/* A: four output gradients to six of W. */
NOD_INLINE void a6(const vec y[4], vec o[6])
{
    const vec a = vec_set1(A), a2 = vec_set1(A2), a3 = vec_set1(A3);
    const vec b = vec_set1(B), b2 = vec_set1(B2), b3 = vec_set1(B3);
    vec p = vec_fma(a2, y[2], y[0]), q = vec_fma(a3, y[3], vec_mul(a, y[1]));
    vec r = vec_fma(b2, y[2], y[0]), s = vec_fma(b3, y[3], vec_mul(b, y[1]));
    o[0] = y[0];
    o[1] = vec_add(p, q);
    o[2] = vec_sub(p, q);
    o[3] = vec_add(r, s);
    o[4] = vec_sub(r, s);
    o[5] = y[3];
}

/* The rows of G are those of a polynomial's values at the points, divided by these. */
#define G0 (A2 * B2)
#define GA (2 * A2 * (A2 - B2))
#define GB (2 * B2 * (B2 - A2))

/* G: three taps to six of U. */
NOD_INLINE void g6(const vec g[3], vec o[6])
{
    const vec g0 = vec_set1(1 / G0);
    const vec ga0 = vec_set1(1 / GA), ga1 = vec_set1(A / GA), ga2 = vec_set1(A2 / GA);
    const vec gb0 = vec_set1(1 / GB), gb1 = vec_set1(B / GB), gb2 = vec_set1(B2 / GB);
    vec p = vec_fma(ga0, g[0], vec_mul(ga2, g[2]));
    vec r = vec_fma(gb0, g[0], vec_mul(gb2, g[2]));
    o[0] = vec_mul(g0, g[0]);
    o[1] = vec_fma(ga1, g[1], p);
    o[2] = vec_fnma(ga1, g[1], p);
    o[3] = vec_fma(gb1, g[1], r);
    o[4] = vec_fnma(gb1, g[1], r);
    o[5] = g[2];
}

/* G^T: six of dU to three taps. */
NOD_INLINE void gt3(const vec m[6], vec o[3])
{
    const vec g0 = vec_set1(1 / G0);
    const vec ga0 = vec_set1(1 / GA), ga1 = vec_set1(A / GA), ga2 = vec_set1(A2 / GA);
    const vec gb0 = vec_set1(1 / GB), gb1 = vec_set1(B / GB), gb2 = vec_set1(B2 / GB);
    vec p = vec_add(m[1], m[2]), q = vec_sub(m[1], m[2]);
    vec r = vec_add(m[3], m[4]), s = vec_sub(m[3], m[4]);
    o[0] = vec_fma(g0, m[0], vec_fma(ga0, p, vec_mul(gb0, r)));
    o[1] = vec_fma(ga1, q, vec_mul(gb1, s));
    o[2] = vec_fma(ga2, p, vec_fma(gb2, r, m[5]));
}

#undef A
#undef A2
#undef A3
#undef B
#undef B2
#undef B3
#undef G0
#undef GA
#undef GB

/* A run of tiles in one row of one plane. */
typedef struct tile_run {
    int64_t image, row, column, length; /* row and column in tiles */
} tile_run;

/* The run that starts at position q and has at most `most` tiles. */
NOD_INLINE tile_run run_at(int64_t q, int64_t most, int64_t tiles_h, int64_t tiles_w)
{
    int64_t per_plane = tiles_h * tiles_w, in_plane = q % per_plane;
    tile_run r = {q / per_plane, in_plane / tiles_w, in_plane % tiles_w, 0};
    r.length = NOD_MIN(NOD_MIN(most, tiles_w - r.column), (int64_t)RUN_MAX);
    return r;
}

/* Source plane [h,w,L] to V of one run: v[xi * v_xi + tile * L]. */
static void source_run(const nod_winograd_shape *s, const stored *plane, const tile_run *r,
                       float *v, int64_t v_xi)
{
    static const stored zeros[L];
    float column[COLS_MAX][6][L] NOD_ALIGNED(64);
    const int64_t y0 = r->row * 4 - s->ph, x0 = r->column * 4 - s->pw;
    const int64_t n_cols = 4 * r->length + 2;
    const stored *line[6];
    int64_t step[6];
    for (int k = 0; k < 6; k++) {
        int64_t y = y0 + k;
        bool inside = y >= 0 && y < s->h;
        line[k] = inside ? plane + y * s->w * L : zeros;
        step[k] = inside ? L : 0;
    }
    for (int64_t c = 0; c < n_cols; c++) {
        int64_t x = x0 + c;
        vec i[6], o[6];
        if (x < 0 || x >= s->w) {
            for (int k = 0; k < 6; k++)
                vec_store(column[c][k], vec_zero());
            continue;
        }
        for (int k = 0; k < 6; k++)
            i[k] = stored_load(line[k] + x * step[k]);
        bt6(i, o);
        for (int k = 0; k < 6; k++)
            vec_store(column[c][k], o[k]);
    }
    for (int64_t t = 0; t < r->length; t++, v += L) {
        for (int k = 0; k < 6; k++) {
            vec i[6], o[6];
            for (int j = 0; j < 6; j++)
                i[j] = vec_load(column[4 * t + j][k]);
            bt6(i, o);
            for (int j = 0; j < 6; j++)
                vec_store(v + (k * 6 + j) * v_xi, o[j]);
        }
    }
}

/* One 4x4 tile of the output gradient at (y0, x0) to W: w[xi * w_xi]; zeros outside. */
static void gradient_tile(const nod_winograd_shape *s, const stored *plane, int64_t y0,
                          int64_t x0, float *w, int64_t w_xi)
{
    float m[6][4][L] NOD_ALIGNED(64);
    const bool whole = y0 + 4 <= s->oh && x0 + 4 <= s->ow;
    for (int j = 0; j < 4; j++) {
        vec i[4], o[6];
        for (int k = 0; k < 4; k++) {
            bool inside = whole || (y0 + k < s->oh && x0 + j < s->ow);
            i[k] = inside ? stored_load(plane + ((y0 + k) * s->ow + x0 + j) * L) : vec_zero();
        }
        a6(i, o);
        for (int k = 0; k < 6; k++)
            vec_store(m[k][j], o[k]);
    }
    for (int k = 0; k < 6; k++) {
        vec i[4], o[6];
        for (int j = 0; j < 4; j++)
            i[j] = vec_load(m[k][j]);
        a6(i, o);
        for (int j = 0; j < 6; j++)
            vec_store(w + (k * 6 + j) * w_xi, o[j]);
    }
}

/* What happens to an output before it is stored. */
typedef struct finish {
    vec bias, slope;
    nod_act act;
} finish;

NOD_INLINE vec finish_vec(const finish *f, vec x)
{
    x = vec_add(x, f->bias);
    if (f->act == NOD_ACT_RELU) return vec_relu(x);
    if (f->act == NOD_ACT_LEAKY_RELU) return vec_leaky(x, f->slope);
    return x;
}

/* M of one tile (m[xi * m_xi]) to the 4x4 outputs at (y0, x0) of a plane [oh,ow,L]. */
static void output_tile(const nod_winograd_shape *s, const float *m, int64_t m_xi,
                        stored *plane, int64_t y0, int64_t x0, const finish *f)
{
    float half[4][6][L] NOD_ALIGNED(64);
    for (int j = 0; j < 6; j++) {
        vec i[6], o[4];
        for (int k = 0; k < 6; k++)
            i[k] = vec_load(m + (k * 6 + j) * m_xi);
        at4(i, o);
        for (int k = 0; k < 4; k++)
            vec_store(half[k][j], o[k]);
    }
    const int64_t rows = NOD_MIN(4, s->oh - y0), cols = NOD_MIN(4, s->ow - x0);
    for (int64_t k = 0; k < rows; k++) {
        stored *line = plane + ((y0 + k) * s->ow + x0) * L;
        vec i[6], o[4];
        for (int j = 0; j < 6; j++)
            i[j] = vec_load(half[k][j]);
        at4(i, o);
        if (cols == 4) {
            for (int j = 0; j < 4; j++)
                stored_store(line + j * L, finish_vec(f, o[j]));
        } else {
            for (int64_t j = 0; j < cols; j++)
                stored_store(line + j * L, finish_vec(f, o[j]));
        }
    }
}

/* Filters of `n_vec` vectors of outputs and one source channel and depth tap, taps[9][n_vec*L],
 * to U: u[xi * u_xi + vector * L]. */
static void filter_vecs(const float *taps, int n_vec, float *u, int64_t u_xi)
{
    for (int v = 0; v < n_vec; v++) {
        vec half[6][3];
        for (int b = 0; b < 3; b++) {
            vec g[3], o[6];
            for (int a = 0; a < 3; a++)
                g[a] = vec_load(taps + ((a * 3 + b) * n_vec + v) * L);
            g6(g, o);
            for (int a = 0; a < 6; a++)
                half[a][b] = o[a];
        }
        for (int a = 0; a < 6; a++) {
            vec o[6];
            g6(half[a], o);
            for (int b = 0; b < 6; b++)
                vec_store(u + (a * 6 + b) * u_xi + v * L, o[b]);
        }
    }
}

/* dU of L outputs and one source channel and depth tap, du[xi * du_xi], to dw[9][L]; dU is the
 * sum of n_pieces, du_piece apart, added in their order. */
static void filter_gradient(const float *du, int64_t du_xi, int64_t n_pieces, int64_t du_piece,
                            float dw[9][L])
{
    vec half[3][6];
    for (int b = 0; b < 6; b++) {
        vec m[6], o[3];
        for (int a = 0; a < 6; a++) {
            const float *p = du + (a * 6 + b) * du_xi;
            m[a] = vec_load(p);
            for (int64_t i = 1; i < n_pieces; i++)
                m[a] = vec_add(m[a], vec_load(p + i * du_piece));
        }
        gt3(m, o);
        for (int a = 0; a < 3; a++)
            half[a][b] = o[a];
    }
    for (int a = 0; a < 3; a++) {
        vec o[3];
        gt3(half[a], o);
        for (int b = 0; b < 3; b++)
            vec_store(dw[a * 3 + b], o[b]);
    }
}

#endif
