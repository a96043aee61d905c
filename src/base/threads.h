/* threads.h: one budget of threads for the process, set by the caller.
 *
 * OpenMP computes; pthreads load. Work is cut into pieces by shape, never by the number of
 * threads, so that results are the same for any budget. */
#ifndef NOD_BASE_THREADS_H
#define NOD_BASE_THREADS_H

#include <stdint.h>

/* CPUs this process may run on (sched_getaffinity), at least 1. */
int nod_threads_available(void);
/* Sets the number of OpenMP threads of the calling thread's parallel regions; 0 = available. */
void nod_threads_set(int n);
int nod_threads_get(void);

/* How many threads load beside `budget` that compute: none beside one, else one for each eight. They
 * sleep but for the moments in which a batch is put together. */
int nod_threads_loading(int budget);

/* Runs fn(ctx, i) for i in 0..n-1, each once, on the budget's threads, any order. */
void nod_parallel_for(int64_t n, void (*fn)(void *ctx, int64_t i), void *ctx);

#endif
