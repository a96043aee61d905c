/* upsample.c: enlarging by whole factors, nearest and linear, and the gradients.
 *
 * Linear: the centre of output pixel o lies at (o + 1/2)/scale - 1/2 of the input; positions
 * beyond the first or last centre take the edge's value (PyTorch's align_corners=False). Each
 * output is a sum over 2x2x2 inputs with product weights; the gradient adds the same weights
 * the other way. */
#include <math.h>

#include "backend/ref/ref.h"

typedef struct tap { /* along one axis: w[0] of input at[0], w[1] of at[1] */
    int64_t at[2];
    double w[2];
} tap;

static tap nearest_tap(int64_t o, int64_t scale)
{
    return (tap){{o / scale, o / scale}, {1, 0}};
}

static tap linear_tap(int64_t o, int64_t scale, int64_t size)
{
    double position = ((double)o + 0.5) / (double)scale - 0.5;
    if (position < 0) position = 0;
    int64_t first = (int64_t)position;
    double part = position - (double)first;
    return (tap){{first, NOD_MIN(first + 1, size - 1)}, {1 - part, part}};
}

/* Goes over small x and large y; forward: y = sum w x, else x += w y. */
static void walk(const nod_kernel *k, const nod_ref_view *vx, const nod_ref_view *vy, double *x,
                 double *y, bool linear, bool forward)
{
    const int64_t *scale = k->attr.scale;
    for (int64_t i = 0; i < vy->n * vy->c * vy->plane; i++) {
        int64_t d = i / (vy->h * vy->w) % vy->d, h = i / vy->w % vy->h, w = i % vy->w;
        tap td = linear ? linear_tap(d, scale[0], vx->d) : nearest_tap(d, scale[0]);
        tap th = linear ? linear_tap(h, scale[1], vx->h) : nearest_tap(h, scale[1]);
        tap tw = linear ? linear_tap(w, scale[2], vx->w) : nearest_tap(w, scale[2]);
        double *plane = x + i / vy->plane * vx->plane, sum = 0;
        for (int corner = 0; corner < 8; corner++) {
            int cd = corner >> 2, ch = corner >> 1 & 1, cw = corner & 1;
            double weight = td.w[cd] * th.w[ch] * tw.w[cw];
            if (weight == 0) continue; /* also keeps 0 * infinity out */
            double *px = plane + (td.at[cd] * vx->h + th.at[ch]) * vx->w + tw.at[cw];
            if (forward)
                sum += weight * *px;
            else
                *px += weight * y[i];
        }
        if (forward) y[i] = sum;
    }
}

static int upsample(const nod_kernel *k, const nod_kernel_args *a, bool linear)
{
    nod_ref_view vx = nod_ref_view_of(&k->in[0]), vy = nod_ref_view_of(&k->out[0]);
    walk(k, &vx, &vy, a->in[0], a->out[0], linear, true);
    return 0;
}

static int upsample_bwd(const nod_kernel *k, const nod_kernel_args *a, bool linear)
{
    nod_ref_view vx = nod_ref_view_of(&k->out[0]), vy = nod_ref_view_of(&k->in[0]);
    double *dx = a->out[0];
    for (int64_t i = 0; i < vx.n * vx.c * vx.plane; i++)
        dx[i] = 0;
    walk(k, &vx, &vy, dx, a->in[0], linear, false);
    return 0;
}

/* x[N,C,S] -> y[N,C,S*scale] */
int nod_ref_upsample_nearest(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    return upsample(k, a, false);
}

int nod_ref_upsample_linear(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    return upsample(k, a, true);
}

/* dy[N,C,S*scale] -> dx[N,C,S] */
int nod_ref_upsample_nearest_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    return upsample_bwd(k, a, false);
}

int nod_ref_upsample_linear_bwd(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    return upsample_bwd(k, a, true);
}
