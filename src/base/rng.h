/* rng.h: counter-based random numbers (Philox4x32-10).
 *
 * A stream is keyed by (seed, purpose, index) and never by thread or time, so any part of the
 * program can draw its numbers in any order and get the same ones.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11; Random123. */
#ifndef NOD_BASE_RNG_H
#define NOD_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Who draws. A new purpose goes at the end: the numbers are part of reproducibility. */
typedef enum nod_rng_purpose {
    NOD_RNG_INIT = 1,  /* index: parameter number */
    NOD_RNG_ORDER,     /* index: epoch */
    NOD_RNG_DROPOUT,   /* index: step * 4096 + node */
    NOD_RNG_SPLIT,     /* index: attempt */
    NOD_RNG_BOOTSTRAP, /* index: replicate */
    NOD_RNG_PERMUTE,   /* index: permutation */
    NOD_RNG_SYNTH,     /* index: case */
    NOD_RNG_AUGMENT,   /* index: epoch and case */
    NOD_RNG_TEST,      /* tests and benchmarks */
    NOD_RNG_FOREST,    /* index: fit * 2^20 + tree */
    NOD_RNG_FOLD,      /* index: repetition * 2^20 + stratum */
} nod_rng_purpose;

typedef struct nod_rng {
    uint64_t seed, index;
    uint32_t purpose;
    uint32_t counter; /* blocks of four drawn so far */
    uint32_t block[4];
    int left;      /* numbers left in block */
    int has_spare; /* a second normal is kept */
    double spare;
} nod_rng;

nod_rng nod_rng_make(uint64_t seed, nod_rng_purpose purpose, uint64_t index);
uint32_t nod_rng_u32(nod_rng *r);
double nod_rng_uniform(nod_rng *r);                     /* [0,1), 53 bits */
double nod_rng_range(nod_rng *r, double lo, double hi); /* [lo,hi) */
double nod_rng_normal(nod_rng *r);                      /* mean 0, sd 1 (Box-Muller) */
uint64_t nod_rng_below(nod_rng *r, uint64_t n);         /* 0..n-1 without bias; n > 0 */
/* Fisher-Yates over n items of `size` bytes each (size <= 64). */
void nod_rng_shuffle(nod_rng *r, void *items, size_t n, size_t size);

/* One Philox block: key (seed), counter (purpose, index, block); for bulk use such as dropout.
 */
void nod_rng_block(uint64_t seed, uint32_t purpose, uint64_t index, uint32_t block,
                   uint32_t out[4]);

#endif
