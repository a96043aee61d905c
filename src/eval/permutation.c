/* permutation.c: tests of paired decisions, exact where that can be done. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "base/threads.h"
#include "eval/compare.h"
#include "eval/special.h"

double nod_mcnemar_exact(int64_t only_a, int64_t only_b)
{
    double n = (double)only_a + (double)only_b;
    if (n == 0) return 1;
    return fmin(1.0, 2 * nod_binomial_half_cdf((double)NOD_MIN(only_a, only_b), n));
}

/* Sums that differ by rounding count as equally far. */
static bool as_far(double sum, double observed)
{
    return fabs(sum) >= fabs(observed) - 1e-9 * (1 + fabs(observed));
}

static double all_swaps(const double *d, size_t n, double observed)
{
    uint64_t far = 0, total = (uint64_t)1 << n;
    for (uint64_t mask = 0; mask < total; mask++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += mask >> i & 1 ? -d[i] : d[i];
        far += as_far(sum, observed);
    }
    return (double)far / (double)total;
}

#define PIECES 32

typedef struct swaps {
    const double *d;
    size_t n;
    double observed;
    uint64_t seed;
    uint64_t far[PIECES];
} swaps;

static void run_piece(void *ctx, int64_t piece)
{
    swaps *s = ctx;
    for (uint64_t b = (uint64_t)piece; b < NOD_PERMUTATIONS; b += PIECES) {
        nod_rng rng = nod_rng_make(s->seed, NOD_RNG_PERMUTE, b);
        double sum = 0;
        uint32_t bits = 0;
        for (size_t i = 0; i < s->n; i++, bits >>= 1) {
            if (i % 32 == 0) bits = nod_rng_u32(&rng);
            sum += bits & 1 ? -s->d[i] : s->d[i];
        }
        s->far[piece] += as_far(sum, s->observed);
    }
}

int nod_permutation_test(const double *d, size_t n, uint64_t seed, double *p,
                         nod_test_method *method, nod_error *err)
{
    double *differing = nod_calloc(NOD_MAX(n, (size_t)1), sizeof *differing), observed = 0;
    if (differing == NULL)
        return nod_fail_memory(err, "a permutation test", n * sizeof *differing);
    size_t n_differing = 0;
    for (size_t i = 0; i < n; i++) {
        observed += d[i];
        if (d[i] != 0) differing[n_differing++] = d[i];
    }
    if (n_differing <= NOD_PERMUTATIONS_ALL) {
        *p = all_swaps(differing, n_differing, observed);
        *method = NOD_TEST_PERMUTATION_EXACT;
    } else {
        swaps s = {.d = differing, .n = n_differing, .observed = observed, .seed = seed};
        nod_parallel_for(PIECES, run_piece, &s);
        uint64_t far = 0;
        for (size_t i = 0; i < PIECES; i++)
            far += s.far[i];
        *p = (1 + (double)far) / (1 + (double)NOD_PERMUTATIONS);
        *method = NOD_TEST_PERMUTATION;
    }
    nod_free(differing);
    return 0;
}
