/* backend.c: names and layouts common to all backends. */
#include "backend/backend.h"

#include <string.h>

const char *nod_layout_name(nod_layout l)
{
    static const char *const names[] = {"plain", "block8", "block16", "last"};
    NOD_ASSERT((size_t)l < NOD_COUNT(names));
    return names[l];
}

int64_t nod_layout_block(nod_layout l)
{
    static const int64_t blocks[] = {1, 8, 16, 0};
    NOD_ASSERT((size_t)l < NOD_COUNT(blocks));
    return blocks[l];
}

bool nod_layout_allowed(nod_layout l, const nod_shape *shape)
{
    if (l == NOD_LAYOUT_PLAIN) return true;
    if (shape->rank < 4) return false;
    return l == NOD_LAYOUT_LAST || shape->dim[1] % nod_layout_block(l) == 0;
}

bool nod_layout_equal(nod_layout a, nod_layout b, const nod_shape *shape)
{
    if (a == b) return true;
    if (!nod_layout_allowed(a, shape) || !nod_layout_allowed(b, shape)) return false;
    int64_t plane = 1;
    for (int i = 2; i < shape->rank; i++)
        plane *= shape->dim[i];
    return plane == 1 ||
           (shape->dim[1] == 1 && nod_layout_block(a) <= 1 && nod_layout_block(b) <= 1);
}

const nod_backend *nod_backend_find(const char *name)
{
    const nod_backend *const all[] = {nod_backend_cpu(), nod_backend_ref()};
    for (size_t i = 0; i < NOD_COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}
