/* reorder.c: an activation from one layout into another, bit by bit as it is stored. */
#include <string.h>

#include "backend/ref/ref.h"

/* Where element (n, c, s) lies; s counts over d,h,w. */
static int64_t offset(nod_layout layout, const nod_ref_view *v, int64_t n, int64_t c, int64_t s)
{
    if (layout == NOD_LAYOUT_LAST) return (n * v->plane + s) * v->c + c;
    int64_t block = nod_layout_block(layout);
    return ((n * (v->c / block) + c / block) * v->plane + s) * block + c % block;
}

void nod_ref_reorder(const nod_kernel *k, const void *src, void *dst)
{
    size_t size = nod_dtype_size(k->in_dtype[0]);
    nod_ref_view v = nod_ref_view_of(&k->in[0]);
    for (int64_t n = 0; n < v.n; n++)
        for (int64_t c = 0; c < v.c; c++)
            for (int64_t s = 0; s < v.plane; s++)
                memcpy((char *)dst + (size_t)offset(k->to, &v, n, c, s) * size,
                       (const char *)src + (size_t)offset(k->from, &v, n, c, s) * size, size);
}
