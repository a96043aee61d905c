/* rng.c: streams of random numbers over Philox4x32-10.
 *
 * Layout, part of reproducibility (changing it changes every run):
 *   key     = { seed low 32 bits, seed high 32 bits }
 *   counter = { block, purpose, index low 32 bits, index high 32 bits }
 * A stream counts its blocks from 0 and hands out the four words of a block in order, so a
 * stream has 2^34 words before it repeats.
 *   uniform: two words a, b -> ((a >> 5) * 2^26 + (b >> 6)) / 2^53
 *   below:   two words, low first; values under 2^64 mod n are thrown away
 *   normal:  Box-Muller on two uniforms, cosine first, sine kept for the next call */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

#include "base/compiler.h"

#define SHUFFLE_ITEM_MAX 64

void nod_rng_block(uint64_t seed, uint32_t purpose, uint64_t index, uint32_t block,
                   uint32_t out[4])
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {{block, purpose, (uint32_t)index, (uint32_t)(index >> 32)}};
    philox4x32_ctr_t r = philox4x32_R(10, counter, key);
    memcpy(out, r.v, 4 * sizeof *out);
}

nod_rng nod_rng_make(uint64_t seed, nod_rng_purpose purpose, uint64_t index)
{
    nod_rng r = {.seed = seed, .index = index, .purpose = (uint32_t)purpose};
    return r;
}

uint32_t nod_rng_u32(nod_rng *r)
{
    if (r->left == 0) {
        nod_rng_block(r->seed, r->purpose, r->index, r->counter, r->block);
        r->counter++;
        r->left = 4;
    }
    return r->block[4 - r->left--];
}

double nod_rng_uniform(nod_rng *r)
{
    uint32_t a = nod_rng_u32(r) >> 5;
    uint32_t b = nod_rng_u32(r) >> 6;
    return ((double)a * 0x1p26 + (double)b) * 0x1p-53;
}

double nod_rng_range(nod_rng *r, double lo, double hi)
{
    double u = nod_rng_uniform(r);
    if (!(lo < hi)) return lo;
    double v = lo + (hi - lo) * u;
    /* The sum may round up to hi, which is outside of the half-open range. */
    return v < hi ? v : nextafter(hi, lo);
}

double nod_rng_normal(nod_rng *r)
{
    if (r->has_spare) {
        r->has_spare = 0;
        return r->spare;
    }
    double u = 1.0 - nod_rng_uniform(r); /* (0,1]: the logarithm is finite */
    double angle_rad = 2.0 * 3.14159265358979323846 * nod_rng_uniform(r);
    double radius = sqrt(-2.0 * log(u));
    r->spare = radius * sin(angle_rad);
    r->has_spare = 1;
    return radius * cos(angle_rad);
}

uint64_t nod_rng_below(nod_rng *r, uint64_t n)
{
    NOD_ASSERT(n > 0);
    uint64_t rejected = (UINT64_MAX - n + 1) % n; /* 2^64 mod n */
    for (;;) {
        uint64_t low = nod_rng_u32(r);
        uint64_t x = (uint64_t)nod_rng_u32(r) << 32 | low;
        if (x >= rejected) return x % n;
    }
}

void nod_rng_shuffle(nod_rng *r, void *items, size_t n, size_t size)
{
    NOD_ASSERT(size <= SHUFFLE_ITEM_MAX);
    unsigned char *p = items, kept[SHUFFLE_ITEM_MAX];
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)nod_rng_below(r, i);
        if (j == i - 1) continue;
        memcpy(kept, p + j * size, size);
        memcpy(p + j * size, p + (i - 1) * size, size);
        memcpy(p + (i - 1) * size, kept, size);
    }
}
