/* shape.c: operations that only move values: concatenation, reshape, zero padding, cropping. */
#include <string.h>

#include "backend/ref/ref.h"

/* Values of [N,Ci,S] -> [N,sum of Ci,S] */
int nod_ref_concat(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    double *y = a->out[0];
    int64_t n_batch = k->in[0].dim[0];
    for (int64_t n = 0; n < n_batch; n++)
        for (int i = 0; i < k->n_in; i++) {
            int64_t count = nod_shape_count(&k->in[i]) / n_batch;
            memcpy(y, (const double *)a->in[i] + n * count, (size_t)count * sizeof *y);
            y += count;
        }
    return 0;
}

/* x -> the same elements */
int nod_ref_reshape(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    size_t count = (size_t)nod_shape_count(&k->in[0]);
    memmove(a->out[0], a->in[0], count * sizeof(double)); /* they may be one memory */
    return 0;
}

/* Copies box `small` out of or into `large`, where it begins at `lo`. */
static void move_box(const nod_shape *large, const nod_shape *small, const int64_t *lo,
                     const double *src, double *dst, bool into_large)
{
    int64_t count = nod_shape_count(small);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0, step = 1;
        for (int axis = small->rank - 1; axis >= 0; axis--) {
            at += (rest % small->dim[axis] + lo[axis]) * step;
            rest /= small->dim[axis];
            step *= large->dim[axis];
        }
        if (into_large)
            dst[at] = src[i];
        else
            dst[i] = src[at];
    }
}

/* x -> x with attr.lo and attr.hi zeros around it, per axis */
int nod_ref_pad(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    double *y = a->out[0];
    int64_t count = nod_shape_count(&k->out[0]);
    for (int64_t i = 0; i < count; i++)
        y[i] = 0;
    move_box(&k->out[0], &k->in[0], k->attr.lo, a->in[0], y, true);
    return 0;
}

/* x -> x without attr.lo and attr.hi elements at its ends, per axis */
int nod_ref_crop(const nod_kernel *k, const nod_kernel_args *a, nod_error *err)
{
    (void)err;
    move_box(&k->in[0], &k->out[0], k->attr.lo, a->in[0], a->out[0], false);
    return 0;
}
