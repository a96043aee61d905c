/* pool.c: maximum and average over windows, or over the whole plane (attr.global), and their
 * gradients.
 *
 * A window is cut to the plane before anything is read, so padding never takes part; an average
 * with include_pad still divides by the whole kernel. */
#include <math.h>

#include "backend/ref/ref.h"

typedef struct window { /* of one output position, inside the plane */
    int64_t lo[3], hi[3], step[3];
} window;

typedef struct geometry {
    nod_ref_view x, y;
    int64_t kernel[3], stride[3], pad[3], dilation[3];
} geometry;

static geometry geometry_of(const nod_kernel *k, const nod_shape *large, const nod_shape *small)
{
    geometry g = {.x = nod_ref_view_of(large), .y = nod_ref_view_of(small)};
    int64_t size[3] = {g.x.d, g.x.h, g.x.w};
    for (int i = 0; i < 3; i++) {
        g.kernel[i] = k->attr.global ? size[i] : k->attr.kernel[i];
        g.stride[i] = k->attr.global ? 1 : k->attr.stride[i];
        g.pad[i] = k->attr.global ? 0 : k->attr.pad_lo[i];
        g.dilation[i] = k->attr.global ? 1 : k->attr.dilation[i];
    }
    return g;
}

static window window_at(const geometry *g, int64_t position)
{
    int64_t o[3] = {position / (g->y.h * g->y.w), position / g->y.w % g->y.h,
                    position % g->y.w};
    int64_t size[3] = {g->x.d, g->x.h, g->x.w};
    window win;
    for (int i = 0; i < 3; i++) {
        int64_t begin = o[i] * g->stride[i] - g->pad[i], step = g->dilation[i];
        int64_t end = begin + (g->kernel[i] - 1) * step + 1;
        if (begin < 0) begin += (-begin + step - 1) / step * step;
        win.lo[i] = begin;
        win.hi[i] = NOD_MIN(end, size[i]);
        win.step[i] = step;
    }
    return win;
}

/* Index in the plane of the first maximum in scan order; a NaN is greater than any number. -1:
 * the window lies in the padding alone. */
static int64_t first_maximum(const geometry *g, const window *win, const double *x)
{
    int64_t best = -1;
    for (int64_t d = win->lo[0]; d < win->hi[0]; d += win->step[0])
        for (int64_t h = win->lo[1]; h < win->hi[1]; h += win->step[1])
            for (int64_t w = win->lo[2]; w < win->hi[2]; w += win->step[2]) {
                int64_t i = (d * g->x.h + h) * g->x.w + w;
                if (best < 0 || x[i] > x[best] || (isnan(x[i]) && !isnan(x[best]))) best = i;
            }
    return best;
}

static double divisor(const nod_kernel *k, const geometry *g, const window *win)
{
    double n_kernel = 1, n_inside = 1;
    for (int i = 0; i < 3; i++) {
        int64_t n = (win->hi[i] - win->lo[i] + win->step[i] - 1) / win->step[i];
        n_inside *= (double)NOD_MAX(n, 0);
        n_kernel *= (double)g->kernel[i];
    }
    return k->attr.include_pad ? n_kernel : NOD_MAX(n_inside, 1);
}

/* x[N,C,S] -> y[N,C,S'] (global: [N,C]) */
int nod_ref_pool_max(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->in[0], &k->out[0]);
    const double *x = a->in[0];
    double *y = a->out[0];
    for (int64_t i = 0; i < g.y.n * g.y.c; i++, x += g.x.plane, y += g.y.plane)
        for (int64_t o = 0; o < g.y.plane; o++) {
            window win = window_at(&g, o);
            int64_t at = first_maximum(&g, &win, x);
            y[o] = at < 0 ? -INFINITY : x[at];
        }
    return 0;
}

/* x[N,C,S] dy[N,C,S'] -> dx[N,C,S] */
int nod_ref_pool_max_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->in[0], &k->in[1]);
    const double *x = a->in[0], *dy = a->in[1];
    double *dx = a->out[0];
    for (int64_t i = 0; i < g.y.n * g.y.c; i++) {
        for (int64_t s = 0; s < g.x.plane; s++)
            dx[s] = 0;
        for (int64_t o = 0; o < g.y.plane; o++) {
            window win = window_at(&g, o);
            int64_t at = first_maximum(&g, &win, x);
            if (at >= 0) dx[at] += dy[o];
        }
        x += g.x.plane;
        dx += g.x.plane;
        dy += g.y.plane;
    }
    return 0;
}

/* x[N,C,S] -> y[N,C,S'] (global: [N,C]) */
int nod_ref_pool_avg(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->in[0], &k->out[0]);
    const double *x = a->in[0];
    double *y = a->out[0];
    for (int64_t i = 0; i < g.y.n * g.y.c; i++, x += g.x.plane, y += g.y.plane)
        for (int64_t o = 0; o < g.y.plane; o++) {
            window win = window_at(&g, o);
            double sum = 0;
            for (int64_t d = win.lo[0]; d < win.hi[0]; d += win.step[0])
                for (int64_t h = win.lo[1]; h < win.hi[1]; h += win.step[1])
                    for (int64_t w = win.lo[2]; w < win.hi[2]; w += win.step[2])
                        sum += x[(d * g.x.h + h) * g.x.w + w];
            y[o] = sum / divisor(k, &g, &win);
        }
    return 0;
}

/* dy[N,C,S'] -> dx[N,C,S] */
int nod_ref_pool_avg_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    geometry g = geometry_of(k, &k->out[0], &k->in[0]);
    const double *dy = a->in[0];
    double *dx = a->out[0];
    for (int64_t i = 0; i < g.y.n * g.y.c; i++, dx += g.x.plane, dy += g.y.plane) {
        for (int64_t s = 0; s < g.x.plane; s++)
            dx[s] = 0;
        for (int64_t o = 0; o < g.y.plane; o++) {
            window win = window_at(&g, o);
            double share = dy[o] / divisor(k, &g, &win);
            for (int64_t d = win.lo[0]; d < win.hi[0]; d += win.step[0])
                for (int64_t h = win.lo[1]; h < win.hi[1]; h += win.step[1])
                    for (int64_t w = win.lo[2]; w < win.hi[2]; w += win.step[2])
                        dx[(d * g.x.h + h) * g.x.w + w] += share;
        }
    }
    return 0;
}
