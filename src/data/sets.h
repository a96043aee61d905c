/* sets.h: which of n things hang together, by pairs: union-find. Roots are the lowest member. */
#ifndef NOD_DATA_SETS_H
#define NOD_DATA_SETS_H

#include <stddef.h>

#include "base/compiler.h"

/* `parent` [n], each its own at the beginning. */
NOD_INLINE size_t nod_sets_root(size_t *parent, size_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

NOD_INLINE void nod_sets_unite(size_t *parent, size_t i, size_t j)
{
    i = nod_sets_root(parent, i);
    j = nod_sets_root(parent, j);
    parent[NOD_MAX(i, j)] = NOD_MIN(i, j);
}

#endif
