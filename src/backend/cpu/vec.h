/* vec.h: one vector of f32 for kernels that are compiled once per instruction set.
 *
 * A kernel is written once in a *_tmpl.h over `vec` and VEC_LANES and included by *_avx2.c and
 * *_avx512.c, which the build compiles with their own flags; VEC_NAME(f) keeps their symbols
 * apart. Compiled for anything else (a header check), a GCC vector of 8 floats stands in.
 * Loads and stores need no alignment. */
#ifndef NOD_BACKEND_CPU_VEC_H
#define NOD_BACKEND_CPU_VEC_H

#include <math.h>
#include <stdint.h>

#include "base/compiler.h"
#include "tensor/tensor.h"

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
NOD_INLINE vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}
NOD_INLINE vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}
/* a where x > 0, else (also where x is NaN) b */
NOD_INLINE vec vec_where_positive(vec x, vec a, vec b)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), b, a);
}
/* The first n of VEC_LANES numbers, zeros behind; n of them stored. */
NOD_INLINE vec vec_load_part(const float *p, int n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1U << n) - 1), p);
}
NOD_INLINE void vec_store_part(float *p, vec a, int n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1U << n) - 1), a);
}
/* bf16 to f32, and back by rounding to nearest even; a NaN stays one. */
NOD_INLINE vec vec_load_bf16(const uint16_t *p)
{
    __m512i w = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(w, 16));
}
NOD_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    __m512i w = _mm512_castps_si512(a);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(w, 16), _mm512_set1_epi32(1));
    __m512i up = _mm512_add_epi32(w, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
    up = _mm512_mask_or_epi32(up, nan, w, _mm512_set1_epi32(0x400000));
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(up, 16)));
}
#define VEC_MVEC(f) _ZGVeN16v_##f

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
NOD_INLINE vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}
NOD_INLINE vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}
NOD_INLINE vec vec_where_positive(vec x, vec a, vec b)
{
    return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ));
}
NOD_INLINE __m256i vec_first(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
NOD_INLINE vec vec_load_part(const float *p, int n)
{
    return _mm256_maskload_ps(p, vec_first(n));
}
NOD_INLINE void vec_store_part(float *p, vec a, int n)
{
    _mm256_maskstore_ps(p, vec_first(n), a);
}
NOD_INLINE vec vec_load_bf16(const uint16_t *p)
{
    __m256i w = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(w, 16));
}
NOD_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    __m256i w = _mm256_castps_si256(a);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(w, 16), _mm256_set1_epi32(1));
    __m256i up = _mm256_add_epi32(w, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
    up = _mm256_blendv_epi8(up, _mm256_or_si256(w, _mm256_set1_epi32(0x400000)), nan);
    up = _mm256_srli_epi32(up, 16);
    up = _mm256_permute4x64_epi64(_mm256_packus_epi32(up, up), 0x08);
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_castsi256_si128(up));
}
#define VEC_MVEC(f) _ZGVdN8v_##f

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
NOD_INLINE vec vec_div(vec a, vec b)
{
    return a / b;
}
NOD_INLINE vec vec_max(vec a, vec b)
{
    for (int i = 0; i < VEC_LANES; i++)
        if (b[i] > a[i]) a[i] = b[i];
    return a;
}
NOD_INLINE vec vec_where_positive(vec x, vec a, vec b)
{
    for (int i = 0; i < VEC_LANES; i++)
        if (x[i] > 0) b[i] = a[i];
    return b;
}
NOD_INLINE vec vec_load_part(const float *p, int n)
{
    vec a = vec_set1(0);
    for (int i = 0; i < n; i++)
        a[i] = p[i];
    return a;
}
NOD_INLINE void vec_store_part(float *p, vec a, int n)
{
    for (int i = 0; i < n; i++)
        p[i] = a[i];
}
NOD_INLINE vec vec_load_bf16(const uint16_t *p)
{
    vec a;
    for (int i = 0; i < VEC_LANES; i++)
        a[i] = nod_f32_from_bf16(p[i]);
    return a;
}
NOD_INLINE void vec_store_bf16(uint16_t *p, vec a)
{
    for (int i = 0; i < VEC_LANES; i++)
        p[i] = nod_bf16_from_f32(a[i]);
}
#endif

/* exp, expm1, erf, tanh: glibc's vector library, at most 4 units in the last place off. */
#ifdef VEC_MVEC
vec VEC_MVEC(expf)(vec x);
vec VEC_MVEC(expm1f)(vec x);
vec VEC_MVEC(erff)(vec x);
vec VEC_MVEC(tanhf)(vec x);
#define VEC_FUNCTION(name, f)        \
    NOD_INLINE vec vec_##name(vec x) \
    {                                \
        return VEC_MVEC(f)(x);       \
    }
#else
#define VEC_FUNCTION(name, f)               \
    NOD_INLINE vec vec_##name(vec x)        \
    {                                       \
        for (int i = 0; i < VEC_LANES; i++) \
            x[i] = f(x[i]);                 \
        return x;                           \
    }
#endif
VEC_FUNCTION(exp, expf)
VEC_FUNCTION(expm1, expm1f)
VEC_FUNCTION(erf, erff)
VEC_FUNCTION(tanh, tanhf)

/* Sum over the lanes, in a fixed order. */
NOD_INLINE float vec_sum(vec a)
{
    float s[VEC_LANES];
    vec_store(s, a);
    for (int half = VEC_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            s[i] += s[i + half];
    return s[0];
}

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
