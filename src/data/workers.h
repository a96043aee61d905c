/* workers.h: a loop over items on a bounded number of pthreads, for reading and decoding.
 *
 * (OpenMP computes: base/threads.h.) Items are taken in order, each once; after a failure no
 * later item is begun, and the error of the lowest item that failed is returned, whatever the
 * number of threads. */
#ifndef NOD_DATA_WORKERS_H
#define NOD_DATA_WORKERS_H

#include <stddef.h>

#include "base/error.h"

typedef int (*nod_work)(void *ctx, size_t i, nod_error *err);

/* threads 0: those available; at most 64 are used. */
int nod_workers_run(size_t n, int threads, nod_work fn, void *ctx,
                    nod_error *err) NOD_MUST_CHECK;

#endif
