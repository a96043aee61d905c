/* element_vec.h: one vector of activations, stored as f32 or as bf16, read and written as f32.
 * `half` says which; it is constant in every caller, so that no test is left in a loop. */
#ifndef NOD_BACKEND_CPU_ELEMENT_VEC_H
#define NOD_BACKEND_CPU_ELEMENT_VEC_H

#include <string.h>

#include "backend/cpu/vec.h"

NOD_INLINE vec element_load(const void *p, int64_t i, bool half)
{
    return half ? vec_load_bf16((const uint16_t *)p + i) : vec_load((const float *)p + i);
}

NOD_INLINE void element_store(void *p, int64_t i, vec a, bool half)
{
    if (half)
        vec_store_bf16((uint16_t *)p + i, a);
    else
        vec_store((float *)p + i, a);
}

/* The first n of VEC_LANES elements; zeros behind them. */
NOD_INLINE vec element_load_part(const void *p, int64_t i, int n, bool half)
{
    uint16_t w[VEC_LANES] = {0};
    if (!half) return vec_load_part((const float *)p + i, n);
    memcpy(w, (const uint16_t *)p + i, (size_t)n * sizeof *w);
    return vec_load_bf16(w);
}

NOD_INLINE void element_store_part(void *p, int64_t i, vec a, int n, bool half)
{
    uint16_t w[VEC_LANES];
    if (!half) {
        vec_store_part((float *)p + i, a, n);
        return;
    }
    vec_store_bf16(w, a);
    memcpy((uint16_t *)p + i, w, (size_t)n * sizeof *w);
}

NOD_INLINE float element_get(const void *p, int64_t i, bool half)
{
    uint32_t w;
    float f;
    if (!half) return ((const float *)p)[i];
    w = (uint32_t)((const uint16_t *)p)[i] << 16;
    memcpy(&f, &w, sizeof f);
    return f;
}

#endif
