/* threads.c: the thread budget is OpenMP's own setting of the calling thread, so there is no
 * state here. A build without OpenMP computes on one thread. */
#include "base/threads.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#define CPUS_MAX (1 << 16)

int nod_threads_available(void)
{
    /* The set must be as large as the kernel's own; start with the usual size and double. */
    for (int n_cpus = 1024; n_cpus <= CPUS_MAX; n_cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)n_cpus);
        if (set == NULL) return 1;
        size_t size = CPU_ALLOC_SIZE((size_t)n_cpus);
        int rc = sched_getaffinity(0, size, set);
        int error = errno;
        int n = rc == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (rc == 0) return n > 0 ? n : 1;
        if (error != EINVAL) return 1;
    }
    return 1;
}

void nod_threads_set(int n)
{
#ifdef _OPENMP
    omp_set_num_threads(n > 0 ? n : nod_threads_available());
#else
    (void)n;
#endif
}

int nod_threads_get(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

int nod_threads_loading(int budget)
{
    if (budget < 2) return 0;
    return budget < 16 ? 1 : budget < 128 ? budget / 8 : 16;
}

void nod_parallel_for(int64_t n, void (*fn)(void *ctx, int64_t i), void *ctx)
{
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic, 1) if (n > 1)
#endif
    for (int64_t i = 0; i < n; i++)
        fn(ctx, i);
}
