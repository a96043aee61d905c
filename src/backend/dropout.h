/* dropout.h: which elements dropout keeps: the definition that every backend follows.
 *
 * Element i of a value, counted in the PLAIN order n,c,d,h,w (or n,c where one draw serves a
 * whole channel), looks at word i % 4 of Philox block i / 4 of the stream (seed,
 * NOD_RNG_DROPOUT, step * 4096 + attr.stream) and is kept iff word >= p * 2^32. So the mask
 * depends on neither layout nor threads, and the backward pass draws the same one again. */
#ifndef NOD_BACKEND_DROPOUT_H
#define NOD_BACKEND_DROPOUT_H

#include <stdint.h>

#include "backend/backend.h"
#include "base/rng.h"

#define NOD_DROPOUT_STREAMS 4096 /* dropout nodes of one graph that have masks of their own */

/* The four words of elements 4*block .. 4*block+3. */
static inline void nod_dropout_words(const nod_run_context *context, uint32_t stream,
                                     int64_t block, uint32_t out[4])
{
    NOD_ASSERT(block >= 0 && block <= UINT32_MAX);
    nod_rng_block(context->seed, NOD_RNG_DROPOUT, context->step * NOD_DROPOUT_STREAMS + stream,
                  (uint32_t)block, out);
}

static inline int nod_dropout_keeps(uint32_t word, double p)
{
    return (double)word >= p * 0x1p32;
}

#endif
