/* norm_tmpl.h: the passes of the norms over their rows; see norm.h. Included once per
 * instruction set. One task per row, so the work is cut by shape alone. */
#include <string.h>

#include "backend/cpu/act_vec.h"
#include "backend/cpu/element_vec.h"
#include "backend/cpu/norm.h"
#include "base/threads.h"

/* Numbers of one task at least, where rows are short. */
#define TASK 16384
/* Vectors that are summed in f32 before they are added to the row's sums in double. */
#define CHUNK 512

typedef struct norm_job {
    void (*row)(const struct norm_job *j, int64_t i);
    const nod_norm *k;
    const nod_norm_memory *m;
    const void *x, *r, *y_in, *dy;
    void *y, *dx, *dr;
} norm_job;

/* One row: where it starts, how many numbers it has, how they lie, where its constants and sums
 * stand. */
typedef struct norm_row {
    int64_t at, n, lane, sum;
    int64_t vectors, step; /* whole vectors, and elements from one to the next */
    int tail;              /* numbers behind them */
    bool plain;            /* one channel, its points are summed in VEC_LANES strands */
} norm_row;

static norm_row row_of(const nod_norm *k, int64_t i)
{
    const nod_blocks *b = &k->b;
    int64_t n = i / b->blocks, block = i % b->blocks, points = b->points * b->lanes;
    norm_row r = {.at = nod_blocks_row(b, i), .n = points, .plain = b->lanes == 1};
    r.vectors = points / VEC_LANES;
    r.step = r.plain ? VEC_LANES : b->step;
    r.tail = (int)(points % VEC_LANES);
    r.sum = n * b->c + block * b->lanes;
    r.lane = k->groups > 0 ? r.sum : block * b->lanes;
    return r;
}

static int64_t rows_per_task(const nod_norm *k)
{
    return NOD_MAX(TASK / (k->b.points * k->b.lanes), 1);
}

static void task(void *ctx, int64_t i)
{
    const norm_job *j = ctx;
    int64_t per = rows_per_task(j->k), rows = j->k->b.n * j->k->b.blocks;
    for (int64_t r = i * per; r < NOD_MIN(rows, (i + 1) * per); r++)
        j->row(j, r);
}

static void for_rows(norm_job *j)
{
    int64_t per = rows_per_task(j->k), rows = j->k->b.n * j->k->b.blocks;
    nod_parallel_for((rows + per - 1) / per, task, j);
}

NOD_INLINE vec constant_of(const norm_row *r, const float *lane)
{
    return r->plain ? vec_set1(lane[r->lane]) : vec_load(lane + r->lane);
}

/* --- moments -------------------------------------------------------------------------------- */

/* Joins `count` numbers of mean `mean` and squared deviations `m2` to those before (Chan, Golub
 * and LeVeque 1983). */
static void join(double *mean, double *m2, double before, double count, double new_mean,
                 double new_m2)
{
    double d = new_mean - *mean, after = before + count;
    *mean += d * count / after;
    *m2 += new_m2 + d * d * before * count / after;
}

/* Per lane sums of `vectors` vectors from x[at]; with `squares`, of squared deviations from
 * `centre`. */
NOD_INLINE vec chunk_sum(const void *x, int64_t at, int64_t step, int64_t vectors, bool half,
                         bool squares, vec centre)
{
    vec s[4] = {vec_zero(), vec_zero(), vec_zero(), vec_zero()};
    int64_t i = 0;
    for (; i + 4 <= vectors; i += 4)
        for (int u = 0; u < 4; u++) {
            vec v = element_load(x, at + (i + u) * step, half);
            if (squares) {
                v = vec_sub(v, centre);
                s[u] = vec_fma(v, v, s[u]);
            } else {
                s[u] = vec_add(s[u], v);
            }
        }
    for (; i < vectors; i++) {
        vec v = element_load(x, at + i * step, half);
        if (squares) v = vec_sub(v, centre);
        s[0] = squares ? vec_fma(v, v, s[0]) : vec_add(s[0], v);
    }
    return vec_add(vec_add(s[0], s[1]), vec_add(s[2], s[3]));
}

static void blocked_moments(const norm_job *j, const norm_row *r, bool half)
{
    double *mean = j->m->sum1 + r->sum, *m2 = j->m->sum2 + r->sum;
    int64_t points = r->vectors;
    memset(mean, 0, VEC_LANES * sizeof *mean);
    memset(m2, 0, VEC_LANES * sizeof *m2);
    for (int64_t from = 0; from < points; from += CHUNK) {
        int64_t count = NOD_MIN(points - from, CHUNK), at = r->at + from * r->step;
        float s[VEC_LANES], q[VEC_LANES];
        vec centre = chunk_sum(j->x, at, r->step, count, half, false, vec_zero());
        centre = vec_mul(centre, vec_set1(1.0F / (float)count));
        vec_store(s, centre);
        vec_store(q, chunk_sum(j->x, at, r->step, count, half, true, centre));
        for (int l = 0; l < VEC_LANES; l++)
            join(&mean[l], &m2[l], (double)from, (double)count, (double)s[l], (double)q[l]);
    }
}

static void plain_moments(const norm_job *j, const norm_row *r, bool half)
{
    double *mean = j->m->sum1 + r->sum, *m2 = j->m->sum2 + r->sum;
    *mean = *m2 = 0;
    for (int64_t from = 0; from < r->n; from += (int64_t)CHUNK * VEC_LANES) {
        int64_t count = NOD_MIN(r->n - from, (int64_t)CHUNK * VEC_LANES), at = r->at + from;
        int64_t whole = count / VEC_LANES * VEC_LANES;
        float s =
            vec_sum(chunk_sum(j->x, at, VEC_LANES, whole / VEC_LANES, half, false, vec_zero()));
        for (int64_t i = whole; i < count; i++)
            s += element_get(j->x, at + i, half);
        s /= (float)count;
        float q =
            vec_sum(chunk_sum(j->x, at, VEC_LANES, whole / VEC_LANES, half, true, vec_set1(s)));
        for (int64_t i = whole; i < count; i++) {
            float d = element_get(j->x, at + i, half) - s;
            q += d * d;
        }
        join(mean, m2, (double)from, (double)count, (double)s, (double)q);
    }
}

static void moments_row(const norm_job *j, int64_t i)
{
    norm_row r = row_of(j->k, i);
    if (r.plain)
        j->k->half ? plain_moments(j, &r, true) : plain_moments(j, &r, false);
    else
        j->k->half ? blocked_moments(j, &r, true) : blocked_moments(j, &r, false);
}

static void moments(const nod_norm *k, const nod_norm_memory *m, const void *x)
{
    norm_job j = {.row = moments_row, .k = k, .m = m, .x = x};
    for_rows(&j);
}

/* --- apply ---------------------------------------------------------------------------------- */

NOD_INLINE void apply_with(const norm_job *j, const norm_row *r, bool half, bool residual,
                           bool simple)
{
    const nod_norm *k = j->k;
    const vec scale = constant_of(r, j->m->lane[0]), shift = constant_of(r, j->m->lane[1]);
    const vec low = vec_set1(act_low_slope(k->act, k->alpha));
    int64_t i = r->at;
    for (int64_t p = 0; p < r->vectors; p++, i += r->step) {
        vec v = vec_fma(element_load(j->x, i, half), scale, shift);
        if (residual) v = vec_add(v, element_load(j->r, i, half));
        element_store(j->y, i, act_apply(simple, low, k->act, k->alpha, v), half);
    }
    if (r->tail) {
        int n = r->tail;
        vec v = vec_fma(element_load_part(j->x, i, n, half), scale, shift);
        if (residual) v = vec_add(v, element_load_part(j->r, i, n, half));
        element_store_part(j->y, i, act_apply(simple, low, k->act, k->alpha, v), n, half);
    }
}

static void apply_row(const norm_job *j, int64_t i)
{
    norm_row r = row_of(j->k, i);
    bool half = j->k->half;
    if (!act_is_simple(j->k->act))
        half ? apply_with(j, &r, true, j->r != NULL, false)
             : apply_with(j, &r, false, j->r != NULL, false);
    else if (j->r)
        half ? apply_with(j, &r, true, true, true) : apply_with(j, &r, false, true, true);
    else
        half ? apply_with(j, &r, true, false, true) : apply_with(j, &r, false, false, true);
}

static void apply(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *r,
                  void *y)
{
    norm_job j = {.row = apply_row, .k = k, .m = m, .x = x, .r = r, .y = y};
    for_rows(&j);
}

/* --- gradients ------------------------------------------------------------------------------ */

/* g = dy*act'(y) at i: whole vectors, or the last n numbers (n > 0). */
NOD_INLINE vec before_act(const norm_job *j, int64_t i, int n, bool half, bool simple, vec low)
{
    vec dy = n ? element_load_part(j->dy, i, n, half) : element_load(j->dy, i, half);
    if (!j->y_in) return dy;
    vec y = n ? element_load_part(j->y_in, i, n, half) : element_load(j->y_in, i, half);
    return act_back(simple, low, j->k->act, j->k->alpha, true, y, dy);
}

NOD_INLINE void sums_with(const norm_job *j, const norm_row *r, bool half, bool simple)
{
    const nod_norm *k = j->k;
    const vec mean = constant_of(r, j->m->lane[0]), istd = constant_of(r, j->m->lane[1]);
    const vec low = vec_set1(act_low_slope(k->act, k->alpha));
    double *sum1 = j->m->sum1 + r->sum, *sum2 = j->m->sum2 + r->sum;
    int64_t at = r->at, all = r->vectors + (r->tail > 0), step = r->step;
    memset(sum1, 0, (size_t)k->b.lanes * sizeof *sum1);
    memset(sum2, 0, (size_t)k->b.lanes * sizeof *sum2);
    for (int64_t p = 0; p < all;) {
        int64_t stop = NOD_MIN(all, p + CHUNK), whole = NOD_MIN(stop, r->vectors);
        vec a = vec_zero(), b = vec_zero(), a2 = vec_zero(), b2 = vec_zero();
        float s1[VEC_LANES], s2[VEC_LANES];
        for (; p + 2 <= whole; p += 2, at += 2 * step) {
            vec g = before_act(j, at, 0, half, simple, low);
            vec h = before_act(j, at + step, 0, half, simple, low);
            a = vec_add(a, g);
            a2 = vec_add(a2, h);
            b = vec_fma(g, vec_sub(element_load(j->x, at, half), mean), b);
            b2 = vec_fma(h, vec_sub(element_load(j->x, at + step, half), mean), b2);
        }
        for (; p < stop; p++, at += step) {
            int n = p < r->vectors ? VEC_LANES : r->tail;
            vec g = before_act(j, at, n, half, simple, low); /* zero behind n */
            a = vec_add(a, g);
            b = vec_fma(g, vec_sub(element_load_part(j->x, at, n, half), mean), b);
        }
        a = vec_add(a, a2);
        b = vec_mul(vec_add(b, b2), istd);
        if (r->plain) {
            *sum1 += (double)vec_sum(a);
            *sum2 += (double)vec_sum(b);
            continue;
        }
        vec_store(s1, a);
        vec_store(s2, b);
        for (int l = 0; l < VEC_LANES; l++) {
            sum1[l] += (double)s1[l];
            sum2[l] += (double)s2[l];
        }
    }
}

static void sums_row(const norm_job *j, int64_t i)
{
    norm_row r = row_of(j->k, i);
    bool simple = act_is_simple(j->k->act);
    if (j->k->half)
        simple ? sums_with(j, &r, true, true) : sums_with(j, &r, true, false);
    else
        simple ? sums_with(j, &r, false, true) : sums_with(j, &r, false, false);
}

static void sums(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *y,
                 const void *dy)
{
    norm_job j = {.row = sums_row, .k = k, .m = m, .x = x, .y_in = y, .dy = dy};
    for_rows(&j);
}

NOD_INLINE void gradient_with(const norm_job *j, const norm_row *r, bool half, bool simple,
                              bool residual)
{
    const nod_norm *k = j->k;
    const vec f = constant_of(r, j->m->lane[0]), fx = constant_of(r, j->m->lane[1]);
    const vec f1 = constant_of(r, j->m->lane[2]);
    const vec low = vec_set1(act_low_slope(k->act, k->alpha));
    int64_t i = r->at;
    for (int64_t p = 0; p < r->vectors; p++, i += r->step) {
        vec g = before_act(j, i, 0, half, simple, low);
        vec dx = vec_fma(f, g, vec_fma(fx, element_load(j->x, i, half), f1));
        if (residual) element_store(j->dr, i, g, half);
        element_store(j->dx, i, dx, half);
    }
    if (r->tail) {
        int n = r->tail;
        vec g = before_act(j, i, n, half, simple, low);
        vec dx = vec_fma(f, g, vec_fma(fx, element_load_part(j->x, i, n, half), f1));
        if (residual) element_store_part(j->dr, i, g, n, half);
        element_store_part(j->dx, i, dx, n, half);
    }
}

static void gradient_row(const norm_job *j, int64_t i)
{
    norm_row r = row_of(j->k, i);
    bool half = j->k->half;
    if (!act_is_simple(j->k->act))
        half ? gradient_with(j, &r, true, false, j->dr != NULL)
             : gradient_with(j, &r, false, false, j->dr != NULL);
    else if (j->dr)
        half ? gradient_with(j, &r, true, true, true) : gradient_with(j, &r, false, true, true);
    else
        half ? gradient_with(j, &r, true, true, false)
             : gradient_with(j, &r, false, true, false);
}

static void gradient(const nod_norm *k, const nod_norm_memory *m, const void *x, const void *y,
                     const void *dy, void *dx, void *dr)
{
    norm_job j = {
        .row = gradient_row, .k = k, .m = m, .x = x, .y_in = y, .dy = dy, .dx = dx, .dr = dr};
    for_rows(&j);
}
