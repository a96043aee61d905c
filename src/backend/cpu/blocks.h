/* blocks.h: one view for every layout that is blocked by channels: [N][blocks][points][lanes].
 * PLAIN has one lane and C blocks; BLOCK8 has 8 lanes. [N,F] is a value with one point. */
#ifndef NOD_BACKEND_CPU_BLOCKS_H
#define NOD_BACKEND_CPU_BLOCKS_H

#include "backend/backend.h"

typedef struct nod_blocks {
    int64_t n, c, blocks, points, lanes;
    int64_t size[3]; /* D,H,W */
} nod_blocks;

static inline nod_blocks nod_blocks_of(const nod_shape *s, nod_layout l)
{
    nod_blocks b = {.n = s->dim[0], .c = s->rank > 1 ? s->dim[1] : 1, .points = 1};
    b.lanes = nod_layout_block(l);
    b.blocks = b.c / b.lanes;
    for (int i = 0; i < 3; i++) {
        int axis = s->rank - 3 + i;
        b.size[i] = axis < 2 ? 1 : s->dim[axis];
        b.points *= b.size[i];
    }
    return b;
}

/* The layout of input i now, if it is blocked by channels (or plain); else PLAIN. */
static inline nod_layout nod_blocks_layout(const nod_kernel_query *q, int i)
{
    return q->in[i] == NOD_LAYOUT_LAST ? NOD_LAYOUT_PLAIN : q->in[i];
}

static inline const nod_shape *nod_query_shape(const nod_kernel_query *q, int value)
{
    return &q->graph->values[value].shape;
}

#endif
