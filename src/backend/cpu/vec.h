/* vec.h: one vector of f32 for kernels that are compiled once per instruction set.
 *
 * A kernel is written once in a *_tmpl.h over `vec` and VEC_LANES and included by *_avx2.c and
 * *_avx512.c, which the build compiles with their own flags; VEC_NAME(f) keeps their symbols
 * apart. Compiled for anything else (a header check), a GCC vector of 8 floats stands in.
 * Loads and stores need no alignment. */
#ifndef NOD_BACKEND_CPU_VEC_H
#define NOD_BACKEND_CPU_VEC_H

#include "base/compiler.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#define VEC_LANES   16
#define VEC_NAME(f) f##_avx512
typedef __m512 vec;
NOD_INLINE vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
NOD_INLINE void vec_store(float *p, vec a)
{
    _mm512_storeu_ps(p, a);
}
NOD_INLINE vec vec_set1(float a)
{
    return _mm512_set1_ps(a);
}
NOD_INLINE vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}
NOD_INLINE vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}
NOD_INLINE vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}
/* a*b + c, rounded once */
NOD_INLINE vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
/* c - a*b, rounded once */
NOD_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
/* max(x, 0); NaN stays NaN */
NOD_INLINE vec vec_relu(vec x)
{
    return _mm512_max_ps(_mm512_setzero_ps(), x);
}
/* x where x >= 0 or NaN, else x*slope */
NOD_INLINE vec vec_leaky(vec x, vec slope)
{
    return _mm512_mask_mul_ps(x, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), x,
                              slope);
}

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define VEC_LANES   8
#define VEC_NAME(f) f##_avx2
typedef __m256 vec;
NOD_INLINE vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
NOD_INLINE void vec_store(float *p, vec a)
{
    _mm256_storeu_ps(p, a);
}
NOD_INLINE vec vec_set1(float a)
{
    return _mm256_set1_ps(a);
}
NOD_INLINE vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}
NOD_INLINE vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}
NOD_INLINE vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}
NOD_INLINE vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}
NOD_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}
NOD_INLINE vec vec_relu(vec x)
{
    return _mm256_max_ps(_mm256_setzero_ps(), x);
}
NOD_INLINE vec vec_leaky(vec x, vec slope)
{
    vec below = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_blendv_ps(x, _mm256_mul_ps(x, slope), below);
}

#else
#pragma GCC diagnostic ignored "-Wpsabi" /* these functions are always inlined */
#include <string.h>
#define VEC_LANES   8
#define VEC_NAME(f) f##_c
typedef float vec __attribute__((vector_size(32)));
NOD_INLINE vec vec_load(const float *p)
{
    vec a;
    memcpy(&a, p, sizeof a);
    return a;
}
NOD_INLINE void vec_store(float *p, vec a)
{
    memcpy(p, &a, sizeof a);
}
NOD_INLINE vec vec_set1(float a)
{
    return (vec){a, a, a, a, a, a, a, a};
}
NOD_INLINE vec vec_add(vec a, vec b)
{
    return a + b;
}
NOD_INLINE vec vec_sub(vec a, vec b)
{
    return a - b;
}
NOD_INLINE vec vec_mul(vec a, vec b)
{
    return a * b;
}
NOD_INLINE vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}
NOD_INLINE vec vec_fnma(vec a, vec b, vec c)
{
    return c - a * b;
}
NOD_INLINE vec vec_relu(vec x)
{
    for (int i = 0; i < VEC_LANES; i++)
        if (x[i] < 0) x[i] = 0;
    return x;
}
NOD_INLINE vec vec_leaky(vec x, vec slope)
{
    for (int i = 0; i < VEC_LANES; i++)
        if (x[i] < 0) x[i] *= slope[i];
    return x;
}
#endif

/* Keeps a value in a register: a compiler would rather load it again with each of its uses,
 * and a register tile is short of loads, not of registers. */
#if defined(__AVX2__)
#define VEC_KEEP(a) __asm__("" : "+v"(a))
#else
#define VEC_KEEP(a) ((void)0)
#endif

NOD_INLINE vec vec_zero(void)
{
    return vec_set1(0.0f);
}

#endif
