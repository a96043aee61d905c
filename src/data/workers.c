/* workers.c: items are handed out in order under a lock. An item below a failed one was handed
 * out before it, so it is still finished and the lowest failure is known at the end. */
#include "data/workers.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/threads.h"

#define THREADS_MAX 64

typedef struct pool {
    pthread_mutex_t lock;
    size_t next, n;
    nod_work fn;
    void *ctx;
    size_t failed; /* lowest item that failed; n: none */
    nod_error err;
} pool;

static bool take(pool *p, size_t *i)
{
    pthread_mutex_lock(&p->lock);
    bool more = p->next < p->n && p->failed == p->n;
    if (more) *i = p->next++;
    pthread_mutex_unlock(&p->lock);
    return more;
}

static void *work(void *arg)
{
    pool *p = arg;
    size_t i;
    while (take(p, &i)) {
        nod_error err = NOD_ERROR_INIT;
        if (p->fn(p->ctx, i, &err) == 0) continue;
        pthread_mutex_lock(&p->lock);
        if (i < p->failed) {
            p->failed = i;
            p->err = err;
        }
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

/* A thread of several: what it calls computes on it alone. */
static void *work_alone(void *arg)
{
    nod_threads_set(1);
    return work(arg);
}

int nod_workers_run(size_t n, int threads, nod_work fn, void *ctx, nod_error *err)
{
    pool p = {.n = n, .fn = fn, .ctx = ctx, .failed = n, .err = NOD_ERROR_INIT};
    pthread_t t[THREADS_MAX];
    size_t want = (size_t)(threads > 0 ? threads : nod_threads_available()), made = 0;
    want = NOD_MIN(NOD_MIN(want, n), (size_t)THREADS_MAX);
    pthread_mutex_init(&p.lock, NULL);
    /* The caller is one of them; a thread that the system refuses is done without. */
    while (made + 1 < want && pthread_create(&t[made], NULL, work_alone, &p) == 0)
        made++;
    int budget = nod_threads_get();
    if (made > 0) nod_threads_set(1);
    work(&p);
    nod_threads_set(budget);
    for (size_t i = 0; i < made; i++)
        pthread_join(t[i], NULL);
    pthread_mutex_destroy(&p.lock);
    if (p.failed == n) return 0;
    *err = p.err;
    return err->code;
}
