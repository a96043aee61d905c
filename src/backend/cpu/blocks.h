/* blocks.h: one view of every layout: a row is one block of `lanes` channels of one image, and its
 * points lie `step` elements apart. PLAIN has one lane and C blocks; BLOCK8 has 8 lanes; in LAST all
 * channels are one block, or, for kernels that work on vectors, C/lanes interleaved ones. [N,F] is a
 * value with one point. */
#ifndef NOD_BACKEND_CPU_BLOCKS_H
#define NOD_BACKEND_CPU_BLOCKS_H

#include "backend/backend.h"

typedef struct nod_blocks {
    int64_t n, c, blocks, points, lanes, step;
    int64_t size[3]; /* D,H,W */
} nod_blocks;

static inline nod_blocks nod_blocks_of(const nod_shape *s, nod_layout l)
{
    nod_blocks b = {.n = s->dim[0], .c = s->rank > 1 ? s->dim[1] : 1, .points = 1};
    b.lanes = l == NOD_LAYOUT_LAST ? b.c : nod_layout_block(l);
    b.blocks = b.c / b.lanes;
    b.step = b.lanes;
    for (int i = 0; i < 3; i++) {
        int axis = s->rank - 3 + i;
        b.size[i] = axis < 2 ? 1 : s->dim[axis];
        b.points *= b.size[i];
    }
    return b;
}

/* The same with LAST as blocks of `lanes` channels, which must divide them. */
static inline nod_blocks nod_blocks_of_vectors(const nod_shape *s, nod_layout l, int64_t lanes)
{
    nod_blocks b = nod_blocks_of(s, l);
    if (l != NOD_LAYOUT_LAST) return b;
    b.lanes = lanes;
    b.blocks = b.c / lanes;
    return b;
}

/* First element of row i, 0 <= i < n * blocks. */
static inline int64_t nod_blocks_row(const nod_blocks *b, int64_t i)
{
    if (b->step == b->lanes) return i * b->points * b->lanes;
    return i / b->blocks * b->points * b->c + i % b->blocks * b->lanes;
}

static inline const nod_shape *nod_query_shape(const nod_kernel_query *q, int value)
{
    return &q->graph->values[value].shape;
}

#endif
